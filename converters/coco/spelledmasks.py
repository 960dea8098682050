"""Masks whose text can be written as it stands: nobody needs their outlines where run lengths are what is wanted."""

from __future__ import annotations

from typing import Any

import msgspec

from ...schemas import masks
from ...schemas.jsonelements import DECODE_ERRORS
from ...schemas.model import Record
from ..spelledblocks import SpelledShape

_QUOTES = {list: 18, str: 20}
"""Quotation marks of an annotation with COCO's own seven keys and the two of its mask, by the form of its runs."""


class _Mask(msgspec.Struct, gc=False):
    size: list[int]
    counts: list[int] | str


_SHAPE = msgspec.json.Decoder(SpelledShape)
_MASK = msgspec.json.Decoder(_Mask)
_ANY = msgspec.json.Decoder(Any)


def spelled_mask(raw: msgspec.Raw, record: Record) -> SpelledShape | None:
    """The annotation of an image, if it has a mask that fits, and nothing odd; its box is its pixels', spelled as that,
    where it is the same.
    """
    quotes = bytes(raw).count(b'"')
    if quotes not in _QUOTES.values():
        return None
    try:
        shape = _SHAPE.decode(raw)
        given = _MASK.decode(shape.segmentation)
        mask = masks.parse(given.size, given.counts)
    except (*DECODE_ERRORS, masks.MaskError):
        return None
    fits = _fits(mask.width, record.width) and _fits(mask.height, record.height)
    if quotes != _QUOTES[type(given.counts)] or shape.area < 0 or not (fits and masks.area(mask)):
        return None
    shape.segmentation = msgspec.Raw(msgspec.json.encode(_ANY.decode(shape.segmentation)))
    if any(type(number) is float for number in shape.bbox) and all(number % 1 == 0 for number in shape.bbox):
        box = masks.bbox(mask)
        shape.bbox = box if box == shape.bbox else shape.bbox
    return shape


def _fits(side: int, image: float | None) -> bool:
    return image is not None and abs(side - image) < 1
