"""Runs of images whose outlined objects are handed on as they are spelled, for a target that spells them alike: nobody
decodes millions of numbers to write them again.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .shapeblocks import Id, Number, OutlinedBlock


class SpelledShape(msgspec.Struct, gc=False):
    """An object in COCO's order and words, its `segmentation` as encoding it again would spell it: rings as a `Shape`
    has them, of numbers that are all floats without a sign, as those of its box are; or a mask that is not empty.
    """

    segmentation: msgspec.Raw
    area: Number
    iscrowd: Literal[0, 1]
    image_id: Id
    bbox: tuple[Number, Number, Number, Number]
    category_id: Id
    id: int


class SpelledBlock(OutlinedBlock[SpelledShape], frozen=True, gc=False, kw_only=True):
    """Images whose objects mostly are such."""
