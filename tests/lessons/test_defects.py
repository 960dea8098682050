"""Defects of other tools that ours must not have: one test each, named D<n> as in the list they were reproduced in.

Inputs are our own; what should come out is worked by hand in each test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annolake.converters import convert
from annolake.converters.checking import check
from annolake.converters.statistics import statistics
from annolake.converters.yolo import Options as Yolo
from annolake.schemas.errors import InvalidInput, LossRefused

Json = dict[str, Any]


def coco(tmp_path: Path, annotations: list[Json], **more: Any) -> Path:
    """A COCO file of one image, 100 x 80, and one category with id 7, unless said otherwise."""
    document: Json = {
        "images": [{"id": 3, "file_name": "a b.jpg", "width": 100, "height": 80}],
        "categories": [{"id": 7, "name": "cat"}],
        "annotations": annotations,
    }
    path = tmp_path / "in.json"
    path.write_text(json.dumps({**document, **more}), encoding="utf-8")
    return path


def box(number: int = 1, bbox: Any = (10, 20, 30, 40), **more: Any) -> Json:
    return {"id": number, "image_id": 3, "category_id": 7, "bbox": list(bbox), "area": 1200, "iscrowd": 0, **more}


def there_and_back(source: Path, tmp_path: Path) -> Json:
    convert(source, tmp_path / "lake.json", to="metalake", overwrite=True)
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    return json.loads((tmp_path / "back.json").read_text(encoding="ascii"))


def lake_of(source: Path, tmp_path: Path) -> Json:
    convert(source, tmp_path / "lake.json", to="metalake", overwrite=True)
    return json.loads((tmp_path / "lake.json").read_text(encoding="utf-8"))


def rows(source: Path, tmp_path: Path, **options: Any) -> list[str]:
    """Rows of all label files of a set written from `source`, with losses allowed."""
    target = tmp_path / "yolo"
    convert(source, target, to="yolo", allow_loss=True, options={"yolo": Yolo(**options)})
    files = sorted((target / "labels").rglob("*.txt"))
    return [row for file in files for row in file.read_text(encoding="utf-8").splitlines()]


def test_d2_class_numbers_begin_at_nought_whatever_the_category_ids(tmp_path: Path):
    categories = [{"id": 7, "name": "cat"}, {"id": 90, "name": "dog"}]
    source = coco(tmp_path, [box(), box(2, category_id=90)], categories=categories)
    assert [row.split()[0] for row in rows(source, tmp_path)] == ["0", "1"]
    assert there_and_back(source, tmp_path)["categories"] == categories


@pytest.mark.parametrize(
    "more",
    [
        {"segmentation": [[10, 20, 40, 20, 40, 60]]},
        {"segmentation": [[10, 20, 20, 20, 20, 60], [30, 20, 40, 20, 40, 60]]},
        {"segmentation": {"size": [80, 100], "counts": [820, 40, 40, 40, 7060]}},
        {"keypoints": [12, 22, 2, 0, 0, 0, 30, 50, 1], "num_keypoints": 2},
        {"track_id": 5, "attributes": {"occluded": True, "color": "blue", "doors": 4, "new": False}},
        {"score": 0.37},
        {"iscrowd": 1, "segmentation": {"size": [80, 100], "counts": [820, 40, 7140]}},
    ],
    ids=["polygon", "parts", "mask", "keypoints", "attributes", "score", "crowd"],
)
def test_d3_coco_comes_home_whole(tmp_path: Path, more: Json):
    given = box(**more)
    [back] = there_and_back(coco(tmp_path, [given]), tmp_path)["annotations"]
    assert {key: back[key] for key in given} == given


def test_d5_masks_are_objects_and_a_crowd_stays_a_crowd(tmp_path: Path):
    square = {"size": [80, 100], "counts": [820, 40, 40, 40, 7060]}
    source = coco(tmp_path, [box(segmentation=square), box(2, iscrowd=1, segmentation=square)])
    lake = lake_of(source, tmp_path)["images"][0]["annotations"]
    assert [a["metadata"].get("iscrowd") for a in lake] == [None, True]
    assert len(rows(source, tmp_path, task="segment")) == 1


def test_d6_a_mask_keeps_its_edges_and_its_hole(tmp_path: Path):
    """A square of 40 x 40 pixels from 10, 10 with a hole of 20 x 20: 1200 pixels, outline along pixel edges."""
    picture = [
        [10 <= x < 50 and 10 <= y < 50 and not (20 <= x < 40 and 20 <= y < 40) for x in range(100)] for y in range(80)
    ]
    column_major = [picture[y][x] for x in range(100) for y in range(80)]
    counts, value = [0], False
    for pixel in column_major:
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    source = coco(tmp_path, [box(segmentation={"size": [80, 100], "counts": counts}, area=1200)])
    outer, hole = lake_of(source, tmp_path)["images"][0]["annotations"]
    assert sorted(map(tuple, outer["polygon"])) == [(10, 10), (10, 50), (50, 10), (50, 50)]
    assert sorted(map(tuple, hole["polygon"])) == [(20, 20), (20, 40), (40, 20), (40, 40)]
    assert hole["metadata"]["hole_of"] == outer["metadata"]["part"]


def test_d8_d9_equal_annotation_ids_stay_two_objects_and_no_image_is_lost(tmp_path: Path):
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 80} for n in (1, 2)]
    source = coco(tmp_path, [box(image_id=1), box(image_id=2, bbox=(1, 1, 6, 6))], images=images)
    report = convert(source, tmp_path / "lake.json", to="metalake", overwrite=True)
    assert [problem["code"] for problem in report.problems] == ["duplicate-annotation-id"]
    back = there_and_back_of(tmp_path)
    assert [image["id"] for image in back["images"]] == [1, 2]
    assert len({annotation["id"] for annotation in back["annotations"]}) == 2
    assert [annotation["bbox"] for annotation in back["annotations"]] == [[10, 20, 30, 40], [1, 1, 6, 6]]


def there_and_back_of(tmp_path: Path) -> Json:
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    return json.loads((tmp_path / "back.json").read_text(encoding="ascii"))


def test_d11_annotations_alone_are_enough(tmp_path: Path):
    given = {"id": 1, "image_id": 3, "category_id": 7, "bbox": [1, 2, 3, 4]}
    assert lake_of(coco(tmp_path, [given]), tmp_path)["images"][0]["annotations"][0]["bbox"] == [1, 2, 3, 4]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_d13_what_is_no_number_stops_the_run_at_its_place(tmp_path: Path, number: str):
    source = coco(tmp_path, [box()])
    source.write_text(source.read_text().replace("[10, 20", f"[10,\n {number}"))
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path / "lake.json", to="metalake", overwrite=True)
    assert caught.value.place.line is not None
    assert not (tmp_path / "lake.json").exists()


def test_d14_two_pictures_for_one_label_file_are_an_error_naming_both(tmp_path: Path):
    images = [
        {"id": n, "file_name": f"0001.{suffix}", "width": 9, "height": 9} for n, suffix in enumerate(["jpg", "png"])
    ]
    with pytest.raises(InvalidInput) as caught:
        convert(coco(tmp_path, [], images=images), tmp_path / "yolo", to="yolo", allow_loss=True)
    assert caught.value.code == "same-stem"
    assert "0001.jpg" in str(caught.value)
    assert "0001.png" in str(caught.value)
    assert not (tmp_path / "yolo").exists()


def test_d15_doubled_image_ids_are_refused(tmp_path: Path):
    images = [{"id": 1, "file_name": name, "width": 9, "height": 9} for name in ("a.jpg", "b.jpg")]
    with pytest.raises(InvalidInput, match="duplicate-id"):
        convert(coco(tmp_path, [], images=images), tmp_path / "lake.json", to="metalake")


def test_d16_an_object_of_two_parts_is_one_object_or_a_refused_loss(tmp_path: Path):
    source = coco(tmp_path, [box(segmentation=[[10, 20, 20, 20, 20, 60], [30, 20, 40, 20, 40, 60]])])
    lake = lake_of(source, tmp_path)["images"][0]["annotations"]
    assert len({a["metadata"]["instance"] for a in lake}) == 1
    assert statistics(tmp_path / "lake.json")["annotations"] == 1
    with pytest.raises(LossRefused, match="multi-part-split 1"):
        convert(source, tmp_path / "yolo", to="yolo", options={"yolo": Yolo(task="segment")})


def test_d17_nothing_half_written_and_no_null_where_a_list_belongs(tmp_path: Path):
    dangling = coco(tmp_path, [box(), box(2, image_id=99)])
    with pytest.raises(InvalidInput, match="dangling-image"):
        convert(dangling, tmp_path / "yolo", to="yolo")
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    [back] = there_and_back(coco(tmp_path, [box()]), tmp_path)["annotations"]
    assert back["segmentation"] == []


def test_d17_a_negative_width_is_never_written_as_a_row(tmp_path: Path):
    source = coco(tmp_path, [box(bbox=(30, 20, -20, 40))])
    with pytest.raises(LossRefused, match="degenerate 1"):
        convert(source, tmp_path / "yolo", to="yolo")
    assert rows(source, tmp_path) == []


def yolo(tmp_path: Path, text: str | bytes, name: str = "labels/train/a.txt") -> Path:
    folder = tmp_path / "set"
    (folder / name).parent.mkdir(parents=True)
    (folder / "data.yaml").write_text("train: images/train\nval: images/train\nnames: {0: cat, 1: dog}\n")
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_d17b_d26_names_keep_their_extension_and_the_size_says_its_rule(tmp_path: Path):
    source = yolo(tmp_path, "0 0.5 0.5 0.2 0.4\n")
    turned = Image.new("RGB", (100, 80))
    exif = turned.getexif()
    exif[0x0112] = 6
    (source / "images/train").mkdir(parents=True)
    turned.save(source / "images/train/a.jpg", exif=exif)
    Image.new("RGB", (100, 80)).save(source / "images/train/empty.jpg")
    report = convert(source, tmp_path / "coco.json", to="coco")
    document = json.loads((tmp_path / "coco.json").read_text())
    assert {image["file_name"]: (image["width"], image["height"]) for image in document["images"]} == {
        "a.jpg": (80, 100),
        "empty.jpg": (100, 80),
    }
    assert document["annotations"][0]["bbox"] == pytest.approx([32, 30, 16, 40])
    assert "exif" in {decision["code"] for decision in report.decisions}
    raw = convert(source, tmp_path / "raw.json", to="coco", exif="raw")
    assert raw.options["exif"] == "raw"
    assert json.loads((tmp_path / "raw.json").read_text())["annotations"][0]["bbox"] == pytest.approx([40, 24, 20, 32])


def test_d18_a_polygon_row_is_a_polygon(tmp_path: Path):
    lake = lake_of(yolo(tmp_path, "0 0.1 0.25 0.4 0.25 0.4 0.75\n"), tmp_path)
    [polygon] = lake["images"][0]["annotations"]
    assert polygon["polygon"] == [[0.1, 0.25], [0.4, 0.25], [0.4, 0.75]]
    assert "confidence" not in polygon


def test_d19_one_object_each_empty_images_too_and_fractions_in_yolo(tmp_path: Path):
    images = [
        {"id": 3, "file_name": "a.jpg", "width": 100, "height": 80},
        {"id": 4, "file_name": "empty.jpg", "width": 5, "height": 5},
    ]
    source = coco(tmp_path, [box(segmentation=[[10, 20, 40, 20, 40, 60]])], images=images)
    lake = lake_of(source, tmp_path)["images"]
    assert [len(image["annotations"]) for image in lake] == [1, 0]
    assert rows(source, tmp_path, task="segment") == ["0 0.100000 0.250000 0.400000 0.250000 0.400000 0.750000"]
    assert (tmp_path / "yolo/labels/train/empty.txt").read_bytes() == b""


def test_d20_every_annotation_has_an_id(tmp_path: Path):
    convert(yolo(tmp_path, "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.1 0.1\n"), tmp_path / "lake.json", to="metalake")
    lake = json.loads((tmp_path / "lake.json").read_text())
    lake["images"][0].update(width=100, height=80)
    (tmp_path / "lake.json").write_text(json.dumps(lake))
    assert [annotation["id"] for annotation in there_and_back_of(tmp_path)["annotations"]] == [1, 2]


def test_d21_confidence_is_carried_or_refused(tmp_path: Path):
    source = coco(tmp_path, [box(score=0.37)])
    assert lake_of(source, tmp_path)["images"][0]["annotations"][0]["confidence"] == 0.37
    with pytest.raises(LossRefused, match="confidence-dropped 1"):
        convert(source, tmp_path / "yolo", to="yolo")
    assert rows(source, tmp_path, save_conf=True) == ["0 0.250000 0.500000 0.300000 0.500000 0.37"]
    with pytest.raises(InvalidInput, match="confidence"):
        convert(yolo(tmp_path, "0 0.5 0.5 0.2 0.2 0.9\n"), tmp_path / "no.json", to="metalake")


def test_d22_byte_order_marks_are_read_over(tmp_path: Path):
    lake = lake_of(yolo(tmp_path, b"\xef\xbb\xbf0 0.5 0.5 0.2 0.2\n"), tmp_path)
    assert lake["images"][0]["annotations"][0]["label"] == "cat"
    source = coco(tmp_path, [box()])
    source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())
    assert len(there_and_back(source, tmp_path)["annotations"]) == 1


def test_d25_numbers_are_not_rounded(tmp_path: Path):
    given = box(
        bbox=[1234.5, 2345.5, 10.25, 7.125], segmentation=[[1234.5, 2345.5, 1244.75, 2345.5, 1240.123, 2352.625]]
    )
    images = [{"id": 3, "file_name": "big.jpg", "width": 4000, "height": 3000}]
    [back] = there_and_back(coco(tmp_path, [given], images=images), tmp_path)["annotations"]
    assert (back["bbox"], back["segmentation"]) == (given["bbox"], given["segmentation"])


def test_d28_d29_odd_boxes_and_categories_are_said(tmp_path: Path):
    assert there_and_back(coco(tmp_path, [box(bbox=(5, 5, 0, 0))]), tmp_path)["annotations"][0]["bbox"] == [5, 5, 0, 0]
    with pytest.raises(InvalidInput, match="unknown-category"):
        convert(coco(tmp_path, [box(category_id=42)]), tmp_path / "yolo", to="yolo")


def test_d31_a_split_read_twice_is_read_once(tmp_path: Path):
    source = yolo(tmp_path, "0 0.5 0.5 0.2 0.2\n")
    lake = lake_of(source, tmp_path)
    assert [image["image"] for image in lake["images"]] == ["a"]


def test_d7_a_rotated_box_does_not_disappear(tmp_path: Path):
    """40 x 30 about (30, 35), a quarter turned: 30 wide and 40 high on the screen."""
    given = box(bbox=(10, 20, 40, 30), segmentation=[], attributes={"rotation": 90, "occluded": True})
    [shown] = lake_of(coco(tmp_path, [given]), tmp_path)["images"][0]["annotations"]
    xs, ys = zip(*shown["polygon"], strict=True)
    assert [min(xs), min(ys), max(xs), max(ys)] == pytest.approx([15, 15, 45, 55])
    assert there_and_back(tmp_path / "in.json", tmp_path)["annotations"] == [given]


def test_d16_joined_it_is_one_row_with_the_area_of_both(tmp_path: Path):
    parts = [[10, 8, 30, 8, 30, 24, 10, 24], [50, 8, 70, 8, 70, 24, 50, 24]]
    source = coco(tmp_path, [box(bbox=(10, 8, 60, 16), segmentation=parts, area=640)])
    [row] = rows(source, tmp_path, multi_part="join")
    numbers = list(map(float, row.split()[1:]))
    xs, ys = [100 * x for x in numbers[::2]], [80 * y for y in numbers[1::2]]
    turns = zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    assert abs(sum(x * v - u * y for x, y, u, v in turns)) / 2 == pytest.approx(640)


def test_d23_each_object_has_its_own_area_and_no_licence_is_needed(tmp_path: Path):
    given = [box(1, (0, 0, 100, 80)), box(2, (10, 20, 30, 40))]
    for annotation in given:
        del annotation["area"]
    back = there_and_back(coco(tmp_path, given), tmp_path)
    assert [annotation["area"] for annotation in back["annotations"]] == [8000, 1200]


def test_d29_a_box_of_a_pixel_and_a_quarter_keeps_its_width(tmp_path: Path):
    [row] = rows(coco(tmp_path, [box(bbox=(10, 20, 1.25, 1.25))]), tmp_path)
    assert float(row.split()[3]) * 100 == pytest.approx(1.25)


def test_d33_doubled_ids_and_boxes_outside_are_found(tmp_path: Path):
    found = {problem.code for problem in check(coco(tmp_path, [box(), box(), box(3, (90, 70, 30, 40))])).problems}
    assert {"duplicate-annotation-id", "outside-image"} <= found
