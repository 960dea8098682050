"""The `<object>` elements of a block of rings and boxes: those of `formatting`, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...schemas.geometry import shoelace
from ..ringblocks import BOX, RingBlock
from ..shapeblocks import Shape, are_hulls, fingerprints, hulls
from .corners import corners
from .formatting import CORNERS, USUAL, noted_as
from .numbers import all_written
from .rings import ring_pattern

if TYPE_CHECKING:
    from .blocktexts import BlockTexts

_DEEP = "\t\t"
_REST = CORNERS[CORNERS.index("%s") :]
_NOTE = "\n" + noted_as({"area": 1.5, "outline": 2}, _DEEP).replace("1.5", "%r").replace("2", "%d")
_DOUBT = 1e-14
"""Of the sum of the terms of an area, for each of them: more than any order of adding them up makes of it."""
_UNDERFLOW = 1e-300
"""More than all that is lost of products too small for a double."""


def ring_objects(block: RingBlock, texts: BlockTexts) -> list[str] | None:
    """The objects of each image, each text with its line break; None where one takes a closer look, or the vertices of
    rings are shifted.
    """
    fronts = texts.fronts_of(block.labels)
    if fronts is None or texts.images.objects.shift:
        return None
    out: list[str] = []
    if block.labels:
        ends = corners(_boxes(block), 0)
        if not (ends < USUAL).all():
            return None
        edges = all_written(ends.ravel().tolist())
        numbers = all_written(block.xy.tolist())
        stop = 0
        for place, (front, length, note) in enumerate(zip(fronts, block.lengths.tolist(), _notes(block), strict=True)):
            start, stop = stop, stop + length
            own = edges[4 * place : 4 * place + 4]
            ring = () if length == BOX else numbers[start:stop]
            out.append(front + _pattern(len(ring)) % (*own, *ring, note))
    return ["".join(out[end - count : end]) for end, count in zip(accumulate(block.counts), block.counts, strict=True)]


def _boxes(block: RingBlock) -> NDArray[np.float64]:
    """The box of each object: the one it came with, where that is not the hull of its outline, else the hull."""
    points, starts = block.xy.reshape(-1, 2), (block.lengths.cumsum() - block.lengths) // 2
    low, high = hulls(block.xy, block.lengths)
    boxes = np.concatenate((low, high - low), axis=1)
    is_box = block.lengths == BOX
    boxes[is_box, :2], boxes[is_box, 2:] = points[starts[is_box]], points[starts[is_box] + 1]
    if block.shapes is not None:
        whole = np.array([shape is not None for shape in block.shapes])
        given = np.fromiter(chain.from_iterable([shape.bbox for shape in block.shapes if shape]), np.float64)
        own = given.reshape(-1, 4)
        stated = ~are_hulls(own, low[whole], high[whole])
        boxes[np.flatnonzero(whole)[stated]] = own[stated]
    return boxes


def _notes(block: RingBlock) -> Iterator[str]:
    """Of each object our note of its area, where that is not what any reader finds."""
    if block.shapes is None:
        yield from ("" for _ in block.labels)
        return
    sizes, doubts = areas(block)
    prints = fingerprints(block.xy, block.lengths)
    for shape, size, doubt, outline in zip(block.shapes, sizes, doubts, prints, strict=True):
        if shape is not None and (abs(shape.area - size) > doubt or shape.area != _own_area(shape)):
            yield _NOTE % (shape.area, outline)
        else:
            yield ""


def areas(block: RingBlock) -> tuple[list[float], list[float]]:
    """About how large each ring is, and by how much that may be wrong; of boxes nothing is known."""
    starts, ends = (block.lengths.cumsum() - block.lengths) // 2, block.lengths.cumsum() // 2
    xs, ys = block.xy[::2], block.xy[1::2]
    after, before = np.roll(ys, -1), np.roll(ys, 1)
    after[ends - 1], before[starts] = ys[starts], ys[ends - 1]
    terms = xs * (after - before)
    sizes = np.abs(np.add.reduceat(terms, starts)) / 2
    doubts = np.add.reduceat(np.abs(terms), starts) * (block.lengths * _DOUBT) + _UNDERFLOW
    doubts[block.lengths == BOX] = np.inf
    return sizes.tolist(), doubts.tolist()


def _own_area(shape: Shape) -> float:
    rings = shape.segmentation
    return shoelace(rings[0]) if rings else shape.bbox[2] * shape.bbox[3]


@lru_cache(maxsize=4_096)
def _pattern(numbers: int) -> str:
    """An object from its first number on: four corners, so many numbers of a ring, a note."""
    ring = f"\n{ring_pattern(numbers, _DEEP)}" if numbers else ""
    return f"{_REST}\n\t\t</bndbox>{ring}%s\n\t</object>\n"
