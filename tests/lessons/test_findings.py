"""What users and reviewers found, each as a test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.checking import check
from annolake.converters.yolo import Options as Yolo
from annolake.schemas.errors import InvalidInput, LossRefused, UsageError


def yolo_set(folder: Path, *files: str) -> Path:
    """A set with train and val; a label file with one box for each name, and its picture."""
    (folder).mkdir()
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat]\n")
    for name in files:
        for kind, suffix, content in (("images", ".png", ""), ("labels", ".txt", "0 0.5 0.5 0.2 0.2\n")):
            path = folder / kind / f"{name}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.txt"))


@pytest.mark.parametrize(
    "names", [("train/a b", "val/a b", "train/c"), ("train/a", "val/a", "train/train/a"), ("train/train/x", "val/y")]
)
def test_names_that_splits_share_come_home_to_their_own_places(tmp_path: Path, names: tuple[str, ...]):
    source = yolo_set(tmp_path / "set", *names)
    convert(source, tmp_path / "lake.json", to="metalake")
    convert(tmp_path / "lake.json", tmp_path / "back", to="yolo")
    assert [name for name in tree(tmp_path / "back") if name.startswith("labels")] == tree(source)
    lists = (tmp_path / "back/train.txt").read_text().split("\n")[:-1]
    assert lists == sorted(f"./images/{name}.png" for name in names if name.startswith("train/"))


def test_two_categories_of_one_name_are_not_one_class_in_silence(tmp_path: Path):
    source = coco(tmp_path, categories=[{"id": 7, "name": "c"}, {"id": 8, "name": "c"}])
    with pytest.raises(LossRefused, match="label-merged 1"):
        convert(source, tmp_path / "yolo", to="yolo")


def coco(tmp_path: Path, annotations: Any = (), **more: Any) -> Path:
    path = tmp_path / "in.json"
    images = [{"id": 1, "file_name": "a.jpg", "width": 97, "height": 61}]
    categories = [{"id": 7, "name": "c"}]
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations, **more}))
    return path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_no_label_file(tmp_path: Path):
    source = yolo_set(tmp_path / "set", "train/a")
    os.remove(source / "labels/train/a.txt")
    os.mkfifo(source / "labels/train/a.txt")
    with pytest.raises(InvalidInput, match="not-a-file"):
        convert(source, tmp_path / "lake.json", to="metalake")


def test_a_target_inside_the_source_is_refused(tmp_path: Path):
    source = yolo_set(tmp_path / "set", "train/a")
    with pytest.raises(UsageError, match="target-in-source"):
        convert(source, source / "out", to="yolo")


@pytest.mark.parametrize("content", ["my thesis", '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}'])
def test_overwriting_leaves_alone_what_is_something_else(tmp_path: Path, content: str):
    (tmp_path / "out.json").write_text(content)
    with pytest.raises(UsageError, match="target-is-other-file"):
        convert(coco(tmp_path), tmp_path / "out.json", to="metalake", overwrite=True)
    assert (tmp_path / "out.json").read_text() == content


def test_an_area_survives_having_been_fractions(tmp_path: Path):
    ring = [0.1, 0.2, 96.7, 3.3, 12.345678901, 60.05]
    given = {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [ring], "area": 2869, "iscrowd": 0}
    source = coco(tmp_path, [{**given, "bbox": [0.1, 0.2, 96.6, 59.85]}])
    convert(source, tmp_path / "lake.json", to="metalake", coordinates="normalized")
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    [back] = json.loads((tmp_path / "back.json").read_text())["annotations"]
    assert back["area"] == 2869


def lake(tmp_path: Path, *annotations: dict[str, Any]) -> Path:
    path = tmp_path / "lake.json"
    path.write_text(json.dumps({"images": [{"image": "a.png", "annotations": annotations}]}))
    return path


def ring(part: int, **more: Any) -> dict[str, Any]:
    metadata = {"instance": "1", "part": part, "parts": 2}
    xy = [[part, 1], [part + 4, 1], [part + 4, 5]]
    return {"type": "polygon", "polygon": xy, "label": "x", "metadata": metadata, **more}


@pytest.mark.parametrize("more", [{"label": "y"}, {"confidence": 0.5}, {"attributes": {"a": [{"value": "b"}]}}])
def test_parts_that_disagree_are_not_made_to_agree_in_silence(tmp_path: Path, more: dict[str, Any]):
    with pytest.raises(LossRefused, match="parts-disagree 1"):
        convert(lake(tmp_path, ring(1), ring(2, **more)), tmp_path / "coco.json", to="coco")


def test_a_hole_of_nothing_is_booked(tmp_path: Path):
    hole = {"type": "polygon", "polygon": [[1, 1], [5, 1], [5, 5]], "label": "x", "metadata": {"hole_of": 1}}
    with pytest.raises(LossRefused, match="stray-hole 1"):
        convert(lake(tmp_path, hole), tmp_path / "coco.json", to="coco")


def test_ids_that_stand_twice_in_a_lake_file_are_said_to_be_new(tmp_path: Path):
    box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "x", "metadata": {"coco_id": 5}}
    report = convert(lake(tmp_path, box, {**box, "bbox": [2, 2, 3, 4]}), tmp_path / "coco.json", to="coco")
    assert "ids-renumbered" in {decision["code"] for decision in report.decisions}


def test_one_broken_annotation_hides_no_other_problem(tmp_path: Path):
    broken = {"type": "rectangle", "bbox": [1, 2, 3], "label": "x"}
    negative = {"type": "rectangle", "bbox": [1, 2, -3, 4], "label": "x"}
    found = check(lake(tmp_path, broken, negative))
    assert {(problem.code, problem.place.annotation) for problem in found.problems} == {
        ("bbox-length", 1),
        ("not-positive", 2),
    }
    assert found.problems[-1].place.pointer == "/images/0/annotations/1"


def test_problems_of_coco_have_their_line(tmp_path: Path):
    given = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, -3, 4], "area": 1, "iscrowd": 0}
    source = coco(tmp_path)
    text = source.read_text().replace('"annotations": []', f'"annotations": [\n{json.dumps(given)}]')
    source.write_text(text)
    [problem] = [problem for problem in check(source).problems if problem.code == "not-positive"]
    assert (problem.place.line, problem.place.pointer) == (2, "/annotations/0")


def test_a_forecast_counts_what_would_be_written(tmp_path: Path):
    source = yolo_set(tmp_path / "set", "train/a", "val/b")
    forecast = convert(source, tmp_path / "lake.json", to="metalake", dry_run=True)
    assert forecast.written == convert(source, tmp_path / "lake.json", to="metalake").written


def test_validate_looks_at_the_rest_of_a_coco_file_that_holds_nan(tmp_path: Path):
    """Like D24: a dangling image, an unknown category, a NaN and a negative width, all in one pass."""
    given = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "area": 1, "iscrowd": 0}
    others: list[dict[str, Any]] = [
        {"image_id": 99},
        {"category_id": 42},
        {"bbox": [float("nan"), 2, 3, 4]},
        {"bbox": [1, 2, -3, 4]},
    ]
    source = coco(tmp_path, [{**given, "id": number, **more} for number, more in enumerate(others, 1)])
    codes = {problem.code for problem in check(source).problems}
    assert {"dangling-image", "unknown-category", "not-finite", "not-positive"} <= codes


@pytest.mark.parametrize(
    "outline",
    [
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, 4, 5, 6], [1, 2, 3]],
        [[1, 2, None, 4, 5, 6]],
        {"size": [61, 97], "counts": [1, 2]},
        {"size": [61, 97], "counts": None},
    ],
)
def test_a_broken_outline_is_refused_where_only_the_box_is_wanted(tmp_path: Path, outline: Any):
    given = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "area": 1, "iscrowd": 0}
    source = coco(tmp_path, [{**given, "segmentation": outline}])
    with pytest.raises(InvalidInput, match=r"odd-ring|wrong-type|broken-mask"):
        convert(source, tmp_path / "yolo", to="yolo", allow_loss=True, options={"yolo": Yolo(task="detect")})


def test_one_nan_hides_no_other_problem_of_a_lake_file(tmp_path: Path):
    box = {"type": "rectangle", "bbox": [float("nan"), 2, 3, 4], "label": "x"}
    codes = {problem.code for problem in check(lake(tmp_path, box, {**box, "bbox": [1, 2, -3, 4]})).problems}
    assert {"not-finite", "not-positive"} <= codes


@pytest.mark.parametrize(
    "metadata",
    [
        {"bbox": "[9,9,9,9]"},
        {"coco_extra": '{"bbox": [9, 9, 9, 9]}'},
        {"area": 5, "outline": 1, "coco_id": 77},
        {"shape": "obb", "geometry": "[1,2,3,4]", "rotation": 30},
    ],
)
@pytest.mark.parametrize("more", [{}, {"seen": 2}, {"attributes": {"rotation": 30}}])
def test_foreign_metadata_does_not_pass_for_our_notes(tmp_path: Path, metadata: dict[str, Any], more: dict[str, Any]):
    given = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    given |= {"segmentation": [], "metadata": metadata, **more}
    convert(coco(tmp_path, [given]), tmp_path / "lake.json", to="metalake")
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text())["annotations"] == [given]


@pytest.mark.parametrize("name", ["occluded", "track_id", "keyframe", "source", "outside", "rotation", "colour"])
@pytest.mark.parametrize("value", [None, True, 0, 1.5, "", "null", "a7", [1], {"a": None}])
def test_any_attribute_comes_home(tmp_path: Path, name: str, value: Any):
    given = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    given |= {"segmentation": [], "attributes": {name: value}}
    convert(coco(tmp_path, [given]), tmp_path / "lake.json", to="metalake")
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text())["annotations"] == [given]
