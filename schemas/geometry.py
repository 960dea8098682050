"""Plane geometry of boxes and rings: pure functions on plain numbers.

Coordinates follow the edge model: the origin is the outer top-left corner of the top-left pixel, x runs to
the right, y runs down, pixel (column i, row j) covers the square [i, i+1] x [j, j+1]. Units are pixels unless
a caller passes fractions. "Clockwise" always means clockwise as seen on the screen.

A box is (x, y, w, h): top-left corner and size. Points are flat, `xy` = x1, y1, x2, y2, ...; a ring is such a
sequence whose last point joins the first without repeating it. No function judges its input: a ring of two
points has area 0, a negative width stays negative. Judging is the validator's work.
"""

from collections.abc import Iterable, Sequence
from math import cos, hypot, radians, sin
from operator import mul, sub

Box = tuple[float, float, float, float]
Flat = tuple[float, ...]
Point = tuple[float, float]


def pairs(xy: Sequence[float]) -> list[Point]:
    """The points of a flat sequence, as (x, y) pairs."""
    return list(zip(xy[0::2], xy[1::2], strict=True))


def flat(points: Iterable[Point]) -> Flat:
    """The flat sequence of (x, y) pairs; undoes `pairs`."""
    return tuple(value for point in points for value in point)


def open_ring(xy: Sequence[float]) -> Flat:
    """The ring without its closing vertex, if the last point repeats the first."""
    closed = len(xy) > 2 and xy[0] == xy[-2] and xy[1] == xy[-1]
    return tuple(xy[:-2] if closed else xy)


def wholly_open(xy: Sequence[float]) -> Flat:
    """The ring without its closing vertex, however often that stands there."""
    shorter = open_ring(xy)
    while len(shorter) < len(xy):
        xy, shorter = shorter, open_ring(shorter)
    return shorter


def hull(xy: Sequence[float]) -> Box:
    """The smallest upright box around the points. Raises ValueError when there are none."""
    xs, ys = xy[0::2], xy[1::2]
    left, top = min(xs), min(ys)
    return left, top, max(xs) - left, max(ys) - top


def hull_of(parts: Iterable[Sequence[float]]) -> Box:
    """The smallest upright box around the points of all parts. Raises ValueError when there are none."""
    return hull([value for part in parts for value in part])


def signed_area(xy: Sequence[float]) -> float:
    """Area of a ring in px², positive when it runs clockwise, negative otherwise."""
    xs, ys = list(xy[0::2]), list(xy[1::2])
    # Differences of neighbours keep their digits where products of far-out coordinates would cancel.
    return sum(map(mul, xs, map(sub, ys[1:] + ys[:1], ys[-1:] + ys[:-1]))) / 2


def shoelace(xy: Sequence[float]) -> float:
    """Area of a ring in px², whichever way it runs. Lobes of a self-crossing ring may cancel."""
    return abs(signed_area(xy))


def contains(ring: Sequence[float], x: float, y: float) -> bool:
    """Whether the point lies in the ring by the even-odd rule.

    A point on the outline counts as inside on left and top edges and as outside on right and bottom ones, so
    that rings side by side share no point.
    """
    inside = False
    points = pairs(ring)
    for (ax, ay), (bx, by) in _edges(points):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


def corners(x: float, y: float, w: float, h: float) -> Flat:
    """The four corners of a box as a flat ring, clockwise from the top-left."""
    return x, y, x + w, y, x + w, y + h, x, y + h


def centre_box(x: float, y: float, w: float, h: float) -> Box:
    """(x, y, w, h) from the top-left corner -> (xc, yc, w, h) about the centre."""
    return x + w / 2, y + h / 2, w, h


def box_from_centre(xc: float, yc: float, w: float, h: float) -> Box:
    """(xc, yc, w, h) about the centre -> (x, y, w, h) from the top-left corner."""
    return xc - w / 2, yc - h / 2, w, h


def scaled(xy: Sequence[float], sx: float, sy: float) -> Flat:
    """Every x times `sx`, every y times `sy`. Works on a box too, whose numbers also alternate."""
    return tuple(value * (sy if index % 2 else sx) for index, value in enumerate(xy))


def rotated(xy: Sequence[float], degrees: float, centre: Point | None = None) -> Flat:
    """The points turned clockwise about `centre`, by default the middle of their hull.

    Quarter turns are free of rounding by the sine. The rule is CVAT's for `rotation`.
    """
    turn = degrees % 360
    if turn == 0:
        return tuple(xy)
    if centre is None:
        x, y, w, h = hull(xy)
        centre = x + w / 2, y + h / 2
    cx, cy = centre
    c, s = _QUARTER_TURNS.get(turn) or (cos(radians(turn)), sin(radians(turn)))
    return flat((cx + c * (x - cx) - s * (y - cy), cy + s * (x - cx) + c * (y - cy)) for x, y in pairs(xy))


def rotated_box(x: float, y: float, w: float, h: float, degrees: float) -> Flat:
    """The corners of a box turned clockwise about its centre: a flat ring from the former top-left on."""
    return rotated(corners(x, y, w, h), degrees, (x + w / 2, y + h / 2))


def convex_hull(xy: Sequence[float]) -> Flat:
    """The corners of the smallest convex ring around the points, clockwise, from the leftmost (of those the upmost)."""
    return flat(_convex(xy))


