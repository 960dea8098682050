"""A COCO file's boxes a few hundred images at a time, for targets that have boxes only and keep none of their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ...schemas.errors import AnnolakeError
from ...schemas.model import Annotation, Record, Rectangle, Tag
from .. import blocks
from ..blocks import Block
from ..fidelity import Fidelity
from ..shapeblocks import PLAIN_QUOTES
from .boxdocument import BoxDocument
from .columns import ODD, OUTLINED, Columns
from .crowds import plain_crowd
from .pictures import is_usual

if TYPE_CHECKING:
    from .reading import ImageRecords

_LARGEST = 2**63 - 1


def in_box_blocks(source: ImageRecords, numbers: range, fidelity: Fidelity) -> Iterator[Record | Block]:
    """The images with these numbers, for a target of that fidelity: one by one where it has more than boxes, or the
    file was not opened for boxes.
    """
    document = source.document
    columns = document.columns if isinstance(document, BoxDocument) else None
    if isinstance(document, BoxDocument) and columns and fidelity.boxes_only and not source.images.clashing and numbers:
        yield from _BoxRuns(source, document, columns, fidelity).items(numbers)
    else:
        yield from source.stream(numbers)


class _BoxRuns:
    """Of the file whose records are `source`, and whose annotations are `columns`, for a target of that fidelity."""

    def __init__(self, source: ImageRecords, document: BoxDocument, columns: Columns, fidelity: Fidelity) -> None:
        self.source, self.columns = source, columns
        self.order, self.start = document.order, document.start
        self.plain_images = document.plain_images
        self.crowds_go = not fidelity.crowd and not fidelity.required
        ids = sorted(number for number in source.plain_labels if isinstance(number, int) and 0 <= number < _LARGEST)
        self.names = [source.plain_labels[number] for number in ids]
        known = np.array([*ids, _LARGEST], np.int64)
        self.labels = np.searchsorted(known, columns.categories)
        named = (known[self.labels] == columns.categories) & (self.labels < len(ids))
        self.usual = named & (columns.kinds != ODD)

    def items(self, numbers: range) -> Iterator[Record | Block]:
        """The images with these numbers."""
        for start in range(0, len(numbers), blocks.IMAGES):
            yield from self._run(numbers[start : start + blocks.IMAGES])

    def _run(self, numbers: range) -> Iterator[Record | Block]:
        gathered = _Gathered(self)
        try:
            done = numbers.start
            for index in self._special(numbers):
                gathered.usual(range(done, index))
                done = index + 1
                alone = gathered.special(index)
                if alone is not None:
                    if gathered.records:
                        yield gathered.block()
                    gathered = _Gathered(self)
                    yield alone
            gathered.usual(range(done, numbers.stop))
        except AnnolakeError:
            if gathered.records:
                yield gathered.block()
            raise
        if gathered.records:
            yield gathered.block()

    def _special(self, numbers: range) -> list[int]:
        """Images that are to be looked at by themselves."""
        bounds = np.array(self.start[numbers.start : numbers.stop + 1], np.int64)
        rows = self.order[bounds[0] : bounds[-1]]
        odd: NDArray[np.int64] = np.flatnonzero(~self.usual[rows]) + bounds[0]
        owners: list[int] = np.searchsorted(bounds, odd, side="right").tolist()
        found = {owner - 1 + numbers.start for owner in owners}
        if self.plain_images is None:
            return list(numbers)
        pictures = self.plain_images[numbers.start : numbers.stop]
        return sorted(
            found.union(number for number, image in zip(numbers, pictures, strict=True) if not is_usual(image))
        )

    def stands_out(self, row: int) -> bool:
        """Whether an annotation that is not usual is so by its quotation marks: others keep those beside them from
        being read quickly, of which something more is then said.
        """
        return row in self.columns.odd and bytes(self.source.document.annotations[row]).count(b'"') != PLAIN_QUOTES

    def rows(self, numbers: range) -> NDArray[Any]:
        """Of the annotations of these images."""
        return self.order[self.start[numbers.start] : self.start[numbers.stop]]


class _Gathered:
    """What becomes a block."""

    def __init__(self, runs: _BoxRuns) -> None:
        self.runs = runs
        self.records: list[Record] = []
        self.counts: list[int] = []
        self.rows: list[NDArray[Any]] = []

    def block(self) -> Block:
        runs, columns = self.runs, self.runs.columns
        rows = np.concatenate(self.rows)
        labels: list[int] = runs.labels[rows].tolist()
        return Block(
            records=self.records,
            counts=self.counts,
            labels=[runs.names[label] for label in labels],
            bbox=columns.bbox[rows],
            ids=columns.ids[rows],
        )

    def usual(self, numbers: range) -> None:
        """Take in images that are usual, as their annotations are."""
        runs, source = self.runs, self.runs.source
        if not numbers or runs.plain_images is None:
            return
        rows, bounds = runs.rows(numbers), runs.start[numbers.start : numbers.stop + 1]
        source.ledger.seen["images"] += len(numbers)
        source.ledger.seen["annotations"] += len(rows)
        records = source.images.plain(runs.plain_images[numbers.start : numbers.stop])
        self._book(records, np.diff(bounds), rows)
        self.records += records
        self.counts += np.diff(bounds).tolist()
        self.rows.append(rows)

    def special(self, index: int) -> Record | None:
        """Take an image in, or give it back with its annotations, where one of them can only stand in a record."""
        runs, source = self.runs, self.runs.source
        rows = runs.rows(range(index, index + 1))
        usual = runs.usual[rows]
        if not all(map(runs.stands_out, rows[~usual].tolist())):
            return next(source.stream(range(index, index + 1)), None)
        record = self._head(index, len(rows))
        if record is None:
            return None
        found: list[NDArray[Any] | Annotation | Tag] = []
        crowds: list[Rectangle] = []
        done = 0
        for place in np.flatnonzero(~usual).tolist():
            found.append(self._booked(record, rows[done:place]))
            done = place + 1
            for item in self._odd(int(rows[place]), record):
                if runs.crowds_go and _is_crowd(item):
                    crowds.append(item)
                found.append(item)
        found.append(self._booked(record, rows[done:]))
        if sum(not isinstance(item, np.ndarray) for item in found) > len(crowds):
            return self._whole(record, found)
        for crowd in crowds:
            source.ledger.yielded["annotations"] += 1
            source.ledger.book("crowd-skipped", image=record.image, annotation=crowd.metadata["coco_id"])
        self.records.append(record)
        self.rows.append(rows[usual])
        self.counts.append(len(self.rows[-1]))
        return None

    def _head(self, index: int, annotated: int) -> Record | None:
        """An image without its annotations; None where it is a problem."""
        runs, source = self.runs, self.runs.source
        if runs.plain_images is None or not is_usual(runs.plain_images[index]):
            return source.head(index, annotated)
        source.ledger.seen["images"] += 1
        source.ledger.seen["annotations"] += annotated
        return source.images.plain([runs.plain_images[index]])[0]

    def _odd(self, row: int, record: Record) -> Sequence[Annotation | Tag]:
        runs, source = self.runs, self.runs.source
        if runs.crowds_go:
            crowd = plain_crowd(source.document.annotations[row], record, source.plain_labels)
            if crowd is not None:
                return [crowd]
        return source.any(row, record)

    def _booked(self, record: Record, rows: NDArray[Any]) -> NDArray[Any]:
        self._book([record], [len(rows)], rows)
        return rows

    def _whole(self, record: Record, found: Sequence[NDArray[Any] | Annotation | Tag]) -> Record:
        """An image with its annotations, those known by their rows as boxes."""
        annotations: list[Annotation] = []
        tags: list[Tag] = []
        for item in found:
            if isinstance(item, Tag):
                tags.append(item)
            elif isinstance(item, np.ndarray):
                annotations += self._boxes(item)
            else:
                annotations.append(item)
        return replace(record, annotations=annotations, tags=tuple(tags))

    def _boxes(self, rows: NDArray[Any]) -> list[Annotation]:
        columns, names = self.runs.columns, self.runs.names
        boxes: list[list[float]] = columns.bbox[rows].tolist()
        labels: list[int] = self.runs.labels[rows].tolist()
        return [
            Rectangle(bbox=(x, y, w, h), label=names[label], metadata={"coco_id": identity})
            for (x, y, w, h), label, identity in zip(boxes, labels, columns.ids[rows].tolist(), strict=True)
        ]

    def _book(self, records: Sequence[Record], counts: Any, rows: NDArray[Any]) -> None:
        """Outlines that become boxes."""
        columns, source = self.runs.columns, self.runs.source
        if not len(rows):
            return
        outlined = columns.kinds[rows] == OUTLINED
        if source.boxed is not None:
            source.boxed.count += int(np.count_nonzero(outlined))
            return
        owners: list[int] = np.repeat(np.arange(len(records)), counts)[outlined].tolist()
        for owner, identity in zip(owners, columns.ids[rows[outlined]].tolist(), strict=True):
            source.book_boxed(records[owner].image, identity)


def _is_crowd(item: Annotation | Tag) -> TypeGuard[Rectangle]:
    """Whether that is all that a target without crowds need know: it is left out, and named."""
    return type(item) is Rectangle and item.metadata.get("iscrowd") is True and "coco_id" in item.metadata
