"""CVAT's rotated boxes in COCO: the corners that are seen on the screen, and the same numbers on the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from annolake.converters import coco, convert, yolo
from annolake.schemas.errors import LossRefused

# Worked out by hand from formats.md 5.4: the box 10, 20, 40, 30 turned by 90 degrees about (30, 35), clockwise.
QUARTER = [[45.0, 15.0], [45.0, 55.0], [15.0, 55.0], [15.0, 15.0]]


def _file(path: Path, **changes: Any) -> Path:
    annotation: dict[str, Any] = {
        "id": 5, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": [], "area": 1200.0,
        "bbox": [10.0, 20.0, 40.0, 30.0], "attributes": {"occluded": False, "rotation": 90.0, "track_id": 7},
    } | changes  # fmt: skip
    document = {
        "info": {},
        "licenses": [],
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "car", "supercategory": ""}],
    }
    path.write_text(json.dumps(document))
    return path


def _lake(source: Path, target: Path, **settings: Any) -> dict[str, Any]:
    convert(source, target, to="metalake", **settings)
    return json.loads(target.read_text())["images"][0]["annotations"][0]


def test_the_lake_shows_the_turned_corners(tmp_path: Path):
    found = _lake(_file(tmp_path / "a.json"), tmp_path / "lake.json")
    assert found["type"] == "polygon"
    assert [pytest.approx(point) for point in found["polygon"]] == QUARTER
    assert found["metadata"]["rotation"] == 90.0
    assert found["metadata"]["track_id"] == 7


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"area": 1187.25},
        {"bbox": [10, 20, 40, 30], "attributes": {"rotation": 33}},
        {"attributes": {"rotation": -0.125, "source": "manual", "keyframe": True, "outside": False}},
        {"attributes": {"rotation": 0}},
        {"attributes": {"rotation": "30"}},
        {"attributes": {"rotation": 12.5}, "segmentation": [[10.0, 20.0, 50.0, 20.0, 30.0, 50.0]], "area": 600.0},
        {"attributes": {"rotation": 12.5}, "metadata": {"shape": "hexagon", "geometry": "[1]"}},
        {"attributes": {"rotation": 30}, "iscrowd": 1, "score": 0.5, "seen": [1, {"a": None}]},
    ],
)
@pytest.mark.parametrize("space", ["pixels", "normalized"])
def test_comes_home_to_the_digit(tmp_path: Path, changes: dict[str, Any], space: Any):
    source = _file(tmp_path / "a.json", **changes)
    convert(source, tmp_path / "lake.json", to="metalake", coordinates=space)
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    back, first = (json.loads((tmp_path / name).read_text())["annotations"][0] for name in ("back.json", "a.json"))
    if space == "normalized":  # going to fractions and back is noise in the last digits
        for numbers in (back, first):
            numbers["bbox"] = pytest.approx(numbers["bbox"]) if numbers is first else numbers["bbox"]
            numbers["segmentation"] = [pytest.approx(r) if numbers is first else r for r in numbers["segmentation"]]
    assert back == first


def test_an_edited_corner_makes_it_a_polygon_and_keeps_no_stale_area(tmp_path: Path):
    _lake(_file(tmp_path / "a.json", area=777.0), tmp_path / "lake.json")
    lake = json.loads((tmp_path / "lake.json").read_text())
    lake["images"][0]["annotations"][0]["polygon"] = [[0, 0], [20, 0], [20, 10], [0, 10]]
    (tmp_path / "lake.json").write_text(json.dumps(lake))
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    back = json.loads((tmp_path / "back.json").read_text())["annotations"][0]
    assert back["segmentation"] == [[0, 0, 20, 0, 20, 10, 0, 10]]
    assert (back["bbox"], back["area"]) == ([0, 0, 20, 10], 200)
    assert "rotation" not in back["attributes"]  # nobody turns the hull of an outline that is drawn already
    assert _lake(tmp_path / "back.json", tmp_path / "again.json")["metadata"]["rotation"] == 90.0


def test_an_upright_rectangle_of_others_is_not_turned_on_its_way_through_coco(tmp_path: Path):
    rectangle = {"type": "rectangle", "bbox": [1, 2, 30, 4], "label": "car", "metadata": {"rotation": 45}}
    (tmp_path / "lake.json").write_text(json.dumps({"images": [{"image": "a.jpg", "annotations": [rectangle]}]}))
    convert(tmp_path / "lake.json", tmp_path / "coco.json", to="coco")
    found = _lake(tmp_path / "coco.json", tmp_path / "back.json")
    assert (found["type"], found["bbox"], found["metadata"]["rotation"]) == ("rectangle", [1, 2, 30, 4], 45)


def test_an_oriented_yolo_set_has_the_corners_and_loses_nothing(tmp_path: Path):
    source = _file(tmp_path / "a.json", attributes={"rotation": 90.0})
    report = convert(source, tmp_path / "obb", to="yolo", options={"yolo": yolo.Options(task="obb")})
    assert [loss["code"] for loss in report.losses] == []
    row = (tmp_path / "obb/labels/train/a.txt").read_text().split()
    assert list(map(float, row)) == [0, 0.45, 0.1875, 0.45, 0.6875, 0.15, 0.6875, 0.15, 0.1875]


def test_a_yolo_box_is_the_hull_of_the_corners_and_booked(tmp_path: Path):
    source = _file(tmp_path / "a.json", attributes={"rotation": 90.0})
    detect = {"yolo": yolo.Options(task="detect")}
    with pytest.raises(LossRefused):
        convert(source, tmp_path / "boxes", to="yolo", options=detect)
    report = convert(source, tmp_path / "boxes", to="yolo", options=detect, allow_loss=True)
    assert [loss["code"] for loss in report.losses] == ["polygon-boxed"]
    assert (tmp_path / "boxes/labels/train/a.txt").read_text() == "0 0.300000 0.437500 0.300000 0.500000\n"


def test_key_points_are_never_turned(tmp_path: Path):
    found = _lake(_file(tmp_path / "a.json", keypoints=[12, 22, 2], num_keypoints=1), tmp_path / "lake.json")
    assert (found["type"], found["metadata"]["rotation"]) == ("rectangle", 90.0)
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco", options={"coco": coco.Options()})
    assert json.loads((tmp_path / "back.json").read_text())["annotations"][0]["attributes"]["rotation"] == 90.0


@pytest.mark.parametrize(("right", "bottom"), [(30, 20), (30, 40), (50, 20)])
@pytest.mark.parametrize("turn", [90.0, 360.0])
def test_a_turned_box_without_an_area_keeps_its_corners(tmp_path: Path, right: int, bottom: int, turn: float):
    """CVAT's reader turns it; COCO's did not, and it ended as a defect (exit 1)."""
    shape = f'<box label="car" occluded="0" xtl="30" ytl="20" xbr="{right}" ybr="{bottom}" rotation="{turn}"></box>'
    image = f'<image id="0" name="a.jpg" width="100" height="80">{shape}</image>'
    (tmp_path / "in.xml").write_text(f"<annotations><version>1.1</version>{image}</annotations>")
    convert(tmp_path / "in.xml", tmp_path / "out.json", to="coco", allow_loss=True, verify=True)
    convert(tmp_path / "out.json", tmp_path / "back.xml", to="cvat", allow_loss=True, verify=True)
    [written] = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert (written["bbox"], written["attributes"]["rotation"]) == ([30, 20, right - 30, bottom - 20], turn)
    [box] = etree.parse(tmp_path / "back.xml").iterfind(".//box")
    found = [float(box.get(name, "nan")) for name in ("xtl", "ytl", "xbr", "ybr", "rotation")]
    assert found == [30, 20, right, bottom, turn]


@pytest.mark.parametrize(("right", "bottom"), [(30, 20), (30, 40), (50, 20)])
def test_the_outline_of_a_turned_box_without_an_area_is_booked(tmp_path: Path, right: int, bottom: int):
    """Where only the meaning is carried. Its four corners are one point, or two."""
    shape = f'<box label="car" occluded="0" xtl="30" ytl="20" xbr="{right}" ybr="{bottom}" rotation="90"></box>'
    image = f'<image id="0" name="a.jpg" width="100" height="80">{shape}</image>'
    (tmp_path / "in.xml").write_text(f"<annotations><version>1.1</version>{image}</annotations>")
    report = convert(tmp_path / "in.xml", tmp_path / "out.json", to="coco", carry="lean", allow_loss=True, verify=True)
    assert [loss["code"] for loss in report.losses] == ["shape-reduced"]
