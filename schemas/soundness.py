"""Many shapes judged at once: which are surely without a mistake, so that nobody has to look at each.

Any shape must lie in its image. A box then needs an area; a line two points; a ring an area, and edges of which no two
cross. That is seen at once where its points go once around their middle, always the same way; for the other rings all
edges that are near one another are compared. About a shape that is not called sound nothing is said here: `shapes`
looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .shapes import TOLERANCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

KINDS = ("rectangle", "polygon", "line", "points")
_BOX, _RING, _LINE, _POINTS = range(len(KINDS))

_MARGIN = 1e-9
"""Of the square of a ring's width and height: a turn or an area that is larger is none by rounding."""

_FAR = 2.0**53
"""Beyond it floats stand for integers that are not exactly they."""

_SLIGHT = 5e-13
"""Half of what `geometry` takes for rounding: what it sees as a crossing is one here all the same."""

_PAIRS = 1 << 18
"""Pairs of edges that are held before they are compared."""

_FARTHEST = 1000
"""Edges farther apart in the order of their left ends are not compared: their ring is not called sound."""


class Shapes(NamedTuple):
    """Shapes one behind the other. `numbers`: all coordinates, of a box x, y, width, height, of others x and y by
    turns; `lengths`: how many of them each shape has, an even number above 0; `kinds`: its number in `KINDS`;
    `extents`: where x and y end in its image, infinite where that is not known.
    """

    numbers: Sequence[float] | Floats
    lengths: Sequence[int] | Ints
    kinds: Sequence[int] | Ints
    extents: Sequence[tuple[float, float]] | Floats


class Judged(NamedTuple):
    """Of each shape: whether it is surely `sound`; its first two numbers; whether one of its numbers is not within 0
    and 1.
    """

    sound: list[bool]
    begin: list[tuple[float, float]]
    beyond_one: list[bool]


