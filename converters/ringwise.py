"""The projection of outlined objects by blocks to targets that have one ring an object: `projection` for many images at
once. An image of which anything is to be looked at is projected by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..schemas.model import Annotation, Record
from .fidelity import Fidelity
from .ledger import Ledger
from .ringblocks import BOX, RingBlock
from .shapeblocks import Shape, ShapeBlock, flattened, hulls

Object = Shape | Sequence[Annotation]
_EXACT = 2.0**53
"""Below it every whole number is a float."""


class RingProjection:
    """`one` projects a record, `head` one without annotations. `scaled`: pixels become fractions; `noted`: the target
    keeps what a source says of the numbers of an outline.
    """

    def __init__(
        self,
        fidelity: Fidelity,
        ledger: Ledger,
        one: Callable[[Record], Record],
        head: Callable[[Record], Record],
        *,
        scaled: bool,
        noted: bool,
    ) -> None:
        self.fidelity, self.ledger = fidelity, ledger
        self.one, self.head = one, head
        self.scaled, self.noted = scaled, noted

    def project(self, block: ShapeBlock) -> Iterator[Record | RingBlock]:
        """What the target holds of it, in order."""
        parts = [(len(item.segmentation) or 1) if isinstance(item, Shape) else 0 for item in block.objects]
        ends = [0, *accumulate(block.counts)]
        starts = [0, *accumulate(parts)]
        columns = self._columns(block, [starts[end] for end in ends])
        special = [place for place, count in enumerate(parts) if count != 1]
        skipped = [place for place in special if parts[place] or self._is_skipped(block.objects[place])]
        odd = {bisect_right(ends, place) - 1 for place in {*special} - {*skipped}} | set(columns.odd)
        booked: dict[int, list[int]] = {}
        for place in skipped:
            booked.setdefault(bisect_right(ends, place) - 1, []).append(place)
        done = 0
        for stop in (*sorted(odd), len(block.records)):
            if done < stop:
                heads = [self._booked(block, image, booked.get(image, ())) for image in range(done, stop)]
                own = range(ends[done], ends[stop])
                lengths, xy = columns.cut(starts[own.start], starts[own.stop])
                yield RingBlock(
                    records=heads,
                    counts=[starts[ends[image + 1]] - starts[ends[image]] for image in range(done, stop)],
                    labels=[block.labels[place] for place in own for _ in range(parts[place])],
                    lengths=lengths,
                    xy=xy,
                    shapes=_whole(block.objects, parts, own) if self.noted else None,
                )
            if stop < len(block.records):
                own = slice(ends[stop], ends[stop + 1])
                yield self.one(block.record(block.records[stop], block.objects[own], block.labels[own]))
            done = stop + 1

    def _booked(self, block: ShapeBlock, image: int, places: Sequence[int]) -> Record:
        """The image, after what its objects of several rings and its crowds have in the books."""
        record = block.records[image]
        for place in places:
            item = block.objects[place]
            if isinstance(item, Shape):
                rings = len(item.segmentation)
                self.ledger.book("multi-part-split", image=record.image, annotation=item.id, detail=f"{rings} parts")
                self.ledger.added += rings - 1
            else:
                self.one(Record(image=record.image, annotations=[*item]))  # no facts, which would be booked twice
        return self.head(record)

    def _is_skipped(self, item: Object) -> bool:
        return not isinstance(item, Shape) and bool(item[0].metadata.get("iscrowd")) and not self.fidelity.crowd

    def _columns(self, block: ShapeBlock, ends: Sequence[int]) -> _Columns:
        """The rings and boxes of all shapes as the target has them. `ends`: how many there are before each image."""
        rings = list(
            chain.from_iterable(
                [item.segmentation or (item.bbox,) for item in block.objects if isinstance(item, Shape)]
            )
        )
        xy, lengths = flattened(rings)
        stops = [0, *np.cumsum(lengths).tolist()]
        if not rings:
            return _Columns(xy, lengths, stops, frozenset())
        with np.errstate(all="ignore"):
            low, high = hulls(xy, lengths)
            points = xy.reshape(-1, 2)
            [boxes] = np.nonzero(lengths == BOX)
            corners = (np.array(stops)[boxes]) // 2
            low[boxes], high[boxes] = points[corners], points[corners] + points[corners + 1]
            good = (np.abs(low) < _EXACT) & (np.abs(high) < _EXACT)
            if self.fidelity.solid:
                good &= low < high
            if self.fidelity.inside:
                sides = _sides(block.records, np.diff(ends))
                good &= (low >= 0) & (high <= sides) & (sides > 0) & (sides < _EXACT)
                if self.scaled:
                    xy = (points / np.repeat(sides, lengths // 2, axis=0)).ravel()
        odd = np.searchsorted(ends, np.flatnonzero(~good.all(axis=1)), side="right") - 1
        return _Columns(xy, lengths, stops, frozenset(odd.tolist()))


class _Columns(NamedTuple):
    """Numbers and lengths as in a `RingBlock`; where those of each ring end; images that take a closer look."""

    xy: NDArray[np.float64]
    lengths: NDArray[np.int64]
    stops: Sequence[int]
    odd: frozenset[int]

    def cut(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Lengths and numbers of the rings `start` to `stop` (excluded)."""
        return self.lengths[start:stop], self.xy[self.stops[start] : self.stops[stop]]


def _sides(records: Sequence[Record], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Width and height of the image of each ring, of which each image has so many; 0 where they are not known."""
    sides = np.array([(record.width or 0, record.height or 0) for record in records], np.float64)
    return np.repeat(sides, counts, axis=0)


def _whole(objects: Sequence[Object], parts: Sequence[int], own: range) -> Sequence[Shape | None]:
    """Of each ring the shape that it is all of."""
    whole: list[Shape | None] = []
    for place in own:
        item = objects[place]
        if isinstance(item, Shape):
            whole += [item] if parts[place] == 1 else [None] * parts[place]
    return whole
