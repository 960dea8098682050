"""The MetaLake's annotation JSON as it stands in a file, as types.

    {"images": [{"image": "a.png",
                 "annotations": [{"type": "rectangle", "bbox": [x, y, width, height], "label": "Car"}]}],
     "annolake": {...}}

The published grammar is `metalake-annotations.schema.json` beside this file; typed decoding accepts what it accepts.
Beyond the documented keys an image may carry `width`, `height`, `id`, `split` and `tags`, and the file the catalogue
under `annolake`: the service and the official SDK ignore them. Unknown keys are kept. Coordinates as in `model`; only
here they are nested into points. `metalake_decoding` and `metalake_encoding` carry them to the hub and back.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

CATALOG_KEY = "annolake"
UNKNOWN_KEY = "metalake"
"""In the extras of a catalogue and of its labels: keys of the file that nobody knows."""

Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float
"""Any finite number: the bounds keep out integers too large for a float, which would stop arithmetic later."""

Name = Annotated[str, Meta(min_length=1)]
Confidence = Annotated[float, Meta(ge=0, le=1)] | UnsetType
Ring = Annotated[list[tuple[Number, Number]], Meta(min_length=1)]


class WireValue(msgspec.Struct, gc=False):
    value: str
    confidence: Confidence = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class WireTag(msgspec.Struct, gc=False):
    label: Name
    confidence: Confidence = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    attributes: dict[str, list[WireValue]] | UnsetType = UNSET


class WireRectangle(msgspec.Struct, tag_field="type", tag="rectangle", gc=False):
    bbox: tuple[Number, Number, Number, Number]
    label: Name
    confidence: Confidence = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    attributes: dict[str, list[WireValue]] | UnsetType = UNSET


class WirePolygon(msgspec.Struct, tag_field="type", tag="polygon", gc=False):
    polygon: Ring
    label: Name
    confidence: Confidence = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    attributes: dict[str, list[WireValue]] | UnsetType = UNSET


class WireLine(msgspec.Struct, tag_field="type", tag="line", gc=False):
    line: Ring
    label: Name
    confidence: Confidence = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    attributes: dict[str, list[WireValue]] | UnsetType = UNSET


class WirePoints(msgspec.Struct, tag_field="type", tag="points", gc=False):
    points: Ring
    label: Name
    confidence: Confidence = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    attributes: dict[str, list[WireValue]] | UnsetType = UNSET


WireAnnotation = WireRectangle | WirePolygon | WireLine | WirePoints


class WireImage(msgspec.Struct, kw_only=True, gc=False):
    image: Name
    storageName: str | UnsetType = UNSET
    width: Number | UnsetType = UNSET
    height: Number | UnsetType = UNSET
    id: int | str | UnsetType = UNSET
    split: str | UnsetType = UNSET
    tags: list[WireTag] | UnsetType = UNSET
    coco: dict[str, Any] | UnsetType = UNSET
    voc: dict[str, Any] | UnsetType = UNSET
    cvat: dict[str, Any] | UnsetType = UNSET
    annotations: list[WireAnnotation]


FORMATS_OWN = ("coco", "voc", "cvat")
"""Keys of an image for facts that only the format of that name has a place for."""

GEOMETRY_KEY = {"rectangle": "bbox", "polygon": "polygon", "line": "line", "points": "points"}