def smallest_rectangle(xy: Sequence[float]) -> Flat:
    """The four corners, clockwise, of the rectangle of least area around the points, at whatever angle. One of
    its sides lies on an edge of their convex hull; points on one line have their upright hull.
    """
    outline = _convex(xy)
    best = corners(*hull(xy))
    least = shoelace(best) if len(outline) > 2 else 0.0
    for (ax, ay), (bx, by) in _edges(outline):
        length = hypot(bx - ax, by - ay)
        ux, uy = (bx - ax) / length, (by - ay) / length
        along = [x * ux + y * uy for x, y in outline]
        across = [y * ux - x * uy for x, y in outline]
        u, v, w, h = min(along), min(across), max(along) - min(along), max(across) - min(across)
        if w * h < least:
            least = w * h
            ends = ((u, v), (u + w, v), (u + w, v + h), (u, v + h))
            best = flat((p * ux - q * uy, p * uy + q * ux) for p, q in ends)
    return best


def clip_box(box: Box, width: float, height: float) -> Box | None:
    """The part of the box inside [0, width] x [0, height], or None when nothing with an area is left."""
    x, w = _clip_span(box[0], box[2], width)
    y, h = _clip_span(box[1], box[3], height)
    return (x, y, w, h) if w > 0 and h > 0 else None


def clip_ring(xy: Sequence[float], width: float, height: float) -> Flat:
    """The part of the ring inside [0, width] x [0, height], empty when nothing with an area is left.

    Sutherland-Hodgman: a concave ring that would fall apart stays one ring, its pieces joined by seams along
    the border; the area is right all the same.
    """
    points = pairs(xy)
    if all(0 <= x <= width and 0 <= y <= height for x, y in points):
        return tuple(xy)
    points = _cut(points, 0, 0.0, above=True)
    points = _cut(points, 0, width, above=False)
    points = _cut(points, 1, 0.0, above=True)
    points = _cut(points, 1, height, above=False)
    before = points[-1:] + points[:-1]
    ring = flat(point for point, last in zip(points, before, strict=True) if point != last)
    return ring if shoelace(ring) > 0 else ()


def self_crossing(xy: Sequence[float]) -> bool:
    """Whether two edges of the ring cross properly, each passing from one side of the other to its far side.

    Touching does not count: neither a vertex met twice, nor a vertex on an edge, nor a seam walked there and
    back. About n log n for outlines as people and tracers draw them; quadratic only where most edges run side
    by side in both directions.
    """
    points = pairs(xy)
    if len(points) < 4:
        return False
    if _crowding([y for _, y in points]) < _crowding([x for x, _ in points]):
        points = [(y, x) for x, y in points]
    spans = sorted((min(ax, bx), max(ax, bx), ax, ay, bx, by) for (ax, ay), (bx, by) in _edges(points))
    active: list[tuple[float, float, float, float, float, float]] = []
    for span in spans:
        left, _, ax, ay, bx, by = span
        low, high = (ay, by) if ay < by else (by, ay)
        active = [other for other in active if other[1] > left]
        for _, _, cx, cy, dx, dy in active:
            if (cy > low or dy > low) and (cy < high or dy < high) and _cross(ax, ay, bx, by, cx, cy, dx, dy):
                return True
        active.append(span)
    return False


_QUARTER_TURNS = {90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}


def _convex(xy: Sequence[float]) -> list[Point]:
    """The corners of the convex hull, by Andrew's monotone chain."""
    points = sorted(set(pairs(xy)))
    chains: list[Point] = []
    for ordered in (points, points[::-1]):
        chain: list[Point] = []
        for point in ordered:
            while len(chain) > 1 and _side(*chain[-2], *chain[-1], *point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return chains


def _edges(points: list[Point]) -> Iterable[tuple[Point, Point]]:
    return zip(points, points[1:] + points[:1], strict=True)


def _clip_span(start: float, size: float, limit: float) -> tuple[float, float]:
    end = start + size
    if start >= 0 and end <= limit:
        return start, size  # as it was: end - start may differ in the last digit
    start = max(start, 0.0)
    return start, min(end, limit) - start


def _cut(points: list[Point], axis: int, bound: float, *, above: bool) -> list[Point]:
    """The ring cut by one border: what lies at or above `bound` on the axis, or at or below it."""
    kept: list[Point] = []
    for before, point in zip(points[-1:] + points[:-1], points, strict=True):
        a, b = before[axis], point[axis]
        inside = b >= bound if above else b <= bound
        if inside != (a >= bound if above else a <= bound):
            share = (bound - a) / (b - a)
            other = before[1 - axis] + share * (point[1 - axis] - before[1 - axis])
            kept.append((other, bound) if axis else (bound, other))
        if inside:
            kept.append(point)
    return kept


def _crowding(values: list[float]) -> float:
    """How many edges, on average, lie over a place on this axis: the sweep looks at that many at a time."""
    reach = max(values) - min(values)
    length = sum(abs(a - b) for a, b in zip(values, values[1:] + values[:1], strict=True))
    return length / reach if reach else 0.0


def _cross(ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float) -> bool:
    """Whether the open segments a-b and c-d cross in one inner point of both."""
    side = _side(ax, ay, bx, by, cx, cy) * _side(ax, ay, bx, by, dx, dy)
    return side < 0 and _side(cx, cy, dx, dy, ax, ay) * _side(cx, cy, dx, dy, bx, by) < 0


def _side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """On which side of the line a-b the point lies: 1, -1, or 0 where rounding does not let one tell."""
    left = (bx - ax) * (py - ay)
    right = (by - ay) * (px - ax)
    turn = left - right
    if abs(turn) <= 1e-12 * (abs(left) + abs(right)):
        return 0
    return 1 if turn > 0 else -1
