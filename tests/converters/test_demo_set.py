"""The demonstration set: what is annotated is what is drawn, as another program reads the pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
CLOSE = 60
"""How far colours may be apart and still be one: JPEG smears them."""


def fits(picture: Image.Image, inside: np.ndarray) -> bool:
    """Whether the pixels of a shape, but for its rim, have one colour, and the pixels around it another."""
    pixels = np.asarray(picture).astype(int)
    assert inside.shape == pixels.shape[:2]
    core, around = _shrunk(inside, 3), ~_shrunk(~inside, 2) & _shrunk(~inside, 1)
    colour = np.median(pixels[core], axis=0)
    same = np.abs(pixels - colour).sum(axis=2) < CLOSE
    return bool(same[core].mean() > 0.95 and same[around].mean() < 0.35)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("number", range(5))
def test_coco_shapes_are_where_they_were_drawn(number: int) -> None:
    masks = pytest.importorskip("pycocotools.mask")
    document = json.loads((DEMO / "coco/annotations/instances_train.json").read_text(encoding="utf-8"))
    annotation = document["annotations"][number]
    image = next(image for image in document["images"] if image["id"] == annotation["image_id"])
    with Image.open(DEMO / "coco/images" / image["file_name"]) as opened:
        picture = opened.convert("RGB")
    assert picture.size == (image["width"], image["height"])
    outline = annotation["segmentation"]
    if isinstance(outline, dict):
        rle = outline if isinstance(outline["counts"], str) else masks.frPyObjects(outline, *outline["size"])
        inside = masks.decode(rle).astype(bool)
        assert inside.sum() == annotation["area"]
    else:
        x, y, w, h = annotation["bbox"]
        rings = outline or [[x, y, x + w, y, x + w, y + h, x, y + h]]
        inside = _drawn(rings, picture.size)
    assert fits(picture, inside)


@pytest.mark.parametrize("name", ["train/lot a.jpg", "train/turned.jpg", "val/square.png"])
def test_yolo_rings_are_where_they_were_drawn(name: str) -> None:
    """In the picture as people see it: one is stored turned."""
    with Image.open(DEMO / "yolo/images" / name) as stored:
        picture = ImageOps.exif_transpose(stored).convert("RGB")
        assert (picture.size != stored.size) == ("turned" in name)
    row = (DEMO / "yolo/labels" / name).with_suffix(".txt").read_text().split()
    ring = [float(value) * picture.size[index % 2] for index, value in enumerate(row[1:])]
    assert fits(picture, _drawn([ring], picture.size))


def _drawn(rings: list[list[float]], size: tuple[int, int]) -> np.ndarray:
    canvas = Image.new("1", size)
    for ring in rings:
        ImageDraw.Draw(canvas).polygon(ring, fill=1)
    return np.asarray(canvas, dtype=bool)


def _shrunk(mask: np.ndarray, steps: int) -> np.ndarray:
    """Without the outermost pixels, so many times; the picture's own edge is no rim."""
    for _ in range(steps):
        padded = np.pad(mask, 1, constant_values=True)
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask
