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
from pathlib import Path

import msgspec

from ..schemas.errors import AnnolakeError
from ..schemas.model import Catalog, Record
from .engines import Engine
from .fidelity import Fidelity
from .format import Context, Format, Options, Reading, Records
from .ledger import Ledger
from .merging import Glance, glance

_KEPT = 2
"""So many opened sources stay open in a process: a run of images often begins in one and ends in the next."""

_BYTES_AN_IMAGE = 500
_OF_A_FOLDER = 1_000
_open: OrderedDict[str, Reading] = OrderedDict()
_told: dict[str, str] = {}
"""How the sources of this process were given, by where they were read."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to open a source in another process. `path` is where it is read, `told` how it was given;
    `key` tells it from all others.
    """

    path: Path
    told: str
    reader: Format
    options: Options
    context: Context
    key: str

    def reading(self, ledger: Ledger | None = None) -> Reading:
        """The source, open. What there is to say about it goes to `ledger`; nowhere when it is opened again."""
        _told[str(self.path)] = self.told
        found = _open.get(self.key)
        if found is None or ledger is not None:
            found = self.reader.read(self.path, self.options, self.context, ledger or Ledger())
            _open[self.key] = found
        _open.move_to_end(self.key)
        while len(_open) > _KEPT:
            _open.popitem(last=False)
        return found


class Survey(msgspec.Struct, frozen=True):
    """What is known of a source after it was looked over. `glance` where that was asked for."""

    catalog: Catalog
    images: int
    narrows: bool
    glance: Glance | None


def surveyed(
    sources: Sequence[tuple[Path, Format, Options]],
    context: Context,
    engine: Engine,
    ledger: Ledger,
    *,
    names: bool,
) -> tuple[list[Reading], list[Glance] | None]:
    """Readings that open their source when its records are asked for; and, where `names` are wanted, a glance at each.

    InvalidInput if a source is broken as a whole.
    """
    job = secrets.token_hex(8)
    openings: list[Opening] = []
    for path, reader, options in sources:
        key, here = f"{job} {len(openings)}", path.absolute() if engine.elsewhere else path
        openings.append(Opening(path=here, told=str(path), reader=reader, options=options, context=context, key=key))

    def look(number: int, books: Ledger, _: Callable[[int], None]) -> Survey:
        with as_told(books):
            reading = openings[number].reading(books)
            seen = glance(reading) if names else None
        return Survey(reading.catalog, reading.images, reading.records_for is not None, seen)

    sizes = [_size(path) for path, _, _ in sources]
    surveys: list[Survey] = engine.run(look, sizes, ledger, None)
    readings = [_reading(opening, survey) for opening, survey in zip(openings, surveys, strict=True)]
    return readings, [survey.glance for survey in surveys if survey.glance is not None] if names else None


@contextmanager
def as_told(books: Ledger) -> Generator[None]:
    """Books and errors speak of sources as they were given, wherever they are read."""
    try:
        yield
    except AnnolakeError as error:
        for path, told in _renamed():
            error.rename(path, told)
        raise
    finally:
        for path, told in _renamed():
            books.rename(path, told)


def _renamed() -> list[tuple[str, str]]:
    return [(path, told) for path, told in _told.items() if path != told]


@contextmanager
def forgetting() -> Generator[None]:
    """At the end all that is open in this process is closed."""
    try:
        yield
    finally:
        _open.clear()
        _told.clear()


def _reading(opening: Opening, survey: Survey) -> Reading:
    def narrowed(fidelity: Fidelity) -> Records:
        return _Lazy(opening, fidelity)

    return Reading(
        catalog=survey.catalog,
        records=_Lazy(opening, None),
        images=survey.images,
        records_for=narrowed if survey.narrows else None,
    )


class _Lazy:
    """Records of a source that is opened for them."""

    def __init__(self, opening: Opening, fidelity: Fidelity | None) -> None:
        self.opening = opening
        self.fidelity = fidelity

    def __call__(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        reading = self.opening.reading()
        if self.fidelity is None or reading.records_for is None:
            return reading.records(ledger, start, stop)
        return reading.records_for(self.fidelity)(ledger, start, stop)


def _size(path: Path) -> int:
    """About how many images there are, to decide whether several processes are worth while."""
    return _OF_A_FOLDER if path.is_dir() else max(1, path.stat().st_size // _BYTES_AN_IMAGE)
