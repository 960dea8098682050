"""The corners of many boxes at once: the very numbers that `numbers.span` finds one by one.

Below `SMALL` the float nearest to a decimal of nine digits is found by one rounding, as both its digits and the
power of ten are exact floats. Where it is read as what is meant, so is no other number that short; a shorter decimal
is the same number. Else the neighbours of the sum are all that could do. What takes more than that goes one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .numbers import NOISE, SHORT_DIGITS, SMALL, span

Floats = NDArray[np.float64]
_STEPS = 10.0**SHORT_DIGITS


def corners(bbox: NDArray[Any], shift: int) -> NDArray[Any]:
    """Left, top, right and bottom to write for `(x, y, width, height)`: an array (boxes, 4), whole numbers as such."""
    if bbox.dtype == np.int64:
        return np.concatenate((bbox[:, :2] + shift, bbox[:, :2] + bbox[:, 2:]), axis=1)
    low, size = bbox[:, :2].ravel(), bbox[:, 2:].ravel()
    starts, ends = _spans(low, size, shift)
    return np.concatenate((starts.reshape(-1, 2), ends.reshape(-1, 2)), axis=1)


def _spans(low: Floats, size: Floats, shift: int) -> tuple[Floats, Floats]:
    """The two ends of each span, as `span`."""
    with np.errstate(all="ignore"):
        stubborn = ~((low >= 0) & (size >= 0) & (low + size + shift < SMALL))
        starts = low.copy()
        if shift:
            starts, unsure = _undone(low, np.full_like(low, shift))
            stubborn |= unsure | np.isnan(starts)
        ends, unsure = _undone(size, low)
        stubborn |= unsure
        [none] = np.nonzero(np.isnan(ends))
        if len(none):
            sums, lows = (low + size)[none], low[none]
            wanted = sums - lows
            known, unsure = _undone(wanted, lows)
            ends[none] = np.where(np.isnan(known), wanted + lows, known)
            stubborn[none] |= unsure
    for place in np.flatnonzero(stubborn).tolist():
        starts[place], ends[place] = span(float(low[place]), float(size[place]), shift)
    return starts, ends


def _undone(wanted: Floats, offset: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """`undone` of each that is not below 0 and whose sum is below `SMALL`, NaN for none; and where that takes a
    closer look.
    """
    total = wanted + offset
    numbers = np.rint(total * _STEPS) / _STEPS
    unsure = np.zeros(len(total), bool)
    [rest] = np.nonzero(numbers - offset != wanted)
    if not len(rest):
        return numbers, unsure
    total, offset, wanted, short = total[rest], offset[rest], wanted[rest], numbers[rest]
    near = np.stack((total, np.nextafter(total, np.inf), np.nextafter(total, -np.inf)))
    exact = near - offset == wanted
    count = exact.sum(axis=0)
    alone = near[exact.argmax(axis=0), np.arange(len(rest))]
    noise = np.abs(short - offset - wanted) <= NOISE
    numbers[rest] = np.where(count == 1, alone, np.where(noise, short, np.nan))
    unsure[rest] = count > 1
    return numbers, unsure
