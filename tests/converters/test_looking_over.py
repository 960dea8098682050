"""A set that several processes look over is the set that one finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annolake.converters import parallel, registry
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger

VOC = """<annotation><filename>{name}</filename><source><database>{database}</database></source>
<size><width>90</width><height>90</height><depth>3</depth></size>
<object><name>{label}</name>{more}<bndbox><xmin>{low}</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40.5</ymax></bndbox>
</object></annotation>"""


def voc(folder: Path) -> None:
    """Tools, labels, a coordinate 0, names without a type and a broken file: each in one half only."""
    for number in range(9):
        text = VOC.format(
            name=f"{number}.png" if number < 4 else number,
            database="Roboflow" if number in (2, 6) else "Unknown",
            label=f"label {9 - number}",
            more="<pose>Left</pose><truncated>1</truncated>" if number % 2 else "<score>0.5</score>",
            low=0 if number == 7 else 1,
        )
        (folder / f"{number}.xml").write_text(text if number != 5 else text.replace("</object>", ""))


def yolo(folder: Path) -> None:
    """Boxes and polygons, the highest class at the beginning, and no names."""
    for number in range(9):
        row = "0.1 0.1 0.5 0.1 0.5 0.5" if number == 7 else "0.5 0.5 0.25 0.125"
        (folder / f"{number}.txt").write_text(f"{8 - number} {row}\n")


@pytest.mark.parametrize("make", [voc, yolo])
def test_the_same_is_found_by_two_processes(make: Any, tmp_path: Path) -> None:
    make(tmp_path)
    reader = registry.get(make.__name__)

    def found(jobs: int) -> Any:
        ledger, books = Ledger(lenient=True, places=False), Ledger(lenient=True, places=False)
        reading = reader.read(tmp_path, reader.options(), Context(jobs=jobs), ledger)
        return reading.catalog, ledger.decisions, ledger.problems, list(reading.records(books)), books.problems

    catalog, *_, records, _ = found(1)
    assert len(catalog.labels) == 9 - (make is voc)
    assert len(records) == 9 - (make is voc)
    assert found(2) == found(1)


def test_a_process_is_not_started_for_a_few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTH_A_PROCESS", 150)
    assert [parallel.processes(4, images) for images in (0, 1, 299, 300, 100_000)] == [1, 1, 1, 2, 4]
