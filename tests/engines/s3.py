"""A local stand-in for S3."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import storage

SECRET = "the/secret+of=nobody"


class Bucket:
    """A bucket of the stand-in, by another client than ours."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        client.create_bucket(Bucket=name)

    def put(self, folder: Path, below: str) -> None:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file():
                name = f"{below}/{path.relative_to(folder).as_posix()}" if path != folder else below
                self.client.upload_file(str(path), self.name, name)

    def tree(self, below: str = "") -> dict[str, bytes]:
        """All objects below a name."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=f"{below}/".lstrip("/"))
        names = [one["Key"] for page in pages for one in page.get("Contents", ())]
        whole = {name: self.client.get_object(Bucket=self.name, Key=name)["Body"].read() for name in names}
        return {name.removeprefix(f"{below}/"): content for name, content in whole.items()}


@contextmanager
def serving() -> Generator[Any]:
    """A client of the stand-in, whose address and keys stand in the environment as for any tool."""
    server = import_module("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        storage.forget_connections()
        yield import_module("boto3").client("s3")
    storage.forget_connections()
    server.stop()
