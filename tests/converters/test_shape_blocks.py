"""Outlined objects by blocks and image by image: the same bytes, the same books, the same error."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pycocotools.mask
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from annolake.converters import blocks, registry
from annolake.converters.carrying import fingerprint
from annolake.converters.coco.objects import is_hull, tidy_hull
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.merging import glance
from annolake.converters.opening import open_source
from annolake.converters.pipeline import Run
from annolake.converters.ringblocks import RingBlock
from annolake.converters.shapeblocks import Shape, ShapeBlock, carried, flattened
from annolake.converters.voc.ringtexts import areas
from annolake.schemas.geometry import shoelace

from .test_blocks import outcome

TARGETS: list[tuple[str, dict[str, Any]]] = [
    ("coco", {}),
    ("metalake", {}),
    ("cvat", {}),
    ("voc", {}),
    ("voc", {"convention": "devkit"}),
    ("voc", {"numbers": "int"}),
    ("yolo", {}),
    ("yolo", {"task": "segment", "decimals": 3}),
    ("yolo", {"task": "segment", "multi_part": "join"}),
    ("yolo", {"crowd": "keep"}),
]
KINDS = ("usual", "whole numbers", "mixed numbers", "odd", "broken")


def _ring(dice: random.Random, *, whole: bool) -> list[float]:
    points = [(dice.randrange(6000), dice.randrange(4000)) for _ in range(dice.choice([3, 4, 9, 30]))]
    xy = list(chain.from_iterable(points))
    return [n // 100 for n in xy] if whole else [n / 100 for n in xy]


def _annotation(dice: random.Random, identity: int, image: int, kind: str) -> dict[str, Any]:
    whole = kind == "whole numbers" and dice.random() < 0.5
    rings = [_ring(dice, whole=whole) for _ in range(dice.choice([1, 1, 1, 2, 3]))]
    plain: dict[str, Any] = {
        "segmentation": rings,
        "area": dice.choice([dice.randrange(1, 9000) / 7, 12, 12.5]),
        "iscrowd": 0,
        "image_id": image,
        "bbox": list(tidy_hull(rings)),
        "category_id": dice.choice([1, 3, 8]),
        "id": identity,
    }
    if kind == "mixed numbers":
        plain["segmentation"] = rings = [[_whole_at_times(dice, number) for number in ring] for ring in rings]
        plain["bbox"] = [_whole_at_times(dice, number) for number in tidy_hull(rings)]
        if dice.random() < 0.02:
            rings[0][2] = 2**53 + 1
    if dice.random() < 0.2:
        plain["bbox"][0] += 0.25
    if dice.random() < 0.1:
        plain["segmentation"] = []
    if kind == "odd" and dice.random() < 0.3:
        plain |= dice.choice(_ODD)
    return plain


def _whole_at_times(dice: random.Random, number: float) -> float:
    """The number, or one that is whole: in words of JSON with a decimal point, or without."""
    return dice.choice([number, number, number, float(int(number)), int(number)])


_RLE: Any = pycocotools.mask.frPyObjects([[3, 3, 30, 3, 9, 30]], 40, 60)[0]["counts"]
_ODD: list[dict[str, Any]] = [
    {"iscrowd": 1, "segmentation": {"size": [40, 60], "counts": [20, 4, 36, 4, 2336]}},
    {"iscrowd": 0, "segmentation": {"size": [40, 60], "counts": [2400]}},
    {"iscrowd": 1, "segmentation": {"size": [40, 60], "counts": _RLE.decode()}},
    {"segmentation": [[1.5, 2.5, 9.5, 2.5, 9.5, 8.5, 1.5, 2.5]]},
    {"ignore": 0},
    {"attributes": {"occluded": True}},
    {"attributes": {"track_id": 7}},
    {"area": 0},
    {"iscrowd": None},
    {"category_id": 4},
    {"score": 0.5},
]


def outlined_source(folder: Path, seed: int, kind: str) -> Path:
    dice = random.Random(seed)
    images = [
        {"license": 1, "file_name": f"{number:04}.jpg", "height": 40, "width": 60, "id": 100 + number}
        for number in range(23)
    ]
    if kind == "odd":
        images[4::5] = [{**image, "mine": 3} for image in images[4::5]]
    annotations = [_annotation(dice, number, dice.choice(images)["id"], kind) for number in range(1, 150)]
    if kind == "broken":
        annotations[70]["image_id"], annotations[70]["category_id"] = 112, 77
    categories = [{"id": n, "name": name} for n, name in [(1, "car"), (3, "dog & cat"), (4, "tree"), (5, "tree")]]
    categories.append({"id": 8, "name": "Fußgänger"})
    path = folder / "source.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("to", "chosen"), TARGETS, ids=[to for to, _ in TARGETS])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_as_image_by_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, chosen: dict[str, Any], kind: str, jobs: int
) -> None:
    for seed in range(4):
        source = outlined_source(tmp_path, seed, kind)
        suffix = registry.get(to).suffix
        monkeypatch.setattr("annolake.converters.parallel.WORTH_A_PROCESS", 1)
        monkeypatch.setattr(blocks, "FEWEST", 10**9)
        one_by_one = outcome(source, "coco", tmp_path / f"one-{seed}{suffix}", to, chosen, jobs)
        monkeypatch.setattr(blocks, "FEWEST", 0)
        monkeypatch.setattr(blocks, "IMAGES", 4)
        in_blocks = outcome(source, "coco", tmp_path / f"two-{seed}{suffix}", to, chosen, jobs)
        assert in_blocks == one_by_one
        assert isinstance(in_blocks[0], dict) == (kind != "broken"), in_blocks


@pytest.mark.parametrize("kind", ["usual", "odd"])
@pytest.mark.parametrize(("to", "chosen"), TARGETS, ids=[to for to, _ in TARGETS])
@pytest.mark.parametrize("shards", [None, 3])
def test_the_same_of_several_sources_and_in_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, chosen: dict[str, Any], kind: str, shards: int | None
) -> None:
    """Whose ids clash, so that the later ones are new."""
    monkeypatch.setattr("annolake.converters.parallel.WORTH_A_PROCESS", 1)
    first = outlined_source(tmp_path, 8, kind)
    document = json.loads(outlined_source(tmp_path, 9, kind).read_text())
    for image in document["images"]:
        image["file_name"] = f"b{image['file_name']}"
    second = tmp_path / "second.json"
    second.write_text(json.dumps(document))
    suffix = "" if shards else registry.get(to).suffix
    for number, sources in enumerate(([first, second], [second])):
        monkeypatch.setattr(blocks, "FEWEST", 10**9)
        one_by_one = outcome(sources, "coco", tmp_path / f"one-{number}{suffix}", to, chosen, 1, shards=shards)
        monkeypatch.setattr(blocks, "FEWEST", 0)
        monkeypatch.setattr(blocks, "IMAGES", 4)
        in_blocks = outcome(sources, "coco", tmp_path / f"two-{number}{suffix}", to, chosen, 2, shards=shards)
        assert in_blocks == one_by_one
        assert isinstance(in_blocks[0], dict), in_blocks


def test_a_glance_sees_the_same_many_images_at_a_time(tmp_path: Path) -> None:
    reading = open_source(outlined_source(tmp_path, 10, "odd"), "coco", Ledger(), Context(shapes=True))
    found = glance(reading, names=True)
    assert found == glance(replace(reading, spelled_for=None), names=True)
    assert (len(found.names), found.tracks) == (23, {7})


@pytest.mark.parametrize("to", ["voc", "yolo", "cvat"])
def test_the_same_where_only_the_meaning_is_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    source = outlined_source(tmp_path, 5, "odd")
    monkeypatch.setattr(blocks, "FEWEST", 10**9)
    one_by_one = outcome(source, "coco", tmp_path / "one", to, {}, 1, carry="lean")
    monkeypatch.setattr(blocks, "FEWEST", 0)
    assert outcome(source, "coco", tmp_path / "two", to, {}, 1, carry="lean") == one_by_one


@pytest.mark.parametrize("to", ["voc", "cvat", "coco"])
def test_the_same_of_images_whose_size_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    source = outlined_source(tmp_path, 6, "usual")
    document = json.loads(source.read_text())
    for number, size in enumerate([{"width": 0}, {"height": -1}, {"width": None}, {"width": None, "height": None}]):
        document["images"][3 * number] |= size
    source.write_text(json.dumps(document))
    monkeypatch.setattr(blocks, "FEWEST", 10**9)
    one_by_one = outcome(source, "coco", tmp_path / "one", to, {}, 1)
    monkeypatch.setattr(blocks, "FEWEST", 0)
    in_blocks = outcome(source, "coco", tmp_path / "two", to, {}, 1)
    assert in_blocks == one_by_one
    losses = {loss["code"]: loss["count"] for loss in in_blocks[1]["losses"]}
    assert losses.get("image-fact-dropped", 0) == (3 if to == "voc" else 0)


@pytest.mark.parametrize("to", ["voc", "yolo"])
def test_usual_images_are_projected_as_rings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    """Crowds that are left out and objects of several rings keep no image out of a block."""
    source = tmp_path / "source.json"
    plain = {"iscrowd": 0, "image_id": 1, "category_id": 1, "area": 20}
    ring = [1, 1, 9, 1, 9, 5]
    crowd = {"iscrowd": 1, "segmentation": {"size": [40, 60], "counts": [20, 4, 36, 4, 2336]}}
    annotations: list[dict[str, Any]] = [
        {**plain, "segmentation": [ring], "bbox": [1, 1, 8, 4], "id": 1},
        {**plain, "segmentation": [ring, [20, 20, 30, 20, 30, 25.5]], "bbox": [1, 1, 29, 24.5], "id": 2},
        {**plain, **crowd, "bbox": [0, 20, 2, 4], "id": 3},
        {**plain, "segmentation": [], "bbox": [1, 1, 8, 4], "id": 4},
        {**plain, "segmentation": [ring], "bbox": [50, 1, 80, 4], "id": 5, "image_id": 2},
        {**plain, "segmentation": [[50, 1, 90, 1, 90, 5]], "bbox": [50, 1, 40, 4], "id": 6, "image_id": 3},
    ]
    images: list[dict[str, Any]]
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 60, "height": 40} for n in (1, 2, 3, 4)]
    images[0]["mine"] = 3
    source.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "car"}]})
    )
    monkeypatch.setattr(blocks, "FEWEST", 0)
    options = registry.get(to).options(**({"task": "segment"} if to == "yolo" else {}))
    reading = open_source(source, "coco", Ledger())
    ledger = Ledger()
    run = Run(reading, registry.get(to), options, Context(), None, "full", allow_loss=True, verify=False)
    items: list[Any] = list(run.records(ledger))
    blocked = {"voc": [["1.jpg", "2.jpg", "3.jpg", "4.jpg"]], "yolo": [["1.jpg", "2.jpg"], ["4.jpg"]]}
    assert [[one.image for one in item.records] for item in items if isinstance(item, RingBlock)] == blocked[to]
    assert items[0].counts[0] == 4
    assert [ledger.losses[code].count for code in ("multi-part-split", "crowd-skipped")] == [1, 1]
    assert ("image-fact-dropped" in ledger.losses) == (to == "yolo")
    assert to == "voc" or ledger.losses["image-fact-dropped"].count == 1


_near = st.integers(0, 10**5).map(lambda n: n / 100) | st.floats(-1e4, 1e4)


@given(st.lists(st.lists(st.tuples(_near, _near), min_size=3, max_size=8), min_size=1, max_size=4))
@example([[(0.0, 0.0), (0.0, 2e-274), (2e-274, 0.0)]])
def test_areas_are_found_within_their_doubt(rings: list[list[tuple[float, float]]]) -> None:
    flat = [list(chain.from_iterable(points)) for points in rings]
    xy, lengths = flattened(flat)
    block = RingBlock(records=[], counts=[], labels=[], lengths=lengths, xy=xy)
    for ring, area, doubt in zip(flat, *areas(block), strict=True):
        exact = [Fraction(value) for value in ring]
        xs, ys = exact[::2], exact[1::2]
        twice = sum(x * (ys[(n + 1) % len(ys)] - ys[n - 1]) for n, x in enumerate(xs))
        assert abs(abs(twice) / 2 - Fraction(area)) <= Fraction(doubt)
        assert abs(shoelace(ring) - area) <= doubt


def test_a_box_is_spelled_as_the_hull_that_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whole numbers where the outline has such, also if another ring, which is closed, has as many fractions; and
    with the signs of its noughts.
    """
    alike: dict[str, Any] = {"iscrowd": 0, "image_id": 1, "category_id": 1}
    closed = [[1.5, 2.5, 9.5, 2.5, 5, 9, 1.5, 2.5]]
    annotations = [
        {"segmentation": [[1, 2, 10, 2, 5, 9]], "area": 31.5, "bbox": [1.0, 2.0, 9.0, 7.0], "id": 1, **alike},
        {"segmentation": closed, "area": 26, "bbox": [1, 2, 8, 7], "id": 2, **alike},
    ]
    ring = [0.0, 0.5, 9.5, 0.5, 5.5, 9.5]
    noughts = [
        {"segmentation": [ring], "area": 5.5, "bbox": [-0.0, 0.5, 9.5, 9.0], "id": 1, **alike},
        {"segmentation": [[-0.0, *ring[1:]]], "area": 5.5, "bbox": [0.0, 0.5, 9.5, 9.0], "id": 2, **alike},
    ]
    images = [{"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}]
    source, categories = tmp_path / "source.json", [{"id": 1, "name": "car"}]
    for number, some in enumerate((annotations, noughts)):
        source.write_text(json.dumps({"images": images, "annotations": some, "categories": categories}))
        monkeypatch.setattr(blocks, "FEWEST", 10**9)
        one_by_one = outcome(source, "coco", tmp_path / f"one-{number}.json", "coco", {}, 1)
        monkeypatch.setattr(blocks, "FEWEST", 0)
        assert outcome(source, "coco", tmp_path / f"two-{number}.json", "coco", {}, 1) == one_by_one


def test_usual_images_go_by_blocks(tmp_path: Path) -> None:
    reading = open_source(outlined_source(tmp_path, 1, "odd"), "coco", Ledger())
    assert reading.shapes_for is not None
    aim = registry.get("coco").fidelity(registry.get("coco").options())
    items = list(reading.shapes_for(aim)(Ledger()))
    in_blocks = sum(len(item.records) for item in items if isinstance(item, ShapeBlock))
    assert in_blocks > 15


_number = st.one_of(st.integers(0, 10**6).map(lambda n: n / 100), st.floats(-1e6, 1e6), st.integers(-50, 10**6))
_rings = st.lists(
    st.lists(_number, min_size=6, max_size=12).filter(lambda xy: len(xy) % 2 == 0), min_size=1, max_size=3
)


@given(
    st.lists(st.tuples(_rings, st.booleans(), st.tuples(_number, _number, _number, _number)), min_size=1, max_size=6)
)
def test_what_is_carried_is_what_one_object_says(made: list[Any]) -> None:
    """The fingerprint and the hull of many objects at once."""
    shapes = [
        Shape(rings, 1.0, 0, 1, tidy_hull(rings) if hull else box, 1, number)
        for number, (rings, hull, box) in enumerate(made)
    ]
    outlines, hulls = carried(shapes)
    assert outlines == [fingerprint(shape.segmentation) for shape in shapes]
    assert hulls == [is_hull(shape.bbox, shape.segmentation) for shape in shapes]
    assert msgspec.json.decode(msgspec.json.encode(shapes), type=list[Shape])
