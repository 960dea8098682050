"""Lines and columns in a large file, quickly however many are asked for: the lists are walked once, lines counted
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas import jsonscan, jsontext
from ...schemas.errors import Place

_CHUNK = 1 << 24
_NEWLINE = ord("\n")


class Places:
    """`lists` are the elements of the root's arrays by their keys, `members` the root's values, all undecoded. Of a
    root that is an array itself, the elements have the key "".
    """

    def __init__(
        self, data: bytes, members: dict[str, msgspec.Raw], lists: Mapping[str, Sequence[msgspec.Raw]]
    ) -> None:
        self._data = data
        self._members = members
        self._lists = lists

    def located(self, place: Place) -> Place:
        """`place` with line and column of what its pointer names, where it has none yet."""
        if place.pointer is None or place.line is not None:
            return place
        steps = jsontext.pointer_steps(place.pointer)
        steps = ["", *steps] if "" in self._lists else steps
        if len(steps) < 2 or steps[0] not in self._lists or not steps[1].isdecimal():
            return jsontext.locate(self._data, place)
        elements, number = self._lists[steps[0]], int(steps[1])
        if number >= len(elements):
            return jsontext.locate(self._data, place)
        offset = int(self._offsets[steps[0]][number]) + jsontext.offset_of(bytes(elements[number]), steps[2:])
        line = int(np.searchsorted(self._newlines, offset))
        begin = int(self._newlines[line - 1]) + 1 if line else 0
        return msgspec.structs.replace(place, line=line + 1, column=offset - begin + 1)

    @cached_property
    def _offsets(self) -> dict[str, NDArray[np.int64]]:
        if "" in self._lists:
            starts = {"": self._data.find(b"[")}
        else:
            starts = {member.key: member.start for member in jsonscan.members(self._data, self._members)}
        return {
            key: np.fromiter(jsonscan.elements(self._data, starts[key], raws), np.int64, len(raws))
            for key, raws in self._lists.items()
            if raws
        }

    @cached_property
    def _newlines(self) -> NDArray[np.int64]:
        """Where lines end, looked for in pieces: a mask of the whole file would be as large as the file."""
        found = [
            np.flatnonzero(np.frombuffer(self._data, np.uint8, min(_CHUNK, len(self._data) - start), start) == _NEWLINE)
            + start
            for start in range(0, len(self._data), _CHUNK)
        ]
        return np.concatenate(found) if found else np.zeros(0, np.int64)
