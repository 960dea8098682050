"""MetaLake annotation JSON to the hub, one image at a time.

Nothing is stepped over: typed decoding is the fast way, and a count of quotation marks proves that it saw every key.
Where the count differs, or the decoder objects, the image is decoded once more, slowly, with every key in hand.

Read with a notice, never written: the older documented form of a line, with its points under the key `polygon`. Read
as JSON Schema counts: 1.0 is the integer 1, and an integer beyond 64 bits is a number like 1e30.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

import msgspec
from msgspec import UNSET

from . import jsonscan, jsontext
from .errors import InvalidInput, Place
from .jsontext import Pointer, as_list, as_object
from .metalake_wire import (
    CATALOG_KEY,
    FORMATS_OWN,
    GEOMETRY_KEY,
    UNKNOWN_KEY,
    WireAnnotation,
    WireImage,
    WireLine,
    WirePolygon,
    WireRectangle,
    WireTag,
    WireValue,
)
from .model import Annotation, Catalog, Category, Line, Points, Polygon, Record, Rectangle, Tag, Value
from .plain import ready
from .problems import Problem


class Document(msgspec.Struct, frozen=True):
    """An opened file: its images still undecoded, its catalogue if it has one. `ours`: the file itself has the extra
    key that says what its coordinates are.
    """

    file: str
    data: bytes
    images: list[msgspec.Raw]
    catalog: Catalog | None
    ours: bool = False

    def catalog_as(self, *, normalized: bool) -> Catalog:
        """The catalogue; `normalized` speaks for files that cannot say it themselves."""
        return catalog_as(self.catalog, ours=self.ours, normalized=normalized)

    def located(self, error: InvalidInput) -> InvalidInput:
        """The error with its line and column."""
        error.place = jsontext.locate(self.data, error.place)
        return error


def catalog_as(catalog: Catalog | None, *, ours: bool, normalized: bool) -> Catalog:
    """The catalogue, or an empty one; `normalized` speaks for files that are not ours."""
    catalog = catalog or Catalog()
    return catalog if ours or not normalized else msgspec.structs.replace(catalog, coordinates="normalized")


Notice = Callable[[Problem], None]

_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_IMAGE = msgspec.json.Decoder(WireImage)
_TAG_KEYS = frozenset(WireTag.__struct_fields__)
_IMAGE_KEYS = frozenset(WireImage.__struct_fields__)
_CATALOG_KEYS = frozenset(Catalog.__struct_fields__)
_CATEGORY_KEYS = frozenset(Category.__struct_fields__)
_VALUE_KEYS = frozenset(WireValue.__struct_fields__)
_LONG_INTEGER = re.compile(rb"\d{19}")
_encode = msgspec.json.Encoder().encode


def open_document(data: bytes, file: str) -> Document:
    """The root of a MetaLake annotation file. `data` is raw; InvalidInput names what is not as it must be."""
    data = jsontext.checked(data, file)
    members = jsontext.members(data, file)
    refuse_other(members, file)
    images = jsontext.decode(_RAW_LIST, members.pop("images"), file, ("images",))
    catalog, ours = catalog_in(members, file)
    return Document(file, data, images, catalog, ours)


def refuse_other(members: Mapping[str, msgspec.Raw], file: str) -> None:
    """InvalidInput where the root's members are not those of an annotation file."""
    if "images" not in members:
        raise InvalidInput(
            "missing-key",
            "there is no key `images`",
            place=Place(file=file, pointer=""),
            hint='a MetaLake annotation file is {"images": [...]}',
        )


def catalog_in(members: dict[str, msgspec.Raw], file: str) -> tuple[Catalog | None, bool]:
    """The catalogue in the root's members other than `images`, if there is one, and whether the file says that it is
    ours. Keys nobody knows ride in its extras.
    """
    ours = CATALOG_KEY in members
    catalog, unknown = _catalog(members.pop(CATALOG_KEY, None), file)
    others = {key: jsonscan.plain(value, file, (key,)) for key, value in members.items()}
    if unknown:
        others[CATALOG_KEY] = unknown
    if others:
        catalog = catalog or Catalog()
        catalog = msgspec.structs.replace(catalog, extras={**catalog.extras, UNKNOWN_KEY: others})
    return catalog, ours


