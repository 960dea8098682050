"""All public data sets beside the project, against counts that an independent script made, and home again.

What is refused is refused for the reason that stands here. Numbers of single formats are looked at more closely in
`test_coco_realdata`, `yolo/test_realdata` and their like.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import coco, convert, registry
from annolake.converters.comparing import compare
from annolake.converters.format import Options
from annolake.converters.statistics import statistics
from annolake.schemas.errors import AnnolakeError, InvalidInput

pytestmark = pytest.mark.realdata

Json = dict[str, Any]
FORMATS = ("coco", "cvat", "voc", "yolo")
ENTRIES = 64
REFUSED = {
    "cocoapi/captions_val2014_fakecap_results.json": "unsupported-variant",
    "cocoapi/instances_val2014_fakebbox100_results.json": "unsupported-variant",
    "cocoapi/instances_val2014_fakesegm100_results.json": "unsupported-variant",
    "cocoapi/person_keypoints_val2014_fakekeypoints100_results.json": "unsupported-variant",
    "datumaro/coco": "several-kinds",
    "datumaro/coco_panoptic": "unsupported-variant",
    "datumaro/mapillary_panoptic_string_ids/panoptic_2020.json": "unsupported-variant",
    "datumaro_oep/roboflow_yolo_obb": "dota-rows",
    "dtlpy/yolo": "out-of-range",
}
"""Captions, panoptic records and results lists have no outlines of their own; a folder of all tasks wants to be asked
for one; DOTA text and video rows are no YOLO rows.
"""
ONLY_LISTED = {"datumaro/voc1": 1}
"""Ids in ImageSets that have no XML: images without annotations. The counts are of files."""
TASKS = {
    "instances": ("instances_train", "instances_val"),
    "person_keypoints": ("person_keypoints_train", "person_keypoints_val"),
    "stuff": ("stuff_train", "stuff_val"),
    "labels": ("labels_train", "labels_val"),
    "image_info": ("image_info_train", "image_info_val"),
}
"""The kinds of files in `datumaro/coco` that can be read, each asked for."""


@pytest.fixture(scope="module")
def index(realdata: Path) -> list[Json]:
    return json.loads((realdata / "index.json").read_text(encoding="utf-8"))


def entries(index: list[Json], format_: str) -> Iterator[tuple[str, Json, Options]]:
    """Path, independent counts and options of all sources of a format that are not refused."""
    for entry in index:
        if entry["format"] == format_ and entry["path"] not in REFUSED:
            yield entry["path"], entry, registry.get(format_).options()
        elif entry["format"] == format_ and REFUSED[entry["path"]] == "several-kinds":
            yield from of_each_task(entry)


def of_each_task(entry: Json) -> Iterator[tuple[str, Json, Options]]:
    counted = entry["annotations"]
    for task, files in TASKS.items():
        chosen = {name: counted[name] for name in (f"annotations/{file}.json" for file in files)}
        images = sum(part["images"] for part in chosen.values())
        yield entry["path"], {**entry, "annotations": chosen, "images": images}, coco.Options(task=task)


def test_no_entry_is_forgotten(index: list[Json]):
    assert len(index) == ENTRIES == len({entry["path"] for entry in index})
    assert {entry["format"] for entry in index} == set(FORMATS)
    assert REFUSED.keys() <= {entry["path"] for entry in index}


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_refused_is_refused_for_its_reason(realdata: Path, tmp_path: Path, path: str):
    with pytest.raises(AnnolakeError) as caught:
        convert(realdata / path, tmp_path / "lake.json", to="metalake")
    error = caught.value
    assert (error.code, error.exit_code in (2, 4), bool(error.hint)) == (REFUSED[path], True, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_every_entry_is_recognised(realdata: Path, index: list[Json], format_: str):
    found: dict[str, str] = {}
    for entry in index:
        if entry["format"] == format_:
            try:
                found[entry["path"]] = registry.sniff(realdata / entry["path"]).name
            except InvalidInput as error:
                found[entry["path"]] = error.code
    assert found == dict.fromkeys(found, format_)


@pytest.mark.parametrize("format_", FORMATS)
def test_stats_are_the_independent_counts(realdata: Path, index: list[Json], format_: str):
    wrong: list[Any] = []
    for path, entry, options in entries(index, format_):
        counted = EXPECTED[format_](entry)
        said = statistics(realdata / path, options=options)
        differing = {name: (said.get(name, 0), count) for name, count in counted.items() if said.get(name, 0) != count}
        if differing:
            wrong.append((path, differing))
    assert wrong == []


@pytest.mark.parametrize("format_", FORMATS)
def test_every_entry_comes_home_from_metalake_json(realdata: Path, index: list[Json], format_: str, tmp_path: Path):
    """Nothing wants to be allowed on the way, and the books balance."""
    for number, (path, _, options) in enumerate(entries(index, format_)):
        source, lake, home = realdata / path, tmp_path / f"{number}.json", tmp_path / f"{number} home"
        given = {format_: options}
        convert(source, lake, to="metalake", options=given)
        convert(lake, home, to=format_, options=_writing(format_, source))
        difference = compare(source, home, format_a=format_, format_b=format_, options_a=options)
        assert difference.equal, (path, difference.as_json())


def _writing(format_: str, source: Path) -> Mapping[str, Options]:
    """As the source was: a folder, where it was one."""
    return {"coco": coco.Options(layout="folder")} if format_ == "coco" and source.is_dir() else {}


def _files(entry: Json) -> list[Json]:
    """The counts of each file of an entry."""
    counted = entry["annotations"]
    return [counted] if "labels" in counted else list(counted.values())


def _of_coco(entry: Json) -> Json:
    files = _files(entry)
    total: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for file in files:
        total.update({name: count for name, count in file.items() if isinstance(count, int)})
        labels.update(file["labels"])
    tags = 0 if total["bbox"] or not total["segmentation_absent"] else total["annotations"]
    return {
        "images": total["images"],
        "annotations": total["annotations"] - tags,
        "tags": tags,
        "masks": total["rle_uncompressed"] + total["rle_compressed"],
        "crowds": total["iscrowd"],
        "keypoints": total["keypoint_annotations"],
        "by_label": {} if tags else dict(labels),
        "tags_by_label": dict(labels) if tags else 0,
        "images_without_annotations": total["images_without_annotations"],
    }


def _of_yolo(entry: Json) -> Json:
    counted = entry["annotations"]
    labels = {name.replace("#", "class_"): count for name, count in counted["labels"].items()}
    out = {"images": entry["images"], "annotations": counted["rows"], "by_label": labels}
    if "declared_classes" in counted:
        out["labels_declared"] = counted["declared_classes"]
    return out


def _of_voc(entry: Json) -> Json:
    counted = entry["annotations"]
    listed = ONLY_LISTED.get(entry["path"], 0)
    return {
        "images": counted["images"] + listed,
        "annotations": counted["objects"],
        "parts": counted.get("parts", 0),
        "by_label": counted["labels"],
        "images_without_annotations": counted.get("files_without_objects", 0) + listed,
    }


def _of_cvat(entry: Json) -> Json:
    counted = entry["annotations"]
    out: Json = {"annotations": sum(counted.get("shapes", {}).values()) + counted.get("visible_track_shapes", 0)}
    if counted["images"]:
        labels = {name or "(no label)": count for name, count in counted["labels"].items()}
        out |= {"images": counted["images"], "by_label": labels}
    out["tracks"] = counted.get("tracks", 0)
    return out


EXPECTED: dict[str, Callable[[Json], Json]] = {"coco": _of_coco, "cvat": _of_cvat, "voc": _of_voc, "yolo": _of_yolo}
