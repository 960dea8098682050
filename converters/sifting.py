"""Which images of a large set take a close look. `validate` sifts all of them first, many at a time, by a process a
core, without noting where anything stands; what has no mistake is done with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice, repeat
from typing import NamedTuple

from ..schemas.errors import InvalidInput
from ..schemas.model import Coordinates, Record, Rectangle
from ..schemas.shapes import extent
from ..schemas.soundness import KINDS, Shapes, judged
from ..schemas.validation import Checker
from .format import Reading
from .images import ImageFinder
from .ledger import Ledger
from .opening import Progress
from .parallel import in_parts, processes
from .pictures import fitted

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
        checker = Checker(coordinates=reading.catalog.coordinates, labels=labels)
        over = Sifted([None] * (stop - start), set(range(start, stop)))
        records = reading.records(books, start, stop)
        while some := list(islice(_numbered(records, books, start), _AT_ONCE)):
            fitting = [fitted(one.record, finder) for one in some]
            sure = _sure([record for record, _ in fitting], reading.catalog.coordinates)
            for one, (record, found) in zip(some, fitting, strict=True):
                over.names[one.number - start] = record.image
                mine = list(islice(sure, len(record.annotations)))
                if not (one.told or found or any(checker.check_alone(record, (), mine))):
                    over.odd.discard(one.number)
            tell(some[-1].number - start + 1)
        return over

    count = processes(jobs, reading.images)
    try:
        overs = in_parts(part, reading.images, count, ledger, progress)
    except InvalidInput:  # told again, with all that was found before
        return None
    odd = set[int]().union(*(over.odd for over in overs))
    if len(odd) > _MOST * reading.images:
        return None
    return Sifted([name for over in overs for name in over.names], odd)


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
