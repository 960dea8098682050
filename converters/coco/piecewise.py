"""One COCO file whose annotations are read in pieces that a processor's cache holds, by all processes, into columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.errors import InvalidInput
from ...schemas.jsonelements import DECODE_ERRORS
from ..ledger import Ledger
from ..parallel import in_parts, processes
from .columns import Text, column, elements, pieces, quotes
from .document import RAW_LIST, Document, ImageHead
from .layout import Source
from .pictures import PLAIN_IMAGE_QUOTES, PlainImage
from .places import Places
from .root import Span, root_around

_IMAGES = msgspec.json.Decoder(list[PlainImage])
_ROW_BITS = 32
_SPARSE = 64
"""Ids that are as many times as far apart as they are many are not looked for in a table."""
_HEADS = msgspec.json.Decoder(list[ImageHead])


class Rows(Protocol):
    """A row for each annotation, in the file's order: at least its id and its image's."""

    @property
    def ids(self) -> NDArray[np.int64]: ...
    @property
    def images(self) -> NDArray[np.int64]: ...


C = TypeVar("C", bound=Rows)


class PieceDocument(Document, ABC, Generic[C]):
    """`columns` are its annotations, None where the file is odd in some way and was opened as any other. `jobs` is the
    number of processes, as everywhere.
    """

    columns: C | None

    def __init__(self, source: Source, ledger: Ledger, jobs: int | None) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self.columns = self.plain_images = None
        super().__init__(source, ledger)

    def _clean(self, ledger: Ledger) -> None:
        """Later: what can be read in pieces has no such words, and to look for them takes as long as reading them."""
        self._places = Places(self.data, {}, {})

    @abstractmethod
    def read(self, spans: Sequence[Span]) -> C | None:
        """The annotations of these pieces of the file; None where they are odd."""

    @abstractmethod
    def joined(self, parts: Sequence[C]) -> C:
        """What several processes have read, one behind the other."""

    @abstractmethod
    def elements(self, found: C, whole: msgspec.Raw) -> Sequence[msgspec.Raw]:
        """The annotations one by one."""

    def text(self, start: int, stop: int) -> bytes | memoryview:
        """Of the file, between two places."""
        return memoryview(self.data)[start:stop]

    def _list_of(self, key: str) -> Span | None:
        """Where the elements of one of the long lists stand in what is held."""
        return elements(self.data, key.encode())

    def _annotated(self, held: Span) -> Span:
        """Where the annotations stand in the file, of which those stand there in what is held."""
        return held

    def _members(self) -> dict[str, msgspec.Raw]:
        images, annotations = self._list_of("images"), self._list_of("annotations")
        if images is None or annotations is None:
            return self._members_as_usual()
        try:
            members = root_around(self.data, {"images": images, "annotations": annotations}, self.file)
            self._ids = self._image_ids(images)
        except (*DECODE_ERRORS, InvalidInput, IndexError, OverflowError, TypeError):
            return self._members_as_usual()
        found = self._columns(self._annotated(annotations))
        if found is None or not self._indexed(found):
            return self._members_as_usual()
        self.columns = found
        return self.checked(members)

    def _members_as_usual(self) -> dict[str, msgspec.Raw]:
        super()._clean(self._ledger)
        return super()._members()

    def _image_ids(self, span: Span) -> NDArray[np.int64]:
        held = memoryview(self.data)
        texts = [b"[%b]" % held[slice(*one)] for one in pieces(lambda start, stop: held[start:stop], span)]
        self.plain_images = _plain_images(texts)
        heads = self.plain_images or [head for text in texts for head in _HEADS.decode(text)]
        return column([head.id for head in heads])

    def _columns(self, span: Span) -> C | None:
        spans = pieces(self.text, span)

        def part(start: int, stop: int, *_: Any) -> C | None:
            return self.read(spans[start:stop])

        count = min(processes(self._jobs, len(self._ids)), len(spans))
        if count == 1:
            return self.read(spans)
        parts = in_parts(part, len(spans), count, Ledger(), None, least=1)
        return None if None in parts else self.joined(parts)

    def _list(self, members: dict[str, msgspec.Raw], key: str) -> Sequence[msgspec.Raw]:
        if self.columns is None or key not in ("images", "annotations"):
            return super()._list(members, key)
        if key == "images":
            return Elements(self.text, lambda: members[key], len(self._ids), {})
        return self.elements(self.columns, members[key])

    def _index(self, members: dict[str, msgspec.Raw], ledger: Ledger) -> None:
        if self.columns is None:
            super()._index(members, ledger)

    def _indexed(self, found: C) -> bool:
        """Sort the annotations by their images, unless an id stands twice or an image is none."""
        if _some_twice(self._ids) or _some_twice(found.ids):
            return False
        owner = _found(self._ids, found.images)
        if not np.array_equal(self._ids[owner], found.images):
            return False
        by_owner = np.sort((owner << _ROW_BITS) | np.arange(len(owner)))
        self.order = (by_owner & ((1 << _ROW_BITS) - 1)).astype(np.uint32)
        self.start = [0, *np.cumsum(np.bincount(owner, minlength=len(self._ids))).tolist()]
        self.index = {identity: number for number, identity in enumerate(self._ids.tolist())}
        self.next_image_id, self.next_id = (max(int(ids.max()), 0) + 1 for ids in (self._ids, found.ids))
        self.dropped, self.fresh = 0, {}
        return True

    def _check_names(self, ledger: Ledger) -> None:
        names = None if self.plain_images is None else {image.file_name for image in self.plain_images}
        if names is None or len(names) < len(self.images):
            super()._check_names(ledger)


def _plain_images(texts: Sequence[bytes]) -> list[PlainImage] | None:
    """The images of these lists, if all have COCO's own eight keys and no other."""
    found: list[PlainImage] = []
    for text in texts:
        try:
            images = _IMAGES.decode(text)
        except DECODE_ERRORS:
            return None
        if quotes(text) != PLAIN_IMAGE_QUOTES * len(images):
            return None
        found += images
    return found


def _some_twice(ids: NDArray[np.int64]) -> bool:
    ordered = np.sort(ids)
    return bool((ordered[1:] == ordered[:-1]).any())


def _found(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places among `ids`, each there once, of those that are wanted; any place for one that is not there."""
    low, high = int(ids.min()), int(ids.max())
    if high - low < _SPARSE * len(ids):
        table = np.zeros(high - low + 1, np.int64)
        table[ids - low] = np.arange(len(ids))
        return table[np.clip(wanted, low, high) - low]
    by_id = np.argsort(ids)
    return by_id[np.minimum(np.searchsorted(ids, wanted, sorter=by_id), len(ids) - 1)]


class Elements(Sequence[msgspec.Raw]):
    """The elements of a list, so many, of a file whose text `text` gives; the `whole` list is walked through only where
    one is wanted that does not stand at one of the known `spans`.
    """

    def __init__(
        self, text: Text, whole: Callable[[], memoryview | msgspec.Raw], count: int, spans: dict[int, Span]
    ) -> None:
        self._text, self._whole, self._count, self._spans = text, whole, count, spans

    @cached_property
    def _all(self) -> list[msgspec.Raw]:
        return RAW_LIST.decode(self._whole())

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> msgspec.Raw: ...
    @overload
    def __getitem__(self, number: slice) -> list[msgspec.Raw]: ...
    def __getitem__(self, number: int | slice) -> msgspec.Raw | list[msgspec.Raw]:
        span = None if isinstance(number, slice) else self._spans.get(number)
        return self._all[number] if span is None else msgspec.Raw(self._text(*span))
