"""What an annotation says beside its shape, as named texts: for formats whose attributes are a name and a text.

A note beside the text says what it is where it is no plain attribute, so that it comes home as what it was; programs
that do not know the note see an attribute.

    ""               a value of an attribute
    "confidence"     the annotation's confidence
    "metadata"       a text of its metadata; "metadata json": any other value, as JSON
    "[...]"          all values of an attribute as JSON, where they have confidences or metadata of their own
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ..schemas.model import Annotation, Metadata, Tag, Value
from .xmltext import is_text

CONFIDENCE = "confidence"
METADATA = "metadata"
METADATA_JSON = "metadata json"
_VALUES = msgspec.json.Decoder(tuple[Value, ...])
_ALL = ("value", "confidence", "metadata", "extras")


class Spelled(NamedTuple):
    name: str
    text: str
    note: str = ""


class Said(msgspec.Struct):
    """What a shape's named texts say."""

    attributes: dict[str, tuple[Value, ...]] = {}
    metadata: Metadata = {}
    confidence: float | None = None


def spelled(annotation: Annotation | Tag, metadata: Mapping[str, Any]) -> Iterator[Spelled]:
    """The attributes of an annotation and the given part of its metadata. The confidence is the writer's affair: many
    formats have a place for it.
    """
    for name, values in annotation.attributes.items():
        if values and all(value == Value(value.value) and is_text(value.value) for value in values):
            yield from (Spelled(name, value.value) for value in values)
        else:
            first = values[0].value if values else ""
            plain = [{key: getattr(value, key) for key in _ALL} for value in values]
            yield Spelled(name, first if is_text(first) else "", json.dumps(plain))
    for name, value in metadata.items():
        if isinstance(value, str) and is_text(value):
            yield Spelled(name, value, METADATA)
        else:
            yield Spelled(name, json.dumps(value), METADATA_JSON)


def understood(texts: Iterable[Spelled]) -> Said:
    """The inverse of `spelled`. A note that makes no sense is taken for none: the text is an attribute."""
    said = Said()
    for name, text, note in texts:
        if note == METADATA:
            said.metadata[name] = text
        elif note == METADATA_JSON and (value := _json(text)) is not ...:
            said.metadata[name] = value
        elif note == CONFIDENCE and (number := confidence(text)) is not None:
            said.confidence = number
        elif note.startswith("[") and (values := _values(note)) is not None:
            said.attributes[name] = values
        else:
            said.attributes[name] = (*said.attributes.get(name, ()), Value(text))
    return said


def confidence(text: str) -> float | None:
    """A text as a confidence from 0 to 1; None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: math.nan)
    except (ValueError, RecursionError):
        return ...


def _values(note: str) -> tuple[Value, ...] | None:
    try:
        return _VALUES.decode(note)
    except (msgspec.MsgspecError, UnicodeError):
        return None
