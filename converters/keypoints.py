"""Key points as they ride in metadata: JSON text of flat [x, y, v, ...], v null where a format has no visibility."""

from __future__ import annotations

from typing import Any

import msgspec

_TRIPLES = msgspec.json.Decoder(list[int | float | None])


def says_nothing(keypoints: Any) -> bool:
    """Whether none of the points is labelled: a row of YOLO says the same by zeros."""
    flat = _decoded(keypoints)
    return flat is not None and all(visibility == 0 for visibility in flat[2::3])


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


_PLAIN = (2, None)


def _decoded(keypoints: Any) -> list[Any] | None:
    """The numbers, or None for what is no text of triples."""
    try:
        flat = _TRIPLES.decode(keypoints)
    except (TypeError, msgspec.MsgspecError, UnicodeError):
        return None
    return flat if len(flat) % 3 == 0 else None
