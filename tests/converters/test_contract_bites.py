"""The contract suite finds what it is there to find: formats with one defect each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from annolake.converters import metalake
from annolake.converters.format import Context, Format, Reading, Sniffed, Written
from annolake.converters.ledger import Ledger
from annolake.converters.testing import FormatContract
from annolake.converters.testing.cases import Case
from annolake.schemas.errors import AnnolakeError
from annolake.schemas.model import Catalog, Record

LAKE = Path(__file__).resolve().parents[2] / "fixtures" / "metalake"
CASE, TAGGED = Case(LAKE / "polygon line points"), Case(LAKE / "full catalogue")
CLOCK = itertools.count()


def forgetful_read(path: Path, options: Any, context: Context, ledger: Ledger) -> Reading:
    """Steps over every line without a word."""
    reading = metalake.read(path, options, context, ledger)

    def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        for record in reading.records(ledger, start, stop):
            kept = [annotation for annotation in record.annotations if not hasattr(annotation, "xy")]
            yield msgspec.structs.replace(record, annotations=kept)

    return msgspec.structs.replace(reading, records=records)


def careless_read(path: Path, options: Any, context: Context, ledger: Ledger) -> Reading:
    """Lets the errors of others out."""
    path.read_text(encoding="ascii")
    return metalake.read(path, options, context, ledger)


def dated_write(path: Path, options: Any, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    """Writes when it was written."""
    dated = (msgspec.structs.replace(record, extras={"saved": next(CLOCK)}) for record in records)
    return metalake.write(path, options, context, catalog, dated)


def untidy_write(path: Path, options: Any, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    """Keeps a file of its own beside the target."""
    (path.parent / "cache.tmp").write_text("left behind")
    return metalake.write(path, options, context, catalog, records)


def generous_sniff(path: Path) -> Sniffed:
    return Sniffed(True, "why not")


def broken(**parts: Any) -> Any:
    format_: Format = msgspec.structs.replace(metalake.FORMAT, write_part=None, join=None, **parts)
    return type("Broken", (FormatContract,), {"format": format_})()


def test_a_reader_that_steps_over_things() -> None:
    with pytest.raises(AnnolakeError, match="books-do-not-balance"):
        broken(read=forgetful_read).test_reads_as_expected(CASE, None)


def test_a_reader_that_lets_other_errors_out() -> None:
    with pytest.raises(UnicodeDecodeError):
        broken(read=careless_read).test_any_byte_replaced(CASE)


def test_a_writer_that_looks_at_the_clock(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        broken(write=dated_write).test_a_source_comes_home(CASE, metalake.Options(), tmp_path)


def test_a_writer_that_leaves_things_behind() -> None:
    with pytest.raises(AssertionError):
        broken(write=untidy_write).test_a_disk_that_fails_at_any_step(metalake.Options())


def test_a_format_that_promises_too_much(tmp_path: Path) -> None:
    """It says that tags come home, and does not write them."""

    def untagged(path: Path, options: Any, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
        written = [msgspec.structs.replace(record, tags=()) for record in records]
        return metalake.write(path, options, context, catalog, written)

    with pytest.raises(AnnolakeError, match="books-do-not-balance"):
        broken(write=untagged).test_a_source_comes_home(TAGGED, metalake.Options(), tmp_path)


def test_a_format_that_is_everything(tmp_path: Path) -> None:
    contract = broken(sniff=generous_sniff)
    with pytest.raises(AssertionError):
        contract.test_nothing_names_it(tmp_path)
    with pytest.raises(AssertionError):
        contract.test_its_sources_name_it_and_nobody_else(Case(CASE.folder.parents[1] / "coco" / "boxes"))
