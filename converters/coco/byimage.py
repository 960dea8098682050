"""The annotations of a large file in the order of their images: sorted on disk, read for some images at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..largelists import LargeList, fitting
from ..spilling import Array, Column

ENTRY = np.dtype([("number", np.int64), ("start", np.int64), ("stop", np.int64)])
_SORTING_BYTES = 80
_ANNOTATIONS, _IMAGES = 1 << 13, 1 << 10


class ByImage:
    """`owners` has the number of each annotation's image, below 0 for none; `images` is how many there are."""

    def __init__(self, owners: Column, annotations: LargeList, images: int, room: int) -> None:
        self._annotations = annotations
        self._bounds = _bounds(owners, images)
        self._entries = Column(ENTRY)
        self._first = self._stop = 0
        self._numbers: list[list[int]] = []
        for first, stop in self._stretches(max(room // _SORTING_BYTES, 1)):
            self._sort(owners, first, stop)

    def numbers(self, index: int) -> list[int]:
        """The numbers of an image's annotations, in the file's order. They are held by the list of annotations now, as
        those of some following images are.
        """
        if not self._first <= index < self._stop:
            self._read(index)
        return self._numbers[index - self._first]

    def _stretches(self, most: int) -> Iterator[tuple[int, int]]:
        """Runs of images with no more than so many annotations together, if no image alone has more."""
        first, images = 0, len(self._bounds) - 1
        while first < images:
            stop = self._until(first, most)
            yield first, stop
            first = stop

    def _until(self, first: int, most: int) -> int:
        stop = int(np.searchsorted(self._bounds, int(self._bounds[first]) + most, side="right")) - 1
        return max(stop, first + 1)

    def _sort(self, owners: Column, first: int, stop: int) -> None:
        """Append the annotations of these images to the entries."""
        size = int(self._bounds[stop] - self._bounds[first])
        entries: Array = np.empty(size, ENTRY)
        owned = np.empty(size, np.int64)
        done = 0
        for start, piece in owners.pieces():
            chosen = np.flatnonzero((piece >= first) & (piece < stop))
            if not len(chosen):
                continue
            end = done + len(chosen)
            ranges = self._annotations.ranges.read(start, start + len(piece))[chosen]
            entries["number"][done:end] = chosen + start
            entries["start"][done:end], entries["stop"][done:end] = ranges["start"], ranges["stop"]
            owned[done:end] = piece[chosen]
            done = end
        self._entries.append(entries[np.argsort(owned, kind="stable")])

    def _read(self, index: int) -> None:
        stop = min(self._until(index, _ANNOTATIONS), index + _IMAGES)
        begin = int(self._bounds[index])
        entries: Any = self._entries.read(begin, int(self._bounds[stop]))
        if len(entries):
            whole = begin + fitting(entries, self._annotations.large.window)
            stop = min(stop, max(int(np.searchsorted(self._bounds, whole, side="right")) - 1, index + 1))
            entries = entries[: int(self._bounds[stop]) - begin]
        numbers: list[int] = entries["number"].tolist()
        self._annotations.hold(numbers, entries)
        bounds: list[int] = (self._bounds[index : stop + 1] - begin).tolist()
        self._numbers = [numbers[a:b] for a, b in pairwise(bounds)]
        self._first, self._stop = index, stop


def _bounds(owners: Column, images: int) -> NDArray[np.int64]:
    """`bounds[i]` to `bounds[i + 1]` will be the entries of image i."""
    bounds = np.zeros(images + 1, np.int64)
    for _, piece in owners.pieces():
        owned: NDArray[np.int32] = piece[piece >= 0]
        found, counts = np.unique(owned, return_counts=True)
        bounds[found + 1] += counts
    return np.cumsum(bounds, dtype=np.int64)
