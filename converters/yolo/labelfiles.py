"""The label files of a data set, of which a survey may have kept the first in memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from mmap import mmap
from typing import overload

import msgspec

from ..files import read_bytes
from ..text import FILE_LIMIT
from .pairs import Pair


class LabelPaths(Sequence[str]):
    """The paths of all label files, each made when it is asked for."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs if all(pair.told is not None for pair in pairs) else [*filter(_has_labels, pairs)]

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [pair.labels or "" for pair in self._pairs[at]]
        return self._pairs[at].labels or ""


class Held(msgspec.Struct):
    """Files from number `first` on, one behind the other in `text` from `begin` on, and where each ends there."""

    first: int
    text: bytes | mmap
    ends: array[int]
    begin: int = 0

    def joined(self, start: int, stop: int) -> tuple[bytes, list[int]]:
        """The files with these numbers, one behind the other, and where each ends."""
        begin = self.ends[start - self.first - 1] if start > self.first else 0
        ends = [end - begin for end in self.ends[start - self.first : stop - self.first]]
        begin += self.begin
        return self.text[begin : begin + ends[-1]] if ends else b"", ends


class LabelFiles:
    """The files with these paths; `held` are runs of them."""

    def __init__(self, paths: Sequence[str], held: Sequence[Held] = ()) -> None:
        self.paths = paths
        self.held = held

    def held_for(self, start: int, stop: int) -> Held:
        """A run in which the files from number `start` to `stop` (excluded) are, each with one end of line behind it if
        anything is in it. Errors as of `read_bytes`.
        """
        if (held := self._held(start, stop)) is not None:
            return held
        texts = [ended(read_bytes(path, FILE_LIMIT)) for path in self.paths[start:stop]]
        return Held(start, b"".join(texts), array("Q", accumulate(map(len, texts))))

    def text(self, number: int) -> bytes:
        held = self._held(number, number + 1)
        return read_bytes(self.paths[number], FILE_LIMIT) if held is None else held.joined(number, number + 1)[0]

    def _held(self, start: int, stop: int) -> Held | None:
        for held in self.held:
            if held.first <= start and stop <= held.first + len(held.ends):
                return held
        return None


def _has_labels(pair: Pair) -> bool:
    return pair.told is not None


def ended(text: bytes) -> bytes:
    """A file with just one end of line behind its last row, and each a single character."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if not text.endswith(b"\n") or text.endswith(b"\n\n"):
        text = text.rstrip(b"\n")
        return text + b"\n" if text else text
    return text
