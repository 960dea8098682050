"""Several sources as one data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.schemas.errors import InvalidInput


def coco(tmp_path: Path, name: str, images: dict[str, list[str]], ids: dict[str, int], **facts: Any) -> Path:
    """A COCO file with a box of each label on each image; annotations and images are numbered from 1."""
    document: dict[str, Any] = {"images": [], "annotations": [], **facts}
    for number, (file_name, labels) in enumerate(images.items(), 1):
        document["images"].append({"id": number, "file_name": file_name, "width": 100, "height": 80})
        for label in labels:
            identity = len(document["annotations"]) + 1
            box = {"id": identity, "image_id": number, "category_id": ids[label], "bbox": [1, 2, identity, 4]}
            document["annotations"].append(box | {"area": 4 * identity, "iscrowd": 0})
    document["categories"] = [{"id": identity, "name": label} for label, identity in ids.items()]
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return path


def found(path: Path) -> list[tuple[str, str, list[float]]]:
    """Image, label and box of each annotation of a COCO file."""
    document = json.loads(path.read_text())
    images = {image["id"]: image["file_name"] for image in document["images"]}
    names = {category["id"]: category["name"] for category in document["categories"]}
    assert len(images) == len(document["images"])
    assert len({annotation["id"] for annotation in document["annotations"]}) == len(document["annotations"])
    return [(images[a["image_id"]], names[a["category_id"]], a["bbox"]) for a in document["annotations"]]


def test_labels_of_one_name_are_one_and_ids_stay_apart(tmp_path: Path) -> None:
    one = coco(tmp_path, "one.json", {"a.png": ["car", "cat"]}, {"car": 1, "cat": 2})
    two = coco(tmp_path, "two.json", {"b.png": ["cat", "dog"]}, {"dog": 1, "cat": 7})
    report = convert([one, two], tmp_path / "out.json", to="coco")
    assert found(tmp_path / "out.json") == [
        ("a.png", "car", [1, 2, 1, 4]),
        ("a.png", "cat", [1, 2, 2, 4]),
        ("b.png", "cat", [1, 2, 1, 4]),
        ("b.png", "dog", [1, 2, 2, 4]),
    ]
    categories = json.loads((tmp_path / "out.json").read_text())["categories"]
    assert [(c["id"], c["name"]) for c in categories] == [(1, "car"), (2, "cat"), (3, "dog")]
    assert report.verified
    assert (report.seen, report.written) == ({"images": 2, "annotations": 4}, {"images": 2, "annotations": 4})
    assert report.source == f"{one}, {two}"


def test_sources_of_different_formats_and_coordinates(tmp_path: Path) -> None:
    one = coco(tmp_path, "one.json", {"a.png": ["car"]}, {"car": 1})
    other = coco(tmp_path, "other.json", {"b.png": ["cat"]}, {"cat": 1})
    convert(other, tmp_path / "lake.json", to="metalake", coordinates="normalized")
    report = convert([one, tmp_path / "lake.json"], tmp_path / "out.json", to="coco")
    assert [(image, label) for image, label, _ in found(tmp_path / "out.json")] == [("a.png", "car"), ("b.png", "cat")]
    assert found(tmp_path / "out.json")[1][2] == pytest.approx([1, 2, 1, 4])
    assert report.options["from"] == "coco, metalake"


def test_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    sources = [
        coco(tmp_path, f"{letter}.json", {f"{letter}{n}.png": ["car"] for n in range(5)}, {"car": 1})
        for letter in "abc"
    ]
    for jobs in (1, 2, 4):
        convert(sources, tmp_path / f"{jobs}.json", to="metalake", jobs=jobs)
    first = (tmp_path / "1.json").read_bytes()
    assert first == (tmp_path / "2.json").read_bytes() == (tmp_path / "4.json").read_bytes()
    assert [image["image"] for image in json.loads(first)["images"]][::5] == ["a0.png", "b0.png", "c0.png"]


def test_an_image_in_two_sources_is_refused(tmp_path: Path) -> None:
    one = coco(tmp_path, "one.json", {"a.png": ["car"]}, {"car": 1})
    two = coco(tmp_path, "two.json", {"b.png": [], "a.png": ["car"]}, {"car": 1})
    with pytest.raises(InvalidInput, match="an earlier source has an image of this name too") as caught:
        convert([one, two], tmp_path / "out.json", to="coco")
    assert (caught.value.code, caught.value.place.image, caught.value.place.file) == ("same-name", "a.png", str(two))
    assert not (tmp_path / "out.json").exists()


def test_tracks_of_two_sources_stay_apart(tmp_path: Path) -> None:
    def lake(name: str, tracks: list[Any]) -> Path:
        box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "car"}
        boxes = [{**box, "metadata": {"track_id": track}} for track in tracks]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"images": [{"image": f"{name}.png", "annotations": boxes}]}))
        return path

    sources = [lake("a", [1, "x"]), lake("b", [1, 2, "x"]), lake("c", [9])]
    report = convert(sources, tmp_path / "out.json", to="metalake")
    images = json.loads((tmp_path / "out.json").read_text())["images"]
    assert [[a["metadata"]["track_id"] for a in image["annotations"]] for image in images] == [
        [1, "x"],
        [3, 4, "x (2)"],
        [9],
    ]
    assert "tracks-renumbered" in {decision["code"] for decision in report.decisions}


def test_what_the_sources_say_of_themselves_is_that_of_the_first(tmp_path: Path) -> None:
    one = coco(tmp_path, "one.json", {"a.png": []}, {"car": 1}, info={"year": 1})
    two = coco(tmp_path, "two.json", {"b.png": []}, {"car": 1}, info={"year": 2})
    report = convert([one, two], tmp_path / "out.json", to="coco")
    assert json.loads((tmp_path / "out.json").read_text())["info"] == {"year": 1}
    assert "merged-facts" in {decision["code"] for decision in report.decisions}


def test_an_image_in_several_sources_has_the_annotations_of_all(tmp_path: Path) -> None:
    one = coco(tmp_path, "one.json", {"a.png": ["car"], "b.png": ["car"]}, {"car": 1})
    two = coco(tmp_path, "two.json", {"c.png": ["cat"], "b.png": ["cat", "car"]}, {"cat": 1, "car": 2})
    three = coco(tmp_path, "three.json", {"b.png": ["dog"]}, {"dog": 1})
    for jobs in (1, 3):
        report = convert([one, two, three], tmp_path / f"{jobs}.json", to="metalake", join=True, jobs=jobs)
        assert report.verified
        assert report.seen == report.written == {"images": 3, "annotations": 6}
        assert "images-joined" in {decision["code"] for decision in report.decisions}
        images = json.loads((tmp_path / f"{jobs}.json").read_text())["images"]
        assert [(image["image"], [a["label"] for a in image["annotations"]]) for image in images] == [
            ("a.png", ["car"]),
            ("b.png", ["car", "cat", "car", "dog"]),
            ("c.png", ["cat"]),
        ]


def test_objects_of_several_rings_stay_apart_when_images_join(tmp_path: Path) -> None:
    rings = [[10, 10, 20, 10, 20, 20], [30, 30, 40, 30, 40, 40]]
    for name in ("one.json", "two.json"):
        path = coco(tmp_path, name, {"a.png": ["car"]}, {"car": 1})
        document = json.loads(path.read_text())
        document["annotations"][0] |= {"segmentation": rings, "bbox": [10, 10, 30, 30], "area": 100}
        path.write_text(json.dumps(document))
    convert([tmp_path / "one.json", tmp_path / "two.json"], tmp_path / "out.json", to="coco", join=True)
    assert [a["segmentation"] for a in json.loads((tmp_path / "out.json").read_text())["annotations"]] == [rings, rings]


def test_pictures_of_two_sizes_do_not_join(tmp_path: Path) -> None:
    one = coco(tmp_path, "one.json", {"a.png": ["car"]}, {"car": 1})
    two = coco(tmp_path, "two.json", {"a.png": ["car"]}, {"car": 1})
    document = json.loads(two.read_text())
    document["images"][0]["width"] = 99
    two.write_text(json.dumps(document))
    with pytest.raises(InvalidInput, match="its width is 100 in one source and 99 in another") as caught:
        convert([one, two], tmp_path / "out.json", to="coco", join=True)
    assert caught.value.place.image == "a.png"


def test_names_that_only_look_alike_are_not_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are looked for by a short hash: two that have the same one are still two."""
    monkeypatch.setattr("annolake.converters.merging.mark", len)
    one = coco(tmp_path, "one.json", {"a.png": ["car"], "bb.png": ["car"]}, {"car": 1})
    two = coco(tmp_path, "two.json", {"c.png": ["car"], "bb.png": ["car"]}, {"car": 1})
    with pytest.raises(InvalidInput, match="same-name") as caught:
        convert([one, two], tmp_path / "out.json", to="coco")
    assert caught.value.place.image == "bb.png"
    report = convert([one, two], tmp_path / "out.json", to="coco", join=True)
    assert report.written == {"images": 3, "annotations": 4}
    assert [image for image, _, _ in found(tmp_path / "out.json")] == ["a.png", "bb.png", "bb.png", "c.png"]
