"""Names of key points, their mirror, their skeleton: from COCO to YOLO and to MetaLake JSON, and home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from annolake.converters import convert, yolo

PERSON = ["nose", "left_eye", "right_eye"]
CATEGORIES: list[dict[str, Any]] = [
    {"id": 1, "name": "person", "keypoints": PERSON, "skeleton": [[1, 2], [1, 3]], "supercategory": "being"},
    {"id": 4, "name": "fish", "keypoints": ["head", "tail"], "skeleton": []},
    {"id": 9, "name": "stone"},
]
BOX = {"image_id": 1, "iscrowd": 0, "segmentation": [], "bbox": [10, 10, 40, 20], "area": 800}
ANNOTATIONS: list[dict[str, Any]] = [
    {"id": 1, "category_id": 1, "keypoints": [12, 14, 2, 20, 14, 1, 0, 0, 0], "num_keypoints": 2, **BOX},
    {"id": 2, "category_id": 4, "keypoints": [11, 12, 0.25, 40, 20, 1.5], "num_keypoints": 2, **BOX},
    {"id": 3, "category_id": 9, **BOX},
]


def put(folder: Path, categories: Any, annotations: Any) -> Path:
    images = [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}]
    (folder / "coco.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return folder / "coco.json"


def test_names_numbers_and_skeletons_come_home_from_yolo(tmp_path: Path, ultralytics):
    source = put(tmp_path, CATEGORIES, ANNOTATIONS)
    convert(source, tmp_path / "set", to="yolo", options={"yolo": yolo.Options(task="pose")})
    ultralytics(tmp_path / "set", keypoints=3)
    described = yaml.safe_load((tmp_path / "set/data.yaml").read_text())
    assert described["kpt_shape"] == [3, 3]
    assert described["kpt_names"] == {0: PERSON, 1: ["head", "tail"]}
    assert "flip_idx" not in described  # the two classes mirror in different ways
    rows = [row.split() for row in (tmp_path / "set/labels/train/a.txt").read_text().splitlines()]
    assert rows[1][5:] == ["0.110000", "0.240000", "0.25", "0.400000", "0.400000", "1.5", "0.000000", "0.000000", "0"]
    convert(tmp_path / "set", tmp_path / "lake.json", to="metalake", coordinates="normalized")
    lake = json.loads((tmp_path / "lake.json").read_text())
    points = [
        json.loads(a["metadata"].get("keypoints", "[]")) for a in lake["images"][0]["annotations"] if "metadata" in a
    ]
    assert points == [[0.12, 0.28, 2, 0.2, 0.28, 1, 0, 0, 0], [0.11, 0.24, 0.25, 0.4, 0.4, 1.5]]
    labels = {label["name"]: label for label in lake["annolake"]["labels"]}
    assert (labels["person"]["keypoints"], labels["person"]["skeleton"]) == (PERSON, [[1, 2], [1, 3]])
    assert (labels["fish"]["keypoints"], labels["fish"]["skeleton"]) == (["head", "tail"], [])
    assert labels["person"]["id"] == 1 and "keypoints" not in labels["stone"]


def test_the_mirror_follows_from_the_names(tmp_path: Path):
    source = put(tmp_path, CATEGORIES[:1], ANNOTATIONS[:1])
    convert(source, tmp_path / "set", to="yolo")
    assert yaml.safe_load((tmp_path / "set/data.yaml").read_text())["flip_idx"] == [0, 2, 1]


@pytest.mark.parametrize("size", [2, 3])
def test_a_foreign_set_comes_home_with_its_names(dataset, tmp_path: Path, ultralytics, size: int):
    text = "names: [person, dog]\ntrain: images\nval: images\nflip_idx: [2, 1, 0]\n"
    text += f"kpt_shape: [3, {size}]\nkpt_names:\n  0: [a, b, c]\n  1: [d, e, f]\n"
    points = " ".join(["0.250000 0.500000", "0.300000 0.400000", "0.350000 0.600000"])
    row = (
        f"0 0.300000 0.500000 0.200000 0.400000 {points}\n"
        if size == 2
        else ("0 0.300000 0.500000 0.200000 0.400000 0.250000 0.500000 2 0.300000 0.400000 1 0.000000 0.000000 0\n")
    )
    source = dataset({"data.yaml": text, "labels/a.txt": row, "images/a.png": None})
    convert(source, tmp_path / "lake.json", to="metalake", coordinates="normalized")
    labels = json.loads((tmp_path / "lake.json").read_text())["annolake"]["labels"]
    assert [label["keypoints"] for label in labels] == [["a", "b", "c"], ["d", "e", "f"]]
    convert(tmp_path / "lake.json", tmp_path / "back", to="yolo")
    ultralytics(tmp_path / "back", keypoints=3, size=size)
    described = yaml.safe_load((tmp_path / "back/data.yaml").read_text())
    assert described["kpt_names"] == {0: ["a", "b", "c"], 1: ["d", "e", "f"]}
    assert (described["flip_idx"], described["kpt_shape"]) == ([2, 1, 0], [3, size])
    assert (tmp_path / "back/labels/train/a.txt").read_text() == row
    convert(tmp_path / "lake.json", tmp_path / "coco.json", to="coco", images=source / "images")
    assert json.loads((tmp_path / "coco.json").read_text())["categories"][1]["keypoints"] == ["d", "e", "f"]


@pytest.mark.parametrize(
    "names", ["[a, b, c]", "{0: [a, b, c, d]}", "{7: [a]}", "{0: {x: y}}", "{x: [a]}", "maybe", "{0: [1, 2]}"]
)
def test_names_that_are_none_stay_what_they_are(dataset, tmp_path: Path, names: str):
    text = f"names: [person]\ntrain: images\nval: images\nkpt_shape: [3, 2]\nkpt_names: {names}\n"
    source = dataset({"data.yaml": text, "labels/a.txt": "", "images/a.png": None})
    convert(source, tmp_path / "lake.json", to="metalake", coordinates="normalized")
    assert json.loads((tmp_path / "lake.json").read_text())["annolake"]["labels"] == [{"name": "person"}]
    convert(tmp_path / "lake.json", tmp_path / "back", to="yolo")
    assert yaml.safe_load((tmp_path / "back/data.yaml").read_text())["kpt_names"] == yaml.safe_load(names)


def test_whole_body_points_ride_and_come_home(tmp_path: Path):
    more = {f"{part}_kpts": [1.5, 2, 0.75] for part in ("foot", "face", "lefthand", "righthand")} | {"foot_valid": True}
    source = put(tmp_path, CATEGORIES, [ANNOTATIONS[0] | more])
    convert(source, tmp_path / "lake.json", to="metalake")
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text())["annotations"] == [ANNOTATIONS[0] | more]
    report = convert(source, tmp_path / "set", to="yolo", allow_loss=True)
    assert {loss["code"] for loss in report.losses} == {"metadata-dropped"}  # booked, not silent


@pytest.mark.parametrize("carry", ["full", "lean"])
def test_a_point_at_the_corner_without_visibility_is_not_labelled_in_coco(dataset, tmp_path: Path, carry: Any):
    """Rows of two numbers a point have no other way to say so; counted as seen it ended as a defect (exit 1)."""
    source = dataset(
        {
            "data.yaml": "train: images\nval: images\nnames: [cat]\nkpt_shape: [2, 2]\n",
            "labels/a.txt": "0 0.5 0.5 0.2 0.2 0 0 0.5 0.25\n0 0.5 0.5 0.2 0.2 0.25 0 0.5 0.5\n",
            "images/a.png": None,
        }
    )
    convert(source, tmp_path / "out.json", to="coco", carry=carry, allow_loss=True, verify=True)
    first, second = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert (first["keypoints"], first["num_keypoints"]) == ([0, 0, 0, 10, 2.5, 2], 1)
    assert (second["keypoints"], second["num_keypoints"]) == ([5, 0, 2, 10, 5, 2], 2)
    convert(tmp_path / "out.json", tmp_path / "back", to="yolo", allow_loss=True, verify=True)
    rows = (tmp_path / "back/labels/train/a.txt").read_text().splitlines()
    assert [float(word) for word in rows[0].split()[5:7]] == [0, 0]
