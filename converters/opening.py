"""Opening a source and streaming its records, the same way for every job: convert, stats, diff, validate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from ..schemas.errors import LocalFailure, Place, UsageError
from ..schemas.model import Record, count_objects
from . import registry
from .format import Context, Format, Item, Options, Reading
from .ledger import Ledger

Progress = Callable[[int, int | None], None]
"""Called now and then with the number of images done, and of all images where that is known."""

_STEP = 256
T = TypeVar("T", bound=Item)


def find_format(source: Path, name: str | None) -> Format:
    """The format to read `source` with: the one named, else the one that recognises it."""
    if not source.exists():
        raise UsageError("no-source", f"there is nothing at {source}", hint="check the path")
    if not os.access(source, os.R_OK):
        place = Place(file=str(source))
        raise LocalFailure("local-file", "no permission to read this", place=place, hint="check its permissions")
    return registry.get(name) if name else registry.sniff(source)


def open_source(
    source: Path,
    format_name: str | None,
    ledger: Ledger,
    context: Context | None = None,
    options: Options | None = None,
) -> Reading:
    """The source opened with its format. InvalidInput where it is broken as a whole."""
    reader = find_format(source, format_name)
    return reader.read(source, options or reader.options(), context or Context(), ledger)


def streamed(
    reading: Reading,
    ledger: Ledger,
    progress: Progress | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[Record]:
    """The records of a source, counted as they come; at the end every one that was seen has been yielded or booked."""
    yield from counted(reading.records(ledger, start, stop), reading.images, ledger, progress)


def counted(items: Iterable[T], images: int, ledger: Ledger, progress: Progress | None = None) -> Iterator[T]:
    """The same of what was streamed, records or blocks of them; `images` are those of all the source."""
    done = told = 0
    for item in items:
        if isinstance(item, Record):
            new, annotations = 1, count_objects(item)
        else:
            new, annotations = len(item.records), len(item.labels)
        ledger.yielded["images"] += new
        ledger.yielded["annotations"] += annotations
        yield item
        if ledger.places:
            ledger.places.clear()
        done += new
        if progress is not None and done - told >= _STEP:
            told = done
            progress(done, images)
    if progress is not None:
        progress(done, images)
    if not ledger.lenient:
        ledger.balance_reading()


def sized(record: Record, context: Context) -> Record:
    """The record with its picture's size, where it has none and the pictures are known."""
    if context.images is None or (record.width and record.height):
        return record
    size = context.images.size(record.image)
    return record if size is None else msgspec.structs.replace(record, width=size.width, height=size.height)
