"""What is odd about an annotation that was read all the same: said as a warning, never mended in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...schemas.model import Annotation, Polygon, Rectangle, Tag
from ...schemas.plain import is_number, is_object

SEEN_BY_CHECKS = frozenset(("not-positive", "too-few-points"))
"""Oddities that `validate` finds by itself in any format."""


def oddities(
    plain: Mapping[str, Any], found: Sequence[Annotation | Tag], *, outlined: bool
) -> Iterator[tuple[str, str, str]]:
    """Code, sentence and advice of each oddity of a COCO annotation and of what was made of it; `outlined` says
    whether its outline was looked at.
    """
    score, area, crowd = plain.get("score"), plain.get("area"), plain.get("iscrowd", 0)
    if score is not None and not (is_number(score) and 0 <= score <= 1):
        yield (
            "score-range",
            f"score {score!r} is no confidence from 0 to 1: kept as a key nobody knows",
            "bring it to 0..1",
        )
    if area is not None and not (is_number(area) and area >= 0):
        yield "odd-area", f"area {area!r} is no area", "write the area in square pixels, or leave it out"
    if not is_number(crowd) or crowd not in (0, 1):
        yield "odd-iscrowd", f"iscrowd {crowd!r} is neither 0 nor 1", "write 0, or 1 for a region of many objects"
    if outlined and is_object(plain.get("segmentation")) and not any(isinstance(item, Polygon) for item in found):
        yield "empty-mask", "the mask has no pixels", "remove the annotation, or mend its mask"
    for item in found:
        if isinstance(item, Rectangle) and (item.bbox[2] <= 0 or item.bbox[3] <= 0):
            yield "not-positive", "width and height of a box are above zero", "mend or remove the box"
        if isinstance(item, Polygon) and len(item.xy) < 6:
            yield "too-few-points", "a polygon has three points or more", "mend or remove the outline"
