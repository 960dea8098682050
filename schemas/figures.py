"""Figures that the hub has no shape for, as the polygons that stand for them: rotated boxes, ellipses, cuboids.

The polygon is what is seen on the screen; the figure's own numbers ride beside it as `shape`, `geometry` (JSON text)
and `rotation` (degrees clockwise), and are used again while the polygon is still the figure's outline. They are pixels
of the source, whatever the polygon's coordinates have been in between.

    obb      [x, y, width, height], unrotated, turned about its centre
    ellipse  [cx, cy, rx, ry], turned about its centre
    cuboid   16 numbers: x and y of the corners tl, bl, tr, br of the front face, then of the back face

Source of the rules: CVAT's annotation format, and how CVAT turns a point about a centre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, isfinite, pi, sin
from typing import Any, Literal, cast, get_args

import msgspec

from .geometry import Flat, convex_hull, rotated, rotated_box
from .model import Annotation, Polygon
from .plain import is_number

Kind = Literal["obb", "ellipse", "cuboid"]
KINDS: tuple[Kind, ...] = get_args(Kind)

VERTICES = 64
"""Of the polygon that stands for an ellipse: it has 99.8 % of its area."""

NEAR = 0.05
"""Pixels that an outline may differ from its figure's and still be it: what formats and services round."""

_LENGTHS: Mapping[str, int] = {"obb": 4, "ellipse": 4, "cuboid": 16}
_NUMBERS = msgspec.json.Decoder(list[int | float])


class Figure(msgspec.Struct, frozen=True, gc=False):
    """A figure by its own numbers."""

    shape: Kind
    geometry: tuple[float, ...]
    rotation: float = 0.0

    def outline(self) -> Flat:
        """The ring that stands for it."""
        if self.shape == "obb":
            x, y, w, h = self.geometry
            return rotated_box(x, y, w, h, self.rotation)
        if self.shape == "cuboid":
            return convex_hull(self.geometry)
        cx, cy, rx, ry = self.geometry
        angles = [2 * pi * number / VERTICES for number in range(VERTICES)]
        ring = [value for angle in angles for value in (cx + rx * cos(angle), cy + ry * sin(angle))]
        return rotated(ring, self.rotation, (cx, cy)) if self.rotation else tuple(ring)

    def metadata(self) -> dict[str, Any]:
        """What rides beside the outline."""
        facts: dict[str, Any] = {"shape": self.shape, "geometry": msgspec.json.encode(self.geometry).decode()}
        if self.rotation:
            facts["rotation"] = self.rotation
        return facts


def figure_of(annotation: Annotation) -> Figure | None:
    """The figure a polygon in pixels was made of; None where it is of none, or has been edited since."""
    metadata = annotation.metadata
    shape = metadata.get("shape")
    if not isinstance(annotation, Polygon) or not isinstance(shape, str) or shape not in _LENGTHS:
        return None
    numbers, rotation = _numbers(metadata.get("geometry")), metadata.get("rotation", 0)
    if len(numbers) != _LENGTHS[shape] or not is_number(rotation) or not isfinite(sum(numbers)):
        return None
    figure = Figure(cast(Kind, shape), tuple(numbers), rotation)
    return figure if _same(annotation.xy, figure.outline()) else None


def _numbers(text: Any) -> list[int | float]:
    try:
        return _NUMBERS.decode(text)
    except (TypeError, UnicodeError, msgspec.MsgspecError):
        return []


def _same(xy: Sequence[float], outline: Sequence[float]) -> bool:
    return len(xy) == len(outline) and all(abs(a - b) <= NEAR for a, b in zip(xy, outline, strict=True))
