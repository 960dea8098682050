"""The stand-in's folder and rules: what every call works on."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

import msgspec

from .auth import Credentials, Signer
from .blobs import Blobs
from .database import Database, setting

Storage = Literal["AWS_S3", "GCP", "AZURE", "aws_s3", "gcs", "azure_blob"]
"""The word that tells a client how to send bytes: three of the service, three of its newer version."""

BUCKET = "sandbox"
"""The one bucket; the word DEFAULT means it, too."""

IMAGE, VIDEO, OTHER = 5, 4, 7
"""Media types of collections."""

CONTENT = {IMAGE: 2, VIDEO: 1, OTHER: 6}
"""Media type of a collection -> object type of its files."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one stand-in behaves. Signed URLs hold for `url_life` seconds: three days, as the service's do."""

    data: Path
    credentials: Credentials
    storage: Storage = "AWS_S3"
    url_life: float = 3 * 24 * 3600.0
    is_local: bool = True
    """Reachable from this computer only: pages then need no password."""


class Lake:
    """Opens, and makes where there is none, the lake in the folder `settings.data`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.data.mkdir(parents=True, exist_ok=True)
        self.database = Database(settings.data / "lake.sqlite")
        self.blobs = Blobs(settings.data)
        with self.database.writing() as db:
            signing_secret = setting(db, "signing-secret", secrets.token_hex(32))
        self.signer = Signer(signing_secret, settings.url_life)

    def media_url(self, base: str, blob: str, unique_name: str) -> str:
        """Where the bytes of a file can be fetched without Authorization, for a while."""
        return base + self.signer.sign("GET", f"/storage/{BUCKET}/{blob}", name=unique_name)


def is_default_bucket(name: str | None) -> bool:
    """Whether a call means our bucket: null in annotation calls, DEFAULT in metadata calls."""
    return name in (None, "", "DEFAULT", BUCKET)
