"""Runs of images whose objects are single rings and boxes, their numbers in columns: what a target that has one ring an
object holds of `shapeblocks`, where nothing else is said of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from ..schemas.model import Annotation, Polygon, Record, Rectangle
from .shapeblocks import Shape, facts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BOX = 4
"""Numbers of a box; a ring has six or more."""


class RingBlock(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Images in order, as records without annotations and tags, and how many objects each has (`counts`).

    Of each object `labels` holds the label and `lengths` how many numbers it has: those of a ring, or the `BOX` of a
    box `(x, y, width, height)`. `xy` are the numbers of all of them, one object behind the other. `shapes`, where the
    target notes what a source says of its numbers, are the shapes that the objects are still the whole of.
    """

    records: Sequence[Record]
    counts: Sequence[int]
    labels: Sequence[str]
    lengths: NDArray[np.int64]
    xy: NDArray[np.float64]
    shapes: Sequence[Shape | None] | None = None

    def cut(self, start: int, stop: int) -> RingBlock:
        """The images `start` to `stop` (excluded)."""
        own = slice(sum(self.counts[:start]), sum(self.counts[:stop]))
        before = int(self.lengths[: own.start].sum())
        return RingBlock(
            records=self.records[start:stop],
            counts=self.counts[start:stop],
            labels=self.labels[own],
            lengths=self.lengths[own],
            xy=self.xy[before : before + int(self.lengths[own].sum())],
            shapes=None if self.shapes is None else self.shapes[own],
        )

    def expanded(self, _: object = None) -> Iterator[Record]:
        """The same images one by one. They are of one file, which the books know."""
        annotations = self._annotations()
        for record, end, count in zip(self.records, accumulate(self.counts), self.counts, strict=True):
            yield replace(record, annotations=annotations[end - count : end])

    def _annotations(self) -> list[Annotation]:
        out: list[Annotation] = []
        numbers: list[float] = self.xy.tolist()
        shapes = [None] * len(self.labels) if self.shapes is None else self.shapes
        stop = 0
        for label, length, shape in zip(self.labels, self.lengths.tolist(), shapes, strict=True):
            start, stop = stop, stop + length
            said = {} if shape is None else next(facts([shape]))
            said.pop("coco_id", None)
            if length == BOX:
                x, y, w, h = numbers[start:stop]
                out.append(Rectangle((x, y, w, h), label=label, metadata=said))
            else:
                out.append(Polygon(numbers[start:stop], label=label, metadata=said))
        return out
