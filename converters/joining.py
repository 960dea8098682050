"""The parts of one object as one ring, for targets whose objects have one: from each part a bridge leads to the next at
their closest vertices, and back along itself, so that it has no width.

Source of the rule: how Ultralytics joins the parts of COCO objects. All parts run the same way here, so that the area
of the ring is the sum of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..schemas.geometry import Flat, Point, flat, pairs, signed_area
from ..schemas.model import Annotation, Polygon
from .lowering import common

_AT_ONCE = 1 << 20
"""Distances that are worked out at a time."""


def joined(group: Sequence[Annotation]) -> Sequence[Annotation]:
    """One polygon of an object of several, with what the first part says."""
    parts = [annotation.xy for annotation in group if isinstance(annotation, Polygon)]
    return (Polygon(xy=joined_ring(parts), **common(group[0])),)


def joined_ring(parts: Sequence[Sequence[float]]) -> Flat:
    """One ring of all parts; vertices at which a bridge begins or ends stand in it twice."""
    before = pairs(parts[0])
    ring, start = list(before), 0  # `before` stands in the ring from `start` on, in its own order
    clockwise = signed_area(parts[0]) >= 0
    for xy in parts[1:]:
        part = pairs(xy) if (signed_area(xy) >= 0) is clockwise else pairs(xy)[::-1]
        leave, arrive = _closest(before, part)
        turned = part[arrive:] + part[:arrive]
        at = start + leave + 1
        # Where the two touch there is no bridge, and the vertex is not repeated for it.
        over = turned[1:] if turned[0] == before[leave] else [*turned, turned[0]]
        ring[at:at] = [*over, before[leave]]
        before, start = (turned, at) if turned[0] != before[leave] else (turned, at - 1)
    return flat(ring)


def _closest(a: Sequence[Point], b: Sequence[Point]) -> tuple[int, int]:
    """The numbers of the closest vertices; the first of several."""
    import numpy as np

    ours, theirs = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    step = max(_AT_ONCE // len(b), 1)
    best: tuple[float, int, int] | None = None
    for begin in range(0, len(a), step):
        distances = ((ours[begin : begin + step, None] - theirs[None]) ** 2).sum(axis=2)
        place = int(distances.argmin())
        row, column = divmod(place, len(b))
        distance = float(distances[row, column])
        if best is None or distance < best[0]:
            best = (distance, begin + row, column)
    return best[1:] if best else (0, 0)
