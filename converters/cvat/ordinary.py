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
    mark = given.pop(EXTENSION, None)
    if given.keys() != (_BOX if kind == "box" else _POLYGON) or given["z_order"] != "0" or not given["label"]:
        return None
    if given["occluded"] not in ("0", "1"):
        return None
    said = metadata(given["source"], given["occluded"])
    if mark is not None:
        try:
            stated = _STATED.decode(mark).stated
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        said.update((key, value) for key, value in stated.items() if key in STATED)
    if kind == "polygon":
        xy = usual(given["points"])
        if xy is None or len(xy) < 2 * FEWEST["polygon"]:
            return None
        return Polygon(xy=xy, label=given["label"], metadata=said)
    edges = [given[name] for name in BOX]
    if not all(map(_HUNDREDTHS, edges)):
        return None
    return Rectangle(bbox=span_of(*edges), label=given["label"], metadata=said)


def metadata(source: str, occluded: str) -> dict[str, Any]:
    """What two attributes say; `occluded` is 0 or 1."""
    out: dict[str, Any] = {} if occluded == "0" else {"occluded": True}
    if source != DEFAULT_SOURCE:
        out["source"] = source
    return out


def span_of(left: str, top: str, right: str, bottom: str) -> tuple[float, float, float, float]:
    """A box between edges in hundredths, as `numbers.span` counts."""
    x, y = int(left[:-3] + left[-2:]), int(top[:-3] + top[-2:])
    w, h = int(right[:-3] + right[-2:]) - x, int(bottom[:-3] + bottom[-2:]) - y
    return x / 100, y / 100, w / 100, h / 100
