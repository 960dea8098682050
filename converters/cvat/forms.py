"""The geometry of a shape by CVAT's own numbers: read from an element, spelled on one, as hub annotations and back.

    box       (x, y, width, height), unrotated          ellipse  (cx, cy, rx, ry), unrotated
    cuboid    16 numbers, front face before back face   polygon, polyline, points  (x1, y1, x2, y2, ...)
    mask      the run lengths; no numbers               skeleton  its elements; no numbers

Degrees turn clockwise on the screen, about the centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...schemas import masks
from ...schemas.figures import Figure
from . import rle
from .numbers import Unreadable, decimal, far_edge, number, numbers, points, span, spelled
from .skeletons import Point, read_points
from .stream import Element

BOX = ("xtl", "ytl", "xbr", "ybr")
ELLIPSE = ("cx", "cy", "rx", "ry")
CUBOID = tuple(f"{axis}{corner}{face}" for face in "12" for corner in ("tl", "bl", "tr", "br") for axis in "xy")
NUMBERED = {"box": BOX, "ellipse": ELLIPSE, "cuboid": CUBOID}
FEWEST = {"polygon": 3, "polyline": 2, "points": 1}
SHAPES = frozenset((*NUMBERED, *FEWEST, "mask", "skeleton"))
_EXACT = 15
"""Characters of a number that a float surely holds."""
_TURNING = frozenset(("box", "ellipse"))


class Form(msgspec.Struct, frozen=True):
    kind: str
    numbers: tuple[float, ...] = ()
    rotation: float = 0.0
    mask: masks.Rle | None = None
    elements: tuple[Point, ...] = ()

    def figure(self) -> Figure | None:
        """What stands for it in the hub where that has no such shape."""
        if self.kind == "box":
            return Figure("obb", self.numbers, self.rotation) if self.rotation else None
        return Figure(self.kind, self.numbers, self.rotation) if self.kind in ("ellipse", "cuboid") else None  # type: ignore[arg-type]

    def attributes(self) -> dict[str, str]:
        """Its XML attributes. A skeleton has none: its elements are its geometry."""
        if self.kind == "box":
            x, y, w, h = self.numbers
            out = {"xtl": spelled(x), "ytl": spelled(y), "xbr": far_edge(x, w), "ybr": far_edge(y, h)}
        elif self.kind in NUMBERED:
            out = dict(zip(NUMBERED[self.kind], map(spelled, self.numbers), strict=True))
        elif self.mask is not None:
            return rle.from_coco(self.mask)
        elif self.kind in FEWEST:
            out = {"points": points(self.numbers)}
        else:
            return {}
        if self.rotation:
            out["rotation"] = spelled(self.rotation)
        return out


def read_form(element: Element, size: tuple[Any, Any]) -> tuple[Form, dict[str, str]]:
    """The geometry of a shape's element, and the attributes of it that the geometry does not give back (all of which
    hold only while it is as it was). `size` is that of the picture, as far as it is known. Unreadable where it makes no
    sense.
    """
    kind, given = str(element.tag), {str(name): str(text) for name, text in element.attrib.items()}
    if kind == "skeleton":
        return Form(kind, elements=read_points(element)), {}
    if kind == "mask":
        form = Form(kind, mask=rle.to_coco(given, size))  # type: ignore[arg-type]
    elif kind == "box":
        left, top, right, bottom = (decimal(given.get(name), name) for name in BOX)
        form = Form(kind, (float(left), float(top), span(left, right), span(top, bottom)), _turn(given))
    elif kind in NUMBERED:
        values = tuple(number(given.get(name), name) for name in NUMBERED[kind])
        form = Form(kind, values, _turn(given) if kind in _TURNING else 0.0)
    else:
        flat = numbers(given.get("points"), f"points of the {kind}")
        if len(flat) < 2 * FEWEST[kind]:
            message = f"a {kind} has at least {FEWEST[kind]} points, this one {len(flat) // 2}"
            raise Unreadable("too-few-points", message, "mend the shape, or remove it")
        form = Form(kind, flat)
    return form, _unlike(form, given)


def consumed(kind: str) -> frozenset[str]:
    """The names of XML attributes that are geometry."""
    return _names(kind)


def same_numbers(a: str, b: str | None) -> bool:
    """Whether two spellings are the same: numbers by value."""
    if a == b:
        return True
    try:
        return b is not None and a.strip() != "" and numbers(_paired(a), "a") == numbers(_paired(b), "b")
    except Unreadable:
        return False


def _unlike(form: Form, given: Mapping[str, str]) -> dict[str, str]:
    """The geometry that a form does not spell as it was given. Decimals of the usual length always come home."""
    short = form.kind != "box" or all(len(given[name]) <= _EXACT for name in BOX)
    if form.kind != "mask" and short and (form.rotation or "rotation" not in given):
        return {}
    again = form.attributes()
    own = sorted(given.keys() & _names(form.kind))
    return {name: given[name] for name in own if not same_numbers(given[name], again.get(name))}


def _paired(text: str) -> str:
    return text if "," in text else f"{text},0"


def _names(kind: str) -> frozenset[str]:
    if kind == "mask":
        return frozenset(rle.NAMES)
    if kind == "skeleton":
        return frozenset()
    names = NUMBERED.get(kind, ("points",))
    return frozenset((*names, "rotation") if kind in _TURNING else names)


def _turn(given: Mapping[str, str]) -> float:
    return number(given["rotation"], "rotation") if "rotation" in given else 0.0
