"""The elements of a JSON list too large to hold, some at a time.

A window of the file is cut where an element may end and decoded into undecoded elements. A decoder that accepts the
cut text proves the cut: anywhere else a bracket or a text would be open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from . import jsonscan

SPACE = b" \t\r\n"
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_GAP = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+")
_FIRST_KEY = re.compile(rb'[ \t\r\n]*+(\{[ \t\r\n]*+"(?:[^"\\]++|\\.)*+")')
_BYTE = re.compile(r"\(byte (\d+)\)")
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TRIES = 4
_LONGEST_GAP = 64
_LONGEST_WORD = 16
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])

Offsets = NDArray[np.int64]
Read = Callable[[int, int], bytes]


class Piece(msgspec.Struct, frozen=True):
    """A run of a list's elements. `text` is a JSON list of them alone; element i is `raws[i]`, and lies in the file
    from `starts[i]` to `stops[i]`.
    """

    text: bytes
    raws: list[msgspec.Raw]
    starts: Offsets
    stops: Offsets


class NotAsExpected(Exception):
    """The text is not what this walk through it takes it for: it is decoded as a whole, to say what is wrong."""


class Elements:
    """The elements of the list whose opening bracket ends at `position`, in windows of `window` bytes read by `read`;
    `larger` gives a larger window for an element that fills one, or raises. Raises NotAsExpected for what is no list.
    """

    def __init__(self, read: Read, position: int, window: int, larger: Callable[[int], int]) -> None:
        self._read = read
        self._window = window
        self._larger = larger
        self._position = position
        self._ended = False
        self._any = False
        self._first_key = b""

    def pieces(self) -> Iterator[Piece]:
        size = self._window
        while not self._ended:
            window = self._read(self._position, self._position + size)
            piece = self._piece(window)
            if piece is None:
                if len(window) < size:
                    raise NotAsExpected
                size = self._larger(size)
                continue
            size = self._window
            if piece.raws:
                self._any = True
                yield piece

    def finish(self) -> int:
        """Where the list ends, whether or not somebody looked at all its elements."""
        for _ in self.pieces():
            pass
        return self._position

    def _piece(self, window: bytes) -> Piece | None:
        """The whole elements in the window, and a step behind them; None where none ends in it."""
        skip = 0
        if self._any:
            gap = _GAP.match(window)
            if gap is None:
                return self._closed(window)
            window, skip = window[gap.end() :], gap.end()
        if not self._first_key:
            found = _FIRST_KEY.match(window)
            self._first_key = found.group(1) if found is not None else b"{"
        for cut in _cuts(window, self._first_key):
            text = b"[" + window[:cut] + b"]"
            try:
                if raws := _RAW_LIST.decode(text):
                    return self._made(text, raws, skip, cut)
            except DECODE_ERRORS as error:
                if (end := trailing(error, text)) is not None:
                    return self._last(text[:end], skip)
        text = b"[" + window
        try:
            _RAW_LIST.decode(text)
            return self._last(text, skip)
        except DECODE_ERRORS as error:
            if (end := trailing(error, text)) is not None:
                return self._last(text[:end], skip)
            if (at := _BYTE.search(str(error))) is not None and int(at.group(1)) < len(text) - _LONGEST_WORD:
                raise NotAsExpected from None
            return None

    def _closed(self, window: bytes) -> Piece | None:
        """No more elements; None where the window holds nothing at all."""
        rest = window.lstrip(SPACE)
        if not rest:
            return None
        if rest[:1] != b"]":
            raise NotAsExpected
        self._ended = True
        self._position += window.index(b"]") + 1
        return Piece(b"[]", [], np.zeros(0, np.int64), np.zeros(0, np.int64))

    def _last(self, text: bytes, skip: int) -> Piece:
        """The piece that ends with the list's own closing bracket."""
        try:
            raws = _RAW_LIST.decode(text)
        except DECODE_ERRORS:
            raise NotAsExpected from None
        if self._any and not raws:
            raise NotAsExpected  # a comma, and nothing behind it
        self._ended = True
        return self._made(text, raws, skip, len(text) - 1)

    def _made(self, text: bytes, raws: list[msgspec.Raw], skip: int, consumed: int) -> Piece:
        lengths = np.fromiter((memoryview(raw).nbytes for raw in raws), np.int64, len(raws))
        starts = _starts(text, raws, lengths) + (self._position + skip - 1)
        self._position += skip + consumed
        return Piece(text, raws, starts, starts + lengths)


