"""Crowds that a target leaves out: looked at just as much as it takes to refuse a broken one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ...schemas import masks
from ...schemas.jsonelements import DECODE_ERRORS
from ...schemas.model import Record, Rectangle
from ..shapeblocks import Id, Number

_QUOTES = 18


class _Mask(msgspec.Struct, gc=False):
    size: list[Any]
    counts: list[Any]


class _Crowd(msgspec.Struct, gc=False):
    """With COCO's own seven keys, and the two of its mask: with eighteen quotation marks it has no other."""

    id: int
    image_id: Id
    category_id: Id
    bbox: tuple[Number, Number, Number, Number]
    area: Number
    iscrowd: Literal[1]
    segmentation: _Mask


_CROWD = msgspec.json.Decoder(_Crowd)


def plain_crowd(raw: msgspec.Raw, record: Record, labels: Mapping[Id | None, str]) -> Rectangle | None:
    """What is left of a crowd of that image for a target of boxes that has no crowds; None where anything is odd."""
    if bytes(raw).count(b'"') != _QUOTES:
        return None
    try:
        crowd = _CROWD.decode(raw)
        mask = masks.parse(crowd.segmentation.size, crowd.segmentation.counts)
    except (*DECODE_ERRORS, masks.MaskError):
        return None
    label = labels.get(crowd.category_id)
    fits = (mask.width, mask.height) == (record.width, record.height)
    if label is None or not fits or crowd.area < 0 or crowd.bbox[2] <= 0 or crowd.bbox[3] <= 0:
        return None
    return Rectangle(bbox=crowd.bbox, label=label, metadata={"iscrowd": True, "coco_id": crowd.id})
