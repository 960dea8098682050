"""The images of a MetaLake file as `validate` wants them: whatever can be read of each, and what is surely right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice, repeat
from typing import NamedTuple

import msgspec

from ..schemas import jsonscan, jsontext
from ..schemas.errors import InvalidInput, Place
from ..schemas.jsontext import pointer_text
from ..schemas.metalake_decoding import Document, decode_record
from ..schemas.model import Coordinates, Record
from ..schemas.problems import Problem
from ..schemas.salvage import readable
from ..schemas.shapes import extent
from ..schemas.soundness import sound
from .images import ImageFinder
from .pictures import fitted

_AT_ONCE = 256


class Looked(NamedTuple):
    """An image with its picture's size; what does not fit its picture; the places of its annotations where these are
    not numbered as they come; and whether each shape is surely without a mistake.
    """

    record: Record
    found: list[Problem]
    places: Sequence[Place]
    sure: Sequence[bool] = ()


class LakeLook:
    """One pass over a document. `odd`: an image was not as it must be, or in an older form."""

    def __init__(self, document: Document, finder: ImageFinder | None) -> None:
        self.odd = False
        self._document = document
        self._finder = finder
        self._passed = -1

    def images(self, space: Coordinates) -> Iterator[Looked | None]:
        """All images in order; None for one of which nothing can be read."""
        count = len(self._document.images)
        for start in range(0, count, _AT_ONCE):
            looked = [self._look(index) for index in range(start, min(start + _AT_ONCE, count))]
            records = [one.record for one in looked if one is not None]
            shapes = [shape for record in records for shape in record.annotations]
            extents = [size for record in records for size in repeat(extent(record, space), len(record.annotations))]
            verdicts = iter(sound(shapes, extents))
            for one in looked:
                if one is not None:
                    one = one._replace(sure=list(islice(verdicts, len(one.record.annotations))))
                yield one

    def _look(self, index: int) -> Looked | None:
        raw, file = self._document.images[index], self._document.file
        places: Sequence[Place] = ()
        try:
            record = decode_record(raw, file, index, self._hear)
        except InvalidInput:  # the structure's examination says why; the rest is looked at all the same
            self.odd = True
            found_readable = readable(raw, file, index)
            if found_readable is None:
                return None
            record, places = found_readable
        record, found = fitted(record, self._finder)
        return Looked(record, found, places)

    def _hear(self, _: Problem) -> None:
        self.odd = True

    def located(self, problem: Problem, index: int) -> Problem:
        """A problem of image number `index`, from 0, with pointer, line and column. Images come in order."""
        lines, offsets = self._places
        if index > self._passed:
            self._here = lines.place(next(islice(offsets, index - self._passed - 1, None)))
            self._passed = index
        return _in_image(problem, self._document.images[index], index, self._here)

    @cached_property
    def _places(self) -> tuple[jsonscan.Lines, Iterator[int]]:
        return places_of(self._document.data, self._document.file, "images", self._document.images)


def places_of(data: bytes, file: str, key: str, raws: Sequence[msgspec.Raw]) -> tuple[jsonscan.Lines, Iterator[int]]:
    """Where each element of a list at the root begins, and what tells its line."""
    start = next(one.start for one in jsonscan.members(data, jsontext.members(data, file)) if one.key == key)
    return jsonscan.Lines(data, file), jsonscan.elements(data, start, raws)


def _in_image(problem: Problem, raw: msgspec.Raw, index: int, here: Place) -> Problem:
    """The problem with pointer, line and column. `here` is where the image, number `index` from 0, begins."""
    number = problem.place.annotation
    steps = ("annotations", number - 1) if isinstance(number, int) else ()
    inner = jsontext.locate(bytes(raw), Place(pointer=pointer_text(steps)))
    line, column = inner.line or 1, inner.column or 1
    place = msgspec.structs.replace(
        problem.place,
        file=here.file,
        line=(here.line or 1) + line - 1,
        column=column if line > 1 else (here.column or 1) + column - 1,
        pointer=pointer_text(("images", index, *steps)),
    )
    return msgspec.structs.replace(problem, place=place)
