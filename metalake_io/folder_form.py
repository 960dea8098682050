"""The annotation JSON of the deprecated function 2.6, and its turn into the current form.

There, `metadata` holds attributes as `{name: one value}`; there is no free metadata, `attributes` is ignored, and the
type may stand in the call instead of in the annotation. Attribute values get the annotation's own confidence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..converters.files import read_bytes
from ..schemas import jsonscan, jsontext
from ..schemas.errors import UsageError
from ..schemas.plain import is_list, is_object
from .checks import Annotations, annotations_in

_SHAPES = ("rectangle", "polygon", "line", "points")


def annotations_v1(path: Path, shape_type: str | None, *, normalized: bool) -> Annotations:
    """A file in the older form, checked. An annotation's own type goes before `shape_type`."""
    if shape_type is not None and shape_type not in _SHAPES:
        raise UsageError("shape-type", f"the shape type is one of {', '.join(_SHAPES)}")
    file = str(path)
    data = jsontext.checked(read_bytes(path), file)
    members = {key: jsonscan.plain(raw, file, (key,)) for key, raw in jsontext.members(data, file).items()}
    images = members.get("images")
    for image in images if is_list(images) else []:
        listed = image.get("annotations") if is_object(image) else None
        for annotation in listed if is_list(listed) else []:
            if is_object(annotation):
                _turn(annotation, shape_type)
    return annotations_in(json.dumps(members).encode("ascii"), file, normalized=normalized)


def _turn(annotation: dict[str, Any], shape_type: str | None) -> None:
    if shape_type is not None:
        annotation.setdefault("type", shape_type)
    if annotation.get("type") == "line" and "line" not in annotation and "polygon" in annotation:
        annotation["line"] = annotation.pop("polygon")
    values = annotation.pop("metadata", None)
    annotation.pop("attributes", None)
    if is_object(values):
        sure = {"confidence": annotation["confidence"]} if "confidence" in annotation else {}
        annotation["attributes"] = {name: [{"value": value, **sure}] for name, value in values.items()}
