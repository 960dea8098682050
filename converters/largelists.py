"""A large file's lists: their elements known by where they lie, and read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

import msgspec
import numpy as np

from ..schemas import jsontext
from ..schemas.errors import Place
from ..schemas.jsonelements import Offsets, Piece
from ..schemas.largejson import LargeJson, Member
from .files import local_failure, regular_size
from .memory import Memory
from .spilling import Array, Column

RANGE = np.dtype([("start", np.int64), ("stop", np.int64)])


_HEAD = 1 << 10

Take = Callable[[Iterator[Piece]], None]


def open_large(path: Path, memory: Memory) -> LargeJson:
    """The file, known to be UTF-8. LocalFailure where this computer refuses, InvalidInput where it is no text."""
    regular_size(path)
    try:
        large = LargeJson(path, window=memory.window, largest=memory.largest)
        large.check()
    except OSError as error:
        raise local_failure(error, path) from None
    return large


class LargeRoot:
    """The members of a large file's root, after one look through it; `lists` are those that were taken in pieces."""

    def __init__(self, large: LargeJson) -> None:
        self.large = large
        self.found: Mapping[str, Member] = {}
        self.lists: dict[str, LargeList] = {}

    def look_through(self, lists: Mapping[str, LargeList], takes: Mapping[str, Take]) -> dict[str, msgspec.Raw]:
        """The members, each list of `lists` handed in pieces to what stands in `takes`, and empty here."""
        self.found = self.large.members(takes)
        self.lists = {key: lists[key] for key, member in self.found.items() if member.in_pieces}
        return {key: member.raw for key, member in self.found.items()}

    def located(self, place: Place) -> Place:
        """`place` with line and column of what its pointer names, or of the nearest thing above it that exists."""
        if place.pointer is None or place.line is not None:
            return place
        steps = jsontext.pointer_steps(place.pointer)
        offset, text, below = 0, self.large.read(0, _HEAD), list[str]()
        if steps and steps[0] in self.found:
            member = self.found[steps[0]]
            offset, text, below = member.start, bytes(member.raw), steps[1:]
            elements = self.lists.get(steps[0])
            if elements is not None and below and below[0].isdecimal() and int(below[0]) < len(elements):
                offset, text = elements.start(int(below[0])), bytes(elements[int(below[0])])
                below = below[1:]
        found = self.large.place(offset + jsontext.offset_of(text, below))
        return msgspec.structs.replace(place, line=found.line, column=found.column)


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
