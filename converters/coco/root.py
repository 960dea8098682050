"""The root of a COCO file and the elements of its two long lists, in one walk through the file instead of two."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from ...schemas import jsontext
from ...schemas.errors import InvalidInput
from ...schemas.jsonelements import DECODE_ERRORS

Elements = list[msgspec.Raw]
Members = dict[str, msgspec.Raw]


class _Lists(msgspec.Struct):
    images: Elements
    annotations: Elements


_LISTS = msgspec.json.Decoder(_Lists)


def root_of(data: bytes, file: str) -> tuple[Members, dict[str, Elements]]:
    """The root's members, undecoded, as `jsontext.members` gives them, which refuses what it refuses; and the elements
    of the long lists, but for a root that has not both, or has something odd.
    """
    try:
        lists = msgspec.structs.asdict(_LISTS.decode(data))
        shell, cuts = _without(data, lists.values())
        members = jsontext.members(shell, file)
    except (*DECODE_ERRORS, InvalidInput, IndexError):
        return jsontext.members(data, file), {}
    view = memoryview(data)
    for key in lists:
        start = _address(members[key]) - _address(shell)
        stop = start + memoryview(members[key]).nbytes
        first, last = (place + sum(size for at, size in cuts if at < place) for place in (start, stop))
        members[key] = msgspec.Raw(view[first:last])
    return members, lists


def _without(data: bytes, lists: Iterable[Elements]) -> tuple[bytes, list[tuple[int, int]]]:
    """The text without the elements of these lists; where in what is left they stood, and how many bytes they took."""
    base = _address(data)
    spans = sorted(
        (_address(raws[0]) - base, _address(raws[-1]) - base + memoryview(raws[-1]).nbytes) for raws in lists
    )
    pieces: list[bytes] = []
    cuts: list[tuple[int, int]] = []
    done = length = 0
    for start, stop in spans:
        pieces.append(data[done:start])
        length += start - done
        cuts.append((length, stop - start))
        done = stop
    return b"".join((*pieces, data[done:])), cuts


def _address(text: bytes | msgspec.Raw) -> int:
    return np.frombuffer(text, np.uint8).ctypes.data
