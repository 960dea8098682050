"""Counts of `statistics`, against counts that others made and against small files counted by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.statistics import statistics
from annolake.schemas.errors import InvalidInput, UsageError

SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]
ELSEWHERE = [50, 50, 60, 50, 60, 60]
# A ring of 3 x 3 pixels around one empty pixel, column by column, on an image of 100 x 80.
RING_MASK = {"size": [80, 100], "counts": [0, 3, 77, 1, 1, 1, 77, 3, 80 * 97 + 77]}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    images = [
        {"id": 1, "file_name": "a.jpg", "width": 100, "height": 80},
        {"id": 2, "file_name": "b c.jpg", "width": 100, "height": 80},
        {"id": 3, "file_name": "empty.jpg"},
    ]
    annotations: list[dict[str, Any]] = [
        {"category_id": 2, "image_id": 1, "bbox": [1, 2, 3, 4], "segmentation": [], "area": 12, "iscrowd": 0},
        {"category_id": 1, "image_id": 1, "bbox": [10, 10, 20, 20], "segmentation": [SQUARE], "area": 400},
        {"category_id": 1, "image_id": 2, "segmentation": [SQUARE, ELSEWHERE], "score": 0.5},
        {"category_id": 1, "image_id": 2, "segmentation": RING_MASK, "iscrowd": 1},
        {"category_id": 3, "image_id": 2, "bbox": [1, 1, 5, 5], "keypoints": [1, 1, 2, 6, 6, 1]},
        {"category_id": 3, "image_id": 2, "bbox": [1, 1, 5, 5], "attributes": {"rotation": 30, "colour": "red"}},
        {"category_id": 3, "image_id": 2, "bbox": [1, 1, 5, 5], "attributes": {"track_id": 7}},
        {"category_id": 3, "image_id": 1, "bbox": [1, 1, 5, 5], "attributes": {"track_id": 7}},
        {"category_id": 4, "image_id": 2},
    ]
    for number, annotation in enumerate(annotations, 1):
        annotation["id"] = number
    names = ("cat", "dog", "ape", "night", "unused")
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def test_counts_objects_and_not_rings(coco: Path) -> None:
    assert statistics(coco) == {
        "format": "coco",
        "coordinates": "pixels",
        "labels_declared": 5,
        "images": 3,
        "annotations": 8,
        "by_type": {"rectangle": 4, "polygon": 4, "line": 0, "points": 0},
        "by_label": {"ape": 4, "cat": 3, "dog": 1},
        "images_without_annotations": 1,
        "images_with_size": 2,
        "splits": {},
        "masks": 1,
        "crowds": 1,
        "multi_part": 1,
        "holes": 1,
        "keypoints": 1,
        "rotated": 1,
        "with_confidence": 1,
        "with_attributes": 1,
        "tags": 1,
        "tags_by_label": {"night": 1},
        "tracks": 1,
    }


def test_labels_stand_by_count_then_by_name(coco: Path) -> None:
    assert list(statistics(coco)["by_label"]) == ["ape", "cat", "dog"]


def test_the_same_counts_after_conversion(coco: Path, tmp_path: Path) -> None:
    convert(coco, tmp_path / "lake.json", to="metalake")
    assert statistics(tmp_path / "lake.json") == {**statistics(coco), "format": "metalake"}


def test_an_image_with_only_a_tag_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "lake.json"
    path.write_text(json.dumps({"images": [{"image": "a.jpg", "annotations": [], "tags": [{"label": "night"}]}]}))
    found = statistics(path)
    assert (found["images_without_annotations"], found["annotations"], found["by_label"]) == (0, 0, {})


def test_parts_of_objects_have_an_entry_of_their_own(tmp_path: Path) -> None:
    box = {"type": "rectangle", "bbox": [1, 1, 5, 5]}
    head = {**box, "label": "head", "metadata": {"part_of": "person"}}
    path = tmp_path / "lake.json"
    path.write_text(json.dumps({"images": [{"image": "a.jpg", "annotations": [{**box, "label": "person"}, head]}]}))
    found = statistics(path)
    assert (found["annotations"], found["parts"], found["by_label"]) == (1, 1, {"person": 1})


def test_free_metadata_may_be_anything(tmp_path: Path) -> None:
    metadata = {"track_id": ["a"], "instance": ["b"], "shape": {"c": 1}}
    box = {"type": "rectangle", "bbox": [1, 1, 5, 5], "label": "x", "metadata": metadata}
    path = tmp_path / "lake.json"
    path.write_text(json.dumps({"images": [{"image": "a.jpg", "annotations": [box]}]}))
    assert statistics(path)["tracks"] == 1


def test_splits_and_images(tmp_path: Path) -> None:
    splits = ("val", "train", "val")
    images = [{"image": f"{n}.jpg", "annotations": [], "split": split} for n, split in enumerate(splits)]
    path = tmp_path / "lake.json"
    path.write_text(json.dumps({"images": images}))
    assert statistics(path)["splits"] == {"val": 2, "train": 1}


def test_progress_is_told_to_the_end(coco: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    statistics(coco, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (3, 3)


def test_a_broken_source_is_an_error(coco: Path) -> None:
    coco.write_text(coco.read_text().replace('"category_id": 2', '"category_id": 99'))
    with pytest.raises(InvalidInput) as caught:
        statistics(coco)
    assert caught.value.code == "unknown-category"


def test_no_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        statistics(tmp_path / "absent.json")


def _coco_files(realdata: Path) -> Iterator[tuple[Path, dict[str, Any], bool]]:
    """Every COCO file with its counts, and whether it is a kind that is refused."""
    for entry in json.loads((realdata / "index.json").read_text(encoding="utf-8")):
        if entry["format"] != "coco":
            continue
        whole = realdata / entry["path"]
        counts = entry["annotations"]
        if whole.is_file():
            files = {whole: counts}
        elif all(name.endswith(".json") for name in counts):
            files = {whole / name: found for name, found in counts.items()}
        else:
            (only,) = whole.rglob("*.json")
            files = {only: counts}
        for path, found in files.items():
            refused = "results-list" in entry["features"] or bool(found.keys() & {"captions", "panoptic_records"})
            yield path, found, refused


@pytest.mark.realdata
def test_real_data_has_the_counts_of_its_index(realdata: Path) -> None:
    seen = 0
    for path, counts, refused in _coco_files(realdata):
        if refused:
            continue
        found = statistics(path, "coco")
        seen += 1
        tags = found.get("tags", 0)
        assert (found["images"], found["annotations"] + tags) == (counts["images"], counts["annotations"]), path
        assert found["labels_declared"] == counts["categories"], path
        assert found["images_without_annotations"] == counts["images_without_annotations"], path
        labels = {**found["by_label"], **found.get("tags_by_label", {})}
        assert labels == counts.get("labels", labels), path
        masks = counts.get("rle_uncompressed", 0) + counts.get("rle_compressed", 0)
        polygons = counts.get("polygon_annotations", 0)
        assert found["by_type"]["polygon"] == polygons + masks, path
        assert found["by_type"]["rectangle"] == counts["annotations"] - polygons - masks - tags, path
        assert found.get("masks", 0) == masks, path
        assert found.get("crowds", 0) == counts.get("iscrowd", 0), path
        assert found.get("keypoints", 0) == counts.get("keypoint_annotations", 0), path
        assert 0 <= found.get("multi_part", 0) - counts.get("multi_part", 0) <= masks, path
    assert seen > 20


@pytest.mark.realdata
def test_real_data_keeps_its_counts_in_a_metalake_file(realdata: Path, tmp_path: Path) -> None:
    for number, (path, _, refused) in enumerate(_coco_files(realdata)):
        if not refused:
            target = tmp_path / f"{number}.json"
            convert(path, target, to="metalake", from_="coco")
            before, after = statistics(path, "coco"), statistics(target)
            before.pop("problems", None)
            assert after == {**before, "format": "metalake"}, path


@pytest.mark.realdata
def test_kinds_without_shapes_are_refused_by_name(realdata: Path) -> None:
    refusals = 0
    for path, _, refused in _coco_files(realdata):
        if refused:
            refusals += 1
            with pytest.raises(InvalidInput) as caught:
                statistics(path, "coco")
            assert caught.value.code == "unsupported-variant", path
    assert refusals >= 9
