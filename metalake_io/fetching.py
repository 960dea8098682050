"""One file from a signed address to the disk: under a temporary name, its length and hash checked, then renamed.

Nothing with wrong bytes ever stands under the final name. A file that is there already is offered to the storage by its
MD5 (`If-None-Match`); what comes all the same is compared.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import msgspec

from ..converters.files import local_failure
from .errors import ServiceRefused
from .results import Item, Verified
from .service import Service
from .transfer.bodies import Moved
from .transfer.exchange import Fault, Head, Request
from .transfer.stack import STORAGE_IDLE

_MD5 = re.compile(r'^"?([0-9a-fA-F]{32})"?$')
_PAGE = ("text/html", "application/xml", "text/xml", "application/json")
_MEDIA = re.compile(r"(?i)\.(jpe?g|png|mp4|mkv|bmp|gif|tiff?|webp)$")


class Wanted(msgspec.Struct, frozen=True):
    """A file to be fetched. `size` in bytes, where the service has told it."""

    name: str
    url: str
    path: Path
    size: int | None = None


class Fetcher:
    """Fetches files through the layers of `service`. `idle`: seconds without a byte, `moved` hears of bytes."""

    def __init__(self, service: Service, *, idle: float = STORAGE_IDLE, moved: Moved | None = None) -> None:
        self._service = service
        self._idle = idle
        self._moved = moved

    def fetch(self, wanted: Wanted) -> Item:
        """The file, downloaded or left as it is because it is the same. ServiceRefused, NetworkGaveUp, LocalFailure."""
        url = self._checked(wanted)
        present = _md5_of(wanted.path)
        landing = _Landing(wanted, self._moved)
        headers = {"Accept-Encoding": "identity"}
        if present:
            headers["If-None-Match"] = f'"{present}"'
        try:
            response = self._service.layers.send(
                Request(
                    method="GET",
                    url=url,
                    operation=f"download {wanted.name!r}",
                    headers=headers,
                    idle=self._idle,
                    receive=landing.receive,
                )
            )
            if response.status == 304 and present:
                return Item(name=wanted.name, state="skipped", reason="the same file is there", verified_by="md5")
            if not 200 <= response.status < 300:
                error = ServiceRefused(
                    "download-refused",
                    f"download {wanted.name!r}: the storage answers {response.status}",
                    hint="its address may have expired: run it again" if response.status == 403 else None,
                )
                raise error.after(response)
            if present and landing.md5 == present:
                return Item(
                    name=wanted.name,
                    state="skipped",
                    reason="the same file is there",
                    attempts=response.attempts,
                    verified_by="md5",
                    size=landing.size,
                )
            landing.settle()
        finally:
            landing.clear()
        return Item(
            name=wanted.name,
            state="downloaded",
            reason="it replaced another file of this name" if present else None,
            attempts=response.attempts,
            status=response.status,
            verified_by=landing.verified,
            size=landing.size,
        )

    def _checked(self, wanted: Wanted) -> str:
        scheme = urlsplit(wanted.url).scheme
        if scheme not in ("http", "https") or (scheme == "http" and self._service.base_url.startswith("https:")):
            raise ServiceRefused("unsafe-address", f"download {wanted.name!r}: its address is not trustworthy")
        return wanted.url


class _Landing:
    """The temporary file of one download, begun anew with each attempt."""

    def __init__(self, wanted: Wanted, moved: Moved | None) -> None:
        self._wanted = wanted
        self._moved = moved
        self._temporary = wanted.path.with_name(f".{secrets.token_hex(8)}.annolake")
        self.size = 0
        self.md5 = ""
        self.verified: Verified = "none"

    def receive(self, head: Head, pieces: Iterable[bytes]) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        self.size = 0
        self._refuse_pages(head)
        with self._opened() as file:
            for piece in pieces:
                self._write(file, piece)
                digest.update(piece)
                self.size += len(piece)
                if self._moved is not None:
                    self._moved(len(piece))
            self.md5 = digest.hexdigest()
            self.verified = self._verify(head)
            self._sync(file)

    def settle(self) -> None:
        try:
            os.replace(self._temporary, self._wanted.path)
        except OSError as error:
            raise local_failure(error, self._wanted.path) from None

    def clear(self) -> None:
        self._temporary.unlink(missing_ok=True)

    def _refuse_pages(self, head: Head) -> None:
        """A page of words with status 200 where a picture should be: a portal or a proxy speaks."""
        kind = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _PAGE and _MEDIA.search(self._wanted.name):
            raise Fault("damaged", f"{kind} comes instead of the file", sent=True)

    def _verify(self, head: Head) -> Verified:
        """The best proof there is. A Fault where one speaks against the file."""
        told = head.headers.get("content-length", "")
        plain = head.headers.get("content-encoding", "identity") == "identity"
        lengths = [self._wanted.size, int(told) if plain and told.isdecimal() else None]
        known = [length for length in lengths if length is not None]
        if any(length != self.size for length in known):
            raise Fault("damaged", f"{self.size:,} bytes came, {known[0]:,} were announced", sent=True)
        if self.size == 0 and not known:
            raise Fault("damaged", "nothing came", sent=True)
        match = self._hash_matches(head)
        if match is False:
            raise Fault("damaged", "the bytes that came are not those that are stored", sent=True)
        return "md5" if match else "size" if known else "none"

    def _hash_matches(self, head: Head) -> bool | None:
        raw = base64.b64encode(bytes.fromhex(self.md5)).decode("ascii")
        told = [head.headers.get("content-md5", "")]
        told += [part.strip()[4:] for part in head.headers.get("x-goog-hash", "").split(",") if "md5=" in part[:5]]
        for value in filter(None, told):
            return value.strip() == raw
        etag = _MD5.match(head.headers.get("etag", ""))
        if etag is None:
            return None
        if etag[1].lower() == self.md5:
            return True
        return False if is_md5_etag(head.headers) else None

    def _opened(self) -> BinaryIO:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            return os.fdopen(os.open(self._temporary, flags, 0o666), "wb", buffering=0)
        except OSError as error:
            raise local_failure(error, self._temporary) from None

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        try:
            left = memoryview(piece)
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise local_failure(error, self._wanted.path) from None

    def _sync(self, file: BinaryIO) -> None:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise local_failure(error, self._wanted.path) from None


def is_md5_etag(headers: Mapping[str, str]) -> bool:
    """Whether an ETag is known to be the MD5 of the bytes: S3's are, but for objects encrypted with keys of KMS or
    of the customer. Other servers make theirs as they like.
    """
    s3 = any(key.startswith("x-amz-") for key in headers)
    kms = "kms" in headers.get("x-amz-server-side-encryption", "")
    return s3 and not kms and "x-amz-server-side-encryption-customer-algorithm" not in headers


def _md5_of(path: Path) -> str:
    """The MD5 of a regular file that is there, else empty. A link is none: it will be replaced, not followed."""
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise local_failure(error, path) from None
