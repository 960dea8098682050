"""Relatives of COCO (formats.md 2.10): read whole, or refused by name; never a crash, never a part in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import coco, convert
from annolake.schemas.errors import InvalidInput

Json = dict[str, Any]
IMAGES: list[Json] = [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}]
CATEGORIES: list[Json] = [{"id": 1, "name": "cat"}]
OWNER: Json = {"id": 1, "image_id": 1, "category_id": 1}
BOX: Json = OWNER | {"bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "segmentation": []}
TRACK: Json = {"id": 1, "video_id": 1, "category_id": 1, "bboxes": [[1, 2, 3, 4]], "segmentations": [None]}
SEGMENTS = [{"id": 3226956, "category_id": 1, "area": 8, "bbox": [1, 2, 3, 4], "iscrowd": 0}]


def document(annotations: Any, **more: Any) -> Json:
    return {"images": IMAGES, "annotations": annotations, "categories": CATEGORIES} | more


PANOPTIC: Json = {"image_id": 1, "file_name": "a.png", "segments_info": SEGMENTS}
REFUSED: dict[str, tuple[Any, str]] = {
    "panoptic": (document([PANOPTIC], categories=[{"id": 1, "name": "sky", "isthing": 0}]), "panoptic"),
    "text ids": (document([PANOPTIC | {"image_id": "x"}], images=[{"id": "x", "file_name": "a.jpg"}]), "panoptic"),
    "panoptic results": ([PANOPTIC], "panoptic"),
    "captions": ({"images": IMAGES, "annotations": [{"id": 1, "image_id": 1, "caption": "A cat."}]}, "captions"),
    "caption results": ([{"image_id": 1, "caption": "A cat."}], "captions"),
    "video": ({"videos": [{"id": 1}], "annotations": [TRACK], "categories": CATEGORIES}, "video"),
    "video with images": (document([TRACK | {"image_id": 1}], videos=[{"id": 1}]), "video"),
    "video results": ([TRACK | {"image_id": 1, "score": 0.5}], "video"),
}  # fmt: skip


@pytest.mark.parametrize("results", [False, True])
@pytest.mark.parametrize("name", list(REFUSED))
def test_refused_by_name(tmp_path: Path, name: str, results: bool):
    content, word = REFUSED[name]
    (tmp_path / "in.json").write_text(json.dumps(content))
    (tmp_path / "truth.json").write_text(json.dumps(document([])))
    options = {"coco": coco.Options(categories=str(tmp_path / "truth.json") if results else None)}
    with pytest.raises(InvalidInput) as caught:
        convert(tmp_path / "in.json", tmp_path / "out.json", to="metalake", from_="coco", options=options)
    assert (caught.value.code, caught.value.exit_code) == ("unsupported-variant", 4)
    assert word in caught.value.message and caught.value.hint
    assert not (tmp_path / "out.json").exists()


def test_a_video_file_is_recognised_as_coco(tmp_path: Path):
    (tmp_path / "in.json").write_text(json.dumps(REFUSED["video"][0]))
    with pytest.raises(InvalidInput) as caught:
        convert(tmp_path / "in.json", tmp_path / "out.json", to="metalake")
    assert caught.value.code == "unsupported-variant"


URL = "http://images.cocodataset.org/train2017/000000391895.jpg"
LVIS_IMAGE: Json = {"id": 1, "width": 20, "height": 10, "coco_url": URL, "neg_category_ids": [3]}
LVIS_CATEGORY: Json = {"id": 1, "name": "cat", "frequency": "f", "synset": "cat.n.01", "synonyms": ["cat"], "def": "x"}
READ: dict[str, Json] = {
    "LVIS": {
        "images": [LVIS_IMAGE | {"not_exhaustive_category_ids": []}],
        "annotations": [OWNER | {"bbox": [1.5, 2, 2.5, 4], "segmentation": [[1.5, 2, 4, 2, 4, 6]], "area": 5}],
        "categories": [LVIS_CATEGORY | {"image_count": 3, "instance_count": 4}],
    },
    "stuff": document([BOX | {"category_id": 92}], categories=[{"id": 92, "name": "banner", "color": [1, 2, 3]}]),
    "image_info": {"images": IMAGES, "categories": CATEGORIES, "info": {"year": 2017}, "licenses": []},
    "Objects365": document([BOX | {"isfake": 0, "isreflective": 1}]),
    "CocoVID": document(
        [BOX | {"instance_id": 7, "video_id": 3, "is_vid_train_frame": True}],
        images=[IMAGES[0] | {"frame_id": 0, "video_id": 3}],
        videos=[{"id": 3, "name": "drive"}],
        tracks=[{"id": 7, "category_id": 1, "video_id": 3}],
    ),
    "TAO": document([BOX | {"track_id": 7, "video_id": 3, "_scale_uuid": "u"}], videos=[{"id": 3}], segment_info=[]),
}  # fmt: skip


@pytest.mark.parametrize("name", list(READ))
def test_read_and_brought_home(tmp_path: Path, name: str):
    given = READ[name]
    (tmp_path / "in.json").write_text(json.dumps(given))
    report = convert(tmp_path / "in.json", tmp_path / "lake.json", to="metalake")
    assert report.seen.get("annotations", 0) == len(given.get("annotations", []))
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco")
    back = json.loads((tmp_path / "back.json").read_text())
    for annotation in back["annotations"]:  # what evaluators need is written where it was not
        if "iscrowd" not in given["annotations"][0]:
            del annotation["iscrowd"]
    assert {key: back[key] for key in given} == given


def test_a_picture_of_lvis_is_called_by_its_address(tmp_path: Path):
    (tmp_path / "in.json").write_text(json.dumps(READ["LVIS"]))
    convert(tmp_path / "in.json", tmp_path / "lake.json", to="metalake")
    assert json.loads((tmp_path / "lake.json").read_text())["images"][0]["image"] == "000000391895.jpg"
