"""Shapes for targets that want them with an area, and with corners on whole pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import ceil, floor, isfinite
from typing import Any

from msgspec.structs import replace

from ..schemas.figures import figure_of
from ..schemas.geometry import corners, flat, open_ring, pairs
from ..schemas.model import Annotation, Polygon, Rectangle
from .lowering import apart, led_by


def is_solid(annotation: Annotation) -> bool:
    """Whether a box, turned or not, or the box around a ring of three points or more, has a width and a height above
    zero; other shapes have no area to have.
    """
    if isinstance(annotation, Rectangle):
        _, _, w, h = annotation.bbox
        return w > 0 and h > 0 and isfinite(sum(annotation.bbox))
    if not isinstance(annotation, Polygon):
        return True
    turned = figure_of(annotation) if annotation.metadata.get("shape") == "obb" else None
    if turned is not None and min(turned.geometry[2:]) <= 0:
        return False
    xy = open_ring(annotation.xy)
    return len(xy) >= 6 and isfinite(sum(xy)) and min(xy[::2]) < max(xy[::2]) and min(xy[1::2]) < max(xy[1::2])


def with_area(group: Sequence[Annotation], book: Callable[..., None]) -> Sequence[Annotation]:
    """The parts of an object that have an area; what has none is left out, and booked."""
    solid = [one for one in group if is_solid(one)]
    if len(solid) == len(group):
        return group
    if not solid:
        book("degenerate")
        return ()
    book("part-dropped", f"{len(group) - len(solid)} of {len(group)} parts")
    rest = [apart(one) for one in solid]
    return rest if solid[0] is group[0] else led_by(group[0], rest)


def on_whole_pixels(shapes: Iterable[Annotation], book: Callable[[], None]) -> list[Annotation]:
    """Shapes in pixels with every corner on the nearest whole one; a side that would vanish keeps the pixel it lies in,
    and a ring of which one would becomes the box around it. Vertices of a ring that fall together are one. `book` is
    called for each that moved. Rotated boxes stay: their own numbers are no corners.
    """
    out: list[Annotation] = []
    for shape in shapes:
        changes = _rounded(shape)
        if changes:
            book()
        out.append(replace(shape, **changes) if changes else shape)
    return out


def _rounded(shape: Annotation) -> dict[str, Any]:
    if isinstance(shape, Rectangle):
        x, y, w, h = shape.bbox
        if all(float(value).is_integer() for value in shape.bbox):
            return {}
        left, right = _span(x, x + w)
        top, bottom = _span(y, y + h)
        return {"bbox": (left, top, right - left, bottom - top)}
    if all(float(value).is_integer() for value in shape.xy):
        return {}
    figure = figure_of(shape)
    if figure is not None and figure.shape == "obb":
        return {}
    xy = [floor(value + 0.5) for value in shape.xy]
    if not isinstance(shape, Polygon) or not is_solid(shape):
        return {"xy": xy}
    points = [point for point, _ in groupby(pairs(xy))]
    ring = open_ring(flat(points))
    if is_solid(Polygon(xy=ring, label=shape.label)):
        return {"xy": ring}
    left, right = _span(min(shape.xy[::2]), max(shape.xy[::2]))
    top, bottom = _span(min(shape.xy[1::2]), max(shape.xy[1::2]))
    return {"xy": corners(left, top, right - left, bottom - top)}


def _span(low: float, high: float) -> tuple[int, int]:
    start, end = floor(low + 0.5), floor(high + 0.5)
    return (start, end) if end > start else (floor(low), max(ceil(high), floor(low) + 1))
