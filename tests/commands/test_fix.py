"""`annolake validate --fix`: a mended copy, every mend told, nothing left out in silence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Desk


def fixed(desk: Desk, *words: str) -> tuple[int, dict[str, Any]]:
    done = desk.run("validate", *words, "--json")
    return done.exit_code, json.loads(done.stdout)


def mends(found: dict[str, Any]) -> list[str]:
    assert all(mend["severity"] == "notice" for mend in found["mends"])
    return [mend["code"] for mend in found["mends"]]


def test_form_and_meaning_are_mended(desk: Desk) -> None:
    annotations = desk.lake["images"][0]["annotations"]
    annotations[0]["bbox"] = ["10", 10, 20, 90]
    annotations.append({"type": "Line", "polygon": [[1, 1], [5, 5]], "label": 7})
    desk.put("lake.json", desk.lake)
    code, found = fixed(desk, "lake.json", "--fix", "mended.json")
    assert (code, found["valid"], found["written"]) == (0, True, "mended.json")
    told = {
        "mended-wrong-type", "mended-unknown-type", "mended-old-line-form", "mended-outside-image",
    }  # fmt: skip
    assert set(mends(found)) == told
    assert all(mend["where"]["file"] == "lake.json" for mend in found["mends"])
    [image] = desk.get("mended.json")["images"]
    assert image["annotations"] == [
        {"type": "rectangle", "bbox": [10, 10, 20, 70], "label": "car"},
        {"type": "line", "line": [[1, 1], [5, 5]], "label": "7"},
    ]
    assert json.loads(desk.run("validate", "mended.json", "--json").stdout)["valid"] is True


def test_what_remains_decides(desk: Desk) -> None:
    """A line outside the image has no safe mend: the copy is written, and what remains is told."""
    desk.lake["images"][0]["annotations"] += [
        {"type": "rectangle", "bbox": [50, 50, -5, 5], "label": "car"},
        {"type": "rectangle", "bbox": [1, 1, 5, 5], "label": "car", "metadata": {"a": {"b": 1}}},
        {"type": "rectangle", "bbox": [1, 1, 5, 5], "label": " "},
    ]
    desk.put("lake.json", desk.lake)
    code, found = fixed(desk, "lake.json", "--fix", "mended.json")
    assert (code, found["valid"], found["written"]) == (4, False, "mended.json")
    assert mends(found) == ["mended-not-positive"]
    assert sorted(problem["code"] for problem in found["problems"]) == ["empty-label", "nested-metadata"]
    assert desk.get("mended.json")["images"][0]["annotations"][1]["bbox"] == [45, 50, 5, 5]


@pytest.mark.parametrize(
    "broken",
    [
        '{"images": [{"image": "a.png", "annotations": [',
        '{"images": [{"image": "a.png", "annotations": [], "annotations": []}]}',
        '{"images": [{"image": "a.png", "annotations": [{"type": "cube", "label": "car"}]}]}',
        '{"images": [{"image": "a.png", "annotations": [{"type": "rectangle", "bbox": [NaN,1,2,3], "label": "x"}]}]}',
    ],
)
def test_a_part_that_cannot_be_read_stops_it_all(desk: Desk, broken: str) -> None:
    desk.put("broken.json", broken)
    done = desk.run("validate", "broken.json", "--fix", "mended.json", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["valid"], found["written"], found["mends"]) == (4, False, None, [])
    assert found["problems"]
    assert "nothing was written" in done.stderr
    assert desk.names() == ["broken.json"]


def test_coco_keeps_what_is_good(desk: Desk) -> None:
    double = dict(desk.coco["annotations"][0])
    desk.coco["annotations"] += [
        {**double, "bbox": [50, 10, 20, 30], "segmentation": [[50, 10, 70, 10, 70, 40, 50, 40]]},
        {"id": 11, "image_id": 2, "category_id": 3, "bbox": [90, 5, 30, 4]},
    ]
    desk.put("instances.json", desk.coco)
    code, found = fixed(desk, "instances.json", "--fix", "mended.json")
    assert (code, found["written"]) == (0, "mended.json")
    assert sorted(mends(found)) == ["mended-duplicate-annotation-id", "mended-outside-image"]
    by_id = {one["id"]: one for one in desk.get("mended.json")["annotations"]}
    assert by_id[11]["bbox"] == [90, 5, 10, 4]
    assert by_id[8]["segmentation"]["size"] == [80, 100]
    assert len(by_id) == 4
    dangling = {**double, "id": 12, "image_id": 99}
    desk.put("instances.json", {**desk.coco, "annotations": [*desk.coco["annotations"], dangling]})
    code, found = fixed(desk, "instances.json", "--fix", "second.json")
    assert (code, found["written"]) == (4, None)
    assert not (desk.path / "second.json").exists()


def test_yolo_is_clipped(desk: Desk) -> None:
    desk.put("set/data.yaml", "names: [car]\ntrain: images\n")
    desk.put("set/labels/a.txt", "0 0.95 0.5 0.2 0.2\n")
    assert desk.run("validate", "set").exit_code == 4
    code, found = fixed(desk, "set", "--fix", "mended")
    assert (code, mends(found)) == (0, ["mended-out-of-range"])
    [label_file] = (desk.path / "mended").rglob("a.txt")
    assert [float(number) for number in label_file.read_text().split()] == pytest.approx([0, 0.925, 0.5, 0.15, 0.2])


def test_nothing_is_overwritten(desk: Desk) -> None:
    desk.put("mine.json", {"mine": True})
    for out in ("mine.json", "lake.json", "nowhere/out.json"):
        assert desk.run("validate", "lake.json", "--fix", out).exit_code == 2
    assert desk.get("mine.json") == {"mine": True}
    desk.put("meta.json", {"files": []})
    assert desk.run("validate", "meta.json", "--fix", "out.json").exit_code == 2


def test_people_read_of_each_mend(desk: Desk) -> None:
    desk.lake["images"][0]["annotations"][0]["label"] = " car "
    desk.put("lake.json", desk.lake)
    done = desk.run("validate", "lake.json", "--fix", "mended.json")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1 mend; the mended copy is mended.json" in done.stderr
    assert 'label " car " -> "car"' in done.stderr
