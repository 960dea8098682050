"""One COCO file, opened for a target of outlines: of its annotations only the ids are read, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.jsonelements import DECODE_ERRORS
from ..shapeblocks import PLAIN_QUOTES
from .columns import BETWEEN, column, listed
from .document import Head, Text
from .piecewise import PieceDocument
from .root import Span

_HEADS = msgspec.json.Decoder(list[Head])
_QUOTE = ord('"')
_MANY = 255


class Places(NamedTuple):
    """A row for each annotation, in the file's order: its id and its image's, where in the file it stands, and its
    quotation marks, counted up to `_MANY`.
    """

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    quotes: NDArray[np.uint8]


class ShapeDocument(PieceDocument[Places]):
    """`columns` say where each annotation stands."""

    def read(self, spans: Sequence[Span]) -> Places | None:
        try:
            parts = [_places(listed(self.text, span), span[0] - len("[")) for span in spans]
        except (*DECODE_ERRORS, OverflowError, TypeError, ValueError):
            return None
        return None if None in parts else self.joined([part for part in parts if part is not None])

    def joined(self, parts: Sequence[Places]) -> Places:
        return Places(*map(np.concatenate, zip(*parts, strict=True)))

    def elements(self, found: Places, whole: msgspec.Raw) -> Sequence[msgspec.Raw]:
        return _Placed(memoryview(self.data), found)

    def texts(self, numbers: Sequence[int]) -> Sequence[Text]:
        if self.columns is None:
            return super().texts(numbers)
        data, starts, stops = memoryview(self.data), self.columns.starts, self.columns.stops
        return [data[start:stop] for start, stop in zip(starts[numbers].tolist(), stops[numbers].tolist(), strict=True)]

    def seven_keys(self, numbers: Sequence[int], texts: Sequence[Text]) -> Sequence[bool]:
        if self.columns is None:
            return super().seven_keys(numbers, texts)
        return (self.columns.quotes[numbers] == PLAIN_QUOTES).tolist()


def _places(text: bytes, shift: int) -> Places | None:
    """Of the annotations of a list; None where not each of them ends where one seems to. `shift` is what takes a place
    in the text to that in the file.
    """
    heads = _HEADS.decode(text)
    cuts = [found.span() for found in BETWEEN.finditer(text)]
    if len(cuts) != len(heads) - 1:
        return None
    starts = np.array([text.index(b"{"), *(after - 1 for _, after in cuts)], np.int64)
    stops = np.array([*(before + 1 for before, _ in cuts), len(text) - len("]")], np.int64)
    marks = np.flatnonzero(np.frombuffer(text, np.uint8) == _QUOTE)
    return Places(
        column([head.id for head in heads]),
        column([head.image_id for head in heads]),
        starts + shift,
        stops + shift,
        np.minimum(np.diff(np.searchsorted(marks, np.append(starts, len(text)))), _MANY).astype(np.uint8),
    )


class _Placed(Sequence[msgspec.Raw]):
    """Annotations that are taken out of the file where one is wanted."""

    def __init__(self, data: memoryview, places: Places) -> None:
        self._data, self._places = data, places

    def __len__(self) -> int:
        return len(self._places.ids)

    @overload
    def __getitem__(self, number: int) -> msgspec.Raw: ...
    @overload
    def __getitem__(self, number: slice) -> list[msgspec.Raw]: ...
    def __getitem__(self, number: int | slice) -> msgspec.Raw | list[msgspec.Raw]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        start, stop = int(self._places.starts[number]), int(self._places.stops[number])
        return msgspec.Raw(self._data[start:stop])
