"""Sources that are looked over once and opened again where and when their records are needed.

For data sets in shards: whoever writes a shard opens only the sources that its run of images lies in, in whatever
process or on whatever computer. What concerns all of them (labels, sizes, names that clash) is found out before, source
by source, and travels as a `Survey`.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, get_args

import msgspec

from ..schemas.model import Catalog
from .engines import Engine
from .fidelity import Fidelity
from .format import Context, Format, Options, Reading, Way
from .ledger import Ledger
from .merging import Glance, glance
from .nearby import Address, as_told, let_go, near, told

_KEPT = 2
"""So many opened sources stay open in a process: a run of images often begins in one and ends in the next."""

_BYTES_AN_IMAGE = 500
_OF_MANY_FILES = 1_000
_open: OrderedDict[str, tuple[Reading, Address]] = OrderedDict()


class Opening(msgspec.Struct, frozen=True):
    """All that is needed to open a source in another process. `given`: how it was given; `key` tells it from all
    others.
    """

    address: Address
    given: str
    reader: Format
    options: Options
    context: Context
    key: str

    def reading(self, ledger: Ledger | None = None) -> Reading:
        """The source, open. What there is to say about it goes to `ledger`; nowhere when it is opened again."""
        path = near(self.address, given=self.given)
        if self.key not in _open or ledger is not None:
            found = self.reader.read(path, self.options, self.context, ledger or Ledger())
            _open[self.key] = found, self.address
        _open.move_to_end(self.key)
        while len(_open) > _KEPT:
            _, (_, address) = _open.popitem(last=False)
            let_go(address)
        return _open[self.key][0]


class Survey(msgspec.Struct, frozen=True):
    """What is known of a source after it was looked over. `ways` are those that its reading offers; `glance` where that
    was asked for.
    """

    catalog: Catalog
    images: int
    ways: frozenset[Way]
    glance: Glance | None


def surveyed(
    sources: Sequence[tuple[Address, Format, Options]],
    context: Context,
    engine: Engine,
    ledger: Ledger,
    *,
    look_through: bool,
    names: bool,
) -> tuple[list[Reading], list[Glance] | None]:
    """Readings that open their source when its records are asked for; and, to `look_through` them, a glance at each,
    with `names` if so asked.

    InvalidInput if a source is broken as a whole.
    """
    job = secrets.token_hex(8)
    openings: list[Opening] = []
    for given, reader, options in sources:
        address = given.absolute() if isinstance(given, Path) and engine.elsewhere else given
        key = f"{job} {len(openings)}"
        openings.append(Opening(address, told(given), reader, options, context, key))

    def look(number: int, books: Ledger, _: Callable[[int], None]) -> Survey:
        with as_told(books):
            reading = openings[number].reading(books)
            seen = glance(reading, names=names) if look_through else None
        ways: frozenset[Way] = frozenset(way for way in get_args(Way) if getattr(reading, way) is not None)
        return Survey(reading.catalog, reading.images, ways, seen)

    sizes = [_size(address) for address, _, _ in sources]
    surveys: list[Survey] = engine.run(look, sizes, ledger, None)
    readings = [_reading(opening, survey) for opening, survey in zip(openings, surveys, strict=True)]
    return readings, [survey.glance for survey in surveys if survey.glance is not None] if look_through else None


@contextmanager
def forgetting() -> Generator[None]:
    """At the end all that is open in this process is closed."""
    try:
        yield
    finally:
        _open.clear()


def _reading(opening: Opening, survey: Survey) -> Reading:
    offered: dict[str, Any] = {way: partial(_Lazy, opening, way) for way in survey.ways}
    return Reading(catalog=survey.catalog, records=_Lazy(opening), images=survey.images, **offered)


class _Lazy:
    """Records of a source that is opened for them, in one of its ways for a target of that fidelity."""

    def __init__(self, opening: Opening, way: Way | None = None, fidelity: Fidelity | None = None) -> None:
        self.opening, self.way, self.fidelity = opening, way, fidelity

    def __call__(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        reading = self.opening.reading()
        offered = None if self.way is None else getattr(reading, self.way)
        return (reading.records if offered is None else offered(self.fidelity))(ledger, start, stop)


def _size(address: Address) -> int:
    """About how many images there are, to decide whether several processes are worth while."""
    if isinstance(address, Path) and address.is_file():
        return max(1, address.stat().st_size // _BYTES_AN_IMAGE)
    return _OF_MANY_FILES
