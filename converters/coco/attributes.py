"""The key `attributes` as CVAT and Datumaro have it, both ways: an object of plain values, some names of which they
reserve.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from ...schemas.model import Annotation, Tag, Value
from ...schemas.plain import is_object, ready
from .rotation import says_rotation

RESERVED_ATTRIBUTES = ("occluded", "rotation", "track_id", "keyframe", "source", "outside")
"""Attribute names that CVAT and Datumaro reserve; they are metadata keys of the same name in the hub."""


def read_attributes(
    extra: dict[str, Any], meaning: dict[str, Any], bookkeeping: dict[str, Any]
) -> dict[str, tuple[Value, ...]]:
    """Attributes as text, their JSON type noted where it is not text; the reserved ones are metadata."""
    given = extra.get("attributes")
    if not is_object(given) or not given:
        return {}
    del extra["attributes"]
    full = _full_values(extra, given)
    out: dict[str, tuple[Value, ...]] = {}
    for name, value in given.items():
        if name in full:
            out[name] = full[name]
        elif name in RESERVED_ATTRIBUTES and isinstance(value, str | int | float):
            (bookkeeping if name == "source" else meaning)[name] = value
        else:
            out[name] = (plain_value(value),)
    return out


def _full_values(extra: dict[str, Any], given: dict[str, Any]) -> dict[str, tuple[Value, ...]]:
    """The attributes that are more than one plain value, where the file has them in our own form."""
    try:
        full = msgspec.convert(extra.get("attribute_values"), ready(dict[str, tuple[Value, ...]]))
    except msgspec.ValidationError:
        return {}
    if not full.keys() <= given.keys():
        return {}
    del extra["attribute_values"]
    return full


def plain_value(value: Any) -> Value:
    """A value of COCO's `attributes` as text, with its JSON type where it is not text."""
    if isinstance(value, str):
        return Value(value)
    kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "json"
    return Value(json.dumps(value, ensure_ascii=False), metadata={"type": kind})


def write_attributes(out: dict[str, Any], annotation: Annotation | Tag, known: set[str]) -> None:
    """`attributes` as CVAT and Datumaro have them; what is more than one plain value also in full."""
    attributes: dict[str, Any] = {}
    full: dict[str, Any] = {}
    reserved = [name for name in RESERVED_ATTRIBUTES if name != "rotation" or says_rotation(out, annotation, known)]
    for name in reserved:
        value = annotation.metadata.get(name)
        if isinstance(value, str | int | float) and name not in annotation.attributes:
            attributes[name] = value
            known.add(name)
    for name, values in annotation.attributes.items():
        plain = _simple(values)
        if plain is ... or (name in RESERVED_ATTRIBUTES and isinstance(plain, str | int | float)):
            full[name] = values
            plain = values[0].value if values else None
        attributes[name] = plain
    if attributes:
        out["attributes"] = attributes
    if full:
        out["attribute_values"] = full


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
        plain = msgspec.json.decode(value.value)
    except msgspec.MsgspecError:
        return ...
    return plain if plain_value(plain) == value else ...
