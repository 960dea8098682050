"""What the tests of all pairs found, each as a test of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from annolake.converters import convert
from annolake.converters.comparing import compare
from annolake.converters.yolo import Options as Yolo

Json = dict[str, Any]


def lake(tmp_path: Path, *annotations: Json) -> Path:
    path = tmp_path / "lake.json"
    image = {"image": "a.png", "width": 24, "height": 24, "annotations": list(annotations)}
    path.write_text(json.dumps({"images": [image]}))
    return path


def polygon(ring: Sequence[Sequence[float]], **metadata: Any) -> Json:
    return {"type": "polygon", "polygon": ring, "label": "x", "metadata": metadata}


def test_an_upright_box_that_may_be_turned_is_one_again_after_cvat(tmp_path: Path):
    ring = [[10, 10], [14, 10], [14, 14], [10, 14]]
    source = lake(tmp_path, polygon(ring, shape="obb", geometry="[10,10,4,4]"))
    convert(source, tmp_path / "a.xml", to="cvat")
    convert(tmp_path / "a.xml", tmp_path / "home.json", to="metalake")
    assert compare(source, tmp_path / "home.json").equal


def test_parts_that_become_objects_do_not_keep_the_mask_of_the_whole(tmp_path: Path):
    """Two squares of 3 x 3 pixels at 0, 0 and 4, 0 are one mask; VOC has two objects, COCO after it two polygons."""
    tie = {"instance": "m", "parts": 2}
    squares = [[[0, 0], [3, 0], [3, 3], [0, 3]], [[4, 0], [7, 0], [7, 3], [4, 3]]]
    counts = [0, 3, 21, 3, 21, 3, 45, 3, 21, 3, 21, 3, 429]
    geometry = json.dumps({"size": [24, 24], "counts": counts})
    assert sum(counts) == 24 * 24
    source = lake(
        tmp_path,
        polygon(squares[0], **tie, part=1, shape="mask", geometry=geometry),
        polygon(squares[1], **tie, part=2),
    )
    report = convert(source, tmp_path / "voc", to="voc", allow_loss=True)
    assert [loss["code"] for loss in report.losses if loss["fate"] != "carried"] == ["multi-part-split"]
    convert(tmp_path / "voc", tmp_path / "coco.json", to="coco")
    found = json.loads((tmp_path / "coco.json").read_text())["annotations"]
    assert [a["segmentation"] for a in found] == [[[v for point in ring for v in point]] for ring in squares]


def test_a_filled_hole_does_not_keep_the_mask_with_the_hole(tmp_path: Path):
    """A square of 4 x 3 pixels at 0, 0 without the pixel at 1, 1, on 24 x 24."""
    counts = [0, 3, 21, 1, 1, 1, 21, 3, 21, 3, 501]
    tie = {"instance": "m", "parts": 2}
    outer = polygon(
        [[0, 0], [4, 0], [4, 3], [0, 3]],
        **tie, part=1, shape="mask", geometry=json.dumps({"size": [24, 24], "counts": counts}),
    )  # fmt: skip
    assert sum(counts) == 24 * 24
    source = lake(tmp_path, outer, polygon([[1, 1], [1, 2], [2, 2], [2, 1]], **tie, part=2, hole_of=1))
    report = convert(source, tmp_path / "voc", to="voc", allow_loss=True)
    assert [loss["code"] for loss in report.losses if loss["fate"] != "carried"] == ["hole-dropped"]
    convert(tmp_path / "voc", tmp_path / "coco.json", to="coco")
    [found] = json.loads((tmp_path / "coco.json").read_text())["annotations"]
    assert found["segmentation"] == [[0, 0, 4, 0, 4, 3, 0, 3]]


def test_a_ring_of_very_many_points_is_a_row_that_can_be_read_again(tmp_path: Path):
    """A comb of 6,000 points: more than 100 kB in one line."""
    teeth = [[x / 128, 1 + x % 2] for x in range(3000)]
    source = lake(tmp_path, polygon([*teeth, *([x, 20 - y] for x, y in reversed(teeth))]))
    convert(source, tmp_path / "yolo", to="yolo", options={"yolo": Yolo(task="segment", decimals=12)})
    assert max(len(line) for line in (tmp_path / "yolo/labels/train/a.txt").read_text().splitlines()) > 100_000
    convert(tmp_path / "yolo", tmp_path / "home.json", to="metalake")
    [image] = json.loads((tmp_path / "home.json").read_text())["images"]
    assert [len(a["polygon"]) for a in image["annotations"]] == [6000]


def test_a_skeleton_is_one_again_after_coco(tmp_path: Path):
    points = [
        {"label": "l", "type": "points", "points": [8.0, 6.0]},
        {"label": "r", "type": "points", "points": [9, 9]},
    ]
    metadata = {"shape": "skeleton", "keypoints": "[8,6,2,9,9,2]", "geometry": json.dumps(points)}
    source = lake(tmp_path, {"type": "rectangle", "bbox": [8, 6, 1, 3], "label": "x", "metadata": metadata})
    convert(source, tmp_path / "coco.json", to="coco")
    convert(tmp_path / "coco.json", tmp_path / "home.json", to="metalake")
    assert compare(source, tmp_path / "home.json").equal


def test_key_points_of_which_none_is_labelled_say_nothing(tmp_path: Path):
    box = {"type": "rectangle", "bbox": [8, 6, 1, 3], "label": "x"}
    unlabelled = {**box, "metadata": {"shape": "keypoints", "keypoints": "[0,0,0,0,0,0]"}}
    source = lake(tmp_path, unlabelled)
    convert(source, tmp_path / "yolo", to="yolo")
    plain = tmp_path / "plain.json"
    plain.write_text(source.read_text().replace(json.dumps(unlabelled), json.dumps(box)))
    assert compare(source, plain).equal


def test_elements_of_a_skeleton_keep_their_names_without_a_catalogue(tmp_path: Path) -> None:
    """As after a download: the names stand in the elements alone, here in another order than the key points."""
    elements = [
        {"label": "left", "points": [5.34, 6.49], "outside": True},
        {"label": "nose", "points": [12.2, 19.18]},
        {"label": "right", "points": [14, 20], "occluded": True},
    ]
    metadata = {
        "shape": "skeleton",
        "keypoints": "[12.2,19.18,2,14,20,1,0,0,0]",
        "geometry": json.dumps(elements),
    }
    box = {"type": "rectangle", "bbox": [12.2, 19.18, 1.8, 0.82], "label": "face", "metadata": metadata}
    source = tmp_path / "lake.json"
    image = {"image": "a.jpg", "width": 64, "height": 48, "annotations": [box]}
    source.write_text(json.dumps({"images": [image]}))
    assert convert(source, tmp_path / "a.xml", to="cvat").verified
    found = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert [(e.get("label"), e.get("points")) for e in found.iter("points")] == [
        ("left", "5.34,6.49"),
        ("nose", "12.20,19.18"),
        ("right", "14.00,20.00"),
    ]
    assert [label.findtext("name") for label in found.iter("label") if label.find("parent") is not None] == [
        "nose",
        "right",
        "left",
    ]
    convert(tmp_path / "a.xml", tmp_path / "home.json", to="metalake")
    home = json.loads((tmp_path / "home.json").read_text())["images"][0]["annotations"][0]["metadata"]
    assert json.loads(home["keypoints"]) == json.loads(metadata["keypoints"])


def test_an_image_that_has_no_name_and_a_new_id_gets_one(tmp_path: Path) -> None:
    """It was called by its id, which CVAT does not hold."""
    image = {"id": 5, "file_name": "", "width": 100, "height": 80}
    source = tmp_path / "a.json"
    source.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}))
    convert(source, tmp_path / "same.json", to="coco")
    assert json.loads((tmp_path / "same.json").read_text())["images"] == [image]
    convert(source, tmp_path / "a.xml", to="cvat")
    assert convert(tmp_path / "a.xml", tmp_path / "home.json", to="coco").verified
    [home] = json.loads((tmp_path / "home.json").read_text())["images"]
    assert home["file_name"] == "5" or home["id"] == 5
