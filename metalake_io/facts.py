"""What MetaLake JSON says of an image and of the data set, beside the annotations: kept by the service as metadata.

The service takes annotations only. All else rides in one custom field, as JSON text: of a file what stands beside its
annotations (its name in the data set, size, id, split, tags ...), of the collection the catalogue of labels and all
other keys at the root. Whoever does not know the field loses nothing by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..schemas.model import Record
from ..schemas.plain import is_list, is_object

FIELD = "annolake"
"""The custom field."""

_UNSAID = "unsaid"
"""The confidence that attributes were sent with which state none: the service wants one."""


def file_name(image: str) -> str:
    """The name of an image's file in a collection, which has no folders."""
    return image.removeprefix("/").replace("/", "_")


def text_of(facts: Mapping[str, Any]) -> str:
    return msgspec.json.encode(facts).decode()


def parsed(metadata: Any) -> dict[str, Any]:
    """The facts in metadata of the service; empty where there are none, or somebody else uses the field."""
    text = metadata.get(FIELD) if is_object(metadata) else None
    try:
        facts: Any = msgspec.json.decode(text) if isinstance(text, str) else None
    except msgspec.DecodeError:
        facts = None
    return facts if is_object(facts) else {}


def facts_of(image: Mapping[str, Any], record: Record, *, human: bool) -> dict[str, Any]:
    """Of an image in MetaLake JSON, `record` being the same decoded."""
    facts = {key: value for key, value in image.items() if key != "annotations"}
    values = [value for shape in record.annotations for many in shape.attributes.values() for value in many]
    if any(value.confidence is None for value in values):
        facts[_UNSAID] = int(human)
    return facts


def restored(downloaded: dict[str, Any], facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A downloaded image in MetaLake JSON with its facts, under `name`."""
    unsaid = facts.get(_UNSAID)
    if unsaid is not None:
        _forget_confidence(downloaded, unsaid)
    known = {key: value for key, value in facts.items() if key not in (_UNSAID, "image", "annotations")}
    return {"image": name, **known, **{key: value for key, value in downloaded.items() if key != "image"}}


def _forget_confidence(image: dict[str, Any], unsaid: Any) -> None:
    """Take away what the service was told only because it wants a number."""
    for shape in image.get("annotations") or ():
        attributes = shape.get("attributes") if is_object(shape) else None
        for values in attributes.values() if is_object(attributes) else ():
            for value in values if is_list(values) else ():
                if is_object(value) and value.get("confidence") == unsaid:
                    del value["confidence"]