def decode_record(raw: msgspec.Raw, file: str, index: int, notice: Notice) -> Record:
    """Image number `index` (from 0) of a file. InvalidInput with a JSON pointer; `notice` hears of older forms."""
    at = ("images", index)
    try:
        wire = _IMAGE.decode(raw)
        if jsontext.quotes(raw) == _expected_quotes(wire):
            return _record(wire, [_annotation(a) for a in wire.annotations], {})
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the slow way finds the words for it
    return _decode_slowly(raw, file, at, notice)


def is_old_line(item: Any) -> bool:
    """Whether an annotation as plain JSON is a line in the older form."""
    shape = as_object(item) or {}
    return shape.get("type") == "line" and "line" not in shape and "polygon" in shape


def old_line(file: str, at: Pointer, image: Any, number: int) -> Problem:
    """The notice of an older form at annotation `number` (from 0)."""
    place = Place(
        file=file,
        pointer=jsontext.pointer_text(at),
        image=image if isinstance(image, str) else None,
        annotation=number + 1,
    )
    return Problem(
        code="old-line-form",
        severity="notice",
        message="a line with its points under `polygon`, the older form: the service's SDK finds no points in it",
        place=place,
        fix="write the points under `line`, as annolake does",
    )


def _catalog(raw: msgspec.Raw | None, file: str) -> tuple[Catalog | None, dict[str, Any]]:
    """The catalogue, and its keys that nobody knows; those of a label ride in the label's extras."""
    if raw is None:
        return None, {}
    plain = jsonscan.plain(raw, file, (CATALOG_KEY,))
    labels = as_list((as_object(plain) or {}).get("labels")) or []
    for label in labels:
        if as_object(label) is not None:
            label.update({key: _whole(label[key]) for key in ("id", "skeleton") if key in label})
    catalog = _convert(plain, Catalog, file, (CATALOG_KEY,))
    kept = [
        msgspec.structs.replace(category, extras={**category.extras, UNKNOWN_KEY: unknown})
        if (unknown := _unknown(label, _CATEGORY_KEYS))
        else category
        for category, label in zip(catalog.labels, labels, strict=True)
    ]
    return msgspec.structs.replace(catalog, labels=tuple(kept)), _unknown(plain, _CATALOG_KEYS)


def _whole(value: Any) -> Any:
    """`value` with every 1.0 in it as 1, as JSON Schema counts integers."""
    if (items := as_list(value)) is not None:
        return [_whole(item) for item in items]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _bounded(value: Any) -> Any:
    """`value` with every integer beyond 64 bits as a float, where a float reaches so far."""
    if (items := as_list(value)) is not None:
        return [_bounded(item) for item in items]
    beyond = isinstance(value, int) and not -(2**63) <= value < 2**63 and abs(value) <= sys.float_info.max
    return float(value) if beyond else value


def _as_it_is(value: Any) -> Any:
    return value


def _decode_slowly(raw: msgspec.Raw, file: str, at: Pointer, notice: Notice) -> Record:
    """The same for images with unknown keys, older forms, or mistakes that want a full explanation."""
    plain: Any = jsonscan.plain(raw, file, at)
    if as_object(plain) is None:
        _convert(plain, WireImage, file, at)
    bounded = _bounded if _LONG_INTEGER.search(bytes(raw)) else _as_it_is
    plain.update({key: bounded(plain[key]) for key in ("width", "height") if key in plain})
    if "id" in plain:
        plain["id"] = _whole(plain["id"])
    listed = as_list(plain.get("annotations"))
    converted: list[Annotation] = []
    if listed is not None:
        for number, item in enumerate(listed):
            here = (*at, "annotations", number)
            if is_old_line(item):
                item["line"] = item.pop("polygon")
                notice(old_line(file, here, plain.get("image"), number))
            if as_object(item) is not None:
                item.update({key: bounded(item[key]) for key in GEOMETRY_KEY.values() if key in item})
            wire = _convert(item, WireAnnotation, file, here, plain.get("image"), number + 1)
            known = _TAG_KEYS | {"type", GEOMETRY_KEY[item["type"]]}
            converted.append(_annotation(wire, _unknown(item, known), item.get("attributes")))
        plain = {**plain, "annotations": []}
    wire = _convert(plain, WireImage, file, at, plain.get("image"))
    return _record(wire, converted, _unknown(plain, _IMAGE_KEYS), plain.get("tags"))


