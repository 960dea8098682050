"""A COCO file larger than memory: looked through once, then read image by image.

The first look leaves an index on disk: where each image and each annotation lies, their ids, and the annotations in the
order of their images. After it the annotations of some images at a time are read, in the order in which they lie in the
file. In memory are the keys of the root beside `images` and `annotations`, and up to 32 bytes an image.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np

from ...schemas import jsontext
from ...schemas.errors import InvalidInput, Place, UsageError
from ...schemas.jsonelements import Piece
from ...schemas.jsontext import Pointer
from ...schemas.plain import ready
from ...schemas.problems import Problem
from ..largelists import LargeList, LargeRoot, open_large
from ..ledger import PROBLEMS_KEPT, Ledger
from ..memory import Memory
from ..spilling import KEY, NONE, Array, Column, Lookup, doubles, keys_of
from .byimage import ByImage
from .document import Document, Head, Id, ImageHead
from .layout import Source

_AHEAD = 1 << 10
_BYTES_AN_IMAGE = 32


class LargeDocument(Document):
    """The same as its base to whoever reads it image by image."""

    def __init__(self, source: Source, ledger: Ledger, memory: Memory) -> None:
        self.memory = memory
        super().__init__(source, ledger)

    def _open(self, source: Source, ledger: Ledger) -> None:
        self.source = source
        self.file = str(source.path)
        self.data = b""
        large = open_large(source.path, self.memory)
        self.root = LargeRoot(large)
        self.parts = {
            "images": _Part(LargeList(large, ahead=_AHEAD), ImageHead, ("id",), named=True),
            "annotations": _Part(LargeList(large), Head, ("image_id", "id")),
        }

    def _members(self) -> dict[str, msgspec.Raw]:
        lists = {key: part.elements for key, part in self.parts.items()}
        return self.checked(self.root.look_through(lists, {key: part.take for key, part in self.parts.items()}))

    def _list(self, members: dict[str, msgspec.Raw], key: str) -> Sequence[msgspec.Raw]:
        return self.root.lists[key] if key in self.root.lists else super()._list(members, key)

    def locate(self, place: Place) -> Place:
        return self.root.located(place)

    def numbers(self, index: int) -> list[int]:
        return self._by_image.numbers(index)

    def _index(self, members: dict[str, msgspec.Raw], ledger: Ledger) -> None:
        images, annotations, room = self.parts["images"], self.parts["annotations"], self.memory.room
        count = len(images.elements)
        if count * _BYTES_AN_IMAGE > self.memory.limit // 3:
            more = count * _BYTES_AN_IMAGE * 3 // (1 << 20) + 1
            message = f"{count:,} images take {_BYTES_AN_IMAGE} bytes each, more than a third of what may be used"
            raise UsageError("memory-too-small", message, hint=f"give --memory {more}M or more")
        self._tell_broken(images, ledger, lambda number: ("images", number))
        for number, first in doubles(images.keys["id"], room).tolist():
            self.tell_same_id(ledger, number, images.head(number).id, first)
        self.next_image_id = images.above
        self._tell_broken(annotations, ledger, self.at)
        owners = self._owners(images, annotations, ledger)
        self._by_image = ByImage(owners, annotations.elements, count, room)
        later = doubles(annotations.keys["id"], room)[:, 0]
        self.next_id = annotations.above + len(later)
        self.fresh = _Fresh(later, annotations.above)
        for number in later[:PROBLEMS_KEPT].tolist():
            self.tell_renumbered(ledger, number, annotations.head(number).id)

    def _owners(self, images: _Part, annotations: _Part, ledger: Ledger) -> Column:
        """The number of each annotation's image, below 0 for none; those are told and counted."""
        lookup, owners = Lookup(images.keys["id"]), Column(np.int32)
        self.dropped = 0
        for start, keys in annotations.keys["image_id"].pieces():
            owner = lookup.find(keys)
            for number in (np.flatnonzero((owner < 0) & (keys["kind"] != NONE)) + start).tolist():
                self.tell_dangling(ledger, number, annotations.head(number))
            self.dropped += int(np.count_nonzero(owner < 0))
            owners.append(owner)
        return owners

    def _tell_broken(self, part: _Part, ledger: Ledger, at: Callable[[int], Pointer]) -> None:
        for number in part.broken:
            try:
                jsontext.decode(part.decoder, part.elements[number], self.file, at(number))
            except InvalidInput as error:
                ledger.problem(Problem.of(self.located(error)))

    def _check_names(self, ledger: Ledger) -> None:
        images = self.parts["images"]
        for number, first in doubles(images.names, self.memory.room).tolist():
            self.tell_same_name(ledger, number, images.name(number), first)


