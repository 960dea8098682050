"""What a journal remembers, as rows: files, their parts, uploads, annotation sessions, images with annotations.

No row holds a secret or a signed address. `KEY` counts the leading fields that a row is known by.
"""

from __future__ import annotations

import zlib
from typing import Any, ClassVar, Literal, Self

import msgspec

from .results import Verified

SCHEMA = 1
"""Number of this form of journals; an older program refuses a newer form."""


class Row(msgspec.Struct, frozen=True):
    TABLE: ClassVar[str]
    KEY: ClassVar[int] = 1

    def sealed(self) -> tuple[Any, ...]:
        """The values of its columns, the last of which is a checksum of the others."""
        values = msgspec.structs.astuple(self)
        return (*values, _seal(values))

    @classmethod
    def opened(cls, columns: tuple[Any, ...]) -> Self | None:
        """The row in these columns; None where the checksum says that they are not as they were written."""
        *values, seal = columns
        return cls(*values) if seal == _seal(tuple(values)) else None

    @classmethod
    def insert(cls) -> str:
        """SQL that puts a row in place of one of the same key."""
        marks = ", ".join("?" * (len(cls.__struct_fields__) + 1))
        return f"INSERT OR REPLACE INTO {cls.TABLE} VALUES ({marks})"

    @classmethod
    def create(cls) -> str:
        names = cls.__struct_fields__
        key = ", ".join(names[: cls.KEY])
        return f"CREATE TABLE {cls.TABLE} ({', '.join(names)}, seal, PRIMARY KEY ({key})) WITHOUT ROWID"


class About(Row, frozen=True):
    """What the journal is of: `schema`, `server`, `target`."""

    TABLE = "about"
    name: str
    value: str


class FileRow(Row, frozen=True):
    """A file: what it was like on disk (`size` in bytes, `modified` in nanoseconds), and how far it is: `begun` as
    `file_id` in the upload `upload`, in parts of `part_size` bytes; `done`, which the service has acknowledged.
    """

    TABLE = "files"
    name: str
    size: int
    modified: int
    state: Literal["begun", "done"]
    upload: str
    file_id: str
    file_key: str
    part_size: int


class PartRow(Row, frozen=True):
    """A part that the storage has acknowledged; `md5`, in hexadecimals, of the bytes that were sent."""

    TABLE = "parts"
    KEY = 2
    file_id: str
    number: int
    etag: str
    md5: str
    verified: Verified


class UploadRow(Row, frozen=True):
    """One upload as the service counts them, of so many `files`. `number` gives their order; a `closed` one has been
    completed.
    """

    TABLE = "uploads"
    id: str
    number: int
    files: int
    collection: str
    job: str
    closed: int = 0


class SessionRow(Row, frozen=True):
    """An annotation run: `stamp`, in seconds since 1970, is in all that is sent, so that it can be sent again alike."""

    TABLE = "sessions"
    operation: str
    stamp: float
    finished: int = 0


ImageState = Literal["sent", "done", "refused"]


class ImageRow(Row, frozen=True):
    """Annotations of one image. `digest` of what they are, whenever it is. `sent` may have arrived; `done` has, and
    `refused` has not.
    """

    TABLE = "images"
    KEY = 2
    operation: str
    name: str
    digest: str
    state: ImageState


TABLES: tuple[type[Row], ...] = (About, FileRow, PartRow, UploadRow, SessionRow, ImageRow)


def _seal(values: tuple[Any, ...]) -> int:
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))
