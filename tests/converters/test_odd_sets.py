"""Sets that are odd and sound are written to every format, or refused before: never withdrawn as a defect of ours.

What is odd here was found in files, or follows from what they may say: sizes that are none, boxes and key points
outside the picture, rings that are flat, closed, or smaller than a pixel, blanks in names, keys of others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annolake.converters import convert, registry
from annolake.schemas.errors import AnnolakeError

TARGETS: list[tuple[str, dict[str, Any]]] = [
    ("coco", {}),
    ("coco", {"layout": "folder"}),
    ("yolo", {}),
    ("yolo", {"task": "segment", "multi_part": "join"}),
    ("yolo", {"task": "obb"}),
    ("yolo", {"task": "pose"}),
    ("yolo", {"crowd": "keep"}),
    ("voc", {}),
    ("voc", {"numbers": "int", "convention": "devkit"}),
    ("voc", {"polygons": "box", "crowd": "keep"}),
    ("cvat", {}),
    ("cvat", {"form": "video"}),
    ("metalake", {}),
]
CARRIES: tuple[Literal["full", "lean"], ...] = ("full", "lean")
WIDTH, HEIGHT = 100, 80
NAMES = ("a.jpg", "b b.png", "sub/c.jpg", "ü.jpg", "d.e.jpg", "F.JPG", "g", "6387236320.jpg", "sub/a.jpg", "100%.jpg")
LABELS = (("cat", "dog", "person"), ("a b", "ü", "100%"), ("a/b", "x:y", "<&>"), ("1", "2", "0"), ("cat", "Cat", "-"))
SIZES: tuple[dict[str, Any], ...] = (
    *({"width": WIDTH, "height": HEIGHT},) * 8,
    *({"width": 0, "height": HEIGHT}, {"width": -1, "height": -1}, {"height": HEIGHT}, {}, {"width": 100.5}),
)


def _ring(dice: random.Random) -> list[float]:
    kind = dice.choice(["inside", "inside", "outside", "edge", "tiny", "flat", "whole"])
    ring: list[float] = []
    for _ in range(dice.choice([3, 3, 4, 4, 6, 9])):
        x, y = dice.random() * WIDTH, dice.random() * HEIGHT
        if kind == "outside":
            x += dice.choice([-WIDTH / 2, 0, WIDTH / 2])
        elif kind == "edge":
            x, y = dice.choice([0, WIDTH, x]), dice.choice([0, HEIGHT, y])
        elif kind == "tiny":
            x, y = 10 + x / 250, 10 + y / 200
        elif kind == "flat":
            y = 5
        ring += [int(x), int(y)] if kind == "whole" else [round(x, 2), round(y, 2)]
    return ring + ring[:2] if dice.random() < 0.15 else ring[:4] if dice.random() < 0.05 else ring


def _box(dice: random.Random) -> list[float]:
    box = [round(dice.random() * side, 2) for side in (WIDTH, HEIGHT, WIDTH / 2, HEIGHT / 2)]
    odd: list[list[float]] = [[-box[0], *box[1:]], [*map(int, box)], [10.1, 10.1, 0.3, 0.2], [*box[:2], 0, box[3]]]
    return dice.choice([box, box, *odd])


def _keypoints(dice: random.Random) -> list[float]:
    points: list[float] = []
    for _ in range(3):
        x, y = (round((dice.random() * 1.3 - 0.15) * side, 2) for side in (WIDTH, HEIGHT))
        points += dice.choice([[x, y, 1], [x, y, 2], [0, 0, 0], [x, y, 0]])
    return points


def _mask(dice: random.Random) -> dict[str, Any]:
    counts: list[int] = []
    while (left := WIDTH * HEIGHT - sum(counts)) > 0:
        counts.append(min(left, dice.randint(1, WIDTH * HEIGHT // 3)))
    return {"segmentation": {"size": [HEIGHT, WIDTH], "counts": counts}, "bbox": [0, 0, WIDTH, HEIGHT]}


def _hull(rings: list[list[float]]) -> list[float]:
    xs, ys = ([value for ring in rings for value in ring[axis::2]] for axis in (0, 1))
    return [min(xs), min(ys), round(max(xs) - min(xs), 2), round(max(ys) - min(ys), 2)]


def _coco_annotation(dice: random.Random) -> dict[str, Any]:
    rings = [_ring(dice) for _ in range(dice.choice([1, 1, 2, 3]))]
    kinds: list[dict[str, Any]] = [
        {"bbox": _box(dice), "segmentation": []},
        {"bbox": dice.choice([_hull(rings), [1, 2, 3, 4]]), "segmentation": rings},
        {"bbox": _hull(rings), "segmentation": rings},
        {**_mask(dice), "iscrowd": dice.choice([0, 1])},
        {"bbox": [1, 1, 20, 20], "keypoints": _keypoints(dice), "category_id": 3},
        {"bbox": [10, 10, 20, 10], "attributes": {"rotation": dice.choice([30, -20.5, 360])}},
    ]
    said = {"score": 0.5, "attributes": {"occluded": True, "colour": "red"}, "mine": {"a": [1]}, "track_id": 3}
    some = {key: value for key, value in said.items() if dice.random() < 0.1}
    common = {"iscrowd": 0, "category_id": dice.choice([1, 2, 3]), "area": dice.choice([10, 33.3, 0])}
    return {**some, **common, **dice.choice(kinds)}


def coco(dice: random.Random) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    for number, name in enumerate(dice.sample(NAMES, dice.randint(1, 4)), 1):
        facts = {"split": dice.choice(["train", "a set"]), "license": 1, "mine": dice.choice([1, {"a": 1}])}
        some = {key: value for key, value in facts.items() if dice.random() < 0.2}
        images.append({"id": number, "file_name": name, **dice.choice(SIZES), **some})
    annotations = [
        {"id": number, "image_id": dice.choice(images)["id"], **_coco_annotation(dice)}
        for number in range(1, dice.randint(1, 8))
    ]
    categories: list[dict[str, Any]] = [
        {"id": number, "name": name} for number, name in enumerate(dice.choice(LABELS), 1)
    ]
    categories[2] |= {"keypoints": ["n", "l", "r"], "skeleton": [[1, 2]]}
    return {"images": images, "annotations": annotations, "categories": categories}


def _lake_annotation(dice: random.Random) -> dict[str, Any]:
    ring = _ring(dice)
    points = [ring[place : place + 2] for place in range(0, len(ring), 2)]
    kind = dice.choice(["rectangle", "polygon", "polygon", "line", "points"])
    geometry = {"bbox": _box(dice)} if kind == "rectangle" else {kind: points}
    facts: dict[str, Any] = {"pose": "Left", "truncated": True, "z_order": 2, "group": 1, "rotation": 30, "my key": 1.5}
    facts |= {"track_id": dice.choice([1, "a", -1]), "frame": dice.choice([0, 5]), "keyframe": True, "iscrowd": True}
    said: dict[str, Any] = {
        "metadata": {key: value for key, value in facts.items() if dice.random() < 0.1},
        "attributes": dice.choice([{}, {}, {"n": [{"value": "1"}, {"value": "2"}]}]),
    }
    return {"type": kind, "label": dice.choice(LABELS)[0], **geometry, **said}


def lake(dice: random.Random) -> dict[str, Any]:
    sizes = [size for size in SIZES if size.get("width", 1) == WIDTH or not size]
    return {
        "images": [
            {
                "image": name,
                **dice.choice(sizes),
                **({"split": dice.choice(["train", "a set"])} if dice.random() < 0.3 else {}),
                "annotations": [_lake_annotation(dice) for _ in range(dice.randint(0, 5))],
            }
            for name in dice.sample(NAMES, dice.randint(1, 3))
        ]
    }


def _target(folder: Path, to: str, chosen: dict[str, Any]) -> Path:
    suffix = "" if chosen.get("layout") == "folder" else registry.get(to).suffix
    return folder / f"{to}-{'-'.join(map(str, chosen.values()))}{suffix}"


@pytest.mark.parametrize("made", [coco, lake])
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nothing_is_withdrawn(made: Callable[[random.Random], dict[str, Any]], seed: int) -> None:
    """From the set itself, and from what became of it in one of the formats."""
    dice = random.Random(seed)
    with TemporaryDirectory() as folder:
        source = Path(folder) / "source.json"
        source.write_text(json.dumps(made(dice)))
        hop = _target(Path(folder) / "hop", *dice.choice(TARGETS))
        hop.parent.mkdir()
        sources = [source, *([hop] if _said(source, hop, *_named(hop)) is None else [])]
        for number, start in enumerate(sources):
            for carry in CARRIES:
                below = Path(folder) / f"{number}-{carry}"
                below.mkdir()
                for to, chosen in TARGETS:
                    assert _said(start, _target(below, to, chosen), to, chosen, carry) != "verification-failed"


def _named(target: Path) -> tuple[str, dict[str, Any]]:
    return next((to, chosen) for to, chosen in TARGETS if _target(target.parent, to, chosen) == target)


def _said(
    source: Path, target: Path, to: str, chosen: dict[str, Any], carry: Literal["full", "lean"] = "full"
) -> str | None:
    """The code with which a conversion is refused; None where it is done, and verified."""
    options = {to: registry.get(to).options(**chosen)}
    try:
        convert(source, target, to=to, options=options, allow_loss=True, carry=carry, verify=True)
    except AnnolakeError as error:
        return error.code
    return None
