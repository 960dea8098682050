"""Columns of numbers on disk, in a file without a name in the folder for temporary files (`TMPDIR`): what an index of a
large file takes is no memory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..schemas.largejson import read_at

_ROWS = 1 << 17
NONE, NUMBER, TEXT = 0, 1, 2

KEY = np.dtype([("kind", np.uint8), ("number", np.int64), ("text", "S16")])
"""An id or a name. Whole numbers of 64 bits are themselves; others and texts are told apart by a digest of 128 bits."""

Array = NDArray[Any]


class Column:
    """Rows of one type, appended in pieces and read in pieces."""

    def __init__(self, kind: Any) -> None:
        self.kind = np.dtype(kind)
        with tempfile.TemporaryFile(prefix="annolake-") as file:
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, rows: Array) -> None:
        data = memoryview(np.ascontiguousarray(rows, self.kind).tobytes())
        while data:
            data = data[os.write(self._descriptor, data) :]
        self._rows += len(rows)

    def read(self, start: int, stop: int) -> Array:
        """Rows `start` to `stop`; they cannot be written to."""
        width = self.kind.itemsize
        return np.frombuffer(read_at(self._descriptor, start * width, max(stop - start, 0) * width), self.kind)

    def pieces(self) -> Iterator[tuple[int, Array]]:
        """All rows, some at a time, each time with the number of the first."""
        for start in range(0, self._rows, _ROWS):
            yield start, self.read(start, min(start + _ROWS, self._rows))


def keys_of(values: Sequence[int | str | None]) -> Array:
    """The keys of ids or names; those of kind NONE are equal to nothing."""
    out = np.zeros(len(values), KEY)
    numbers = np.array(values) if len(values) else np.zeros(0, np.int64)
    if numbers.dtype == np.int64:
        out["kind"] = NUMBER
        out["number"] = numbers
        return out
    for row, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, int) and -(2**63) <= value < 2**63:
            out[row] = (NUMBER, value, b"")
        else:
            # The last byte is never 0, which numpy would take for no part of the text.
            digest = hashlib.blake2b(f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass"), digest_size=15)
            out[row] = (TEXT, 0, digest.digest() + b"\1")
    return out


class Lookup:
    """Where a key stands first in a column that fits into memory: 16 bytes a row, texts 24."""

    def __init__(self, keys: Column) -> None:
        self._known = [_sorted(keys, kind, name) for kind, name in _KINDS]

    def find(self, keys: Array) -> NDArray[np.int64]:
        """The row of each key; -2 where the column does not have it, -1 for keys of kind NONE."""
        out = np.full(len(keys), -2, np.int64)
        out[keys["kind"] == NONE] = -1
        for (kind, name), (values, rows) in zip(_KINDS, self._known, strict=True):
            chosen = np.flatnonzero(keys["kind"] == kind)
            if len(chosen) and len(values):
                wanted = keys[name][chosen]
                at = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
                same = values[at] == wanted
                out[chosen[same]] = rows[at[same]]
        return out


def doubles(keys: Column, room: int) -> NDArray[np.int64]:
    """The rows whose key an earlier one has, in order, each with the first row that has it: an array of two columns.

    Looked for in as many rounds as `room` bytes need, each over the keys of one hash.
    """
    rounds = max(1, -(-len(keys) * _SORTING_BYTES // max(room, 1)))
    found = [part for number in range(rounds) for part in _doubles_in(keys, number, rounds)]
    out = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    return out[np.argsort(out[:, 0], kind="stable")]


_KINDS = ((NUMBER, "number"), (TEXT, "text"))
_SORTING_BYTES = 64
_MIX = np.uint64(0x9E3779B97F4A7C15)


def _doubles_in(keys: Column, number: int, rounds: int) -> Iterator[Array]:
    for kind, name in _KINDS:
        values, rows = _sorted(keys, kind, name, number, rounds)
        if len(values) < 2:
            continue
        again = np.concatenate(([False], values[1:] == values[:-1]))
        if again.any():
            first = np.maximum.accumulate(np.where(again, 0, np.arange(len(values))))
            yield np.stack((rows[again], rows[first[again]]), axis=1)


def _sorted(keys: Column, kind: int, name: str, number: int = 0, rounds: int = 1) -> tuple[Array, NDArray[np.int64]]:
    """The values of one kind and their rows, by value and then by row."""
    values: list[Array] = [np.zeros(0, KEY[name])]
    rows: list[Array] = [np.zeros(0, np.int64)]
    for start, piece in keys.pieces():
        chosen = np.flatnonzero(piece["kind"] == kind)
        if rounds > 1:
            chosen = chosen[_hash(piece[name][chosen]) % np.uint64(rounds) == number]
        if len(chosen):
            values.append(piece[name][chosen])
            rows.append(chosen + start)
    all_values, all_rows = np.concatenate(values), np.concatenate(rows)
    if len(all_values) > 1 and not (all_values[1:] >= all_values[:-1]).all():
        order = np.argsort(all_values, kind="stable")
        all_values, all_rows = all_values[order], all_rows[order]
    return all_values, all_rows


def _hash(values: Array) -> NDArray[np.uint64]:
    if values.dtype.kind == "S":
        whole = np.ascontiguousarray(values).view(np.uint64)
        return whole[::2]
    return (values.view(np.uint64) * _MIX) >> np.uint64(40)
