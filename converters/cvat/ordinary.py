"""Ordinary shapes, quickly: boxes and polygons with the attributes that CVAT gives all of them, and nothing below."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...schemas.model import Annotation, Polygon, Rectangle
from .forms import BOX, FEWEST
from .notes import EXTENSION, STATED
from .numbers import usual
from .shapes import DEFAULT_SOURCE
from .stream import Element

_SAID = ("label", "source", "occluded", "z_order")
_BOX, _POLYGON = frozenset((*_SAID, *BOX)), frozenset((*_SAID, "points"))
_HUNDREDTHS = re.compile(r"\d{1,9}\.\d\d", re.ASCII).fullmatch


class _OnlyStated(msgspec.Struct, forbid_unknown_fields=True):
    stated: dict[str, str | int | float | bool]


_STATED = msgspec.json.Decoder(_OnlyStated)


def ordinary(element: Element) -> Annotation | None:
    """The annotation of a shape's element; None where it takes a closer look."""
    kind = element.tag
    if len(element) or (kind != "box" and kind != "polygon"):
        return None
    given = dict(element.items())
    metadata: dict[str, Any] = {}
    mark = given.pop(EXTENSION, None)
    if given.keys() != (_BOX if kind == "box" else _POLYGON) or given["z_order"] != "0" or not given["label"]:
        return None
    if given["occluded"] != "0":
        if given["occluded"] != "1":
            return None
        metadata["occluded"] = True
    if given["source"] != DEFAULT_SOURCE:
        metadata["source"] = given["source"]
    if mark is not None:
        try:
            stated = _STATED.decode(mark).stated
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        metadata.update((key, value) for key, value in stated.items() if key in STATED)
    if kind == "polygon":
        xy = usual(given["points"])
        if xy is None or len(xy) < 2 * FEWEST["polygon"]:
            return None
        return Polygon(xy=xy, label=given["label"], metadata=metadata)
    left, top, right, bottom = given["xtl"], given["ytl"], given["xbr"], given["ybr"]
    if not (_HUNDREDTHS(left) and _HUNDREDTHS(top) and _HUNDREDTHS(right) and _HUNDREDTHS(bottom)):
        return None
    x, y = _hundredths(left), _hundredths(top)
    box = (x / 100, y / 100, (_hundredths(right) - x) / 100, (_hundredths(bottom) - y) / 100)
    return Rectangle(bbox=box, label=given["label"], metadata=metadata)


def _hundredths(text: str) -> int:
    return int(text[:-3] + text[-2:])
