"""Whether a record and its picture fit together."""

from __future__ import annotations

import msgspec

from ..schemas.errors import AnnolakeError, Place
from ..schemas.model import Record
from ..schemas.problems import Problem
from .images import ImageFinder, ImageSize


def fitted(record: Record, finder: ImageFinder | None) -> tuple[Record, list[Problem]]:
    """The record with its picture's size where it has none, and warnings of what does not fit: a picture that is
    missing or cannot be read, a size that is another. Nothing where no pictures are known.
    """
    if finder is None:
        return record, []
    try:
        size = finder.size(record.image)
    except AnnolakeError as error:
        return record, [_warning(record, error.code, error.message, error.hint)]
    if size is None:
        return record, [_warning(record, "missing-picture", "there is no such picture", "check --images")]
    if not (record.width and record.height):
        return msgspec.structs.replace(record, width=size.width, height=size.height), []
    if (record.width, record.height) == (size.width, size.height):
        return record, []
    message = f"the file says {record.width} x {record.height}, the picture has {size.width} x {size.height}"
    return record, [_warning(record, "size-differs", message, _advice(record, size))]


def _advice(record: Record, size: ImageSize) -> str:
    if size.orientation != 1 and (record.width, record.height) == (size.height, size.width):
        return "the picture has an EXIF turning tag; the file's size is that of the stored pixels"
    return "which picture was annotated? Coordinates belong to its size"


def _warning(record: Record, code: str, message: str, fix: str | None) -> Problem:
    return Problem(code=code, severity="warning", message=message, place=Place(image=record.image), fix=fix)
