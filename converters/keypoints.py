"""Key points as they ride in metadata: JSON text of flat [x, y, v, ...], v null where a format has no visibility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from ..schemas.model import Annotation
from .lowering import exceeds

_TRIPLES = msgspec.json.Decoder(list[int | float | None])


def says_nothing(keypoints: Any) -> bool:
    """Whether none of the points is labelled: a row of YOLO says the same by zeros."""
    flat = _decoded(keypoints)
    return flat is not None and all(visibility == 0 for visibility in flat[2::3])


def visibility_of(x: float | None, y: float | None, visibility: float | None) -> float:
    """COCO's number for a point: without one it is seen (2), but at 0, 0, where who has no visibility puts those that
    are not labelled (0).
    """
    return visibility if visibility is not None else 2 if x or y else 0


def without_visibility(keypoints: Any) -> Any:
    """The text where points are there or, at 0, 0, not there: a hidden one is there like any other."""
    flat = _decoded(keypoints)
    if flat is None or all(v in _PLAIN or (x, y, v) == (0, 0, 0) for x, y, v in zip(*[iter(flat)] * 3, strict=True)):
        return keypoints
    for start in range(0, len(flat), 3):
        if flat[start + 2] == 0:
            flat[start : start + 3] = 0, 0, 0
        elif flat[start + 2] not in _PLAIN:
            flat[start + 2] = 2
    return msgspec.json.encode(flat).decode()


def with_points_inside(
    annotation: Annotation, width: float, height: float, share: float, book: Callable[[str, str], None]
) -> Annotation:
    """The annotation with points that lie more than this share of an image of that size beyond it not labelled, booked:
    nobody can see them in it.
    """
    flat = _decoded(annotation.metadata.get("keypoints"))
    outside: list[str] = []
    for start in range(0, len(flat or ()), 3):
        x, y = flat[start : start + 2] if flat else (None, None)
        if flat and x is not None and y is not None and (exceeds(x, x, width, share) or exceeds(y, y, height, share)):
            outside.append(f"key point {start // 3 + 1} at {x:g}, {y:g}")
            flat[start : start + 3] = 0, 0, 0
    if not outside:
        return annotation
    book("keypoints-dropped", "; ".join(outside))
    return replace(annotation, metadata={**annotation.metadata, "keypoints": msgspec.json.encode(flat).decode()})


_PLAIN = (2, None)


def _decoded(keypoints: Any) -> list[Any] | None:
    """The numbers, or None for what is no text of triples."""
    try:
        flat = _TRIPLES.decode(keypoints)
    except (TypeError, msgspec.MsgspecError, UnicodeError):
        return None
    return flat if len(flat) % 3 == 0 else None