def _cuts(window: bytes, first_key: bytes) -> Iterator[int]:
    """Where an element may end, the last places first: before what looks like the beginning of another; then by
    counting brackets.
    """
    stop = len(window)
    for _ in range(_TRIES):
        stop = window.rfind(first_key, 0, stop)
        if stop <= 0:
            break
        before = window[max(stop - _LONGEST_GAP, 0) : stop].rstrip(SPACE)
        if before.endswith(b","):
            yield max(stop - _LONGEST_GAP, 0) + len(before) - 1
    ends = element_ends(window)
    if len(ends):
        yield int(ends[-1])


_KINDS = bytes({34: 1, 91: 2, 123: 2, 93: 3, 125: 3}.get(byte, 0) for byte in range(256))
_QUOTE, _OPENING, _CLOSING = 1, 2, 3


def element_ends(text: bytes) -> Offsets:
    """Where objects and lists end that stand in no other, in a text that begins outside of any."""
    if b"\\" in text:
        text = _ESCAPE.sub(b"__", text)
    kinds = np.frombuffer(text.translate(_KINDS), np.uint8)
    at = np.flatnonzero(kinds)
    kinds = kinds[at]
    outside = (kinds != _QUOTE) & (np.cumsum(kinds == _QUOTE, dtype=np.int32) & 1 == 0)
    at, kinds = at[outside], kinds[outside]
    depth = np.cumsum(np.where(kinds == _OPENING, 1, -1), dtype=np.int32)
    below = np.flatnonzero(depth < 0)
    end = int(below[0]) if len(below) else len(depth)
    return at[:end][(depth[:end] == 0) & (kinds[:end] == _CLOSING)] + 1


_IS_GAP = np.zeros(256, np.bool_)
_IS_GAP[list(SPACE + b",")] = True


def _starts(text: bytes, raws: list[msgspec.Raw], lengths: Offsets) -> Offsets:
    """Where the elements begin: at once where all gaps between them are alike, which is checked byte by byte."""
    if len(raws) > 1:
        walk = jsonscan.elements(text, 0, raws)
        first, second = next(walk), next(walk)
        gap = int(second - first - lengths[0])
        starts = np.full(len(raws), first, np.int64)
        np.cumsum(lengths[:-1] + gap, out=starts[1:])
        starts[1:] += first
        if gap <= _LONGEST_GAP and starts[-1] < len(text):
            data = np.frombuffer(text, np.uint8)
            begins = starts[1:]
            alike = all(bool(_IS_GAP[data[begins - back]].all()) for back in range(1, gap + 1))
            if alike and not _IS_GAP[data[begins]].any():
                return starts
    return np.fromiter(jsonscan.elements(text, 0, raws), np.int64, len(raws))


def trailing(error: Exception, text: bytes) -> int | None:
    """Where the value ends behind which a decoder found more; None for another error."""
    found = _BYTE.search(str(error)) if "trailing characters" in str(error) else None
    return None if found is None else len(text[: int(found.group(1)) - 1].rstrip(SPACE))


def value_end(decoder: msgspec.json.Decoder[Any], text: bytes) -> int | None:
    """Where the value ends that `text` begins with; None where nothing follows it, or it does not end."""
    try:
        decoder.decode(text)
    except DECODE_ERRORS as error:
        return trailing(error, text)
    return None