def judged(shapes: Shapes) -> Judged:
    """What can be said of the shapes without looking at each."""
    import numpy as np

    if not len(shapes.lengths):
        return Judged([], [], [])
    numbers, lengths = np.array(shapes.numbers, float), np.array(shapes.lengths)
    kinds, extents = np.array(shapes.kinds), np.array(shapes.extents, float)
    starts = np.cumsum(lengths) - lengths
    with np.errstate(all="ignore"):
        least, most = _of_each(np.minimum, numbers, starts), _of_each(np.maximum, numbers, starts)
        sound = np.zeros(len(kinds), bool)
        is_box = kinds == _BOX
        sound[is_box] = _sound_boxes(numbers[starts[is_box, None] + np.arange(4)], extents[is_box])
        points = numbers[np.repeat(~is_box, lengths)].reshape(-1, 2)
        sound[~is_box] = _sound_points(points, lengths[~is_box] // 2, kinds[~is_box], extents[~is_box])
    sound &= np.maximum(-least, most) < _FAR
    begin = list(zip(numbers[starts].tolist(), numbers[starts + 1].tolist(), strict=True))
    return Judged(sound.tolist(), begin, ((least < 0) | (most > 1)).tolist())


def _sound_boxes(boxes: Floats, extents: Floats) -> Flags:
    (x, y, w, h), (width, height) = boxes.T, extents.T
    return (x >= 0) & (x < x + w) & (x + w <= width) & (y >= 0) & (y < y + h) & (y + h <= height)


def _sound_points(points: Floats, lengths: Ints, kinds: Ints, extents: Floats) -> Flags:
    """Of the shapes that are made of points, `lengths` of them each."""
    import numpy as np

    if not len(lengths):
        return np.zeros(0, bool)
    x, y = np.ascontiguousarray(points.T)
    starts = np.cumsum(lengths) - lengths
    left, top = (_of_each(np.minimum, v, starts) for v in (x, y))
    right, bottom = (_of_each(np.maximum, v, starts) for v in (x, y))
    width, height = extents.T
    inside = (left >= -width * TOLERANCE) & (right <= width + width * TOLERANCE)
    inside &= (top >= -height * TOLERANCE) & (bottom <= height + height * TOLERANCE)
    out = inside & ((kinds == _POINTS) | ((kinds == _LINE) & (lengths >= 2)))
    margin = _MARGIN * (right - left + bottom - top) ** 2
    rings = np.flatnonzero(inside & (kinds == _RING) & (lengths >= 3) & (margin > 0))
    for is_sound in (_go_round, _do_not_cross):
        these = np.repeat(np.isin(np.arange(len(lengths)), rings), lengths)
        verdicts = is_sound(x[these], y[these], lengths[rings], margin[rings])
        out[rings[verdicts]] = True
        rings = rings[~verdicts]
    return out


def _go_round(x: Floats, y: Floats, lengths: Ints, margin: Floats) -> Flags:
    """Whether the points of each ring go once around their middle, always the same way: it then neither crosses nor
    touches itself, and has an area.
    """
    import numpy as np

    starts = np.cumsum(lengths) - lengths
    x, y = (v - np.repeat(_of_each(np.add, v, starts) / lengths, lengths) for v in (x, y))
    following = _following(starts, lengths)
    next_y = y[following]
    turns = x * next_y - y * x[following]
    once = _of_each(np.add, (y < 0) & (next_y >= 0), starts, dtype=int) == 1
    return once & ((_of_each(np.minimum, turns, starts) > margin) | (_of_each(np.maximum, turns, starts) < -margin))


def _do_not_cross(x: Floats, y: Floats, lengths: Ints, margin: Floats) -> Flags:
    """Whether each ring surely has an area and no two edges that cross. `geometry.self_crossing` for many, without its
    last digit: the same sweep, along the axis on which fewer edges lie side by side.
    """
    import numpy as np

    if not len(lengths):
        return np.zeros(0, bool)
    starts = np.cumsum(lengths) - lengths
    following = _following(starts, lengths)
    ring = np.repeat(np.arange(len(lengths)), lengths)
    from_x, from_y = x - x[starts][ring], y - y[starts][ring]
    area = _of_each(np.add, from_x * from_y[following] - from_y * from_x[following], starts) / 2
    ends = starts + lengths - 1
    out = (abs(area) > margin) & ((from_x[ends] != 0) | (from_y[ends] != 0))
    along_x, along_y = (_of_each(np.add, abs(v[following] - v), starts) / _reach(v, starts) for v in (x, y))
    turned = (along_y < along_x)[ring]
    x, y = np.where(turned, y, x), np.where(turned, x, y)
    return out & ~_crossing(np.array([x, y, x[following], y[following]]), ring)


def _crossing(edges: Floats, ring: Ints) -> Flags:
    """Of which rings two edges may cross. `edges`: rows of ax, ay, bx, by; `ring`: the number of the ring of each."""
    import numpy as np

    out = np.zeros(int(ring[-1]) + 1, bool)
    order = np.lexsort((np.minimum(edges[0], edges[2]), ring))
    edges, ring = edges[:, order], ring[order]
    ax, ay, bx, by = edges
    left, right = np.minimum(ax, bx), np.maximum(ax, bx)
    low, high = np.minimum(ay, by), np.maximum(ay, by)
    pairs: list[tuple[Ints, Ints]] = []
    held = 0
    one = np.arange(len(ring))
    for step in range(1, _FARTHEST + 1):
        one = one[: np.searchsorted(one, len(ring) - step)]
        one = one[(ring[one + step] == ring[one]) & (left[one + step] < right[one])]
        near = one[(low[one + step] < high[one]) & (low[one] < high[one + step])]
        pairs.append((near, near + step))
        held += len(near)
        is_last = not len(one) or step == _FARTHEST
        if is_last or held > _PAIRS:
            first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
            out[ring[first[_cross(edges[:, first], edges[:, second])]]] = True
            one = one[~out[ring[one]]]
            pairs, held = [], 0
        if is_last:
            break
    out[ring[one]] = True
    return out


def _cross(one: Floats, other: Floats) -> Flags:
    """Whether edges may cross, pair by pair."""
    return _apart(one, other) & _apart(other, one)


def _apart(edge: Floats, other: Floats) -> Flags:
    """Whether the ends of the other edge may lie on different sides of an edge."""
    import numpy as np

    ax, ay, bx, by = edge
    sides: list[Floats] = []
    for px, py in (other[:2], other[2:]):
        before, after = (bx - ax) * (py - ay), (by - ay) * (px - ax)
        turn = before - after
        sides.append(np.where(abs(turn) > _SLIGHT * (abs(before) + abs(after)), turn, 0))
    return np.sign(sides[0]) * np.sign(sides[1]) < 0


def _following(starts: Ints, lengths: Ints) -> Ints:
    """Of each point the next of its ring."""
    import numpy as np

    following = np.arange(1, int(lengths.sum()) + 1)
    following[starts + lengths - 1] = starts
    return following


def _reach(values: Floats, starts: Ints) -> Floats:
    import numpy as np

    return _of_each(np.maximum, values, starts) - _of_each(np.minimum, values, starts)


def _of_each(function: Any, values: Any, starts: Any, **options: Any) -> Any:
    """The function over the values of each shape."""
    return function.reduceat(values, starts, **options)
