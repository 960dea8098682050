"""D23, D24, D27, D30, D33: files that are broken, or only unusual, and what is said of them. As `test_defects`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annolake.commands.main import annolake
from annolake.converters import convert
from annolake.converters.checking import check
from annolake.schemas.errors import InvalidInput

Json = dict[str, Any]
GOOD: Json = {"id": 1, "image_id": 5, "category_id": 2, "bbox": [10, 20, 30, 40]}


def coco(tmp_path: Path, *annotations: Json) -> Path:
    """No licences, no info, no iscrowd, no segmentation, no area: only what a box needs."""
    document = {
        "images": [{"id": 5, "file_name": "b.png", "width": 100, "height": 80}],
        "categories": [{"id": 2, "name": "dog"}],
        "annotations": list(annotations),
    }
    path = tmp_path / "in.json"
    path.write_text(json.dumps(document))
    return path


def lake(tmp_path: Path, *annotations: Any) -> Path:
    path = tmp_path / "lake.json"
    images = [{"image": "b.png", "width": 100, "height": 80, "annotations": list(annotations)}]
    path.write_text(json.dumps({"images": images}))
    return path


def found(path: Path) -> set[tuple[str, Any]]:
    return {(problem.code, problem.place.annotation) for problem in check(path).problems if problem.severity == "error"}


def test_d23_coco_without_licences_is_read_and_areas_are_those_of_the_boxes(tmp_path: Path):
    source = coco(tmp_path, GOOD, {**GOOD, "id": 2, "bbox": [0, 0, 100, 80]})
    result = CliRunner().invoke(annolake, ["convert", str(source), str(tmp_path / "lake.json"), "--to", "metalake"])
    assert result.exit_code == 0
    plain = json.loads((tmp_path / "lake.json").read_text())["images"][0]["annotations"]
    lake(tmp_path, *({key: box[key] for key in ("type", "bbox", "label")} for box in plain))
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    assert [a["area"] for a in json.loads((tmp_path / "back.json").read_text())["annotations"]] == [1200, 8000]


def test_d23_a_failure_is_never_exit_code_nought(tmp_path: Path):
    source = coco(tmp_path, {**GOOD, "image_id": 99})
    result = CliRunner().invoke(annolake, ["convert", str(source), str(tmp_path / "lake.json"), "--to", "metalake"])
    assert result.exit_code == 4
    assert "Traceback" not in result.output
    assert not (tmp_path / "lake.json").exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"image_id": 99}, "dangling-image"),
        ({"category_id": 42}, "unknown-category"),
        ({"bbox": [float("nan"), 2, 3, 4]}, "not-finite"),
        ({"bbox": [10, 20, -3, 4]}, "not-positive"),
    ],
)
def test_d24_each_broken_annotation_is_found_and_the_exit_code_says_so(tmp_path: Path, wrong: Json, code: str):
    source = coco(tmp_path, GOOD, {**GOOD, "id": 2, **wrong})
    assert code in {problem.code for problem in check(source).problems if problem.severity == "error"}
    assert CliRunner().invoke(annolake, ["validate", str(source)]).exit_code == 4


def test_d27_nan_is_named_at_its_place_and_a_missing_outline_is_none(tmp_path: Path):
    source = coco(tmp_path, {**GOOD, "bbox": [10, float("nan"), 30, 40]})
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path / "lake.json", to="metalake")
    assert "NaN" in str(caught.value) and caught.value.place.line is not None
    assert "segmentation" not in GOOD
    convert(coco(tmp_path, GOOD), tmp_path / "lake.json", to="metalake")
    [image] = json.loads((tmp_path / "lake.json").read_text())["images"]
    assert [a["bbox"] for a in image["annotations"]] == [[10, 20, 30, 40]]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"type": "Rectangle", "bbox": [1, 2, 3, 4]}, "unknown-type"),
        ({"type": "rectangle", "bbox": [1, 2, 3]}, "bbox-length"),
        ({"type": "polygon", "polygon": "oops"}, "wrong-type"),
    ],
)
def test_d30_nothing_is_uploaded_half_everything_broken_is_found_first(tmp_path: Path, wrong: Json, code: str):
    """The objects after a broken one are looked at, too."""
    box = {"type": "rectangle", "bbox": [10, 20, 30, 40], "label": "dog"}
    source = lake(tmp_path, box, {"label": "dog", **wrong}, box, {**box, "bbox": [1, 2, -3, 4]})
    assert found(source) == {(code, 2), ("not-positive", 4)}
    assert check(source).images == 1
    with pytest.raises(InvalidInput):
        convert(source, tmp_path / "back.json", to="coco")
    assert not (tmp_path / "back.json").exists()


def test_d33_doubled_ids_and_boxes_outside_are_found_without_littering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    source = coco(tmp_path, GOOD, {**GOOD, "bbox": [20, 30, 5, 5]}, {**GOOD, "id": 2, "bbox": [95, 70, 30, 40]})
    problems = {problem.code: problem.severity for problem in check(source).problems}
    assert problems.keys() == {"duplicate-annotation-id", "outside-image"}
    result = CliRunner().invoke(annolake, ["validate", str(source), "--json"])
    assert result.exit_code == (0 if json.loads(result.stdout)["valid"] else 4)
    assert list((tmp_path / "here").iterdir()) == []


def test_d33_a_small_triangle_has_an_area(tmp_path: Path):
    triangle = {"type": "polygon", "polygon": [[1, 1], [3.5, 1], [1, 2]], "label": "dog"}
    convert(lake(tmp_path, triangle), tmp_path / "back.json", to="coco")
    [annotation] = json.loads((tmp_path / "back.json").read_text())["annotations"]
    assert annotation["area"] == 1.25
