"""`annolake validate`: every problem in one pass, with its place, and a verdict in the exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

if TYPE_CHECKING:
    from .conftest import Desk


def validated(desk: Desk, *words: str) -> tuple[int, dict[str, Any]]:
    done = desk.run("validate", *words, "--json")
    return done.exit_code, json.loads(done.stdout)


def codes(found: dict[str, Any], severity: str = "error") -> list[str]:
    return [problem["code"] for problem in found["problems"] if problem["severity"] == severity]


def test_a_good_file(desk: Desk) -> None:
    code, found = validated(desk, "lake.json")
    assert (code, found["valid"], found["problems"]) == (0, True, [])
    assert found["counts"] == {
        "errors": 0, "warnings": 0, "notices": 0, "images": 1, "annotations": 1, "by_code": {},
    }  # fmt: skip
    people = desk.run("validate", "lake.json")
    assert (people.exit_code, people.stdout) == (0, "")
    assert people.stderr == "lake.json is valid: 1 image, 1 annotation\n"


BAD_LAKE = """{"images": [
 {"image": "a.png", "width": 100, "height": 80, "annotations": [
  {"type": "rectangle", "bbox": [10, 10, 0, 30], "label": "car"},
  {"type": "box", "bbox": [1, 1, 2, 2], "label": "car"}]},
 {"image": "b.png", "width": 100, "height": 80, "annotations": [
  {"type": "rectangle", "bbox": [90, 10, 20, 30], "label": "car"},
  {"type": "polygon", "polygon": [[0, 0], [9, 0], [9, 9]], "label": "",
   "confidence": 2}]},
 {"image": "c.png", "annotations": [
  {"type": "polygon", "polygon": [[0, 0], [9, 9]], "label": "bus"}]}]}
