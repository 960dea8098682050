"""The hub to MetaLake annotation JSON, one image at a time. Compact, one image a line, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from .metalake_wire import (
    CATALOG_KEY,
    UNKNOWN_KEY,
    WireAnnotation,
    WireImage,
    WireLine,
    WirePoints,
    WirePolygon,
    WireRectangle,
    WireTag,
    WireValue,
)
from .model import Annotation, Catalog, Category, Line, Points, Polygon, Record, Rectangle, Tag, Value

_encode = msgspec.json.Encoder().encode
_Part = TypeVar("_Part", Catalog, Category)


def encode_document(records: Iterable[Record], catalog: Catalog) -> Iterator[bytes]:
    """A whole file in pieces, images first, then the catalogue and the unknown keys a source file had."""
    return document(map(encode_record, records), catalog)


def document(images: Iterable[bytes], catalog: Catalog) -> Iterator[bytes]:
    """The same of images that are encoded already."""
    empty = True
    for piece in run(images, first=True):
        empty = False
        yield piece
    yield from encode_end(catalog, empty=empty)


def run(images: Iterable[bytes], *, first: bool) -> Iterator[bytes]:
    """Encoded images, each with what stands before it: the file's beginning or a comma."""
    for image in images:
        yield (b'{"images":[\n' if first else b",\n") + image
        first = False


def encode_end(catalog: Catalog, *, empty: bool) -> Iterator[bytes]:
    """What follows the last image; of a file without images, all of it."""
    yield b'{"images":[]' if empty else b"\n]"
    others = dict(catalog.extras.get(UNKNOWN_KEY, {}))
    yield b',\n"' + CATALOG_KEY.encode() + b'":' + _catalog(catalog, others.pop(CATALOG_KEY, {}))
    for key, value in others.items():
        yield b",\n" + _encode(key) + b":" + _encode(value)
    yield b"}\n"


def encode_record(record: Record) -> bytes:
    """One element of `images`."""
    return encode_image(record, [wire_of(annotation) for annotation in record.annotations])


def encode_image(record: Record, annotations: Sequence[WireAnnotation | msgspec.Raw]) -> bytes:
    """The same with these annotations instead of the record's."""
    encoded = _encode(
        WireImage(
            image=record.image,
            storageName=_maybe(record.storage_name),
            width=_maybe(record.width),
            height=_maybe(record.height),
            id=_maybe(record.id),
            split=_maybe(record.split),
            tags=[_tag(tag) for tag in record.tags] if record.tags else UNSET,  # type: ignore[arg-type]
            annotations=annotations,  # type: ignore[arg-type]
        )
    )
    return _with_unknown(encoded, record.extras) if record.extras else encoded


def _catalog(catalog: Catalog, unknown: Mapping[str, Any]) -> bytes:
    labels = [
        msgspec.Raw(_with_unknown(_encode(_known(category)), keys))
        if (keys := category.extras.get(UNKNOWN_KEY))
        else category
        for category in catalog.labels
    ]
    encoded = _encode(msgspec.structs.replace(_known(catalog), labels=tuple(labels)))
    return _with_unknown(encoded, unknown) if unknown else encoded


def _known(part: _Part) -> _Part:
    """A catalogue or a label without the keys that nobody knows."""
    extras = {key: value for key, value in part.extras.items() if key != UNKNOWN_KEY}
    return msgspec.structs.replace(part, extras=extras)


def _maybe(value: Any) -> Any:
    return UNSET if value is None else value


def wire_of(annotation: Annotation) -> WireAnnotation | msgspec.Raw:
    """An annotation as it stands on the wire."""
    if isinstance(annotation, Rectangle):
        shape: Any = annotation.bbox
    else:
        flat = iter(annotation.xy)
        shape = list(zip(flat, flat, strict=True))
    wire = _WIRE[type(annotation)](
        shape,
        annotation.label,
        UNSET if annotation.confidence is None else annotation.confidence,
        annotation.metadata or UNSET,
        _values(annotation.attributes) if annotation.attributes else UNSET,
    )
    return msgspec.Raw(_with_unknown(_encode(wire), annotation.extras)) if annotation.extras else wire


_WIRE: dict[type, Any] = {Rectangle: WireRectangle, Polygon: WirePolygon, Line: WireLine, Points: WirePoints}


def _tag(tag: Tag) -> WireTag | msgspec.Raw:
    wire = WireTag(
        label=tag.label,
        confidence=_maybe(tag.confidence),
        metadata=tag.metadata or UNSET,
        attributes=_values(tag.attributes) if tag.attributes else UNSET,  # type: ignore[arg-type]
    )
    return msgspec.Raw(_with_unknown(_encode(wire), tag.extras)) if tag.extras else wire


def _values(attributes: Mapping[str, tuple[Value, ...]]) -> dict[str, list[WireValue | msgspec.Raw]]:
    return {name: [_value(value) for value in values] for name, values in attributes.items()}


def _value(value: Value) -> WireValue | msgspec.Raw:
    wire = WireValue(value.value, _maybe(value.confidence), _maybe(value.metadata))
    return msgspec.Raw(_with_unknown(_encode(wire), value.extras)) if value.extras else wire


def _with_unknown(encoded: bytes, extras: Mapping[str, Any]) -> bytes:
    comma = b"" if encoded == b"{}" else b","
    return encoded[:-1] + comma + _encode(extras)[1:]
