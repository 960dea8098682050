"""Numbers of XML text: the decimals that were read, and the shortest decimals that are read as what is meant.

A box is stored as two corners and held as a corner and a size. Adding them up again must not turn 3.3 into
3.3000000000000003: of all decimals that are read as the same size, the shortest is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_DIGITS = 17
_EXACT = 1 << 53
_SHORT = 15
_SHORT_DIGITS = 9
_USUAL = 1e9
"""Below it floats lie so close that of all decimals of at most two digits one alone is read as a number."""
_NOISE = 1e-11
"""Far below the step of `_SHORT_DIGITS`, so that what was written is written alike when it has been read."""


def parsed(text: str) -> int | float:
    """The finite number that a text is, whole ones as int. ValueError, with the reason, for any other text."""
    if text.isdecimal() and text.isascii() and len(text) <= _SHORT:
        return int(text)
    text = text.strip()
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(_why_not(text))
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("too large a number")
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def written(value: float) -> str:
    """The shortest text of a number, without an exponent."""
    if value == int(value) and abs(value) < _EXACT:
        return str(int(value))
    text = repr(float(value))
    return format(Decimal(text), "f") if "e" in text else text


def span(low: float, size: float, shift: int) -> tuple[float, float]:
    """The two ends to write for a span: those that are read, `shift` taken off the first, as `low` and `size`.

    Where no numbers are read as exactly those, the nearest are taken, and are the same when written again.
    """
    start = undone(low, shift) if shift else low
    if start is None:
        near = low + shift - shift
        start, size, low = _known(near, shift), size + (low - near), near
    end = undone(size, low)
    if end is None:
        end = _known(low + size - low, low)
    return start, end


def undone(wanted: float, offset: float) -> float | None:
    """The shortest decimal from which `offset` is taken to get `wanted`: exactly, else but for the noise of sums of
    floats; None where there is none.
    """
    total = wanted + offset
    if -_USUAL < total < _USUAL and -_USUAL < offset < _USUAL:
        number = round(total * 100) / 100
        if number - offset == wanted:
            return number
        # Floats up to a sum lie no closer than those up to what is added: its neighbours are all that could do.
        if offset >= 0 <= wanted and not any(near - offset == wanted for near in _neighbours(total)):
            return number if abs(number - offset - wanted) <= _NOISE else _nearly(wanted, offset)
    for number in _candidates(total):
        if number - offset == wanted:
            return number
    return _nearly(wanted, offset)


def _nearly(wanted: float, offset: float) -> float | None:
    short = (round(wanted + offset, digits) for digits in range(_SHORT_DIGITS + 1))
    return next((number for number in short if abs(number - offset - wanted) <= _NOISE), None)


def _known(wanted: float, offset: float) -> float:
    number = undone(wanted, offset)
    return wanted + offset if number is None else number


def _candidates(total: float) -> Iterator[float]:
    for digits in range(_DIGITS):
        yield round(total, digits)
    yield from _neighbours(total)


def _neighbours(number: float) -> tuple[float, float, float]:
    return number, math.nextafter(number, math.inf), math.nextafter(number, -math.inf)


def _why_not(text: str) -> str:
    if not text:
        return "nothing, where a number belongs"
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        return f"{text!r} has a comma: decimals take a point"
    return f"{text[:40]!r} is no number"
