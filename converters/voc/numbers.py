"""Numbers of XML text: the decimals that were read, and the shortest decimals that are read as what is meant.

A box is stored as two corners and held as a corner and a size. Adding them up again must not turn 3.3 into
3.3000000000000003: of all decimals that are read as the same size, the shortest is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_encode = msgspec.json.Encoder().encode
_DIGITS = 17
_EXACT = 1 << 53
_SHORT = 15
SHORT_DIGITS = 9
_USUAL = 1e9
"""Below it floats lie so close that of all decimals of at most two digits one alone is read as a number."""
SMALL = 1e6
"""Below it the noise of sums is far less than half a step of `SHORT_DIGITS`."""
NOISE = 1e-11
"""Far below the step of `SHORT_DIGITS`, so that what was written is written alike when it has been read."""


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
    """The shortest text of a finite number, without an exponent. ValueError for any other."""
    text = repr(float(value))
    if text[-2:] == ".0" and abs(value) < _EXACT:
        return text[:-2] if value else "0"
    if not text[-1].isdigit():
        raise ValueError(f"{text} has no digits")
    return format(Decimal(text), "f") if "e" in text else text


def all_written(values: Sequence[float]) -> list[str]:
    """`written` of each, all at once where they are as coordinates usually are."""
    text = _encode(values).decode()
    if not values or "n" in text or max(values) >= _EXACT or min(values) <= -_EXACT:
        return list(map(written, values))
    texts = f"{text[1:-1]},".replace(".0,", ",").split(",")[:-1]
    if "e" not in text and "-0.0" not in text:
        return texts
    odd = (number for number, each in enumerate(texts) if "e" in each or each == "-0")
    for number in odd:
        texts[number] = written(values[number])
    return texts


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
    fewest = 0
    if -_USUAL < total < _USUAL and -_USUAL < offset < _USUAL:
        number = round(total * 100) / 100
        if number - offset == wanted:
            return number
        if offset >= 0 <= wanted:
            # Floats up to a sum lie no closer than those up to what is added: its neighbours are all that could do.
            above, below = math.nextafter(total, math.inf), math.nextafter(total, -math.inf)
            exact = [near for near in (total, above, below) if near - offset == wanted]
            if not exact:
                return number if abs(number - offset - wanted) <= NOISE else _nearly(wanted, offset)
            if len(exact) == 1:
                return exact[0]
            fewest = min(map(_decimals, exact))
    for number in _candidates(total, fewest):
        if number - offset == wanted:
            return number
    return _nearly(wanted, offset)


def _nearly(wanted: float, offset: float) -> float | None:
    total = wanted + offset
    if abs(total) < SMALL:  # a shorter one that does is the same number
        finest = round(total, SHORT_DIGITS)
        return finest if abs(finest - offset - wanted) <= NOISE else None
    short = (round(total, digits) for digits in range(SHORT_DIGITS + 1))
    return next((number for number in short if abs(number - offset - wanted) <= NOISE), None)


def _decimals(number: float) -> int:
    """How many decimals a number needs; 0 where that is not quickly seen."""
    text = repr(number)
    return 0 if "e" in text else len(text) - text.index(".") - 1


def _known(wanted: float, offset: float) -> float:
    number = undone(wanted, offset)
    return wanted + offset if number is None else number


def _candidates(total: float, fewest: int) -> Iterator[float]:
    for digits in range(fewest, _DIGITS):
        yield round(total, digits)
    yield from (total, math.nextafter(total, math.inf), math.nextafter(total, -math.inf))


def _why_not(text: str) -> str:
    if not text:
        return "nothing, where a number belongs"
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        return f"{text!r} has a comma: decimals take a point"
    return f"{text[:40]!r} is no number"
