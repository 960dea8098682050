"""The generated COCO file is what the benchmarks take it for: judged by pycocotools and plain arithmetic."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy", reason="the generator needs numpy")

GENERATOR = Path(__file__).resolve().parents[2] / "benchmarks" / "generate_coco.py"
IMAGES, ANNOTATIONS = 400, 3000


def run(out: Path, seed: int) -> Path:
    command = [
        sys.executable,
        GENERATOR,
        "--images",
        IMAGES,
        "--annotations",
        ANNOTATIONS,
        "--seed",
        seed,
        out,
    ]
    subprocess.run([str(word) for word in command], check=True)
    return out


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("coco") / "small.json", seed=7)


@pytest.fixture(scope="module")
def data(small: Path) -> dict[str, Any]:
    return json.loads(small.read_bytes())


def split(data: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the polygon objects and the crowds."""
    annotations = data["annotations"]
    return [a for a in annotations if not a["iscrowd"]], [a for a in annotations if a["iscrowd"]]


def test_same_seed_same_bytes(small: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "again.json", seed=7).read_bytes() == small.read_bytes()
    assert run(tmp_path / "other.json", seed=8).read_bytes() != small.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.json", "other.json"]


def test_keys_and_spacing_are_those_of_coco(small: Path, data: dict[str, Any]) -> None:
    assert list(data) == ["info", "licenses", "images", "annotations", "categories"]
    words = "license,file_name,coco_url,height,width,date_captured,flickr_url,id"
    assert {",".join(image) for image in data["images"]} == {words}
    words = "segmentation,area,iscrowd,image_id,bbox,category_id,id"
    assert {",".join(annotation) for annotation in data["annotations"]} == {words}
    assert small.read_text(encoding="ascii") == json.dumps(data, separators=(",", ": "))


def test_counts_and_references(data: dict[str, Any]) -> None:
    assert (len(data["images"]), len(data["annotations"]), len(data["licenses"])) == (IMAGES, ANNOTATIONS, 8)
    image_ids = {image["id"] for image in data["images"]}
    category_ids = {category["id"] for category in data["categories"]}
    assert (len(image_ids), len(category_ids), min(category_ids), max(category_ids)) == (400, 80, 1, 90)
    assert len({annotation["id"] for annotation in data["annotations"]}) == ANNOTATIONS

    used = {annotation["image_id"] for annotation in data["annotations"]}
    # 1,021 of 118,287 images are empty in train2017: three in four hundred.
    assert used < image_ids and len(image_ids - used) == 3
    assert {annotation["category_id"] for annotation in data["annotations"]} <= category_ids


def test_shares_of_crowds_and_parts(data: dict[str, Any]) -> None:
    ordinary, crowds = split(data)
    # 10,052 of 860,001 annotations are crowds in train2017.
    assert len(crowds) == 35
    assert all(crowd["id"] > 900_000_000_000 for crowd in crowds)
    several = sum(len(annotation["segmentation"]) > 1 for annotation in ordinary)
    assert 0.06 < several / len(ordinary) < 0.10
    assert max(annotation["id"] for annotation in ordinary) < 2**31


def test_annotations_are_not_grouped_by_image(data: dict[str, Any]) -> None:
    neighbours = pairwise(annotation["image_id"] for annotation in data["annotations"])
    assert sum(first == second for first, second in neighbours) < ANNOTATIONS / 20


def test_box_is_the_hull_and_area_the_shoelace_sum(data: dict[str, Any]) -> None:
    sizes = {image["id"]: (image["width"], image["height"]) for image in data["images"]}
    ordinary, _ = split(data)
    for annotation in ordinary:
        rings = annotation["segmentation"]
        xs = list(chain.from_iterable(ring[0::2] for ring in rings))
        ys = list(chain.from_iterable(ring[1::2] for ring in rings))
        hull = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
        assert annotation["bbox"] == [round(edge, 2) for edge in hull]
        assert annotation["area"] == pytest.approx(sum(map(shoelace, rings)), rel=1e-9)
        assert annotation["area"] > 1
        width, height = sizes[annotation["image_id"]]
        assert min(xs) >= 0 and min(ys) >= 0 and max(xs) <= width and max(ys) <= height
        assert all(value == round(value, 2) for value in chain(xs, ys))


def shoelace(ring: list[float]) -> float:
    corners = list(zip(ring[0::2], ring[1::2], strict=True))
    following = [*corners[1:], corners[0]]
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(corners, following, strict=True))) / 2


def test_pycocotools_loads_it_and_agrees_on_the_crowds(small: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    mask = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    coco = coco_module.COCO(str(small))
    assert (len(coco.imgs), len(coco.anns), len(coco.cats)) == (IMAGES, ANNOTATIONS, 80)
    for crowd in coco.loadAnns(coco.getAnnIds(iscrowd=True)):
        image = coco.imgs[crowd["image_id"]]
        assert crowd["segmentation"]["size"] == [image["height"], image["width"]]
        assert sum(crowd["segmentation"]["counts"]) == image["height"] * image["width"]
        encoded = coco.annToRLE(crowd)
        assert mask.area(encoded) == crowd["area"]
        assert mask.toBbox(encoded).tolist() == crowd["bbox"]
