"""The elements of a list in a large file, known by where they lie and read when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import msgspec
import numpy as np

from ..schemas.jsonelements import Offsets, Piece
from ..schemas.largejson import LargeJson
from .spilling import Array, Column

RANGE = np.dtype([("start", np.int64), ("stop", np.int64)])


class LargeList(Sequence[msgspec.Raw]):
    """`ahead`: how many elements are read in one go, as far as they fit a window of the file."""

    def __init__(self, large: LargeJson, *, ahead: int = 1) -> None:
        self.large = large
        self.ranges = Column(RANGE)
        self._ahead = ahead
        self._held: dict[int, msgspec.Raw] = {}

    def add(self, piece: Piece) -> None:
        """Note where the elements of the next piece lie."""
        ranges = np.empty(len(piece.raws), RANGE)
        ranges["start"], ranges["stop"] = piece.starts, piece.stops
        self.ranges.append(ranges)

    def __len__(self) -> int:
        return len(self.ranges)

    @overload
    def __getitem__(self, number: int) -> msgspec.Raw: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[msgspec.Raw]: ...
    def __getitem__(self, number: int | slice) -> msgspec.Raw | Sequence[msgspec.Raw]:
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        raw = self._held.get(number)
        if raw is not None:
            return raw
        if not 0 <= number < len(self):
            raise IndexError(number)
        ranges = self.ranges.read(number, min(number + self._ahead, len(self)))
        ranges = ranges[: fitting(ranges, self.large.window)]
        if self._ahead > 1:
            self.hold(range(number, number + len(ranges)), ranges)
            return self._held[number]
        return msgspec.Raw(self.large.read(int(ranges["start"][0]), int(ranges["stop"][0])))

    def hold(self, numbers: Sequence[int], ranges: Array) -> None:
        """Read the elements with these numbers, which lie there, and hold them instead of those held so far."""
        self._held.clear()
        texts = self.large.read_many(ranges["start"], ranges["stop"])
        self._held = dict(zip(numbers, map(msgspec.Raw, texts), strict=True))

    def start(self, number: int) -> int:
        """Where an element begins in the file."""
        return int(self.ranges.read(number, number + 1)["start"][0])


def fitting(ranges: Array, size: int) -> int:
    """How many of these stretches have no more than `size` bytes together; at least one."""
    sizes: Offsets = np.cumsum(ranges["stop"] - ranges["start"])
    return max(int(np.searchsorted(sizes, size, side="right")), 1)
