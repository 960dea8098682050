"""Bytes in files named by ids of our own: no name that a client sends ever becomes a path."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterable, Iterable
from pathlib import Path

from ...converters.files import appearing_whole
from .database import new_id


class Blobs:
    """The folders `objects/` (whole files) and `parts/` (of uploads under way). Files appear whole or not at all."""

    def __init__(self, data: Path) -> None:
        self._objects = data / "objects"
        self._parts = data / "parts"
        self._objects.mkdir(exist_ok=True)
        self._parts.mkdir(exist_ok=True)

    def path(self, blob: str) -> Path:
        """Where the bytes of a finished file are."""
        return self._objects / blob[-2:] / blob

    async def receive(self, multipart: str, pieces: AsyncIterable[bytes]) -> tuple[str, int, Path]:
        """Take in one part under a temporary name: MD5 in hexadecimal digits, size, file."""
        temporary = self._parts / f"{multipart}.{new_id()}"
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        try:
            with temporary.open("xb") as file:
                async for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return digest.hexdigest(), size, temporary

    def keep(self, temporary: Path, multipart: str, number: int, etag: str) -> None:
        """Give a part that was taken in its name. The same part with other bytes gets another one."""
        temporary.replace(self._part(multipart, number, etag))

    def join(self, multipart: str, parts: Iterable[tuple[int, str]]) -> int:
        """Make one file of parts in this order; its size. LocalFailure: the disk is full, a part is gone."""
        path = self.path(multipart)
        path.parent.mkdir(exist_ok=True)
        with appearing_whole(path) as temporary, temporary.open("xb") as whole:
            for number, etag in parts:
                with self._part(multipart, number, etag).open("rb") as part:
                    shutil.copyfileobj(part, whole, 1 << 20)
        return path.stat().st_size

    def drop_parts(self, multipart: str) -> None:
        """Remove what is no longer needed once the whole file is there."""
        for path in self._parts.glob(f"{multipart}[.-]*"):
            path.unlink(missing_ok=True)

    def drop(self, blob: str) -> None:
        """Remove a file that another one has replaced."""
        self.path(blob).unlink(missing_ok=True)

    def _part(self, multipart: str, number: int, etag: str) -> Path:
        return self._parts / f"{multipart}-{number}-{etag}"
