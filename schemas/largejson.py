"""A JSON text too large to hold: the members of its root, the elements of its large lists, lines and columns, all from
disk in pieces.

Nothing is mapped into memory but where a broken text is being explained. Offsets are bytes from 0, behind a byte-order
mark.
"""

from __future__ import annotations

import codecs
import mmap
import os
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import msgspec
import numpy as np

from . import jsontext
from .errors import AnnolakeError, InvalidInput, Place, UsageError
from .jsonelements import DECODE_ERRORS, SPACE, Elements, NotAsExpected, Offsets, Piece, value_end

_BLOCK = 1 << 16
_CHUNK = 1 << 20
_NEAR = 512
_KEY = re.compile(rb'[ \t\r\n]*+[{,][ \t\r\n]*+("(?:[^"\\]++|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+')
_BYTE = re.compile(r"\(byte (\d+)\)")
_RAW = msgspec.json.Decoder(msgspec.Raw)
_STRING = msgspec.json.Decoder(str)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

Take = Callable[[Iterator[Piece]], None]


class Member(msgspec.Struct, frozen=True):
    """A value of the root: where it begins, and its text. Of a list that was handed out in pieces that text is `[]`."""

    start: int
    raw: msgspec.Raw
    in_pieces: bool = False


class LargeJson:
    """The file at `path`, read `window` bytes at a time. A value that has to be held may have `largest` bytes."""

    def __init__(self, path: Path, *, window: int, largest: int) -> None:
        self.file = str(path)
        self.window = window
        self.largest = max(largest, window)
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._descriptor)
        self._front = 0
        self._front = len(codecs.BOM_UTF8) if self.read(0, len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0
        self.size = os.fstat(self._descriptor).st_size - self._front
        self._lines: tuple[Offsets, Offsets] | None = None

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`, fewer at the end of the file."""
        return read_at(self._descriptor, self._front + start, stop - start)

    def read_many(self, starts: Offsets, stops: Offsets) -> list[bytes]:
        """Each stretch of bytes, in the order asked for; read in the order of the file, near ones in one go."""
        if not len(starts):
            return []
        order = np.argsort(starts, kind="stable")
        begins, ends = starts[order], np.maximum.accumulate(stops[order])
        first = np.flatnonzero(np.concatenate(([True], begins[1:] > ends[:-1] + _NEAR)))
        last: list[int] = ends[np.append(first[1:], len(order)) - 1].tolist()
        runs: list[tuple[int, int]] = list(zip(begins[first].tolist(), last, strict=True))
        run_of: list[int] = (np.searchsorted(first, np.argsort(order, kind="stable"), side="right") - 1).tolist()
        texts = [(begin, self.read(begin, end)) for begin, end in runs]
        out: list[bytes] = []
        for run, start, stop in zip(run_of, starts.tolist(), stops.tolist(), strict=True):
            begin, text = texts[run]
            out.append(text[start - begin : stop - begin])
        return out

    def check(self) -> None:
        """InvalidInput (`encoding`, `empty`) where this is no UTF-8 text, as `jsontext.checked` says it."""
        if self.size < _CHUNK:
            jsontext.checked(self.read(0, self.size), self.file)
            return
        jsontext.refuse_wide(self.read(0, 2), self.file)
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(0, self.size, _CHUNK):
            chunk = self.read(start, start + _CHUNK)
            before = len(decoder.getstate()[0])
            if chunk.isascii() and not before:
                continue
            try:
                decoder.decode(chunk, start + _CHUNK >= self.size)
            except UnicodeDecodeError as error:
                offset = start - before + error.start
                raise jsontext.not_utf8(offset, error.object[error.start], self.place(offset)) from None

    def members(self, lists: Mapping[str, Take]) -> dict[str, Member]:
        """The root's members, each list under a key of `lists` handed in pieces to what stands there.

        InvalidInput where the text is no JSON, where its root is no object or has a key twice; UsageError
        (`memory-too-small`) for a value larger than may be held.
        """
        out: dict[str, Member] = {}
        try:
            doubled = self._walk(lists, out)
        except NotAsExpected:
            self._explain()
        if doubled is not None:
            key, start = doubled
            refused = jsontext.duplicate_key(key, self.file, ())
            found = self.place(start)
            refused.place = msgspec.structs.replace(refused.place, line=found.line, column=found.column)
            raise refused
        return out

    def place(self, offset: int) -> Place:
        """Line and column (from 1, in bytes) of an offset. Looks through the file once, when first asked."""
        counts, lasts = self._line_table()
        block = offset // _BLOCK
        before = self.read(block * _BLOCK, offset)
        newline = before.rfind(b"\n")
        begin = block * _BLOCK + newline if newline >= 0 else int(lasts[block])
        return Place(file=self.file, line=int(counts[block]) + before.count(b"\n") + 1, column=offset - begin)

    def _walk(self, lists: Mapping[str, Take], out: dict[str, Member]) -> tuple[str, int] | None:
        """Fill `out`; the key that stands twice, if one does, and where its last value begins."""
        doubled: tuple[str, int] | None = None
        position, opening = 0, b"{"
        while True:
            key, start = self._key(position, opening)
            if key is None:
                break
            if key in out and (doubled is None or doubled[0] == key):
                doubled = key, start
            if key in lists and self.read(start, start + 1) == b"[":
                elements = Elements(self.read, start + 1, self.window, self._larger)
                if key not in out:
                    lists[key](elements.pieces())
                position = elements.finish()
                out[key] = Member(start, msgspec.Raw(b"[]"), True)
            else:
                out[key] = Member(start, self._value(start))
                position = start + len(bytes(out[key].raw))
            opening = b","
        if any(self.read(at, at + _CHUNK).strip(SPACE) for at in range(start, self.size, _CHUNK)):
            raise NotAsExpected
        return doubled

    def _key(self, position: int, opening: bytes) -> tuple[str | None, int]:
        """The next key and where its value begins; None and where the root ends."""
        size = _BLOCK
        while True:
            text = self.read(position, position + size)
            found = _KEY.match(text)
            rest = text.lstrip(SPACE)
            if found is not None and found.end() < len(text) and rest[:1] == opening:
                try:
                    return _STRING.decode(found.group(1)), position + found.end()
                except DECODE_ERRORS:
                    raise NotAsExpected from None
            empty = opening == b"{" and rest[:1] == b"{" and rest[1:].lstrip(SPACE)[:1] == b"}"
            if empty or (opening == b"," and rest[:1] == b"}"):
                return None, position + text.index(b"}") + 1
            if len(text) < size or (rest and rest[:1] != opening):
                raise NotAsExpected
            size = self._larger(size)

    def _value(self, start: int) -> msgspec.Raw:
        size = _BLOCK
        while True:
            text = self.read(start, start + size)
            end = value_end(_RAW, text)
            if end is not None:
                return msgspec.Raw(text[:end])
            if len(text) < size:
                raise NotAsExpected
            size = self._larger(size)

    def _larger(self, size: int) -> int:
        """Twice the size, as long as so much may be held."""
        if size >= self.largest:
            with_all = "as --memory 1G"
            raise UsageError(
                "memory-too-small",
                f"{self.file} has a single value of more than {size >> 10:,} KiB, which has to be held",
                hint=f"give more ({with_all}), or leave --memory out",
            )
        return min(2 * size, self.largest)

    def _explain(self) -> NoReturn:
        """Say what is wrong with the text, in the words for texts that are held."""
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as mapped:
            error = _refusal(mapped, self._front)
        if isinstance(error, msgspec.ValidationError):
            raise jsontext.refused(error, self.file, ())
        if error is not None:
            self._raise_syntax(error)
        raise AnnolakeError(
            "not-taken-apart", f"{self.file} cannot be taken apart", hint="please report it; leave --memory out"
        )

    def _raise_syntax(self, error: Exception) -> NoReturn:
        """As for a text that is held, from what stands near the place where the decoder stopped."""
        found = _BYTE.search(str(error))
        at = min(int(found.group(1)), self.size) if found else self.size
        base = max(at - _BLOCK, 0)
        near = self.read(base, at + _BLOCK if found else self.size)
        shown = type(error)(_BYTE.sub(f"(byte {at - base})", str(error))) if found else error
        try:
            jsontext.raise_syntax(near, self.file, shown)
        except InvalidInput as refused:
            place = refused.place
            if place.line is not None and place.column is not None:
                offset = 0
                for _ in range(place.line - 1):
                    offset = near.index(b"\n", offset) + 1
                refused.place = self.place(base + offset + place.column - 1)
            raise

    def _line_table(self) -> tuple[Offsets, Offsets]:
        """For each block the newlines before it, and where the last of them is, -1 for none."""
        if self._lines is None:
            blocks = self.size // _BLOCK + 1
            counts, lasts = np.zeros(blocks + 1, np.int64), np.full(blocks + 1, -1, np.int64)
            for block in range(blocks):
                text = self.read(block * _BLOCK, (block + 1) * _BLOCK)
                newline = text.rfind(b"\n")
                counts[block + 1] = counts[block] + text.count(b"\n")
                lasts[block + 1] = lasts[block] if newline < 0 else block * _BLOCK + newline
            self._lines = counts, lasts
        return self._lines


def read_at(descriptor: int, start: int, size: int) -> bytes:
    """`size` bytes of an open file from `start` on, fewer at its end."""
    parts: list[bytes] = []
    while size > 0:
        if hasattr(os, "pread"):
            data = os.pread(descriptor, size, start)
        else:  # pragma: no cover  (Windows, where nobody shares the descriptor)
            os.lseek(descriptor, start, os.SEEK_SET)
            data = os.read(descriptor, size)
        if not data:
            break
        parts.append(data)
        start += len(data)
        size -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _refusal(mapped: mmap.mmap, front: int) -> Exception | None:
    with memoryview(mapped) as data, data[front:] as text:
        try:
            _MEMBERS.decode(text)
        except (msgspec.ValidationError, *DECODE_ERRORS) as error:
            return error.with_traceback(None)
    return None