def clashing_names(documents: Sequence[LargeDocument]) -> frozenset[str]:
    """Names that images of several files have."""
    names = Column(KEY)
    for document in documents:
        for _, piece in document.parts["images"].names.pieces():
            names.append(piece)
    again = doubles(names, documents[0].memory.room)[:, 0].tolist()
    bounds = [0, *accumulate(len(document.parts["images"].names) for document in documents)]
    places = ((bisect_right(bounds, number) - 1, number) for number in again)
    return frozenset(documents[of].parts["images"].name(number - bounds[of]) for of, number in places)


class _File(msgspec.Struct):
    file_name: str = ""


class _Part:
    """One of the two large lists: its elements, and of each the ids (and, where `named`, the file's name)."""

    def __init__(self, elements: LargeList, head: Any, ids: Sequence[str], *, named: bool = False) -> None:
        self.elements = elements
        self.keys = {key: Column(KEY) for key in ids}
        self.names = Column(KEY)
        self.broken: list[int] = []
        self.above = 1
        self.decoder = msgspec.json.Decoder(ready(head))
        self._heads = msgspec.json.Decoder(ready(list[head]))
        self._named = named
        self._highest: int | None = None

    def take(self, pieces: Iterator[Piece]) -> None:
        for piece in pieces:
            heads = _decoded(self._heads, self.decoder, piece)
            self.broken += [len(self.elements) + number for number, head in enumerate(heads) if head is None]
            self.elements.add(piece)
            for key, column in self.keys.items():
                ids = [None if head is None else getattr(head, key) for head in heads]
                column.append(keys_of(ids))
                if key == "id":
                    self._note_highest(ids)
            if self._named:
                files = _decoded(_FILES, _FILE, piece)
                self.names.append(keys_of([file.file_name or None if file else None for file in files]))

    def head(self, number: int) -> Any:
        return self.decoder.decode(self.elements[number])

    def name(self, number: int) -> str:
        return _FILE.decode(self.elements[number]).file_name

    def _note_highest(self, ids: Sequence[Id | None]) -> None:
        highest = max((i for i in ids if isinstance(i, int)), default=None)
        if highest is not None:
            self._highest = highest if self._highest is None else max(self._highest, highest)
            self.above = self._highest + 1


_FILES = msgspec.json.Decoder(list[_File])
_FILE = msgspec.json.Decoder(_File)


def _decoded(whole: msgspec.json.Decoder[list[Any]], one: msgspec.json.Decoder[Any], piece: Piece) -> list[Any]:
    """The elements decoded; None where one cannot be."""
    try:
        return whole.decode(piece.text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return [_or_none(one, raw) for raw in piece.raws]


def _or_none(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Fresh(Mapping[int, int]):
    """New ids, counted from `first`, for the annotations with these numbers."""

    def __init__(self, numbers: Array, first: int) -> None:
        self._numbers = numbers
        self._first = first

    def __getitem__(self, number: int) -> int:
        at = int(np.searchsorted(self._numbers, number))
        if at == len(self._numbers) or self._numbers[at] != number:
            raise KeyError(number)
        return self._first + at

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers.tolist())

    def __len__(self) -> int:
        return len(self._numbers)
