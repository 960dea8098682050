"""Numbers as CVAT spells them: decimals, two at least, and as many as it takes to lose nothing.

A box is two corners in CVAT and a corner and a size here. Sums and differences are made of the decimals, not of their
binary neighbours, so that 21.95 and 30.07 are 8.12 apart and come home as 30.07.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Context, Decimal
from itertools import chain
from math import isfinite

import msgspec

_CONTEXT = Context(prec=60)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*", re.ASCII)
_SINGLE = re.compile(r"\.\d(?!\d)")
_LONGEST = 80
"""Characters of a number. One that would take more is written with an exponent, which CVAT reads and never writes."""
_encode = msgspec.json.Encoder().encode  # the digits of `repr`, several times faster
_FLAT = msgspec.json.Decoder(list[tuple[float, ...]])
_DIGITS = b"0123456789.-"
_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 16
"""So many digits in a row make a number that is looked at closely."""
USUAL = 1e9
"""Below it a number of two decimals is the hundredth of a whole number, and sums of them lose nothing."""


class Unreadable(ValueError):
    """Why something cannot be read: a code, a sentence, and what to do."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(code, message, hint)
        self.code, self.message, self.hint = code, message, hint


def number(text: str | None, name: str) -> float:
    """A finite number. Unreadable for anything else."""
    return float(decimal(text, name))


def decimal(text: str | None, name: str) -> Decimal:
    if text is None:
        raise Unreadable("missing-attribute", f"{name} is missing", "add it, or remove the shape")
    if len(text) > _LONGEST or _NUMBER.fullmatch(text) is None:
        hint = "write a decimal number such as 12.50"
        raise Unreadable("bad-number", f"{name} is {text[:_LONGEST]!r}, which is no number", hint)
    value = Decimal(text)
    if not isfinite(float(value)):
        raise Unreadable("bad-number", f"{name} is {text!r}, more than a number can say", "is this number meant?")
    return value


def numbers(text: str | None, name: str) -> tuple[float, ...]:
    """Points `x,y;x,y` as flat numbers."""
    if text is None or not text.strip():
        return ()
    if (quickly := usual(text)) is not None:
        return quickly
    flat: list[float] = []
    for index, pair in enumerate(text.strip().rstrip(";").split(";"), 1):
        both = pair.split(",")
        if len(both) != 2:
            hint = "a point is x,y with decimal points, and points are parted by semicolons"
            raise Unreadable("bad-number", f"point {index} of {name} is {pair[:_LONGEST]!r}", hint)
        flat += (number(both[0], f"x of point {index}"), number(both[1], f"y of point {index}"))
    return tuple(flat)


def usual(text: str) -> tuple[float, ...] | None:
    """Points of usual spelling, as `numbers` gives them; None where it takes a closer look."""
    found = _all_usual([text])
    return None if found is None else found[0]


def usual_of_each(texts: Sequence[str]) -> Sequence[tuple[float, ...] | None]:
    """The same for several texts."""
    found = _all_usual(texts)
    return list(map(usual, texts)) if found is None else found


def _all_usual(texts: Sequence[str]) -> list[tuple[float, ...]] | None:
    """The points of each text, where all of them are of usual spelling."""
    data = b"|%b" % "|".join(texts).encode()
    between = data.translate(None, _DIGITS)
    alternate = b"|;" not in between and between.replace(b";,", b"") == b"|," * len(texts)
    if not alternate or _LONG in data.translate(_ALIKE):
        return None
    try:
        return _FLAT.decode(b"[[%b]]" % data[1:].replace(b"|", b"],[").replace(b";", b","))
    except msgspec.MsgspecError:
        return None


def whole(text: str | None, name: str) -> int:
    """A whole number from 0 on that fits into 31 bits. Unreadable for anything else."""
    if text is not None and text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 31:
        return int(text)
    given = "is missing" if text is None else f"is {text[:_LONGEST]!r}"
    raise Unreadable("bad-number", f"{name} {given}", "write a whole number from 0 on")


def span(low: Decimal, high: Decimal) -> float:
    """From one edge to the other."""
    return float(_CONTEXT.subtract(high, low))


def far_edge(low: float, size: float) -> str:
    """The other edge, spelled; undoes `span`."""
    return _in_hundredths(low, size) or _sum(repr(float(low)), repr(float(size)))


def edges(boxes: Sequence[tuple[float, float, float, float]]) -> Sequence[tuple[str, str, str, str]]:
    """Left, top, right and bottom of each box, spelled."""
    flat = list(chain.from_iterable(boxes))
    kinds = set(map(type, flat))
    if kinds == {int} and max(map(abs, flat)) < USUAL:
        return [(f"{x}.00", f"{y}.00", f"{x + w}.00", f"{y + h}.00") for x, y, w, h in boxes]
    text = _encode(flat)[1:-1].decode() if kinds == {float} else ""
    if not text or "e" in text or "n" in text:
        return [(spelled(x), spelled(y), far_edge(x, w), far_edge(y, h)) for x, y, w, h in boxes]
    texts = iter(text.split(","))
    return [
        (
            f"{left}0" if left[-2] == "." else left,
            f"{top}0" if top[-2] == "." else top,
            _in_hundredths(x, w) or _sum(left, width),
            _in_hundredths(y, h) or _sum(top, height),
        )
        for (x, y, w, h), left, top, width, height in zip(boxes, texts, texts, texts, texts, strict=True)
    ]


def _in_hundredths(low: float, size: float) -> str | None:
    """The other edge where both numbers are hundredths of whole ones."""
    if not (-USUAL < low < USUAL and -USUAL < size < USUAL) or (start := round(low * 100)) / 100 != low:
        return None
    length = round(size * 100)
    return f"{(start + length) / 100:.2f}" if length / 100 == size else None


def _sum(one: str, other: str) -> str:
    return _spelled(_CONTEXT.add(Decimal(one), Decimal(other)))


def spelled(value: float) -> str:
    text = repr(float(value))
    if "e" in text or "n" in text:
        return _spelled(Decimal(text))
    return f"{text}0" if text[-2] == "." else text


def points(flat: Sequence[float]) -> str:
    """Flat numbers as `x,y;x,y`."""
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    text = _encode(pairs)[len("[[") : -len("]]")].decode().replace("],[", ";")
    if "e" in text or "n" in text or text.count(".") != len(flat):  # the last: where there are integers among them
        return ";".join(f"{spelled(x)},{spelled(y)}" for x, y in pairs)
    return _SINGLE.sub(_with_zero, text)


def _with_zero(decimal: re.Match[str]) -> str:
    return f"{decimal[0]}0"


def _spelled(value: Decimal) -> str:
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    if len(text) > _LONGEST - len(".00"):
        return format(value.normalize(_CONTEXT), "e")
    head, _, tail = text.partition(".")
    return f"{head}.{tail.rstrip('0'):0<2}"
