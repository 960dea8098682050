"""The root of a COCO file and the elements of its two long lists, in one walk through the file instead of two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from ...schemas import jsontext
from ...schemas.errors import InvalidInput
from ...schemas.jsonelements import DECODE_ERRORS

Elements = list[msgspec.Raw]
Members = dict[str, msgspec.Raw]
Span = tuple[int, int]


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
        spans = {key: (_place(data, raws[0])[0], _place(data, raws[-1])[1]) for key, raws in lists.items()}
        return root_around(data, spans, file), lists
    except (*DECODE_ERRORS, InvalidInput, IndexError):
        return jsontext.members(data, file), {}


def root_around(data: bytes, spans: Mapping[str, Span], file: str) -> Members:
    """The same, known without a walk through the elements of the lists with these keys, which stand at `spans`: that
    they are elements is for the caller to know. IndexError where they are not those of these members, InvalidInput
    where the rest is refused.
    """
    shell, cuts = _without(data, spans.values())
    members = jsontext.members(shell, file)
    view = memoryview(data)
    for key, (start, stop) in spans.items():
        place = _place(shell, members[key]) if key in members else (0, 0)
        first, last = (at + sum(size for cut, size in cuts if cut < at) for at in place)
        if data[first:start].strip() != b"[" or data[stop:last].strip() != b"]":
            raise IndexError(key)
        members[key] = msgspec.Raw(view[first:last])
    return members


def _without(data: bytes, spans: Iterable[Span]) -> tuple[bytes, list[Span]]:
    """The text without these spans; where in what is left they stood, and how many bytes they took."""
    pieces: list[bytes] = []
    cuts: list[Span] = []
    done = length = 0
    for start, stop in sorted(spans):
        pieces.append(data[done:start])
        length += start - done
        cuts.append((length, stop - start))
        done = stop
    return b"".join((*pieces, data[done:])), cuts


def _place(data: bytes, part: msgspec.Raw) -> Span:
    """Where a part stands in the text that it is a part of."""
    start = address(part) - address(data)
    return start, start + memoryview(part).nbytes


def address(text: bytes | msgspec.Raw) -> int:
    """Where a text stands in memory."""
    return np.frombuffer(text, np.uint8).__array_interface__["data"][0]
