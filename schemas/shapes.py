"""What is wrong with one shape, by its numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from typing import NamedTuple

import msgspec

from .geometry import open_ring, self_crossing, shoelace
from .jsontext import NOT_FINITE_FIX
from .model import Annotation, Coordinates, Line, Polygon, Record, Rectangle
from .problems import Severity

TOLERANCE = 1e-6
"""How far a shape may reach out of its image, as a share of the image's size: what rounding does."""


TRAINED_ON = 0.01
"""How far fractions may reach out of 0 to 1 where Ultralytics still trains on them; farther they are no fractions."""


class Mistake(NamedTuple):
    """A problem without its place."""

    code: str
    severity: Severity
    message: str
    fix: str | None


def shape_mistakes(annotation: Annotation, width: float, height: float, coordinates: Coordinates) -> Iterator[Mistake]:
    """Mistakes of a shape in an image of this extent, in the coordinates' own units; infinite where it is not known."""
    values = coordinates_of(annotation)
    if not all(map(is_finite, values)):
        yield Mistake("not-finite", "error", "a coordinate is not a finite number", NOT_FINITE_FIX)
        return
    if len(values) % 2:
        yield Mistake("odd-coordinates", "error", "the last point has an x and no y", "add what is missing")
        return
    if isinstance(annotation, Rectangle):
        if values[2] <= 0 or values[3] <= 0:
            message = f"the box is {values[2]} wide and {values[3]} high; both must be above 0"
            yield Mistake("not-positive", "error", message, "write [x, y, width, height] of the top-left corner")
    else:
        yield from _points_mistakes(annotation)
    if juts_out(annotation, width, height):
        if coordinates == "normalized":
            fix = "fractions of the image's size; if these are pixels, do not say normalized"
            far = juts_out(annotation, width, height, TRAINED_ON)
            yield Mistake("out-of-range", "error" if far else "warning", "a fraction is not within 0 and 1", fix)
        else:
            message = f"it reaches out of the image of {width} x {height}"
            yield Mistake("outside-image", "warning", message, "clip it, or correct the image's size")


def coordinates_of(annotation: Annotation) -> Sequence[float]:
    """The numbers of a shape: a box's four, or x and y of points by turns."""
    return annotation.bbox if isinstance(annotation, Rectangle) else annotation.xy


def extent(record: Record, coordinates: Coordinates) -> tuple[float, float]:
    """Where x and y of a record end: at 1, at its size in pixels, or at infinity where that is not known."""
    if coordinates == "normalized":
        return 1.0, 1.0
    width, height = record.width, record.height
    if width is None or height is None or not (is_finite(width) and is_finite(height)):
        return inf, inf
    return (width, height) if width > 0 and height > 0 else (inf, inf)


def juts_out(annotation: Annotation, width: float, height: float, share: float = TOLERANCE) -> bool:
    """Whether a shape reaches out of [0, width] x [0, height] by more than a share of the size: more than rounding."""
    if width == inf:
        return False
    values = coordinates_of(annotation)
    xs, ys = values[0::2], values[1::2]
    if isinstance(annotation, Rectangle):
        x, y, w, h = values
        xs, ys = (x, x + w), (y, y + h)
    if not xs or not ys:
        return False
    edge_x, edge_y = width * share, height * share
    return min(xs) < -edge_x or max(xs) > width + edge_x or min(ys) < -edge_y or max(ys) > height + edge_y


def has_area(ring: Sequence[float]) -> bool:
    """Whether the points of a ring do not all lie on one line. The lobes of a bow-tie may cancel: it has area."""
    if shoelace(ring) > 0:
        return True
    x, y = ring[0], ring[1]
    rays = [(px - x, py - y) for px, py in zip(ring[2::2], ring[3::2], strict=True)]
    far = max(rays, key=lambda ray: abs(ray[0]) + abs(ray[1]), default=(0, 0))
    return any(far[0] * dy != far[1] * dx for dx, dy in rays)


def is_finite(value: float) -> bool:
    """Also for integers that no float holds, which are not."""
    try:
        return isfinite(value)
    except OverflowError:
        return False


def identity(annotation: Annotation) -> bytes:
    """The same for annotations that are the same in everything, whatever the order of their metadata."""
    try:
        return msgspec.msgpack.encode(annotation, order="deterministic", enc_hook=repr)
    except OverflowError:  # an integer beyond 64 bits
        return repr(annotation).encode("utf-8", "replace")


def fewest_points(annotation: Annotation) -> int:
    """How many points a shape needs: a polygon 3, a line 2, points 1."""
    return 3 if isinstance(annotation, Polygon) else 2 if isinstance(annotation, Line) else 1


def _points_mistakes(annotation: Annotation) -> Iterator[Mistake]:
    values = coordinates_of(annotation)
    is_ring = isinstance(annotation, Polygon)
    ring = open_ring(values) if is_ring else values
    fewest = fewest_points(annotation)
    if len(ring) < 2 * fewest:
        word = "polygon" if is_ring else "line" if fewest == 2 else "point list"
        counted = "1 point" if len(ring) == 2 else f"{len(ring) // 2} points"
        message = f"a {word} of {counted}, where at least {fewest} are needed"
        yield Mistake("too-few-points", "error", message, "draw it again, or leave it out")
        return
    if not is_ring:
        return
    if len(ring) != len(values):
        yield Mistake("closing-point", "warning", "the last point repeats the first", "leave it out: rings close")
    if not has_area(ring):
        message = "all points lie on one line: the polygon has no area"
        yield Mistake("degenerate", "error", message, "draw it again, or make it a line")
    elif self_crossing(ring):
        message = "the outline crosses itself: what is inside is read in different ways"
        yield Mistake("self-crossing", "warning", message, "draw it as separate polygons")
