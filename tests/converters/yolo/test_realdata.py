"""Public data sets, against counts that an independent script made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters.yolo import FORMAT
from annolake.schemas.errors import InvalidInput

pytestmark = pytest.mark.realdata

ENTRIES = [
    "bmw_yolo",
    "datumaro/yolo",
    "datumaro/yolov8_detection",
    "datumaro/yolov8_detection_with_list_of_imgs",
    "datumaro/yolov8_detection_with_list_of_names",
    "datumaro/yolov8_detection_with_subset_txt",
    "datumaro/yolov8_oriented_boxes",
    "datumaro/yolov8_pose",
    "datumaro/yolov8_pose_two_values_per_point",
    "datumaro/yolov8_segmentation",
    "datumaro_oep/relaxed_yolo",
    "datumaro_oep/roboflow_yolo",
    "roboflow/sharks_yolov9",
    "yolo_mark",
]
REFUSED = {"datumaro_oep/roboflow_yolo_obb": "dota-rows", "dtlpy/yolo": "out-of-range"}


def entry(realdata: Path, name: str) -> dict[str, Any]:
    entries = json.loads((realdata / "index.json").read_text(encoding="utf-8"))
    return next(entry for entry in entries if entry["path"] == name)


def test_no_entry_is_forgotten(realdata: Path):
    entries = json.loads((realdata / "index.json").read_text(encoding="utf-8"))
    assert sorted(e["path"] for e in entries if e["format"] == "yolo") == sorted([*ENTRIES, *REFUSED])


@pytest.mark.parametrize("name", ENTRIES)
def test_counts_and_sums(realdata: Path, read, name: str):
    counted = entry(realdata, name)
    expected = counted["annotations"]
    assert FORMAT.sniff(realdata / name).matches
    found = read(realdata / name)
    assert len(found.records) == counted["images"]
    assert sum(map(len, found.rows)) == expected["rows"] == found.ledger.seen["annotations"]
    if "declared_classes" in expected:
        assert len(found.catalog.names()) == expected["declared_classes"]
    labels: dict[str, int] = {}
    for row in found.rows:
        for label, _ in row:
            label = "#" + label.removeprefix("class_") if "#1" in expected["labels"] else label
            labels[label] = labels.get(label, 0) + 1
    assert labels == expected["labels"]
    if "five_column_sum" in expected:
        boxes = [xywh for row in found.rows for _, xywh in row if len(xywh) == 4]
        sums = [
            sum(x + w / 2 for x, _, w, _ in boxes),
            sum(y + h / 2 for _, y, _, h in boxes),
            sum(w for *_, w, _ in boxes),
            sum(h for *_, h in boxes),
        ]
        assert sums == pytest.approx(expected["five_column_sum"], abs=1e-5)


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("layout", ["ultralytics", "darknet"])
def test_written_and_read_again(realdata: Path, read, write, name: str, layout: str):
    before = read(realdata / name)
    if layout == "darknet" and before.catalog.extras["yolo"]["task"] != "detect":
        pytest.skip("Darknet has boxes only")
    after = read(write(before.catalog, before.records, layout=layout))
    assert [(r.image, r.split) for r in after.records] == [(r.image, r.split) for r in before.records]
    for row, again in zip(before.rows, after.rows, strict=True):
        assert [label for label, _ in again] == [label for label, _ in row]
        assert [list(xy) for _, xy in again] == [pytest.approx(xy, abs=1e-11) for _, xy in row]
    if layout == "ultralytics":
        assert after.catalog == before.catalog
    assert after.ledger.problems == []


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_what_is_no_yolo_is_refused_and_every_bad_row_is_found(realdata: Path, read, name: str, code: str):
    with pytest.raises(InvalidInput) as caught:
        read(realdata / name)
    assert caught.value.code == code
    found = read(realdata / name, lenient=True)
    expected = entry(realdata, name)["annotations"]
    errors = [problem for problem in found.ledger.problems if problem.severity == "error"]
    assert len(errors) == (expected.get("rows_with_value>1.01") or expected["non_numeric_rows"])
    # Rows of a video whose frame number is no class are found out by that first.
    assert {problem.code for problem in errors} - {"class-out-of-range"} == {code}


def test_the_columns_of_mixed_sets(realdata: Path, read):
    found = read(realdata / "roboflow/sharks_yolov9")
    assert "yolo-task" in found.decided()
    expected = entry(realdata, "roboflow/sharks_yolov9")["annotations"]["columns"]
    boxes = sum(len(numbers) == 4 for row in found.rows for _, numbers in row)
    assert boxes == expected["5"]
