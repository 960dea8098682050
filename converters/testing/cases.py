"""A case is a folder: `in`, or `in` with a suffix, is the data set as it was found; beside it stands what it means.

in.json or in/   the source
options.json     options to read it with, where the defaults are not meant
expect.jsonl     its records, one a line, as in MetaLake annotation JSON; the last line is its catalogue
losses.json      how often the reader booked which loss, and the codes of its decisions and problems
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ...schemas.metalake_encoding import encode_end, encode_record
from ...schemas.model import Catalog, Record
from ..format import Context, Format, Options
from ..ledger import Ledger
from ..opening import streamed

EXPECT = "expect.jsonl"
LOSSES = "losses.json"


class Case(msgspec.Struct, frozen=True):
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def source(self) -> Path:
        found = sorted(path for path in self.folder.iterdir() if path.stem == "in")
        assert len(found) == 1, f"{self.folder} has no single source called `in`"
        return found[0]

    def options(self, format_: Format) -> Options:
        path = self.folder / "options.json"
        return msgspec.json.decode(path.read_bytes() if path.exists() else b"{}", type=format_.options)


class DataSet(msgspec.Struct, frozen=True):
    """A data set in memory: what stands between a reader and a writer."""

    catalog: Catalog
    records: list[Record]


def cases(folder: Path | None) -> list[Case]:
    """The cases below a folder of fixtures, in the order of their names."""
    if folder is None or not folder.is_dir():
        return []
    return [Case(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def files_of(source: Path) -> list[Path]:
    """The files of a source, in the order of their names."""
    return sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]


def read_all(format_: Format, path: Path, options: Options, ledger: Ledger) -> DataSet:
    """A source, read to its end, its books balanced."""
    reading = format_.read(path, options, Context(), ledger)
    return DataSet(reading.catalog, list(streamed(reading, ledger)))


def expected_lines(data: DataSet) -> list[str]:
    """The lines of `expect.jsonl` for a data set."""
    catalog = b"".join(encode_end(data.catalog, empty=True)).partition(b",")[2]
    return [encode_record(record).decode() for record in data.records] + ["{" + catalog.decode().replace("\n", "")]


def loss_counts(ledger: Ledger) -> dict[str, Any]:
    """The content of `losses.json` for the books of a reader."""
    return {
        "losses": {loss.code: loss.count for loss in sorted(ledger.losses.values(), key=lambda loss: loss.code)},
        "decisions": sorted(decision.code for decision in ledger.decisions),
        "problems": sorted(problem.code for problem in ledger.problems),
    }


def lines_of(path: Path) -> Iterator[str]:
    return iter(path.read_text(encoding="utf-8").splitlines()) if path.exists() else iter(())


def json_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
