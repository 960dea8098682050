"""Which images of a large set take a close look. `validate` sifts all of them first, many at a time, by a process a
core, without noting where anything stands; what has no mistake is done with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import islice, repeat
from typing import TYPE_CHECKING, NamedTuple

from ..schemas.errors import InvalidInput
from ..schemas.model import Coordinates, Record, Rectangle
from ..schemas.shapes import extent
from ..schemas.soundness import KINDS, Shapes, judged
from ..schemas.validation import Checker
from . import registry
from .format import Item, Reading
from .images import ImageFinder
from .ledger import Ledger
from .opening import Progress
from .parallel import in_parts, processes
from .pictures import fitted
from .shapeblocks import ShapeBlock

if TYPE_CHECKING:
    from .shapesifting import ShapeSieve

LARGE = 1_000
"""Images of a set for which it is worth while to load numpy."""

_AT_ONCE = 256
"""Images whose shapes are judged together."""

_MOST = 0.1
"""Of all images: where more of them take a close look, it is cheaper to have one at all."""


class Sifted(NamedTuple):
    """Of each image its name, None where the reader could not read it; and the numbers of those that are to be looked
    at closely.
    """

    names: list[str | None]
    odd: set[int]


def sifted(
    reading: Reading,
    finder: ImageFinder | None,
    labels: Collection[str] | None,
    jobs: int | None,
    ledger: Ledger,
    progress: Progress | None,
) -> Sifted | None:
    """None where sifting does not pay, or the reader stops on the way. `ledger` has counted all images then."""
    if not reading.apart or reading.images < LARGE:
        return None

    def part(start: int, stop: int, books: Ledger, tell: Callable[[int], None]) -> Sifted:
        books.places = None  # whoever is odd is read again, with its places
        sieve = _Sieve(reading, finder, labels, start, stop, tell)
        if not sieve.by_blocks(books):
            records = reading.records(books, start, stop)
            while some := list(islice(_numbered(records, books, start), _AT_ONCE)):
                sieve.look(some)
        return sieve.sifted

    count = processes(jobs, reading.images)
    try:
        overs = in_parts(part, reading.images, count, ledger, progress)
    except InvalidInput:  # told again, with all that was found before
        return None
    odd = set[int]().union(*(over.odd for over in overs))
    if len(odd) > _MOST * reading.images:
        return None
    return Sifted([name for over in overs for name in over.names], odd)


class _Sieve:
    """Looks over the images `start` to `stop`. `tell` is told how many are done."""

    def __init__(
        self,
        reading: Reading,
        finder: ImageFinder | None,
        labels: Collection[str] | None,
        start: int,
        stop: int,
        tell: Callable[[int], None],
    ) -> None:
        self.reading, self.finder, self.labels = reading, finder, labels
        self.start, self.stop, self.tell = start, stop, tell
        self.coordinates: Coordinates = reading.catalog.coordinates
        self.checker = Checker(coordinates=self.coordinates, labels=labels)
        self.sifted = Sifted([None] * (stop - start), set(range(start, stop)))

    def look(self, some: Sequence[_Numbered]) -> None:
        """At images, one by one but for their shapes."""
        fitting = [fitted(one.record, self.finder) for one in some]
        sure = _sure([record for record, _ in fitting], self.coordinates)
        for one, (record, found) in zip(some, fitting, strict=True):
            self.sifted.names[one.number - self.start] = record.image
            mine = list(islice(sure, len(record.annotations)))
            if not (one.told or found or any(self.checker.check_alone(record, (), mine))):
                self.sifted.odd.discard(one.number)
            self.tell(one.number - self.start + 1)

    def by_blocks(self, books: Ledger) -> bool:
        """At all images, those that are usual many at a time; False where the reader has no blocks, or drops images, so
        that nobody knows which is which.
        """
        from .shapesifting import ShapeSieve

        if self.reading.shapes_for is None:
            return False
        sieve = ShapeSieve(self.finder, coordinates=self.coordinates, labels=self.labels)
        trial = books.another()
        trial.places = None
        told: set[str | None] = set()
        odd: list[_Numbered] = []
        number = self.start
        lake = registry.get("metalake")
        everything = lake.fidelity(lake.options())
        for item in self.reading.shapes_for(everything)(trial, self.start, self.stop):
            told.update(problem.place.image for problem in trial.problems)
            trial.problems.clear()
            if trial.seen["images dropped"]:
                return False
            for name, clean, record in _images(item, sieve):
                is_told = name in told or None in told
                self.sifted.names[number - self.start] = name
                if clean and not is_told:
                    self.sifted.odd.discard(number)
                else:
                    odd.append(_Numbered(record(), number, is_told))
                number += 1
            if len(odd) >= _AT_ONCE:
                self.look(odd)
                odd.clear()
            self.tell(number - self.start)
        if odd:
            self.look(odd)
        books.add(trial)
        return True


def _images(item: Item, sieve: ShapeSieve) -> Iterator[tuple[str, bool, Callable[[], Record]]]:
    """Each image's name, whether it surely has no mistake by itself, and what makes a record of it."""
    if isinstance(item, ShapeBlock):
        for (record, objects, labels), clean in zip(item.images(), sieve.clean(item), strict=True):
            yield record.image, clean, partial(item.record, record, objects, labels)
    elif isinstance(item, Record):
        yield item.image, False, lambda: item


class _Numbered(NamedTuple):
    """An image with its number, and whether the reader had something to tell when it came."""

    record: Record
    number: int
    told: bool


def _numbered(records: Iterator[Record], books: Ledger, start: int) -> Iterator[_Numbered]:
    for record in records:
        yield _Numbered(record, start + books.seen["images"] - 1, bool(books.problems))
        books.problems.clear()


def _sure(records: Sequence[Record], coordinates: Coordinates) -> Iterator[bool]:
    """Of each annotation whether its shape is surely without a mistake."""
    numbers: list[float] = []
    lengths: list[int] = []
    kinds: list[int] = []
    extents: list[tuple[float, float]] = []
    for record in records:
        for annotation in record.annotations:
            flat = annotation.bbox if isinstance(annotation, Rectangle) else annotation.xy
            numbers += flat
            lengths.append(len(flat))
            kinds.append(KINDS.index(annotation.__struct_config__.tag))
        extents += repeat(extent(record, coordinates), len(record.annotations))
    if not all(lengths) or any(length % 2 for length in lengths):
        return repeat(False)
    try:
        return iter(judged(Shapes(numbers, lengths, kinds, extents)).sound)
    except OverflowError:  # a number that no float holds
        return repeat(False)
