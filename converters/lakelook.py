"""The images of a MetaLake file as `validate` wants them: whatever can be read of each, and what is surely right."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import msgspec

from ..schemas import jsonscan, jsontext
from ..schemas.clearing import Clearing
from ..schemas.errors import InvalidInput, Place
from ..schemas.jsontext import pointer_text
from ..schemas.metalake_decoding import Document, decode_record
from ..schemas.model import Coordinates, Record, count_objects
from ..schemas.problems import Problem
from ..schemas.salvage import readable
from ..schemas.validation import Checker
from .images import ImageFinder
from .pictures import fitted

_AT_ONCE = 1 << 22
"""Bytes of images whose shapes are judged together."""

_WORTHWHILE = 1 << 18
"""Bytes of a file: in a smaller one images are looked at one by one before numpy is loaded."""


class Found(NamedTuple):
    """What is wrong with one image: how it fits its picture, and whatever else shows without the other images."""

    size: list[Problem]
    others: list[Problem]


NOTHING = Found([], [])


class Run(NamedTuple):
    """What a run of images has. `names`, None for an image of which nothing can be read; how many objects and tags;
    whether an image was `odd`, that is not as it must be, or in an older form; what was found, by the image's number.
    """

    names: list[str | None]
    objects: int
    odd: bool
    found: dict[int, Found]


class LakeLook:
    """A document whose images are looked at."""

    def __init__(self, document: Document, finder: ImageFinder | None) -> None:
        self._document = document
        self._finder = finder
        self._odd = False

    def run(
        self,
        start: int,
        stop: int,
        *,
        coordinates: Coordinates,
        labels: Collection[str] | None,
        tell: Callable[[int], None],
    ) -> Run:
        """The images `start` to `stop`, some at a time: `tell` hears how many are done."""
        checker = Checker(coordinates=coordinates, labels=labels)
        clearing = Clearing(self._fit, coordinates=coordinates, labels=labels)
        names: list[str | None] = []
        found: dict[int, Found] = {}
        objects, locating = 0, self.locating()
        large = len(self._document.data) >= _WORTHWHILE
        for first, raws in self._some(start, stop):
            looks = clearing.looks(raws) if large else [None] * len(raws)
            for index, look in enumerate(looks, first):
                if look is not None and look.clean:
                    name, count, here = look.image, look.objects, Found(look.found, [])
                else:
                    name, count, here = self._closely(index, checker, () if look is None else look.sure)
                names.append(name)
                objects += count
                if any(here):
                    found[index] = Found(*([locating.located(problem, index) for problem in part] for part in here))
            tell(len(names))
        return Run(names, objects, self._odd, found)

    def _some(self, start: int, stop: int) -> Iterator[tuple[int, list[msgspec.Raw]]]:
        """Images that are looked at together, and the number of the first."""
        raws: list[msgspec.Raw] = []
        size = 0
        for index in range(start, stop):
            raws.append(self._document.images[index])
            size += memoryview(raws[-1]).nbytes
            if size >= _AT_ONCE or index == stop - 1:
                yield index - len(raws) + 1, raws
                raws, size = [], 0

    def _closely(self, index: int, checker: Checker, sure: Sequence[bool]) -> tuple[str | None, int, Found]:
        raw, file = self._document.images[index], self._document.file
        places: Sequence[Place] = ()
        try:
            record = decode_record(raw, file, index, self._hear)
        except InvalidInput:  # the structure's examination says why; the rest is looked at all the same
            self._odd = True
            found_readable = readable(raw, file, index)
            if found_readable is None:
                return None, 0, NOTHING
            record, places = found_readable
            sure = ()
        record, found = self._fit(record)
        return record.image, count_objects(record), Found(found, list(checker.check_alone(record, places, sure)))

    def _fit(self, record: Record) -> tuple[Record, list[Problem]]:
        return fitted(record, self._finder)

    def _hear(self, _: Problem) -> None:
        self._odd = True

    def locating(self) -> Locating:
        """For one pass over the images, in their order."""
        return Locating(self._document)


class Locating:
    """Finds where problems stand in a file."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._passed = -1

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
