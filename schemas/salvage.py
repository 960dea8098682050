"""What can still be read of a MetaLake image that is broken in places, so that one pass finds all that is wrong."""

from __future__ import annotations

from typing import Any

import msgspec

from . import jsonscan
from .errors import InvalidInput, Place
from .metalake_decoding import decode_record
from .model import Annotation, Record
from .plain import is_list, is_object


def readable(raw: msgspec.Raw, file: str, index: int) -> tuple[Record, list[Place]] | None:
    """Image number `index` (from 0) with those of its annotations that decode, and the place of each: its number,
    from 1, in the file. None where not even the image's name can be read.
    """
    try:
        plain: Any = jsonscan.plain(raw, file, ("images", index))
    except InvalidInput:
        return None
    if not is_object(plain):
        return None
    listed = plain.pop("annotations", None)
    image = _decoded({**plain, "annotations": []}, file, index)
    image = image or _decoded({"image": plain.get("image"), "annotations": []}, file, index)
    if image is None:
        return None
    annotations: list[Annotation] = []
    places: list[Place] = []
    for number, item in enumerate(listed if is_list(listed) else [], 1):
        one = _decoded({"image": image.image, "annotations": [item]}, file, index)
        if one is not None:
            annotations += one.annotations
            places.append(Place(image=image.image, annotation=number))
    return msgspec.structs.replace(image, annotations=annotations), places


def _decoded(plain: dict[str, Any], file: str, index: int) -> Record | None:
    try:
        return decode_record(msgspec.Raw(msgspec.json.encode(plain)), file, index, lambda _: None)
    except InvalidInput:
        return None
