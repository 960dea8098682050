"""Hub annotations of one object to a COCO annotation.

The exact numbers of the source ride in metadata; they are used while the shape is the one they were read with, and
computed anew where it was edited. `id`, `iscrowd`, `area` and `segmentation` are always written: evaluators need them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from ...schemas.geometry import shoelace
from ...schemas.keys import RINGS
from ...schemas.model import Annotation, Polygon, Rectangle, Tag, Value
from ..carrying import as_read, mask_as_read
from .document import EXTENSION
from .objects import RESERVED_ATTRIBUTES, tidy_hull

_PLACED = frozenset((*RINGS, *RESERVED_ATTRIBUTES, "iscrowd", "shape", "geometry", "keypoints", "outline")) | frozenset(
    ("coco_id", "coco_category_id", "coco_extra", "area", "bbox")
)
"""Metadata keys that have a place of their own in a COCO annotation; all others stand under its key `metadata`."""


def to_coco(group: Sequence[Annotation], identity: Any, image_id: Any, category: Any) -> dict[str, Any]:
    """One object as a COCO annotation, its keys in COCO's order."""
    first = group[0]
    metadata = first.metadata
    unchanged = "outline" not in metadata or as_read(group, metadata["outline"])
    out: dict[str, Any] = {"segmentation": [], "area": None, "iscrowd": 1 if metadata.get("iscrowd") else 0}
    out.update(image_id=image_id, bbox=None, category_id=category, id=identity)
    if isinstance(first, Rectangle):
        out["bbox"] = first.bbox
        out["area"] = first.bbox[2] * first.bbox[3]
    else:
        rings = [a.xy for a in group if isinstance(a, Polygon)]
        out["segmentation"] = rings
        out["bbox"] = tidy_hull(rings)
    mask = _mask(group, unchanged)
    if mask is not None:
        out["segmentation"] = mask
    if unchanged or mask is not None:
        out["area"] = metadata.get("area", out["area"])
        if "bbox" in metadata:
            out["bbox"] = json.loads(metadata["bbox"])
    if out["area"] is None:
        out["area"] = _area(group)
    if out["bbox"] is None:
        del out["bbox"]
    _describe(out, first, use_form=unchanged)
    return out


def to_label_only(tag: Tag, identity: Any, image_id: Any, category: Any) -> dict[str, Any]:
    """An annotation without geometry: a class of the whole image."""
    out: dict[str, Any] = {"image_id": image_id, "category_id": category, "id": identity}
    if tag.metadata.get("iscrowd"):
        out["iscrowd"] = 1
    if "area" in tag.metadata:
        out["area"] = tag.metadata["area"]
    _describe(out, tag, use_form=True)
    return out


def _mask(group: Sequence[Annotation], unchanged: bool) -> Any:
    """The run-length encoding a shape was traced from, where it is still that shape."""
    metadata = group[0].metadata
    if metadata.get("shape") != "mask" or not isinstance(metadata.get("geometry"), str):
        return None
    if unchanged and "outline" in metadata:
        return json.loads(metadata["geometry"])
    return json.loads(metadata["geometry"]) if mask_as_read(group, metadata["geometry"]) else None


def _area(group: Sequence[Annotation]) -> float:
    """COCO's own rule: the sum of the rings' areas, less the holes."""
    total = 0.0
    for annotation in group:
        if isinstance(annotation, Polygon):
            area = shoelace(annotation.xy)
            total += -area if "hole_of" in annotation.metadata else area
    return total


def _describe(out: dict[str, Any], annotation: Annotation | Tag, *, use_form: bool) -> None:
    metadata = annotation.metadata
    if annotation.confidence is not None:
        out["score"] = annotation.confidence
    if isinstance(metadata.get("keypoints"), str):
        out["keypoints"] = keypoints = json.loads(metadata["keypoints"])
        # A YOLO point without visibility is there, which is what COCO's 2 says.
        keypoints[2::3] = [2 if v is None else v for v in keypoints[2::3]]
        out["num_keypoints"] = sum(v > 0 for v in keypoints[2::3])
    attributes: dict[str, Any] = {key: metadata[key] for key in RESERVED_ATTRIBUTES if key in metadata}
    full: dict[str, Any] = {}
    for name, values in annotation.attributes.items():
        plain = _simple(values)
        if plain is ...:
            full[name] = values
            plain = values[0].value if values else None
        attributes[name] = plain
    if attributes:
        out["attributes"] = attributes
    if full:
        out["attribute_values"] = full
    others = {key: value for key, value in metadata.items() if key not in _PLACED}
    if others:
        out["metadata"] = others
    if isinstance(metadata.get("coco_extra"), str):
        extra: dict[str, Any] = json.loads(metadata["coco_extra"])
        if not use_form:
            extra.pop("segmentation", None)
        out.update(extra)
    if annotation.extras:
        out[EXTENSION] = annotation.extras


def _simple(values: Sequence[Value]) -> Any:
    """An attribute's one plain value with its JSON type; Ellipsis where it is more than that."""
    if len(values) != 1 or values[0].confidence is not None or values[0].extras:
        return ...
    value = values[0]
    if value.metadata is None:
        return value.value
    if set(value.metadata) != {"type"}:
        return ...
    try:
        return msgspec.json.decode(value.value)
    except msgspec.MsgspecError:
        return ...
