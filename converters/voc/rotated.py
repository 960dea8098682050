"""roLabelImg's rotated box: centre, sides, and an angle in radians, clockwise; never shifted by the convention."""

from __future__ import annotations

import math
from typing import Any

from ...schemas.figures import Figure, figure_of
from ...schemas.model import Polygon
from .numbers import parsed, undone, written

NAMES = ("cx", "cy", "w", "h", "angle")
_DIGITS = 17


def figure(cx: float, cy: float, w: float, h: float, angle: float) -> Figure:
    return Figure("obb", (cx - w / 2, cy - h / 2, w, h), math.degrees(angle))


def texts_of(box: Figure) -> dict[str, str]:
    """The texts to write for a rotated box: those that are read as exactly it, where there are such."""
    x, y, w, h = box.geometry
    centre = [undone(low, side / 2) for low, side in ((x, w), (y, h))]
    cx, cy = (
        low + side / 2 if middle is None else middle for middle, low, side in zip(centre, (x, y), (w, h), strict=True)
    )
    return {name: written(value) for name, value in zip(NAMES, (cx, cy, w, h, _angle(box.rotation)), strict=True)}


def said(texts: Any) -> Figure | None:
    """The rotated box that an element's texts say; None where they say none."""
    try:
        cx, cy, w, h, angle = (parsed(texts[name]) for name in NAMES)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    return figure(cx, cy, w, h, angle)


def still_holds(shape: Polygon, texts: Any) -> bool:
    """Whether a polygon is still the rotated box that these texts say."""
    box = said(texts)
    return box is not None and figure_of(Polygon(xy=shape.xy, label="", metadata=box.metadata())) is not None


def is_usual(texts: Any, box: Figure) -> bool:
    """Whether the texts are, number by number, those that would be written for the box they say."""
    usual = texts_of(box)
    return texts.keys() == usual.keys() and all(parsed(texts[name]) == parsed(usual[name]) for name in NAMES)


def _angle(degrees: float) -> float:
    """The shortest radians that are read as so many degrees."""
    angle = math.radians(degrees)
    tries = [round(angle, digits) for digits in range(_DIGITS)]
    tries += [angle, math.nextafter(angle, math.inf), math.nextafter(angle, -math.inf)]
    return next((number for number in tries if math.degrees(number) == degrees), angle)
