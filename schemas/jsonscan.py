"""Where things stand in a JSON text: every value's place, every key that stands twice, every bare NaN.

Slow and thorough, for texts in which something is wrong; `jsontext` is the fast way. Offsets are bytes from 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from math import isinf
from typing import Any

import msgspec

from . import jsontext
from .errors import Place
from .jsontext import Pointer

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s\[\]{}:,"]++|[\[\]{},]')
_WORD = re.compile(rb'"(?:(?:[^"\\]++|\\.)*+")?+|([+-]?+\b(?:NaN|Infinity|nan|inf)\b)')
_GAP = re.compile(rb"[ \t\r\n,]*+")
_KEY = re.compile(rb'[ \t\r\n]*+[{,][ \t\r\n]*+("(?:[^"\\]++|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+')
_ANY = msgspec.json.Decoder(Any)
_LARGEST = 300  # digits that surely fit a float


class Scan(msgspec.Struct, frozen=True):
    """`pointers` of all values by their offsets; `doubled` keys; numbers `too_large` for a float."""

    pointers: dict[int, Pointer]
    doubled: list[tuple[Pointer, int]]
    too_large: list[Pointer]

    @property
    def offsets(self) -> dict[Pointer, int]:
        """Where each value begins; of a doubled key the last."""
        return {pointer: offset for offset, pointer in self.pointers.items()}


class Member(msgspec.Struct, frozen=True):
    """A key of the root object, and where its value begins and ends."""

    key: str
    key_offset: int
    start: int
    end: int


def plain(raw: bytes | msgspec.Raw, file: str, at: Pointer) -> Any:
    """Plain Python objects of a part of a document, at the pointer `at`. InvalidInput, with a pointer, for what is not
    JSON, for doubled keys, and for numbers too large.
    """
    try:
        jsontext.decode(_ANY, raw, file, at)
        return jsontext.loads_strict(raw)
    except jsontext.DuplicateKey:
        pointer, _ = scan(bytes(raw)).doubled[0]
        raise jsontext.duplicate_key(str(pointer[-1]), file, (*at, *pointer[:-1])) from None
    except RecursionError:
        raise jsontext.too_deep(file, at) from None


def scan(data: bytes) -> Scan:
    """Walk through syntactically valid JSON, however deep."""
    out = Scan({}, [], [])
    path: list[str | int] = []
    keys: list[set[str]] = []  # of each open object, empty for an array
    at_key = False
    for token in _TOKEN.finditer(data):
        start, first = token.start(), data[token.start()]
        if first == _COMMA:
            step = path[-1]
            at_key = isinstance(step, str)
            if isinstance(step, int):
                path[-1] = step + 1
        elif first in b"]}":
            path.pop()
            keys.pop()
            at_key = False
        elif at_key:
            path[-1] = key = json.loads(token.group())
            if key in keys[-1]:
                out.doubled.append((tuple(path), start))
            keys[-1].add(key)
            at_key = False
        else:
            out.pointers[start] = tuple(path)
            if first in b"{[":
                at_key = first == _BRACE
                path.append("" if at_key else 0)
                keys.append(set())
            elif first in b"-0123456789" and _is_too_large(token.group()):
                out.too_large.append(tuple(path))
    return out


def without_words(data: bytes) -> tuple[bytes, list[tuple[str, int]]]:
    """`data` with every bare NaN and Infinity made a 0 of the same length, and these words with their offsets."""
    found: list[tuple[str, int]] = []
    clean = bytearray()
    done = 0
    for match in _WORD.finditer(data):
        word = match.group(1)
        if word is not None:
            found.append((word.decode(), match.start()))
            clean += data[done : match.start()] + b"0".ljust(len(word))
            done = match.end()
        elif match.group() == b'"':
            break  # a text that never ends: what follows may stand in it
    return (bytes(clean + data[done:]) if found else data), found


def members(data: bytes, values: dict[str, msgspec.Raw]) -> list[Member]:
    """The members of a root object, doubled ones too; `values` is what a decoder made of it."""
    out: list[Member] = []
    position = 0
    for raw in values.values():
        key = _KEY.match(data, position)
        if key is None:
            break
        position = key.end() + memoryview(raw).nbytes
        out.append(Member(json.loads(key.group(1)), key.start(1), key.end(), position))
    return out if data[position:].strip() in (b"}", b"{}") else list(_members_slowly(data))


def elements(data: bytes, start: int, values: Sequence[msgspec.Raw]) -> Iterator[int]:
    """Where each element begins, of the array that begins at `start`; `values` is what a decoder made of it."""
    position = start + 1
    for raw in values:
        position = _gap_end(data, position)
        yield position
        position += memoryview(raw).nbytes


class Lines:
    """Lines and columns (from 1, in bytes) of offsets near one another: only what lies between two is looked at."""

    def __init__(self, data: bytes, file: str) -> None:
        self._data = data
        self._file = file
        self._offset = 0
        self._line = 1
        self._line_start = 0

    def place(self, offset: int) -> Place:
        if offset >= self._offset:
            self._line += self._data.count(b"\n", self._offset, offset)
            newline = self._data.rfind(b"\n", self._offset, offset)
            self._line_start = newline + 1 if newline >= 0 else self._line_start
        else:
            self._line -= self._data.count(b"\n", offset, self._offset)
            if offset < self._line_start:
                self._line_start = self._data.rfind(b"\n", 0, offset) + 1
        self._offset = offset
        return Place(file=self._file, line=self._line, column=offset - self._line_start + 1)


_COMMA = ord(",")
_BRACE = ord("{")


def _members_slowly(data: bytes) -> Iterator[Member]:
    depth = 0
    key: tuple[str, int] | None = None
    start = -1
    for token in _TOKEN.finditer(data):
        first = data[token.start()]
        if depth == 1 and first != _COMMA and first not in b"]}":
            if key is None:
                key = json.loads(token.group()), token.start()
                continue
            start = token.start()
        if first in b"{[":
            depth += 1
        elif first in b"]}":
            depth -= 1
        if depth == 1 and key is not None and start >= 0:
            yield Member(*key, start, token.end())
            key, start = None, -1


def _gap_end(data: bytes, position: int) -> int:
    gap = _GAP.match(data, position)
    return position if gap is None else gap.end()


def _is_too_large(number: bytes) -> bool:
    if len(number) < _LARGEST and b"e" not in number and b"E" not in number:
        return False
    return isinf(float(number))
