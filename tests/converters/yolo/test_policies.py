"""What the options of writing say: parts, crowds, confidences, track ids; every set is one that Ultralytics takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert, yolo
from annolake.schemas.errors import InvalidInput, LossRefused

SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]
OTHER = [50, 14, 70, 14, 70, 34, 50, 34]
TASKS = ["detect", "segment", "obb", "pose"]


@pytest.fixture
def coco(tmp_path: Path):
    """(annotations) -> a COCO file of one picture of 100 by 50 pixels."""

    def make(*annotations: dict[str, Any]) -> Path:
        box = {"bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0, "image_id": 1, "category_id": 3}
        document = {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}],
            "annotations": [{"id": number, **box, **one} for number, one in enumerate(annotations, 1)],
            "categories": [{"id": 3, "name": "cat"}],
        }
        (tmp_path / "coco.json").write_text(json.dumps(document))
        return tmp_path / "coco.json"

    return make


def losses(report: Any) -> dict[str, int]:
    return {loss["code"]: loss["count"] for loss in report.losses}


def to_yolo(source: Path, target: Path, **options: Any) -> Any:
    return convert(source, target, to="yolo", allow_loss=True, options={"yolo": yolo.Options(**options)})


def area(row: list[float]) -> float:
    xs, ys = row[1::2], row[2::2]
    turns = zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    return abs(sum(x * v - u * y for x, y, u, v in turns)) / 2 * 100 * 50


@pytest.mark.parametrize("task", TASKS)
def test_joined_parts_stay_one_object(coco, tmp_path: Path, ultralytics, task: Any):
    source = coco({"segmentation": [SQUARE, OTHER], "bbox": [10, 10, 60, 24], "area": 800})
    report = to_yolo(source, tmp_path / "set", task=task, multi_part="join")
    (row,) = ultralytics(tmp_path / "set", keypoints=1 if task == "pose" else 0)["train"]["./images/train/a.jpg"]
    assert report.written == {"images": 1, "annotations": 1}
    if task == "segment":
        assert area(row) == pytest.approx(800)
        assert losses(report) == {"parts-joined": 1}
    forecast = convert(
        source, tmp_path / "no", to="yolo", dry_run=True, options={"yolo": yolo.Options(task=task, multi_part="join")}
    )
    assert (losses(forecast), forecast.written) == (losses(report), report.written)


def test_split_parts_are_the_default_and_counted(coco, tmp_path: Path, ultralytics):
    report = to_yolo(coco({"segmentation": [SQUARE, OTHER], "bbox": [10, 10, 60, 24], "area": 800}), tmp_path / "set")
    rows = ultralytics(tmp_path / "set")["train"]["./images/train/a.jpg"]
    assert (len(rows), losses(report)) == (2, {"multi-part-split": 1})
    assert report.written["annotations"] == 2


def test_a_hole_is_booked_where_parts_are_joined_too(coco, tmp_path: Path):
    # Columns first, from the top: of 3 columns of 3 pixels all but the middle one, twice, far apart.
    ring = [3, 1, 1, 1, 3]
    counts = [0, 3, *[47, 1, 1, 1, 47, 3], 50 * 5 + 47, 3, *[47, 1, 1, 1, 47, 3], 50 * 89 + 47]
    assert sum(counts) == 5000 and len(ring) == 5
    source = coco({"segmentation": {"size": [50, 100], "counts": counts}, "bbox": [0, 0, 11, 3], "area": 16})
    report = to_yolo(source, tmp_path / "set", task="segment", multi_part="join")
    assert losses(report) == {"hole-dropped": 1, "mask-reduced": 1, "parts-joined": 1}
    row = list(map(float, (tmp_path / "set/labels/train/a.txt").read_text().split()))
    assert area(row) == pytest.approx(18)


@pytest.mark.parametrize("task", TASKS)
def test_crowds_are_skipped_or_kept(coco, tmp_path: Path, ultralytics, task: str):
    source = coco({"segmentation": [SQUARE], "iscrowd": 1}, {"bbox": [50, 10, 20, 20], "segmentation": []})
    keypoints = 1 if task == "pose" else 0
    skipped = to_yolo(source, tmp_path / "skip", task=task)
    assert losses(skipped)["crowd-skipped"] == 1
    assert len(ultralytics(tmp_path / "skip", keypoints)["train"]["./images/train/a.jpg"]) == 1
    kept = to_yolo(source, tmp_path / "keep", task=task, crowd="keep")
    assert "crowd-skipped" not in losses(kept)
    assert len(ultralytics(tmp_path / "keep", keypoints)["train"]["./images/train/a.jpg"]) == 2


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("save_conf", "save_track"), [(True, False), (False, True), (True, True)])
def test_confidence_and_track_are_the_last_columns_and_come_home(
    coco, tmp_path: Path, ultralytics, task: str, save_conf: bool, save_track: bool
):
    source = coco(
        {"score": 0.25, "attributes": {"track_id": 12}, "segmentation": []},
        {"score": 0.5, "attributes": {"track_id": 0}, "segmentation": [], "bbox": [50, 10, 20, 20]},
    )
    options = {"task": task, "save_conf": save_conf, "save_track": save_track}
    report = to_yolo(source, tmp_path / "set", **options)
    expected = {"confidence-dropped": 2} if not save_conf else {}
    assert losses(report) == expected | ({"metadata-dropped": 2} if not save_track else {})
    ultralytics(tmp_path / "set", keypoints=1 if task == "pose" else 0, more=save_conf + save_track)
    row = (tmp_path / "set/labels/train/a.txt").read_text().splitlines()[0].split()
    assert row[-save_conf - save_track :] == ["0.25"] * save_conf + ["12"] * save_track
    convert(tmp_path / "set", tmp_path / "lake.json", to="metalake", coordinates="normalized")
    found = json.loads((tmp_path / "lake.json").read_text())["images"][0]["annotations"]
    assert [a.get("confidence") for a in found] == ([0.25, 0.5] if save_conf else [None, None])
    assert [a.get("metadata", {}).get("track_id") for a in found] == ([12, 0] if save_track else [None, None])


def test_what_has_no_column_is_booked_and_left_out(coco, tmp_path: Path):
    source = coco(
        {"score": 0.25, "attributes": {"track_id": 12}},
        {"attributes": {"track_id": 13}, "bbox": [50, 10, 20, 20]},
        {"score": 0.5, "attributes": {"track_id": "a7"}, "bbox": [70, 10, 20, 20]},
        {"score": 0.5, "attributes": {"track_id": 2**53 + 1}, "bbox": [70, 20, 20, 20]},
    )
    columns = yolo.Options(save_conf=True, save_track=True)
    with pytest.raises(LossRefused):
        convert(source, tmp_path / "set", to="yolo", options={"yolo": columns})
    report = convert(source, tmp_path / "set", to="yolo", allow_loss=True, options={"yolo": columns})
    assert losses(report) == {"confidence-missing": 1, "track-missing": 2}
    assert (tmp_path / "set/labels/train/a.txt").read_text() == "0 0.200000 0.400000 0.200000 0.400000 0.25 12\n"
    forecast = convert(source, tmp_path / "no", to="yolo", dry_run=True, options={"yolo": columns})
    assert (losses(forecast), forecast.written) == (losses(report), report.written)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2 0.9\n", "column-count", 2),
        ("0 0.5 0.5 0.2 0.2\n0 0.1 0.1 0.2 0.2 0.3 0.1 0.5\n", "column-count", 2),
        ("0 0.5 0.5 0.2 0.2 0.9\n", "column-count", 1),
    ],
)
def test_mixed_columns_are_refused_with_file_and_line(dataset, tmp_path: Path, text: str, code: str, line: int):
    source = dataset(
        {"data.yaml": "train: images\nval: images\nnames: [cat]\n", "labels/a.txt": text, "images/a.png": None}
    )
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path / "lake.json", to="metalake")
    assert (caught.value.code, caught.value.place.line, caught.value.exit_code) == (code, line, 4)
    assert str(caught.value.place.file).endswith("labels/a.txt")
    if code == "column-count" and line == 1:
        assert "--yolo-confidence last" in f"{caught.value.message} {caught.value.hint}"


def test_a_track_id_too_large_for_a_float_is_refused_not_changed(dataset, tmp_path: Path):
    described = "train: images\nval: images\nnames: [cat]\n"
    row = f"0 0.5 0.5 0.2 0.2 {2**53 + 1}\n"
    source = dataset({"data.yaml": described, "labels/a.txt": row, "images/a.png": None})
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path / "lake.json", to="metalake", options={"yolo": yolo.Options(track=True)})
    assert (caught.value.code, caught.value.place.line) == ("bad-number", 1)


def test_a_key_point_outside_the_picture_is_not_labelled_and_said(coco, tmp_path: Path, ultralytics):
    """Ultralytics drops every box of a file with such a point (a picture of 100 by 50: 101 and -1 are within its
    hundredth); nobody sees it in the picture.
    """
    points = [12, 12, 2, 105, 20, 2, -3, 15, 1, 101, -0.5, 2]
    source = coco({"keypoints": points, "num_keypoints": 4})
    report = to_yolo(source, tmp_path / "set", task="pose")
    (row,) = ultralytics(tmp_path / "set", keypoints=4)["train"]["./images/train/a.jpg"]
    assert row[5:] == pytest.approx([0.12, 0.24, 2, 0, 0, 0, 0, 0, 0, 1.01, -0.01, 2])
    (loss,) = report.losses
    assert (loss["code"], loss["count"]) == ("keypoints-dropped", 1)
    assert loss["examples"][0]["detail"] == "key point 2 at 105, 20; key point 3 at -3, 15"
    with pytest.raises(LossRefused):
        convert(source, tmp_path / "no", to="yolo", options={"yolo": yolo.Options(task="pose")})
    assert losses(to_yolo(source, tmp_path / "boxes", task="detect")) == {"keypoints-dropped": 1}


@pytest.mark.parametrize("other", [[2, 2, 4, 4], [150, 10, 170, 10, 170, 30]])
def test_what_the_first_ring_says_outlives_it(coco, tmp_path: Path, other: list[float]):
    """A ring of two points, or outside of the picture: that the object had a key of its own is told all the same."""
    source = coco({"segmentation": [other, SQUARE], "bbox": [2, 2, 28, 28], "area": 800, "mine": 3})
    report = to_yolo(source, tmp_path / "set", task="segment")
    expected = "part-dropped" if len(other) == 4 else "clipped"
    assert losses(report) == {expected: 1, "metadata-dropped": 1}
