"""What a pose set says of its key points: their names by class (`kpt_names`), and which is which in the mirror
(`flip_idx`). Source: docs.ultralytics.com/datasets/pose, and what Ultralytics checks of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ...schemas.model import Catalog
from ...schemas.plain import is_list, is_object

_SIDE = re.compile("left|right", re.IGNORECASE)
_OTHER = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}


def names_read(declared: Any, classes: int, count: int) -> dict[int, tuple[str, ...]]:
    """The names of each class's key points that a data.yaml declares; without those that are no names, or too many."""
    if not is_object(declared):
        return {}
    out: dict[int, tuple[str, ...]] = {}
    for key, value in declared.items():
        try:
            names = msgspec.convert(value, tuple[str, ...])
        except msgspec.ValidationError:
            continue
        if key.isdecimal() and len(key) < 10 and int(key) < classes and 0 < len(names) <= count:
            out[int(key)] = names
    return out


def keys_to_write(catalog: Catalog, classes: Mapping[str, int], noted: Mapping[str, Any], count: int) -> dict[str, Any]:
    """`flip_idx` and `kpt_names`: the catalogue's, and what the set that was read said beside them."""
    own = {classes[c.name]: c.keypoints for c in reversed(catalog.labels) if c.keypoints and c.name in classes}
    out: dict[str, Any] = {}
    flip = noted.get("flip_idx")
    if not is_list(flip) or sorted(map(str, flip)) != sorted(map(str, range(count))):
        flip = _mirrored([names for names in own.values() if names], count)
    if flip:
        out["flip_idx"] = flip
    names = noted.get("kpt_names")
    said = {(int(key) if key.isdecimal() else key): value for key, value in names.items()} if is_object(names) else {}
    merged: dict[Any, Any] = {**said, **{number: list(own[number] or ()) for number in sorted(own)}}
    if merged or names is not None:
        out["kpt_names"] = merged or names
    return out


def _mirrored(named: list[tuple[str, ...]], count: int) -> list[int] | None:
    """Left for right and the other way round, where the names of all classes say so alike."""
    if not named or any(names != named[0] for names in named) or len(named[0]) != count:
        return None
    names = named[0]
    others = [_SIDE.sub(lambda side: _OTHER.get(side.group(), side.group()), name) for name in names]
    if others == list(names) or len(set(names)) != count or not set(others) <= set(names):
        return None
    return [names.index(other) for other in others]
