"""CVAT's run lengths of a mask and COCO's: row by row in a tight box, column by column over the whole picture.

In both the runs alternate background, object, ..., and begin with background (the first may be 0). The last may be
missing in CVAT's where it is background.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np

from ...schemas import masks
from ...schemas.outlines import check_size
from .numbers import Unreadable, whole

_RUNS = re.compile(r"[0-9,\s]*", re.ASCII)
_HINT = "mend the mask, or remove it"
NAMES = ("rle", "left", "top", "width", "height")


def to_coco(given: dict[str, str | None], size: tuple[Any, Any]) -> masks.Rle:
    """The mask over the whole picture of `size` (width, height); where that is not known, over the corner up to the
    end of the box. Unreadable before anything large is allocated.
    """
    left, top, width, height = (whole(given.get(name), f"{name} of the mask") for name in NAMES[1:])
    right, bottom = left + width, top + height
    across, down = (int(side) if side else end for side, end in zip(size, (right, bottom), strict=True))
    if right > across or bottom > down:
        message = f"the mask reaches to ({right}, {bottom}), beyond the picture of {across} x {down}"
        raise Unreadable("broken-mask", message, _HINT)
    try:
        check_size(down, across)
        check_size(height, width)
    except masks.MaskError as error:
        raise Unreadable("broken-mask", str(error), _HINT) from None
    runs = _runs(given.get("rle"), width * height)
    tight = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    if not tight.any():
        raise Unreadable("empty-mask", "no pixel belongs to the mask", "remove it")
    columns = np.zeros((down, width), dtype=np.bool_)
    columns[top:bottom] = tight
    counts = list(masks.encode(columns).counts)
    before, after = left * down, (across - right) * down
    counts[0] += before
    if len(counts) % 2:
        counts[-1] += after
    elif after:
        counts.append(after)
    return masks.Rle(down, across, tuple(counts))


def from_coco(rle: masks.Rle) -> dict[str, str]:
    """The attributes of a <mask>; {} for a mask without a pixel."""
    x, y, w, h = masks.bbox(rle)
    if not w or not h:
        return {}
    bounds = np.cumsum((0, *rle.counts))
    bounds = np.minimum(np.maximum(bounds, x * rle.height), (x + w) * rle.height)
    counts = bounds[1:] - bounds[:-1]
    columns = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(w, rle.height).T
    pixels = columns[y : y + h].ravel()
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    bounds = np.concatenate(([0, 0] if pixels[0] else [0], changes, [pixels.size]))
    runs: list[int] = (bounds[1:] - bounds[:-1]).tolist()
    if not runs[-1]:
        runs.pop()
    text = ", ".join(map(str, runs))
    return {"rle": text, "left": str(x), "top": str(y), "width": str(w), "height": str(h)}


def geometry(rle: masks.Rle) -> str:
    """The text that rides beside an outline."""
    return msgspec.json.encode({"size": [rle.height, rle.width], "counts": masks.compressed(rle)}).decode()


def _runs(text: str | None, pixels: int) -> list[int]:
    if text is None:
        raise Unreadable("missing-attribute", "rle of the mask is missing", _HINT)
    if _RUNS.fullmatch(text) is None:
        raise Unreadable("broken-mask", "rle holds other things than whole numbers and commas", _HINT)
    runs: list[int] = []
    total = 0
    for index, run in enumerate(text.split(",") if text.strip() else ()):
        runs.append(whole(run.strip(), f"run {index} of the mask"))
        total += runs[-1]
    if total < pixels and len(runs) % 2 == 0:
        runs.append(pixels - total)
        total = pixels
    if total != pixels:
        message = f"the runs of the mask add up to {total:,} pixels, its width times its height to {pixels:,}"
        raise Unreadable("broken-mask", message, _HINT)
    return runs
