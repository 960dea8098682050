"""Bodies that can be sent again: bytes, and slices of files streamed from disk with their MD5 taken on the way."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from ...converters.files import local_failure
from ...schemas.errors import InvalidInput, Place
from .clock import raise_if_stopped

Moved = Callable[[int], None]
"""Told of each piece that has been handed to the socket or to the disk, in bytes."""


class Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def length(self) -> int:
        return len(self._content)

    def open(self) -> bytes:
        return self._content


class FileSlice:
    """`length` bytes of a file from `start`. `md5` is that of the last attempt that read them all, else empty."""

    def __init__(self, path: Path, start: int, length: int, moved: Moved | None = None) -> None:
        self.path = path
        self.start = start
        self._length = length
        self._moved = moved
        self._reader: _Reader | None = None

    @property
    def length(self) -> int:
        return self._length

    @property
    def md5(self) -> bytes:
        if self._length == 0:
            return hashlib.md5(usedforsecurity=False).digest()
        return self._reader.digest() if self._reader is not None else b""

    def open(self) -> bytes | BinaryIO:
        if self._length == 0:
            return b""  # a reader of nothing would be sent in chunks, which storage refuses
        if self._reader is not None:
            self._reader.close()
        self._reader = _Reader(self, self._moved)
        return cast(BinaryIO, self._reader)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


class _Reader(io.RawIOBase):
    """What requests needs of a file: `read`, and for the header Content-Length both `len` and `tell`."""

    def __init__(self, piece: FileSlice, moved: Moved | None) -> None:
        super().__init__()
        self._path = piece.path
        self._left = self._length = piece.length
        self._hash = hashlib.md5(usedforsecurity=False)
        self._moved = moved
        self._file: BinaryIO | None = None
        try:
            self._file = piece.path.open("rb")
            self._file.seek(piece.start)
        except OSError as error:
            raise local_failure(error, piece.path) from None

    def __len__(self) -> int:
        return self._length

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length - self._left

    def read(self, size: int | None = -1) -> bytes:
        raise_if_stopped()
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if wanted == 0 or self._file is None:
            return b""
        try:
            piece = self._file.read(wanted)
        except OSError as error:
            raise local_failure(error, self._path) from None
        if len(piece) < wanted:
            raise changed(self._path)
        self._left -= len(piece)
        self._hash.update(piece)
        if self._moved is not None:
            self._moved(len(piece))
        return piece

    def digest(self) -> bytes:
        return self._hash.digest() if self._left == 0 else b""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def changed(path: Path) -> InvalidInput:
    """The error of a file that is not what it was when the upload was planned."""
    return InvalidInput(
        "file-changed",
        "the file changed while it was being uploaded",
        place=Place(file=str(path)),
        hint="upload it again when nothing writes to it",
    )
