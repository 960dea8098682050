"""What a COCO or VOC file states beside a shape, through CVAT and home."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert

TRIANGLE = [10, 10, 50, 10, 50, 60]


def coco(**facts: Any) -> dict[str, Any]:
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, **facts}
    return {
        "images": [{"id": 1, "file_name": "a_000001.jpg", "width": 100, "height": 80}],
        "categories": [{"id": 1, "name": "c"}],
        "annotations": [annotation],
    }


def through(tmp_path: Path, document: dict[str, Any], form: str) -> dict[str, Any]:
    from annolake.converters.cvat import Options

    (tmp_path / "given.json").write_text(json.dumps(document))
    convert(tmp_path / "given.json", tmp_path / "x.xml", to="cvat", options={"cvat": Options(form=form)})  # type: ignore[arg-type]
    convert(tmp_path / "x.xml", tmp_path / "back.json", to="coco")
    return json.loads((tmp_path / "back.json").read_text())["annotations"][0]


@pytest.mark.parametrize("form", ["images", "video"])
@pytest.mark.parametrize(
    "facts",
    [
        {"area": 7, "bbox": [10, 10, 1, 5], "segmentation": [TRIANGLE]},
        {"area": 7, "bbox": [10, 10, 4, 5], "segmentation": []},
        {"area": 9, "bbox": [0, 0, 3, 3], "segmentation": [TRIANGLE, [1, 1, 5, 1, 5, 5]]},
        {"area": 3, "bbox": [0, 0, 9, 9], "segmentation": {"size": [80, 100], "counts": [81, 2, 78, 2, 7837]}},
    ],
    ids=["polygon", "box", "parts", "mask"],
)
def test_stated_area_and_box_come_home(tmp_path: Path, facts: dict[str, Any], form: str):
    back = through(tmp_path, coco(**facts), form)
    assert (back["area"], back["bbox"]) == (facts["area"], facts["bbox"])


def test_an_outline_that_was_moved_in_cvat_gets_numbers_of_its_own(tmp_path: Path):
    through(tmp_path, coco(area=7, bbox=[10, 10, 1, 5], segmentation=[TRIANGLE]), "images")
    tree = ET.parse(tmp_path / "x.xml")
    polygon = next(tree.iter("polygon"))
    polygon.set("points", "10,10;50,10;50,70")
    tree.write(tmp_path / "edited.xml")
    convert(tmp_path / "edited.xml", tmp_path / "edited.json", to="coco")
    back = json.loads((tmp_path / "edited.json").read_text())["annotations"][0]
    assert (back["area"], back["bbox"]) == (1200, [10, 10, 40, 60])


def test_numbers_that_were_noted_are_no_attributes_of_the_label(tmp_path: Path):
    through(tmp_path, coco(area=7, bbox=[10, 10, 1, 5], segmentation=[TRIANGLE]), "images")
    root = ET.parse(tmp_path / "x.xml").getroot()
    assert [element.tag for element in root.iter("attribute")] == []
