"""Outlines whose text can be written as it stands: what decoding and encoding it again would give.

Numbers are spelled the shortest way by whoever writes COCO with care, and then so by us. That all are can be seen
without decoding them: with a point each and at most fifteen digits, no number has a shorter spelling than its own, but
for noughts at its end and very small ones (IEEE 754: fifteen decimal digits survive a double). Nothing here has words
for what is otherwise: such a run of objects is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..spelledblocks import SpelledShape

_SPELLED = msgspec.json.Decoder(list[SpelledShape])
_BLANKS = (b" ", b"\t", b"\r", b"\n")
_BETWEEN = b"\0"
_DIGITS = b"0123456789"
_LONG = (1, 2, 4, 8, 1)
"""Steps after which what is left of a run of characters had seventeen: more than fifteen digits and a point."""
_FEWEST, _USUALLY_MOST = 6, 2000
_RING = rb"\[\.(?:,\.){%d}(?:,\.,\.)*\]" % (_FEWEST - 1)
_FORM = re.compile(rb"\[%b(?:,%b)*\]" % (_RING, _RING))
_USUAL = frozenset(b"[[%b]]" % b",".join([b"."] * count) for count in range(_FEWEST, _USUALLY_MOST, 2))
_MANY = 8
"""Where one object in so many is another one, all are decoded."""


def spelled_ones(text: bytes) -> Sequence[SpelledShape | None] | None:
    """Of a list of objects with COCO's own seven keys those that can be written as they stand, None for the others;
    None where many cannot. DECODE_ERRORS where one is no such object.
    """
    shapes = _SPELLED.decode(text)
    if not shapes:
        return []
    types = set(map(type, chain.from_iterable([shape.bbox for shape in shapes])))
    if types != {float} or (b"-" in text and b"-0" in text):
        return None
    rings = _as_encoded([shape.segmentation for shape in shapes])
    if rings is None:
        return None
    out = [_taken(shape, own) for shape, own in zip(shapes, rings, strict=True)]
    return None if _MANY * out.count(None) > len(out) else out


def _taken(shape: SpelledShape, rings: bytes | None) -> SpelledShape | None:
    if rings is None or shape.iscrowd or shape.area < 0 or shape.bbox[2] <= 0 or shape.bbox[3] <= 0:
        return None
    shape.segmentation = msgspec.Raw(rings)
    return shape


def _as_encoded(segmentations: Sequence[msgspec.Raw]) -> list[bytes | None] | None:
    """Of each the text of its rings without blanks, None where they are no open rings; None where not all numbers
    surely are the shortest.
    """
    text = _BETWEEN.join(segmentations)
    if any(blank in text for blank in _BLANKS):
        text = text.translate(None, b"".join(_BLANKS))
    if not _are_short(np.frombuffer(text, np.uint8)):
        return None
    forms = text.translate(None, _DIGITS).split(_BETWEEN)
    return [
        own if (form in _USUAL and not _is_closed(own[2:-2])) or _are_open(own, form) else None
        for own, form in zip(text.split(_BETWEEN), forms, strict=True)
    ]


def _are_short(text: NDArray[np.uint8]) -> bool:
    """Whether no number of a text that is made of fractions is long, ends in a nought that is not its only decimal, or
    is so small that it might be spelled with an exponent.
    """
    nought, point = text == ord("0"), text == ord(".")
    ends = (text == ord(",")) | (text == ord("]"))
    idle = nought[1:-1] & ends[2:] & ~point[:-2]
    tiny = point[:-4] & nought[1:-3] & nought[2:-2] & nought[3:-1] & nought[4:]
    run = text - np.uint8(ord(".")) <= ord("9") - ord(".")  # a slash, which lies between, is in no number
    for step in _LONG:
        run = run[:-step] & run[step:]
    return not (idle.any() or tiny.any() or run.any())


def _are_open(rings: bytes, form: bytes) -> bool:
    """Whether what has that form are rings, none of them closed."""
    return _FORM.fullmatch(form) is not None and not any(map(_is_closed, rings[2:-2].split(b"],[")))


def _is_closed(ring: bytes) -> bool:
    """Whether the last point is the first."""
    first = ring[: ring.find(b",", ring.find(b",") + 1)]
    return ring.endswith(b",%b" % first)
