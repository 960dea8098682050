"""Labels renamed and left out, images chosen and dealt to splits: deterministic, and booked as by wish."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters import Choice, convert
from annolake.converters.choosing import dealt
from annolake.schemas.errors import UsageError

LABELS = ("car", "cat", "tree")


def coco(count: int = 4) -> dict[str, Any]:
    """On image n a car at (n, 0), a cat and a tree, and in the second half of the images no tree."""
    images = [{"id": n, "file_name": f"{n}.png", "width": 100, "height": 80} for n in range(count)]
    annotations = [
        {"id": 10 * n + k, "image_id": n, "category_id": k + 1, "bbox": [n, 0, 5, 5], "area": 25, "iscrowd": 0}
        for n in range(count)
        for k in range(3 if n < count // 2 else 2)
    ]
    categories = [{"id": k + 1, "name": name, "supercategory": "thing"} for k, name in enumerate(LABELS)]
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.json"
    path.write_text(json.dumps(coco()))
    return path


def result(source: Path, choice: Choice, **options: Any) -> tuple[dict[str, Any], dict[str, int]]:
    """The COCO file that comes out, and the losses by code."""
    target = source.with_name("out.json")
    report = convert(source, target, to="coco", choice=choice, overwrite=True, **options)
    assert report.verified
    return json.loads(target.read_text()), {loss["code"]: loss["count"] for loss in report.losses}


def labels_of(written: dict[str, Any]) -> Counter[str]:
    names = {category["id"]: category["name"] for category in written["categories"]}
    return Counter(names[annotation["category_id"]] for annotation in written["annotations"])


def test_labels_not_kept_are_left_out_and_their_images_stay(source: Path) -> None:
    written, losses = result(source, Choice(keep_labels=("tree",)))
    assert labels_of(written) == {"tree": 2}
    assert [category["name"] for category in written["categories"]] == ["tree"]
    assert len(written["images"]) == 4
    assert losses == {"label-left-out": 8}


def test_a_label_renamed_keeps_its_id(source: Path) -> None:
    written, losses = result(source, Choice(map_labels={"cat": "Katze"}))
    assert labels_of(written) == {"car": 4, "Katze": 4, "tree": 2}
    assert [(c["id"], c["name"]) for c in written["categories"]] == [(1, "car"), (2, "Katze"), (3, "tree")]
    assert losses == {"label-renamed": 4}


def test_two_labels_become_one(source: Path) -> None:
    written, losses = result(source, Choice(map_labels={"cat": "thing", "tree": "thing"}))
    assert labels_of(written) == {"car": 4, "thing": 6}
    assert [(c["id"], c["name"]) for c in written["categories"]] == [(1, "car"), (2, "thing")]
    assert losses == {"label-renamed": 6}
    written, _ = result(source, Choice(map_labels={"car": "tree"}))
    assert labels_of(written) == {"tree": 6, "cat": 4}
    assert [(c["id"], c["name"]) for c in written["categories"]] == [(2, "cat"), (3, "tree")]


def test_labels_can_change_places(source: Path) -> None:
    written, _ = result(source, Choice(map_labels={"car": "tree", "tree": "car"}))
    assert labels_of(written) == {"tree": 4, "cat": 4, "car": 2}


def test_labels_are_renamed_before_they_are_chosen(source: Path) -> None:
    written, losses = result(source, Choice(map_labels={"cat": "car"}, keep_labels=("car",)))
    assert labels_of(written) == {"car": 8}
    assert losses == {"label-renamed": 4, "label-left-out": 2}


@pytest.mark.parametrize("choice", [Choice(keep_labels=("cars",)), Choice(map_labels={"cars": "x"})])
def test_a_label_that_is_not_there_is_a_mistake(source: Path, choice: Choice) -> None:
    with pytest.raises(UsageError, match="did you mean 'car'"):
        result(source, choice)


def test_only_the_images_listed(source: Path, tmp_path: Path) -> None:
    choice = Choice(only_images=("3.png", "0.png", "9.png"))
    report = convert(source, tmp_path / "out.json", to="coco", choice=choice)
    written = json.loads((tmp_path / "out.json").read_text())
    assert [image["file_name"] for image in written["images"]] == ["0.png", "3.png"]
    assert [(loss["code"], loss["count"]) for loss in report.losses] == [("image-left-out", 2)]
    assert (report.seen["annotations"], report.written["annotations"]) == (10, 5)
    [problem] = report.problems
    assert (problem["code"], problem["severity"]) == ("image-not-found", "warning")
    assert "9.png" in problem["message"]


def test_shares_are_exact_and_the_same_each_time(source: Path, tmp_path: Path) -> None:
    source.write_text(json.dumps(coco(40)))
    choice = Choice(split={"train": 0.7, "val": 0.2, "test": 0.1})
    first, losses = result(source, choice)
    again, _ = result(source, choice, jobs=2)
    assert first == again
    assert losses == {}
    splits = {image["file_name"]: image["split"] for image in first["images"]}
    assert Counter(splits.values()) == {"train": 28, "val": 8, "test": 4}
    other, _ = result(source, Choice(split=choice.split, seed=1))
    assert {image["file_name"]: image["split"] for image in other["images"]} != splits


def test_split_into_yolo_folders_and_coco_files(source: Path, tmp_path: Path) -> None:
    choice = Choice(split={"train": 0.5, "val": 0.5})
    convert(source, tmp_path / "set", to="yolo", choice=choice)
    assert sorted(path.name for path in (tmp_path / "set" / "labels").iterdir()) == ["train", "val"]
    assert len(list((tmp_path / "set" / "labels" / "val").iterdir())) == 2
    convert(tmp_path / "set", tmp_path / "lake.json", to="metalake")
    again = Choice(split={"a": 0.25, "b": 0.75})
    report = convert(tmp_path / "lake.json", tmp_path / "again.json", to="metalake", choice=again)
    written = json.loads((tmp_path / "again.json").read_text())
    assert Counter(image["split"] for image in written["images"]) == {"a": 1, "b": 3}
    assert [(loss["code"], loss["count"]) for loss in report.losses] == [("split-changed", 4)]


def test_coco_files_of_other_splits_get_their_head(tmp_path: Path) -> None:
    from annolake.converters.coco import Options

    for split, numbers in (("old", (0, 1)), ("older", (2, 3))):
        document = coco()
        document["info"] = {"year": 2020}
        document["images"] = [document["images"][number] for number in numbers]
        document["annotations"] = [a for a in document["annotations"] if a["image_id"] in numbers]
        path = tmp_path / "set" / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    choice = Choice(split={"train": 0.75, "val": 0.25}, map_labels={"cat": "dog"})
    options = {"coco": Options(layout="folder")}
    convert(tmp_path / "set", tmp_path / "out", to="coco", choice=choice, options=options)
    written = {p.name: json.loads(p.read_text()) for p in (tmp_path / "out" / "annotations").iterdir()}
    assert sorted(written) == ["instances_train.json", "instances_val.json"]
    assert len(written["instances_train.json"]["images"]) == 3
    for document in written.values():
        assert document["info"] == {"year": 2020}
        assert [category["name"] for category in document["categories"]] == ["car", "dog", "tree"]


@given(
    names=st.lists(st.text(max_size=6), max_size=40, unique=True),
    shares=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    seed=st.integers(),
)
def test_dealing_is_fair_and_knows_no_order(names: list[str], shares: list[int], seed: int) -> None:
    parts = {f"s{n}": share / sum(shares) for n, share in enumerate(shares)}
    out = dealt(names, parts, seed)
    assert out.keys() == set(names)
    assert dealt(names[::-1], parts, seed) == out
    for split, share in parts.items():
        assert abs(list(out.values()).count(split) - share * len(names)) <= 1


@pytest.mark.parametrize("shares", [{"a": 0.5}, {"a": 0.9, "b": 0.2}, {"a": 1, "b": 0}, {"a": float("nan")}])
def test_shares_that_are_no_whole(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="make 1 together"):
        dealt(["x"], shares, 0)


def test_a_list_of_images_that_are_not_there_is_a_mistake(source: Path) -> None:
    with pytest.raises(UsageError, match="none of the images"):
        result(source, Choice(only_images=("x.png",)))


def test_a_label_to_keep_is_named_as_it_is_afterwards(source: Path) -> None:
    with pytest.raises(UsageError, match="keep 'Katze'"):
        result(source, Choice(map_labels={"cat": "Katze"}, keep_labels=("cat",)))