def _convert(plain: Any, kind: Any, file: str, at: Pointer, image: Any = None, annotation: int | None = None) -> Any:
    try:
        return msgspec.convert(plain, ready(kind))
    except msgspec.ValidationError as error:
        message, pointer = jsontext.explain(error)
        place = Place(
            file=file,
            pointer=jsontext.pointer_text((*at, *pointer)),
            image=image if isinstance(image, str) else None,
            annotation=annotation,
        )
        raise InvalidInput(jsontext.code_of(message), message, place=place, hint=jsontext.SEE_ALL) from None


def _unknown(plain: Mapping[str, Any], known: frozenset[str] | set[str]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if key not in known}


def _expected_quotes(wire: WireImage) -> int:
    """Quotation marks that this image has, if it has no other keys than the decoder saw."""
    count = 6
    for value in (wire.storageName, wire.split, wire.id):
        if value is not UNSET:
            count += 4 if isinstance(value, str) else 2
    count += 2 * ((wire.width is not UNSET) + (wire.height is not UNSET))
    for facts in (wire.coco, wire.voc, wire.cvat):
        if facts is not UNSET:
            count += 2 + jsontext.quotes(_encode(facts))
    if wire.tags is not UNSET:
        count += 2 + jsontext.quotes(_encode(wire.tags))
    for annotation in wire.annotations:
        count += 10 + 2 * (annotation.confidence is not UNSET)
        for facts in (annotation.metadata, annotation.attributes):
            if facts is not UNSET:
                count += 2 + (jsontext.quotes(_encode(facts)) if facts else 0)
    return count


def _record(wire: WireImage, annotations: list[Annotation], extras: dict[str, Any], plain_tags: Any = None) -> Record:
    wire_tags: list[WireTag] = [] if wire.tags is UNSET else wire.tags
    plain: list[dict[str, Any]] = plain_tags or [{}] * len(wire_tags)
    tags = tuple(
        Tag(**_common(tag, _unknown(keys, _TAG_KEYS), keys.get("attributes")))
        for tag, keys in zip(wire_tags, plain, strict=True)
    )
    return Record(
        image=wire.image,
        annotations=annotations,
        width=known(wire.width),
        height=known(wire.height),
        id=known(wire.id),
        split=known(wire.split),
        storage_name=known(wire.storageName),
        tags=tags,
        extras={**_own_facts(wire), **extras},
    )


def _own_facts(wire: WireImage) -> dict[str, Any]:
    return {name: facts for name in FORMATS_OWN if (facts := getattr(wire, name)) is not UNSET}


def known(value: Any) -> Any:
    return None if value is UNSET else value


def _annotation(wire: WireAnnotation, extras: dict[str, Any] | None = None, attributes: Any = None) -> Annotation:
    common = _common(wire, extras, attributes)
    if isinstance(wire, WirePolygon):
        return Polygon(xy=list(chain.from_iterable(wire.polygon)), **common)
    if isinstance(wire, WireRectangle):
        return Rectangle(bbox=wire.bbox, **common)
    if isinstance(wire, WireLine):
        return Line(xy=list(chain.from_iterable(wire.line)), **common)
    return Points(xy=list(chain.from_iterable(wire.points)), **common)


def _common(wire: WireTag | WireAnnotation, extras: dict[str, Any] | None, attributes: Any) -> dict[str, Any]:
    common: dict[str, Any] = {"label": wire.label}
    if wire.confidence is not UNSET:
        common["confidence"] = wire.confidence
    if wire.metadata:
        common["metadata"] = wire.metadata
    if wire.attributes:
        common["attributes"] = values_of(wire.attributes, attributes)
    if extras:
        common["extras"] = extras
    return common


def values_of(wire: dict[str, list[WireValue]], plain: Any) -> dict[str, tuple[Value, ...]]:
    out: dict[str, tuple[Value, ...]] = {}
    for name, values in wire.items():
        unknown = [_unknown(value, _VALUE_KEYS) or None for value in plain[name]] if plain else [None] * len(values)
        out[name] = tuple(
            Value(value.value, known(value.confidence), known(value.metadata), extras)
            for value, extras in zip(values, unknown, strict=True)
        )
    return out
