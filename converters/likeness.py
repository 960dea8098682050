"""Whether shapes are the same within a tolerance, and how far they are apart.

A ring is the same ring wherever it starts and whichever way it runs, an object the same whatever the order of its
parts. The points of a line, and of a `points` annotation, keep their order: it may be their meaning. Coordinates are in
one unit, the tolerance in the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import dist
from operator import sub
from typing import Any

from ..schemas.geometry import pairs, wholly_open
from ..schemas.model import Polygon, Rectangle, Tag

Edges = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def near(a: Sequence[float], b: Sequence[float], tolerance: float) -> bool:
    """Whether both have the same length and no number is farther than the tolerance from its counterpart."""
    return len(a) == len(b) and (a == b or max(map(abs, map(sub, a, b)), default=0.0) <= tolerance)


def same_geometry(a: Sequence[Any], b: Sequence[Any], tolerance: float) -> bool:
    """Whether two objects, each all its annotations, have the same shapes: parts in any order, holes with holes."""
    if len(a) != len(b):
        return False
    left = list(b)
    for shape in a:
        found = next((n for n, other in enumerate(left) if _same_shape(shape, other, tolerance)), None)
        if found is None:
            return False
        del left[found]
    return True


def same_ring(a: Sequence[float], b: Sequence[float], tolerance: float) -> bool:
    """Whether two flat rings have the same vertices in the same circle, from any start, in either direction. Last
    vertices that repeat the first do not count: readers take one away.
    """
    if near(a, b, tolerance):
        return True
    a, b = wholly_open(a), wholly_open(b)
    if len(a) != len(b):
        return False
    slack = len(a) * (tolerance + 1e-12 * max(map(abs, a), default=0.0))
    if abs(sum(a[0::2]) - sum(b[0::2])) > slack or abs(sum(a[1::2]) - sum(b[1::2])) > slack:
        return False
    return any(near(a, turned, tolerance) for turned in _turnings(b, a[:2], tolerance))


def edges(group: Sequence[Any]) -> Edges | None:
    """The upright hull of an object; None where it has no points (a tag)."""
    xs: list[float] = []
    ys: list[float] = []
    for shape in group:
        xy: Sequence[float] = () if isinstance(shape, Tag) else _points(shape)
        xs += xy[0::2]
        ys += xy[1::2]
    return (min(xs), min(ys), max(xs), max(ys)) if xs else None


def overlap(a: Edges, b: Edges) -> float:
    """Intersection over union of two hulls; 0 where neither has an area."""
    both = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0


def moved(a: Sequence[Any], b: Sequence[Any]) -> float | None:
    """How far the farthest point of an object went; None where its type or the number of points is another."""
    if [(type(s), len(_points(s))) for s in a] != [(type(s), len(_points(s))) for s in b]:
        return None
    return max((_shape_moved(one, other) for one, other in zip(a, b, strict=True)), default=None)


def _points(shape: Any) -> Sequence[float]:
    """Two corners of a box, the points of all else."""
    if isinstance(shape, Rectangle):
        x, y, w, h = shape.bbox
        return x, y, x + w, y + h
    return () if isinstance(shape, Tag) else shape.xy


def _same_shape(a: Any, b: Any, tolerance: float) -> bool:
    if type(a) is not type(b) or ("hole_of" in a.metadata) != ("hole_of" in b.metadata):
        return False
    if isinstance(a, Polygon):
        return same_ring(a.xy, b.xy, tolerance)
    return near(_points(a), _points(b), tolerance)


def _turnings(ring: Sequence[float], start: Sequence[float], tolerance: float) -> Iterator[Sequence[float]]:
    """The ring from each vertex that lies at `start`, both ways round."""
    back = [value for point in reversed(pairs(ring)) for value in point]
    for way in (list(ring), back):
        for at in range(0, len(way), 2):
            if near(way[at : at + 2], start, tolerance):
                yield way[at:] + way[:at]


def _shape_moved(a: Any, b: Any) -> float:
    """For rings the least over the starts that lie nearest to two of the vertices, in both directions."""
    one, other = pairs(_points(a)), pairs(_points(b))
    if not isinstance(a, Polygon):
        return max(map(dist, one, other), default=0.0)
    best = max(map(dist, one, other), default=0.0)
    for way in (other, other[::-1]):
        for anchor in (0, len(one) // 2) if one else ():
            nearest = min(range(len(way)), key=lambda n: dist(one[anchor], way[n]))
            shift = (nearest - anchor) % len(way)
            best = min(best, max(map(dist, one, way[shift:] + way[:shift])))
    return best
