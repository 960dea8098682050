"""The one-pixel question: which evidence counts, and what follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from annolake.converters import convert
from annolake.converters.ledger import Ledger
from annolake.converters.voc import Options
from annolake.schemas.model import Polygon, Rectangle

from .conftest import Make, Read, bndbox, document
from .independent import boxes

PASCAL = "<source><database>The VOC2007 Database</database></source>"
LABELIMG = "<path>/x/a.jpg</path><source><database>Unknown</database></source>"
ROBOFLOW = "<source><database>roboflow.com</database></source>"
CVAT = "<source><database>Unknown</database><annotation>Unknown</annotation><image>Unknown</image></source>"
BOX = f"<name>x</name>{bndbox(11, 21, 40, 60)}"
COCO = """{"images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
"categories": [{"id": 1, "name": "x"}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40], "iscrowd": 0, "area": 1200}]}"""


@pytest.mark.parametrize(
    ("more", "other", "expected"),
    [
        (PASCAL, "", "devkit"),
        ("<source><annotation>PASCAL VOC2007</annotation></source>", "", "edges"),
        (LABELIMG, "", "edges"),
        (ROBOFLOW, "", "edges"),
        (CVAT, "", "edges"),
        ("", "", "edges"),
        (PASCAL, f"<name>x</name>{bndbox(0, 1, 5, 6)}", "edges"),
        (PASCAL, f"<name>x</name>{bndbox('0.0', 1, 5, 6)}", "edges"),
        (PASCAL, f"<name>x</name>{bndbox('0.5', 1, 5, 6)}", "devkit"),
        (PASCAL, f"<name>x</name>{bndbox(1, 1, 5, 6)}<part><name>y</name>{bndbox(1, 0, 5, 6)}</part>", "edges"),
        (PASCAL, f"<name>x</name>{bndbox(1, 1, 5, 6)}<polygon><x1>0</x1><y1>1</y1></polygon>", "edges"),
        (PASCAL, f"<name>x</name>{bndbox(1, 1, 5, 6)}<point><x>0</x><y>0</y></point>", "devkit"),
    ],
)
def test_evidence(make: Make, read: Read, more: str, other: str, expected: str) -> None:
    files = {"a.xml": document(BOX, more=more), "z.xml": document(*([other] if other else []), filename="z.jpg")}
    ledger = Ledger()
    data = read(make(files), ledger)
    box = data.records[0].annotations[0]
    assert isinstance(box, Rectangle)
    assert box.bbox == ((10, 20, 30, 40) if expected == "devkit" else (11, 21, 29, 39))
    assert data.catalog.extras["voc"]["convention"] == expected
    decision = next(d.text for d in ledger.decisions if d.code == "voc-convention")
    assert f"as {expected}" in decision
    hints = [p for p in ledger.problems if p.code == "convention-unknown"]
    assert len(hints) == (more in ("", "<source><annotation>PASCAL VOC2007</annotation></source>"))


def test_the_majority_counts_where_marks_contradict(make: Make, read: Read) -> None:
    files = {f"{n}.xml": document(BOX, filename=f"{n}.jpg", more=PASCAL if n else LABELIMG) for n in range(3)}
    ledger = Ledger()
    assert read(make(files), ledger).catalog.extras["voc"]["convention"] == "devkit"
    assert any(
        "2 files name the PASCAL VOC database, 1 the mark of a tool (labelImg)" in d.text for d in ledger.decisions
    )


def test_asked_for_counts_whatever_the_evidence(make: Make, read: Read) -> None:
    folder = make({"a.xml": document(BOX, more=PASCAL)})
    assert read(folder, convention="edges").records[0].annotations[0].bbox == (11, 21, 29, 39)  # type: ignore[union-attr]


def test_polygons_and_parts_move_too_rotated_boxes_do_not(make: Make, read: Read) -> None:
    polygon = "<polygon><x1>11</x1><y1>21</y1><x2>41</x2><y2>21</y2><x3>11</x3><y3>61</y3></polygon>"
    rotated = "<robndbox><cx>50</cx><cy>40</cy><w>20</w><h>10</h><angle>0</angle></robndbox>"
    part = f"<part><name>z</name>{bndbox(12, 22, 15, 25)}</part>"
    folder = make({"a.xml": document(BOX + polygon, f"<name>y</name>{rotated}", BOX + part)})
    one, two, _, three = read(folder, convention="devkit").records[0].annotations
    assert isinstance(one, Polygon) and isinstance(two, Polygon) and isinstance(three, Rectangle)
    assert list(one.xy) == [10, 20, 40, 20, 10, 60]
    assert list(two.xy) == [40, 35, 60, 35, 60, 45, 40, 45]
    assert three.bbox == (11, 21, 4, 4)


@pytest.mark.parametrize(
    ("convention", "expected"), [("devkit", [11, 21, 40, 60]), ("edges", [10, 20, 40, 60]), ("auto", [10, 20, 40, 60])]
)
def test_from_coco(tmp_path: Path, convention: str, expected: list[int]) -> None:
    (tmp_path / "coco.json").write_text(COCO)
    options = {"voc": Options(convention=convention)}  # type: ignore[arg-type]
    convert(tmp_path / "coco.json", tmp_path / "out", to="voc", options=options)
    assert boxes(tmp_path / "out") == [("a.xml", "x", expected)]
    convert(tmp_path / "out", tmp_path / "back.json", to="coco")
    convert(tmp_path / "back.json", tmp_path / "lake.json", to="metalake")
    assert '"bbox":[10,20,30,40]' in (tmp_path / "lake.json").read_text().replace(".0", "")


def test_written_as_it_was_read(make: Make, tmp_path: Path) -> None:
    """The devkit stays the devkit, by way of a MetaLake file too."""
    source = make({"Annotations/a.xml": document(BOX, more=PASCAL)})
    convert(source, tmp_path / "lake.json", to="metalake")
    convert(tmp_path / "lake.json", tmp_path / "out", to="voc")
    assert boxes(tmp_path / "out") == boxes(source)
    convert(tmp_path / "lake.json", tmp_path / "edges", to="voc", options={"voc": Options(convention="edges")})
    assert boxes(tmp_path / "edges") == [("a.xml", "x", [10, 20, 40, 60])]
