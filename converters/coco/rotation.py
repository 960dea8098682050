"""CVAT's rotated box in COCO: `bbox` is the unrotated rectangle, the attribute `rotation` turns it clockwise by so many
degrees about its centre, and there is no outline. In the hub it is the polygon that is seen on the screen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

from ...schemas.figures import KINDS, Figure
from ...schemas.model import Annotation, Rectangle, Tag
from ...schemas.plain import is_number


def turned_box(plain: Mapping[str, Any], box: Any, rotation: Any) -> Figure | None:
    """The rotated box that an annotation is; None where it is another shape, or its box is inverted. One without
    an area is turned as CVAT turns it, or what is written of it would not come home.
    """
    if box is None or plain.get("segmentation") not in (None, [], [[]]) or not is_number(rotation) or not rotation:
        return None
    figure = Figure("obb", tuple(box), rotation)
    return figure if min(box[2:]) >= 0 and all(map(isfinite, figure.outline())) else None


def says_rotation(out: Mapping[str, Any], annotation: Annotation | Tag, known: Collection[str]) -> bool:
    """Whether the rotation of what is written as `out` may stand in its `attributes`: not where a reader would turn an
    upright box by it, nor beside the outline of a figure whose numbers ride elsewhere (they are not `known`).
    """
    metadata = annotation.metadata
    if metadata.get("shape") in KINDS and "geometry" in metadata:
        return "geometry" in known
    if not isinstance(annotation, Rectangle) or "keypoints" in out or metadata.keys() & {"shape", "geometry"}:
        return True
    return turned_box(out, annotation.bbox, metadata.get("rotation")) is None
