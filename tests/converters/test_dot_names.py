"""Images whose names, or whose folders' names, begin with a dot: they come home from every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annolake.converters import Choice, convert, formats
from annolake.converters.comparing import compare

NAMES = [".hidden.png", "b.png", ".folder/c.png", "._d.png", "..e.png", "f/.g.png", ".h.i.png"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A COCO set with one box in each image, and their pictures in `pictures`."""
    images: list[dict[str, Any]] = []
    for number, name in enumerate(NAMES, 1):
        images.append({"id": number, "file_name": name, "width": 40, "height": 20})
        picture = tmp_path / "pictures" / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 20)).save(picture)
    boxes = [
        {"id": one["id"], "image_id": one["id"], "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
        for one in images
    ]
    document = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "car"}]}
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", [one for one in formats() if one != "coco"])
@pytest.mark.parametrize("split", [{}, {"train": 0.5, "val": 0.5}], ids=["whole", "split"])
def test_they_come_home(source: Path, tmp_path: Path, name: str, split: dict[str, float]) -> None:

    choice = Choice(split=split) if split else None
    there, back = tmp_path / "there", tmp_path / "back.json"
    report = convert(source, there, to=name, choice=choice)
    assert report.written == {"images": len(NAMES), "annotations": len(NAMES)}
    convert(there, back, to="coco", from_=name, images=tmp_path / "pictures")
    difference = compare(source, back)
    assert not difference.as_json()["changes"]
    assert {one["file_name"] for one in json.loads(back.read_text(encoding="utf-8"))["images"]} == {*NAMES}


def test_twins_that_macos_puts_beside_files_are_no_images(tmp_path: Path, source: Path) -> None:
    """A folder that was on another disk: `._b.xml` beside `b.xml` is no XML."""
    there, back = tmp_path / "there", tmp_path / "back.json"
    convert(source, there, to="voc")
    for path in [*there.rglob("*.xml")]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    report = convert(there, back, to="coco")
    assert report.seen["images"] == len(NAMES)
