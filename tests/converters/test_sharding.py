"""A data set as several shards: who is where, what each shard is, and that all of them appear or none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import Choice, convert
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source
from annolake.schemas.errors import InvalidInput, LossRefused, UsageError
from annolake.schemas.model import Record, Rectangle

FORMATS = ("coco", "cvat", "metalake", "voc", "yolo")
SETS = (
    "coco/boxes/in.json",
    "cvat/shapes/in.xml",
    "coco/masks with holes/in.json",
    "voc/image_sets/in",
    "demo/yolo",
)
LINE = {"type": "line", "line": [[1, 2], [3, 4]], "label": "road"}


def coco(path: Path, names: list[str], **facts: Any) -> Path:
    """Images of 100 x 80, the n-th with n % 3 boxes, of the labels car and cat in turn; dog is used by none."""
    images = [{"id": n, "file_name": name, "width": 100, "height": 80} for n, name in enumerate(names, 1)]
    annotations: list[dict[str, Any]] = []
    for image in images:
        for k in range(image["id"] % 3):
            identity = len(annotations) + 1
            box = {"id": identity, "image_id": image["id"], "category_id": 3 + k, "bbox": [k, 2, identity % 50 + 1, 4]}
            annotations.append(box | {"area": 4 * (identity % 50 + 1), "iscrowd": 0})
    labels = [{"id": 3, "name": "car"}, {"id": 4, "name": "cat"}, {"id": 9, "name": "dog"}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": labels, **facts}))
    return path


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{n}.png" for n in range(count)]


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_each_image_is_in_one_shard_in_the_order_of_the_sources(tmp_path: Path) -> None:
    sources = [coco(tmp_path / f"{p}.json", names(p, n)) for p, n in (("a", 5), ("b", 1), ("c", 4))]
    report = convert(sources, tmp_path / "out", to="coco", shards=3)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "manifest.json",
        "shard-00000-of-00003.json",
        "shard-00001-of-00003.json",
        "shard-00002-of-00003.json",
    ]
    shards = [json.loads((tmp_path / "out" / f"shard-0000{n}-of-00003.json").read_text()) for n in range(3)]
    assert [[image["file_name"] for image in shard["images"]] for shard in shards] == [
        ["a0.png", "a1.png", "a2.png"],
        ["a3.png", "a4.png", "b0.png"],
        ["c0.png", "c1.png", "c2.png", "c3.png"],
    ]
    assert [[c["name"] for c in shard["categories"]] for shard in shards] == [["car", "cat", "dog"]] * 3
    assert sum(len(shard["annotations"]) for shard in shards) == report.written["annotations"] == 11
    assert report.seen == report.written
    assert report.verified


def test_the_manifest_names_the_shards_and_what_they_hold(tmp_path: Path) -> None:
    source = coco(tmp_path / "a.json", names("a", 7))
    convert(source, tmp_path / "out", to="coco", shards=2)
    found = manifest(tmp_path / "out")
    first = (tmp_path / "out" / "shard-00000-of-00002.json").read_bytes()
    assert (found["annolake"], found["format"], found["coordinates"]) == ("shards", "coco", "pixels")
    assert (found["labels"], found["images"], found["annotations"]) == (["car", "cat", "dog"], 7, 7)
    assert found["shards"][0] == {
        "name": "shard-00000-of-00002.json",
        "images": 3,
        "annotations": 3,
        "files": 1,
        "bytes": len(first),
        "sha256": hashlib.sha256(first).hexdigest(),
    }
    assert [shard["images"] for shard in found["shards"]] == [3, 4]


def test_the_digest_of_a_folder_is_that_of_what_sha256sum_prints(tmp_path: Path) -> None:
    convert(coco(tmp_path / "a.json", names("a", 3)), tmp_path / "out", to="yolo", shards=1)
    [shard] = manifest(tmp_path / "out")["shards"]
    files = tree(tmp_path / "out" / shard["name"])
    lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    assert shard["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    assert (shard["files"], shard["bytes"]) == (len(files), sum(map(len, files.values())))


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_bytes_with_any_number_of_processes(tmp_path: Path, to: str) -> None:
    sources = [coco(tmp_path / f"{letter}.json", names(letter, 4)) for letter in "abc"]
    reports = [convert(sources, tmp_path / f"{n}", to=to, shards=5, jobs=n, allow_loss=True) for n in (1, 2, 4)]
    assert tree(tmp_path / "1") == tree(tmp_path / "2") == tree(tmp_path / "4")
    assert reports[0].losses == reports[1].losses == reports[2].losses
    assert reports[0].decisions == reports[1].decisions == reports[2].decisions
    assert all(report.verified for report in reports)


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", SETS)
def test_the_shards_together_are_the_set(tmp_path: Path, root: Path, name: str, to: str) -> None:
    source = root / "fixtures" / name
    whole = convert(source, tmp_path / "whole", to=to, allow_loss=True)
    report = convert(source, tmp_path / "shards", to=to, allow_loss=True, shards=2)
    assert (report.seen, report.written, report.losses) == (whole.seen, whole.written, whole.losses)
    assert report.verified
    shards = [shard["name"] for shard in manifest(tmp_path / "shards")["shards"]]
    readings = [open_source(tmp_path / "shards" / name, to, Ledger()) for name in shards]
    one = open_source(tmp_path / "whole", to, Ledger())
    assert [reading.catalog.names() for reading in readings] == [one.catalog.names()] * 2
    records = [record for reading in readings for record in reading.records(Ledger())]
    assert sorted(map(meant, records)) == sorted(map(meant, one.records(Ledger())))


def meant(record: Record) -> tuple[object, ...]:
    """Image, split, sizes, tags, and labels and coordinates of all shapes."""
    shapes = [(one.label, *(one.bbox if isinstance(one, Rectangle) else one.xy)) for one in record.annotations]
    tags = sorted(tag.label for tag in record.tags)
    return (record.image, str(record.split), str(record.width), str(record.height), tags, shapes)


def test_labels_choices_and_splits_are_those_of_the_whole_set(tmp_path: Path) -> None:
    source = coco(tmp_path / "a.json", names("a", 40))
    listed = tuple(f"a{n}.png" for n in (0, 1, 2, 3, 30, 31, 38))
    choice = Choice(map_labels={"car": "truck"}, only_images=listed, split={"train": 0.5, "val": 0.5}, seed=3)
    whole = convert(source, tmp_path / "whole.json", to="coco", choice=choice)
    report = convert(source, tmp_path / "shards", to="coco", choice=choice, shards=4)
    assert (report.written, report.losses, report.decisions) == (whole.written, whole.losses, whole.decisions)
    assert report.verified
    assert [shard["images"] for shard in manifest(tmp_path / "shards")["shards"]] == [4, 0, 0, 3]
    assert manifest(tmp_path / "shards")["labels"] == ["truck", "cat", "dog"]
    found = [json.loads((tmp_path / "shards" / s["name"]).read_text()) for s in manifest(tmp_path / "shards")["shards"]]
    one = json.loads((tmp_path / "whole.json").read_text())
    assert [image for shard in found for image in shard["images"]] == one["images"]


@pytest.mark.parametrize("to", FORMATS)
def test_a_shard_without_images_is_a_set_too(tmp_path: Path, to: str) -> None:
    source = coco(tmp_path / "a.json", names("a", 3))
    choice = Choice(only_images=("a2.png",))
    report = convert(source, tmp_path / "shards", to=to, choice=choice, shards=3, allow_loss=True)
    assert report.written == {"images": 1, "annotations": 0}
    back = convert(tmp_path / "shards", tmp_path / "back.json", to="metalake", verify=False)
    assert back.seen == {"images": 1}


def test_images_in_several_sources_are_joined_in_the_first(tmp_path: Path) -> None:
    one, two = coco(tmp_path / "1.json", names("a", 4)), coco(tmp_path / "2.json", names("a", 6))
    with pytest.raises(InvalidInput, match="same-name"):
        convert([one, two], tmp_path / "out", to="metalake", shards=2)
    assert not (tmp_path / "out").exists()
    report = convert([one, two], tmp_path / "out", to="metalake", shards=2, join=True, jobs=2)
    found = manifest(tmp_path / "out")
    assert (report.written, report.verified) == ({"images": 6, "annotations": 10}, True)
    assert [shard["images"] for shard in found["shards"]] == [4, 2]


def test_a_refused_loss_leaves_nothing_and_is_counted_over_all_shards(tmp_path: Path) -> None:
    lake = {"images": [{"image": f"{n}.png", "annotations": [LINE] * n} for n in range(6)]}
    (tmp_path / "lake.json").write_text(json.dumps(lake))
    for jobs in (1, 3):
        with pytest.raises(LossRefused) as caught:
            convert(tmp_path / "lake.json", tmp_path / "out", to="coco", shards=3, jobs=jobs)
        assert [(loss["code"], loss["count"]) for loss in caught.value.report.losses] == [("line-unsupported", 15)]
        assert [path.name for path in tmp_path.iterdir()] == ["lake.json"]


def test_a_broken_image_in_the_last_shard_leaves_nothing(tmp_path: Path) -> None:
    source = coco(tmp_path / "a.json", names("a", 8))
    document = json.loads(source.read_text())
    document["annotations"][-1]["bbox"] = "none"
    source.write_text(json.dumps(document))
    for jobs in (1, 2):
        with pytest.raises(InvalidInput):
            convert(source, tmp_path / "out", to="coco", shards=4, jobs=jobs)
        assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_shards_are_overwritten_only_by_shards(tmp_path: Path) -> None:
    source = coco(tmp_path / "a.json", names("a", 4))
    convert(source, tmp_path / "out", to="coco", shards=4)
    with pytest.raises(UsageError, match="target-exists"):
        convert(source, tmp_path / "out", to="coco", shards=2)
    with pytest.raises(UsageError, match="target-is-other-file"):
        convert(source, tmp_path / "out", to="yolo", shards=2, overwrite=True)
    convert(source, tmp_path / "out", to="coco", shards=2, overwrite=True)
    assert len(list((tmp_path / "out").iterdir())) == 3
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="target-holds-other-files"):
        convert(source, tmp_path / "out", to="coco", shards=2, overwrite=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_shards_that_make_no_sense_are_refused(tmp_path: Path, root: Path) -> None:
    source = coco(tmp_path / "a.json", names("a", 4))
    with pytest.raises(UsageError, match="5 shards were asked for, and there are 4 images"):
        convert(source, tmp_path / "out", to="coco", shards=5)
    with pytest.raises(UsageError, match="lie in each other"):
        convert(source, tmp_path, to="coco", shards=2, overwrite=True)
    video = root / "fixtures" / "cvat" / "video key frames" / "in.xml"
    with pytest.raises(UsageError, match="tracks of a video cannot be cut"):
        convert(video, tmp_path / "out", to="cvat", shards=2, allow_loss=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_shard_that_is_missing_is_told(tmp_path: Path) -> None:
    convert(coco(tmp_path / "a.json", names("a", 4)), tmp_path / "out", to="coco", shards=2)
    (tmp_path / "out" / "shard-00001-of-00002.json").unlink()
    with pytest.raises(InvalidInput, match="shard-missing") as caught:
        convert(tmp_path / "out", tmp_path / "back.json", to="coco")
    assert caught.value.place.file == str(tmp_path / "out" / "shard-00001-of-00002.json")


@pytest.mark.parametrize("shards", [None, 2, 5])
@pytest.mark.parametrize("name", ["cvat/video project", "cvat/project subsets", "voc/split_names", "coco/splits"])
def test_names_with_their_split_in_front_come_home_from_yolo(
    tmp_path: Path, root: Path, name: str, shards: int | None
) -> None:
    """Several splits share names in the whole set, and not in each shard."""
    source = next(path for path in (root / "fixtures" / name).iterdir() if path.stem == "in")
    reading = open_source(source, None, Ledger())
    wanted = {record.image: record.split for record in reading.records(Ledger())}
    shards = shards and min(shards, reading.images)
    assert convert(source, tmp_path / "out", to="yolo", allow_loss=True, shards=shards).verified
    parts = [tmp_path / "out"] if shards is None else sorted((tmp_path / "out").glob("shard-*"))
    found = [record for part in parts for record in open_source(part, "yolo", Ledger()).records(Ledger())]
    assert {record.image: record.split for record in found} == wanted


@pytest.mark.parametrize("to", ["metalake", "yolo"])
def test_the_same_bytes_within_a_limit_of_memory(tmp_path: Path, to: str) -> None:
    source = coco(tmp_path / "a.json", names("a", 9))
    convert(source, tmp_path / "free", to=to, shards=3, jobs=1)
    convert(source, tmp_path / "held", to=to, shards=3, jobs=2, memory=256 << 20)
    assert tree(tmp_path / "free") == tree(tmp_path / "held")


def test_no_target_lies_among_the_shards_it_is_read_from(tmp_path: Path) -> None:
    convert(coco(tmp_path / "a.json", names("a", 4)), tmp_path / "set", to="coco", shards=2)
    with pytest.raises(UsageError, match="target-in-source"):
        convert(tmp_path / "set", tmp_path / "set" / "x.json", to="coco")
    with pytest.raises(UsageError, match="lie in each other"):
        convert(tmp_path / "set", tmp_path / "set", to="coco", shards=3, overwrite=True)
    assert len(list((tmp_path / "set").iterdir())) == 3
