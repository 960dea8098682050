"""Polygons: how their vertices are called, and what is noted of one beside its box."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...schemas.geometry import hull
from ..carrying import fingerprint

CLOSED = '"closed"'
"""The `voc_outline` of a ring whose last vertex repeated the first."""
_SAME = 1e-6
"""Pixels that a box may differ from the hull of its outline and still be it."""


@lru_cache(maxsize=4_096)
def vertex_names(numbers: int) -> Sequence[str]:
    """The elements of a ring of so many numbers: x1, y1, x2, y2, ..."""
    return [f"{axis}{at}" for at in range(1, numbers // 2 + 1) for axis in "xy"]


@lru_cache(maxsize=4_096)
def ring_pattern(numbers: int, indent: str) -> str:
    """The lines of a ring of so many numbers."""
    vertices = (f"{indent}\t<{name}>%s</{name}>" for name in vertex_names(numbers))
    return "\n".join((f"{indent}<polygon>", *vertices, f"{indent}</polygon>"))


def note_box(xy: Sequence[float], box: tuple[float, float, float, float] | None, metadata: dict[str, Any]) -> None:
    """Note a box that is not the hull of the outline it stands beside."""
    if box is not None and any(abs(a - b) > _SAME for a, b in zip(box, hull(xy), strict=True)):
        metadata["bbox"] = json.dumps(box)
        metadata["outline"] = fingerprint([xy])