"""


def test_structure_and_meaning_in_one_pass_with_line_and_pointer(desk: Desk) -> None:
    """Images that cannot be decoded are explained; the others are judged by their meaning."""
    desk.put("bad.json", BAD_LAKE)
    code, found = validated(desk, "bad.json")
    assert (code, found["valid"]) == (4, False)
    where = {problem["where"]["pointer"]: problem for problem in found["problems"]}
    assert where["/images/0/annotations/1/type"]["where"]["line"] == 4
    assert {"/images/1/annotations/1/label", "/images/1/annotations/1/confidence"} <= where.keys()
    few = where["/images/2/annotations/0"]
    assert (few["code"], few["where"]["image"], few["where"]["annotation"]) == ("too-few-points", "c.png", 1)
    assert (few["where"]["line"], few["where"]["column"]) == (10, 3)
    assert found["counts"]["by_code"]["too-few-points"] == 1
    assert found["counts"]["errors"] == len(codes(found))


def test_people_see_places_and_what_to_do(desk: Desk) -> None:
    desk.put("bad.json", BAD_LAKE)
    done = desk.run("validate", "bad.json")
    assert (done.exit_code, done.stdout) == (4, "")
    assert 'bad.json:10:3, /images/2/annotations/0, image "c.png", annotation 1' in done.stderr
    assert "fix: draw it again, or leave it out" in done.stderr


def test_one_image_twice_is_an_error(desk: Desk) -> None:
    desk.lake["images"] *= 2
    desk.put("lake.json", desk.lake)
    code, found = validated(desk, "lake.json")
    assert (code, codes(found)) == (4, ["duplicate-image"])


def test_labels_of_a_list(desk: Desk) -> None:
    desk.put("labels.txt", "cart\nbus\n")
    code, found = validated(desk, "lake.json", "--labels", "labels.txt")
    assert (code, codes(found)) == (4, ["unknown-label"])
    assert "cart" in found["problems"][0]["fix"]


def test_fractions(desk: Desk) -> None:
    assert codes(validated(desk, "lake.json", "--normalized")[1]) == ["out-of-range"]
    desk.lake["images"][0]["annotations"][0]["bbox"] = [0.1, 0.1, 0.2, 0.2]
    for extra in ({}, {"version": 1}):
        desk.put("fractions.json", {**desk.lake, **extra})
        assert validated(desk, "fractions.json", "--normalized")[0] == 0
    assert desk.run("validate", "instances.json", "--normalized").exit_code == 2


def test_pictures(desk: Desk) -> None:
    (desk.path / "pictures").mkdir()
    code, found = validated(desk, "lake.json", "--images", "pictures")
    assert (code, codes(found, "warning")) == (0, ["missing-picture"])
    Image.new("L", (100, 90)).save(desk.path / "pictures" / "a.png")
    code, found = validated(desk, "lake.json", "--images", "pictures")
    assert (code, codes(found, "warning")) == (0, ["size-differs"])
    assert "100 x 80" in found["problems"][0]["message"] and "100 x 90" in found["problems"][0]["message"]
    del desk.lake["images"][0]["width"], desk.lake["images"][0]["height"]
    desk.lake["images"][0]["annotations"][0]["bbox"] = [90, 10, 20, 30]
    desk.put("lake.json", desk.lake)
    assert codes(validated(desk, "lake.json", "--images", "pictures")[1], "warning") == ["outside-image"]
    desk.put("pictures/a.png", "no picture")
    assert codes(validated(desk, "lake.json", "--images", "pictures")[1], "warning") == ["image-unreadable"]


def test_coco_through_its_reader(desk: Desk) -> None:
    good = desk.coco["annotations"][0]
    desk.coco["annotations"] += [
        {**good, "id": 9, "image_id": 99},
        {**good, "id": 10, "category_id": 44},
        {"id": 11, "image_id": 2, "category_id": 3, "bbox": [5, 5, -3, 4]},
    ]
    desk.put("instances.json", desk.coco)
    code, found = validated(desk, "instances.json")
    assert code == 4
    by_annotation = {problem["where"].get("annotation"): problem["code"] for problem in found["problems"]}
    assert (by_annotation[9], by_annotation[10], by_annotation[11]) == (
        "dangling-image", "unknown-category", "not-positive",
    )  # fmt: skip
    assert found["counts"]["annotations"] == 5


def test_doubled_names_are_said_once(desk: Desk) -> None:
    desk.coco["images"][1]["file_name"] = "a.png"
    desk.put("instances.json", desk.coco)
    assert codes(validated(desk, "instances.json")[1]) == ["duplicate-image"]


def test_yolo_rows_have_their_lines(desk: Desk) -> None:
    desk.put("set/data.yaml", "names: [car]\ntrain: images\n")
    desk.put("set/labels/a.txt", "0 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2\n0 0.5 0.5\n")
    code, found = validated(desk, "set")
    assert code == 4
    assert [(problem["code"], problem["where"]["line"]) for problem in found["problems"]] == [
        ("class-out-of-range", 2),
        ("column-count", 3),
    ]


def test_what_cannot_be_opened_is_one_problem(desk: Desk) -> None:
    desk.put("cut.json", '{"images": [{"image": ')
    desk.put("other.json", {"hello": "world"})
    code, found = validated(desk, "cut.json")
    assert (code, codes(found)) == (4, ["not-json"])
    code, found = validated(desk, "other.json")
    assert (code, codes(found)) == (4, ["unknown-format"])
    desk.put("results.json", [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}])
    code, found = validated(desk, "results.json")
    assert (code, codes(found)) == (4, ["unsupported-variant"])


@pytest.mark.parametrize("words", [(), ("--format", "metadata")])
def test_metadata_files(desk: Desk, words: tuple[str, ...]) -> None:
    good = {"file": "a.png", "metadata": {"Camera": "C1", "Tags": ["night"]}}
    desk.put("meta.json", {"files": [good]})
    code, found = validated(desk, "meta.json", *words)
    assert (code, found["counts"]["images"], found["problems"]) == (0, 1, [])
    bad = {"file": "b.png", "metadata": {"Camera.Id": 1, "Tags": "night"}}
    desk.put("meta.json", {"files": [good, {"file": "../x", "metadata": {"$a": 1}}, bad, good]})
    code, found = validated(desk, "meta.json", *words)
    assert (code, sorted(codes(found))) == (
        4,
        ["duplicate-file", "metadata-key", "unsafe-name", "wrong-type"],
    )


def test_usage(desk: Desk) -> None:
    assert desk.run("validate", "nowhere.json").exit_code == 2
    assert desk.run("validate", "lake.json", "--format", "nonsense").exit_code == 2
    assert desk.run("validate", "lake.json", "--yolo-task", "detect").exit_code == 2


def test_several_processes_find_the_same(desk: Desk) -> None:
    """Problems of images alone, of images beside one another, and of the structure, in one order whoever finds them."""
    good = {"type": "polygon", "polygon": [[1, 1], [9, 1], [9, 9], [1, 9]], "label": "car"}
    images = [{"image": f"{number}.png", "width": 10, "height": 10, "annotations": [good]} for number in range(3000)]
    for number in (0, 7, 1499, 1500, 2999):
        images[number]["annotations"] = [good, {**good, "label": " car"}, {**good, "polygon": [[1, 1], [9, 9]]}]
    images[2000]["image"], images[2001]["image"] = "7.png", "8.PNG"
    images[2500]["annotations"] = [{**good, "polygon": [[1]]}, good, good]
    desk.put("large.json", json.dumps({"images": images}, indent=1))
    code, alone = validated(desk, "large.json", "--jobs", "1")
    assert code == 4
    assert validated(desk, "large.json", "--jobs", "3") == (code, alone)
    names = [(problem["code"], problem["where"]["image"]) for problem in alone["problems"]]
    assert names == [
        ("point-length", "2500.png"),
        *(
            (problem, f"{number}.png")
            for number in (0, 7, 1499, 1500)
            for problem in ("label-blanks", "too-few-points")
        ),
        ("duplicate-image", "7.png"),
        ("similar-name", "8.PNG"),
        ("duplicate-annotation", "2500.png"),
        ("label-blanks", "2999.png"),
        ("too-few-points", "2999.png"),
    ]
    places = [(problem["where"]["line"], problem["where"]["column"]) for problem in alone["problems"][1:]]
    assert places == sorted(places)
    assert desk.run("validate", "large.json", "--jobs", "3").exit_code == 4
