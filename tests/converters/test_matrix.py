"""The round-trip matrix of the README is what is measured now, and hides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from annolake.converters import metalake, registry
from annolake.converters.format import Context, Format, Reading
from annolake.converters.ledger import Ledger
from annolake.converters.testing import matrix
from annolake.converters.testing.features import features
from annolake.converters.testing.marked import marked, with_marked
from annolake.converters.testing.roundtrips import Column, columns, measure, rows_of
from annolake.schemas.model import Record


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> matrix.Cells:
    return matrix.measured(tmp_path_factory.mktemp("matrix"))


def test_what_is_lost_is_booked_and_what_is_booked_is_lost(cells: matrix.Cells):
    assert matrix.faults(cells) == []


def test_the_readme_shows_what_is_measured(cells: matrix.Cells, root: Path, request: pytest.FixtureRequest):
    """`make matrix` writes it."""
    readme = root / "README.md"
    if request.config.getoption("--accept"):
        readme.write_text(with_marked(readme.read_text(), "matrix", matrix.table(cells)))
    assert marked(readme.read_text(), "matrix") == matrix.table(cells)


def test_every_format_has_features_and_every_feature_a_source():
    for column in columns():
        assert len(rows_of(column, features())) >= 5, column.name
    assert len({feature.name for feature in features()}) == len({feature.image for feature in features()})


def test_no_pair_loses_what_both_formats_have_a_place_for(cells: matrix.Cells):
    """Each specification has a place for it, so it comes home."""
    by_name = {column.name: column for column in columns()}
    known = {feature.name: feature for feature in features()}
    for (source, target), outcomes in cells.items():
        for name, outcome in outcomes.items():
            if by_name[source].holds_by_itself(known[name]) and by_name[target].holds_by_itself(known[name]):
                assert outcome.fate in ("exact", None), (source, target, name)


def _reading(*, loses: bool, books: bool) -> Format:
    """MetaLake JSON, read by one who loses confidences or not, and books that or not."""

    def read(path: Path, options: Any, context: Context, ledger: Ledger) -> Reading:
        whole = metalake.FORMAT.read(path, options, context, ledger)

        def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
            for record in whole.records(ledger, start, stop):
                if books:
                    ledger.book("confidence-dropped", image=record.image)
                shapes = [replace(shape, confidence=None) for shape in record.annotations]
                yield replace(record, annotations=shapes) if loses else record

        return replace(whole, records=records)

    return replace(metalake.FORMAT, read=read)


@pytest.mark.parametrize(
    ("loses", "books", "fate", "fault"),
    [
        (True, False, None, "nobody booked"),
        (False, True, None, "no difference"),
        (True, True, "dropped", ""),
        (False, False, "exact", ""),
    ],
)
def test_books_that_are_wrong_are_found_out(
    loses: bool, books: bool, fate: str | None, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    changed = {"metalake": _reading(loses=loses, books=books), "coco": registry.get("coco")}
    monkeypatch.setattr(registry, "get", changed.__getitem__)
    source, target = (Column(name, changed[name], changed[name].options()) for name in ("coco", "metalake"))
    [row] = [row for row in features() if row.name == "confidence"]
    outcome = measure(source, target, [row], tmp_path)["confidence"]
    assert outcome.fate == fate
    assert fault in outcome.fault and bool(fault) == bool(outcome.fault)
