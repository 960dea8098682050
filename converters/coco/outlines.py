"""Whether the rings of annotations are rings, for a target of boxes, which need not have their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

NO_RINGS = len("[]")
_FEWEST_COMMAS = 5
_RINGS = msgspec.json.Decoder(list[list[int | float]])
_NUMBERS = b"0123456789.- \t\r\n"
_RING = rb"\[,{%d}(?:,,)*\]" % _FEWEST_COMMAS
_FORM = re.compile(rb"\[%b(?:,%b)*\]" % (_RING, _RING))
_USUAL = frozenset(b"[[%b]]" % (b"," * commas) for commas in range(_FEWEST_COMMAS, 1000, 2))


def is_outline(text: bytes) -> bool:
    """Whether undecoded rings are rings for sure: one ring by its commas and letters, several by decoding."""
    if text.find(b"]") == len(text) - len("]]"):
        commas = text.count(b",")
        return commas >= _FEWEST_COMMAS and commas % 2 == 1 and b"u" not in text and b"l" not in text
    try:
        return all(len(ring) >= _FEWEST_COMMAS + 1 and len(ring) % 2 == 0 for ring in _RINGS.decode(text))
    except msgspec.MsgspecError:
        return False


def are_outlines(texts: Sequence[msgspec.Raw]) -> list[bool]:
    """The same of many values at once, by what is left of them without their numbers; what is False here may be rings
    all the same.
    """
    if not texts:
        return []
    forms = b"\0".join(texts).translate(None, _NUMBERS).split(b"\0")
    return [form in _USUAL or _FORM.fullmatch(form) is not None for form in forms]
