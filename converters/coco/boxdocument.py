"""One COCO file, opened for a target of boxes: its annotations are read into columns at once, and then not again. Of a
large file the rest is held, and of the annotations only a piece at a time.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from ...schemas import jsontext
from ...schemas.errors import InvalidInput, Place
from ...schemas.largejson import LargeJson
from ..files import read_bytes
from ..ledger import Ledger
from .columns import ODD, Columns, beginning, columns, ending, joined, tail_of
from .layout import Source
from .piecewise import Elements, PieceDocument
from .places import Places
from .root import Span

LARGE = 1 << 26
"""Bytes of a file that is not held: to read it at once takes as long as it takes to find new memory for it."""
_FRONT = 1 << 23


class BoxDocument(PieceDocument[Columns]):
    """`columns` say all of each annotation that a target of boxes wants to know."""

    _large: LargeJson | None = None
    _span: Span = (0, 0)

    def read(self, spans: Sequence[Span]) -> Columns | None:
        return columns(self.text, spans)

    def joined(self, parts: Sequence[Columns]) -> Columns:
        return joined(parts)

    def elements(self, found: Columns, whole: msgspec.Raw) -> Sequence[msgspec.Raw]:
        return Elements(self.text, lambda: whole if self._large is None else self._all, len(found.ids), found.odd)

    def text(self, start: int, stop: int) -> bytes | memoryview:
        return super().text(start, stop) if self._large is None else self._large.read(start, stop)

    def locate(self, place: Place) -> Place:
        return super().locate(place) if self._large is None else self._all_places.located(place)

    def _open(self, source: Source, ledger: Ledger) -> None:
        self.source, self.file = source, str(source.path)
        found = _apart(source.path)
        if found is None:
            super()._open(source, ledger)
            return
        self._large, self.data, self._span = found
        self._clean(ledger)

    def _list_of(self, key: str) -> Span | None:
        if self._large is None or key == "images":
            return super()._list_of(key)
        return self._span[0], self._span[0]

    def _annotated(self, held: Span) -> Span:
        return held if self._large is None else self._span

    def _members_as_usual(self) -> dict[str, msgspec.Raw]:
        if self._large is not None:
            self._large = None
            self.data = self._held
        return super()._members_as_usual()

    def _check_kind(self) -> None:
        if self.columns is None or self.columns.kinds[0] == ODD:
            super()._check_kind()

    @cached_property
    def _held(self) -> bytes:
        """The whole file after all, where something odd wants it."""
        return jsontext.checked(read_bytes(self.source.path), self.file)

    @property
    def _all(self) -> memoryview:
        """Its list of annotations."""
        start, stop = self._span
        return memoryview(self._held)[start - len("[") : self._held.index(b"]", stop) + 1]

    @cached_property
    def _all_places(self) -> Places:
        lists = {"images": self.images, "annotations": self.annotations}
        return Places(self._held, jsontext.members(self._held, self.file), lists)


def _apart(path: Path) -> tuple[LargeJson, bytes, Span] | None:
    """A file, its text without the elements of its annotations, and where these stand in it; None where it is not
    large, or they are not most of it.
    """
    try:
        status = path.stat()
        if status.st_size < LARGE or not stat.S_ISREG(status.st_mode):
            return None
        file = LargeJson(path, window=0, largest=0)
    except OSError:  # which is told where the file is opened as any other
        return None
    front, start, last = b"", None, tail_of(file.size)
    while start is None and len(front) < last:
        front += file.read(len(front), min(2 * len(front) or _FRONT, last))
        start = beginning(front, b"annotations")
    tail = file.read(last, file.size)
    stop = ending(tail)
    if start is None or stop is None:
        return None
    try:
        return file, jsontext.checked(front[:start] + tail[stop:], str(path)), (start, last + stop)
    except InvalidInput:
        return None
