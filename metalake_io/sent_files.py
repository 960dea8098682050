"""What an earlier run has sent of a file, and whether the file is still that."""

from __future__ import annotations

import hashlib

import msgspec

from .journal_rows import FileRow, PartRow
from .results import Item, Verified
from .scanning import Source

_CHUNK = 1 << 20


def part_count(size: int, part_size: int) -> int:
    """In how many parts so many bytes are sent; no bytes are one part, too."""
    return max(1, -(-size // part_size))


def is_as_sent(source: Source, row: FileRow, parts: list[PartRow]) -> bool:
    """Whether the file is what these parts of it were when they were sent: untouched, or of the same content."""
    if source.size != row.size:
        return False
    return source.modified == row.modified or all(is_of(part, source, row) for part in parts)


def done(source: Source, row: FileRow) -> FileRow:
    return msgspec.structs.replace(row, size=source.size, modified=source.modified, state="done")


def sent_before(source: Source, verified: Verified | None) -> Item:
    """The item of a file that an earlier run has brought, and that the service has."""
    reason = "it is there, sent by an earlier run"
    return Item(name=source.name, state="skipped", reason=reason, verified_by=verified, size=source.size)


def outdated(source: Source) -> Item:
    """The item of a file that was changed after it was uploaded."""
    reason = "changed since it was uploaded; the collection has what it was, and the service replaces no files"
    return Item(name=source.name, state="failed", reason=reason, retry_helps=False, size=source.size)


def is_of(part: PartRow, source: Source, row: FileRow) -> bool:
    """Whether the storage has these bytes of the file as they are now."""
    return bool(part.md5) and part.md5 == _md5(source, (part.number - 1) * row.part_size, row.part_size)


def _md5(source: Source, start: int, length: int) -> str:
    """Of a slice of the file; empty where it cannot be read."""
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with source.path.open("rb") as file:
            file.seek(start)
            left = length
            while left and (piece := file.read(min(left, _CHUNK))):
                digest.update(piece)
                left -= len(piece)
    except OSError:
        return ""
    return digest.hexdigest()
