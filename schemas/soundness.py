"""Many shapes judged at once: which are surely without a mistake, so that nobody has to look at each.

A box with an area is; and a ring whose points go once around their middle, always the same way: it neither crosses
itself nor touches itself, and has an area. About any other shape nothing is said here: `shapes` looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from .model import Annotation, Polygon, Rectangle
from .shapes import TOLERANCE

_MARGIN = 1e-9
"""Of the square of a ring's width and height: a turn that is larger is none by rounding."""

_WORTHWHILE = 200
"""Fewer rings are looked at one by one before numpy is loaded."""

_FAR = 1e100
"""Beyond it sums and products may be more than a float can say."""


def sound(annotations: Sequence[Annotation], extents: Sequence[tuple[float, float]]) -> list[bool]:
    """For each shape whether `shape_mistakes` surely finds nothing in an image of that extent."""
    out = [
        isinstance(shape, Rectangle) and _is_sound_box(shape.bbox, *extent)
        for shape, extent in zip(annotations, extents, strict=True)
    ]
    rings = {number: shape.xy for number, shape in enumerate(annotations) if isinstance(shape, Polygon)}
    rings = {number: xy for number, xy in rings.items() if len(xy) >= 6 and not len(xy) % 2}
    if len(rings) >= _WORTHWHILE:
        try:
            verdicts = _sound_rings(list(rings.values()), [extents[number] for number in rings])
        except OverflowError:  # an integer that no float holds
            return out
        for number, verdict in zip(rings, verdicts, strict=True):
            out[number] = verdict
    return out


def _is_sound_box(box: tuple[float, float, float, float], width: float, height: float) -> bool:
    x, y, w, h = box
    return max(box) < _FAR and 0 <= x < x + w <= width and 0 <= y < y + h <= height


def _sound_rings(rings: Sequence[Sequence[float]], extents: Sequence[tuple[float, float]]) -> list[bool]:
    import numpy as np

    lengths = np.fromiter(map(len, rings), int, len(rings)) // 2
    flat = np.fromiter(chain.from_iterable(rings), float, 2 * lengths.sum())
    xs, ys = flat[::2], flat[1::2]
    starts = np.cumsum(lengths) - lengths
    following = np.arange(1, len(xs) + 1)
    following[starts + lengths - 1] = starts
    with np.errstate(all="ignore"):
        left, top = (_of_each(np.minimum, v, starts) for v in (xs, ys))
        right, bottom = (_of_each(np.maximum, v, starts) for v in (xs, ys))
        margin = _MARGIN * (right - left + bottom - top) ** 2
        x, y = (v - np.repeat(_of_each(np.add, v, starts) / lengths, lengths) for v in (xs, ys))
        next_x, next_y = x[following], y[following]
        turns = x * next_y - y * next_x
        above, next_above = y < 0, next_y < 0
        once = _of_each(np.add, above & ~next_above, starts, dtype=int) == 1
        one_way = (_of_each(np.minimum, turns, starts) > margin) | (_of_each(np.maximum, turns, starts) < -margin)
        width, height = np.array(extents, float).T
        inside = (left >= -width * TOLERANCE) & (right <= width + width * TOLERANCE)
        inside &= (top >= -height * TOLERANCE) & (bottom <= height + height * TOLERANCE)
    return (once & one_way & inside & (margin < _FAR)).tolist()


def _of_each(function: Any, values: Any, starts: Any, **options: Any) -> Any:
    """The function over the points of each ring."""
    return function.reduceat(values, starts, **options)
