"""A run of images whose label files hold boxes and nothing odd, as a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...schemas.errors import AnnolakeError
from ...schemas.model import Record
from .. import blocks as whole
from ..blocks import Block
from ..images import ImageSize, image_size
from ..ledger import Ledger
from .labelfiles import Held
from .textruns import boxes_in

if TYPE_CHECKING:
    from .reading import Reader

_UPRIGHT = 1
_FEW = 4
"""Images among which nobody looks for plain ones once one of them is odd."""


def blocks(reader: Reader, ledger: Ledger, start: int, stop: int) -> Iterator[Record | Block]:
    """The images `start` to `stop` (excluded), their annotations booked as the source has them."""
    for first in range(start, stop, whole.IMAGES):
        last = min(first + whole.IMAGES, stop)
        try:
            files = reader.files.held_for(reader.numbers[first], reader.numbers[last])
        except AnnolakeError:
            files = None
        if files is None or ledger.places is not None:
            yield from reader.records(ledger, first, last)
        else:
            yield from _run(reader, files, ledger, first, last)
        reader.sizes.clear()  # asked again only while a block is halved


def _run(reader: Reader, files: Held, ledger: Ledger, start: int, stop: int) -> Iterator[Record | Block]:
    """Halved until what is odd stands by itself."""
    block = _block(reader, files, ledger.file, start, stop)
    if block is not None:
        ledger.seen["images"] += len(block.records)
        ledger.seen["annotations"] += len(block.labels)
        yield block
        ledger.file = block.files[-1] if block.files else ledger.file
    elif stop - start <= _FEW:
        yield from reader.records(ledger, start, stop)
    else:
        middle = (start + stop) // 2
        yield from _run(reader, files, ledger, start, middle)
        yield from _run(reader, files, ledger, middle, stop)


def _block(reader: Reader, files: Held, file: str, start: int, stop: int) -> Block | None:
    """None where anything is odd. `file` is that of the image before."""
    records: list[Record] = []
    names: list[str] = []
    for pair in reader.pairs[start:stop]:
        width = height = None
        if pair.picture is not None:
            size = _size(reader, pair.picture)
            if size is None:
                return None
            width, height = size.width, size.height
        records.append(Record(image=pair.image, width=width, height=height, split=pair.split))
        names.append(file := pair.labels or file)
    found = boxes_in(*files.joined(reader.numbers[start], reader.numbers[stop]), len(reader.names))
    if found is None:
        return None
    rows, counts = found
    if len(counts) < len(records):
        own = iter(counts)
        counts = [0 if pair.labels is None else next(own) for pair in reader.pairs[start:stop]]
    bbox = rows[:, 1:]
    bbox[:, :2] -= bbox[:, 2:] / 2
    labels = list(map(reader.names.__getitem__, rows[:, 0].astype(np.intp).tolist()))
    return Block(records=records, counts=counts, labels=labels, bbox=bbox, files=names)


def _size(reader: Reader, picture: str) -> ImageSize | None:
    """None where something is to be said about it."""
    size = reader.sizes.get(picture)
    if size is None and picture not in reader.unreadable:
        try:
            size = reader.sizes[picture] = image_size(picture, reader.exif)
        except AnnolakeError:
            return None
    return size if size is not None and size.orientation == _UPRIGHT else None
