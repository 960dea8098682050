"""Objects handed on as they are spelled: the same bytes as decoded and encoded again, or they are not taken."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pycocotools.mask
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annolake.converters import blocks, registry
from annolake.converters.coco import shaperuns
from annolake.converters.coco.spelledrings import spelled_ones
from annolake.converters.format import Context, Reading
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source
from annolake.converters.shapeblocks import Shape, ShapeBlock
from annolake.converters.spelledblocks import SpelledBlock, SpelledShape

from .test_blocks import outcome

AIM = registry.get("coco").fidelity(registry.get("coco").options())
IMAGES = 24
ODD_NUMBERS = ("7", "7.0", "0.0", "1.50", "20.00", "1e1", "3.5E0", "12.345678901234567", "0.00001", "5.00001", "-0.0")
RLE: Any = pycocotools.mask.frPyObjects([[3, 3, 30, 3, 9, 30]], 40, 60)[0]["counts"]
MASKS: tuple[dict[str, Any], ...] = (
    {"size": [40, 60], "counts": [20, 4, 36, 4, 2336]},
    {"counts": [20, 4, 36, 4, 2336], "size": [40, 60]},
    {"size": [40, 60], "counts": RLE.decode()},
    {"size": [40, 60], "counts": [2400]},
    {"size": [40, 60], "counts": [0, 2400]},
)
BROKEN: tuple[dict[str, Any], ...] = (
    {"size": [40, 61], "counts": [2, 2438]},
    {"size": [40, 60], "counts": [20, 4]},
    {"size": [40, 60], "counts": 7},
)
BOXES = ("[0.0,0.0,60.0,40.0]", "[0,0,60,40]", "[0.0, 20.0, 2.0, 4.0]", "[1.5,2.5,3.5,4.5]", "[-0.0,0,60,40.0]")


def _number(dice: random.Random, odd: float) -> str:
    return dice.choice(ODD_NUMBERS) if dice.random() < odd else repr(dice.randrange(1, 5999) / 100)


def _annotation(dice: random.Random, identity: int, odd: float, comma: str) -> str:
    rings = [[_number(dice, odd) for _ in range(2 * dice.choice([3, 4, 9]))] for _ in range(dice.choice([1, 1, 2]))]
    if dice.random() < odd:
        rings[0] += rings[0][:2]
    box = [_number(dice, odd) for _ in range(4)]
    if dice.random() < 0.5:
        xs, ys = ([float(xy) for xy in chain.from_iterable(ring[start::2] for ring in rings)] for start in (0, 1))
        hull = min(xs), min(ys), round(max(xs) - min(xs), 10), round(max(ys) - min(ys), 10)
        box = list(map(repr, hull))
    said = {
        "segmentation": f"[{comma.join(f'[{comma.join(ring)}]' for ring in rings)}]",
        "area": dice.choice(["12.5", "12", "100.0", "2765.1486500000005", "1e2", "0"]),
        "iscrowd": "0",
        "image_id": str(dice.randrange(IMAGES)),
        "bbox": f"[{comma.join(box)}]",
        "category_id": dice.choice(["1", "3"]),
        "id": str(identity),
    }
    if dice.random() < 0.1:
        said |= {"segmentation": json.dumps(dice.choice(MASKS)), "bbox": dice.choice(BOXES), "iscrowd": "1"}
    if dice.random() < odd / 100:
        said["segmentation"] = json.dumps(dice.choice(BROKEN))
    if dice.random() < odd:
        said |= dice.choice([{"iscrowd": "1"}, {"segmentation": "[]"}, {"category_id": "9"}, {"mine": '"]"'}])
    items = [(f'"{key}"', value) for key, value in said.items()]
    if dice.random() < odd:
        dice.shuffle(items)
    return f"{{{comma.join(map(':'.join, items))}}}"


def _source(folder: Path, seed: int, odd: float) -> Path:
    dice = random.Random(seed)
    comma = dice.choice([",", ", ", " ,\n\t"])
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 60, "height": 40} for n in range(IMAGES)]
    categories = [{"id": n, "name": name} for n, name in [(1, "car"), (3, "Fußgänger"), (4, "a"), (9, "a")]]
    annotations = comma.join(_annotation(dice, n, odd, comma) for n in range(1, 160))
    path = folder / "source.json"
    path.write_text(
        f'{{"images":{json.dumps(images)},"annotations":[{annotations}],"categories":{json.dumps(categories)}}}'
    )
    return path


@pytest.mark.parametrize("odd", [0, 0.001, 0.01, 0.2])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_as_decoded_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: float, jobs: int) -> None:
    monkeypatch.setattr("annolake.converters.parallel.WORTH_A_PROCESS", 1)
    monkeypatch.setattr(shaperuns, "_TRIALS", 10**9)
    for seed in range(6):
        source = _source(tmp_path, seed, odd)
        monkeypatch.setattr(blocks, "FEWEST", 10**9)
        one_by_one = outcome(source, "coco", tmp_path / f"one-{seed}.json", "coco", {}, jobs)
        monkeypatch.setattr(blocks, "FEWEST", 0)
        monkeypatch.setattr(blocks, "IMAGES", 4)
        assert outcome(source, "coco", tmp_path / f"two-{seed}.json", "coco", {}, jobs) == one_by_one
        assert isinstance(one_by_one[0], dict) or odd


def _items(reading: Reading) -> Iterator[Any]:
    assert reading.spelled_for is not None
    yield from reading.spelled_for(AIM)(Ledger())


def test_usual_objects_are_handed_on_undecoded(tmp_path: Path) -> None:
    """Outlines in the shortest spelling, and masks, which nobody traces."""
    reading = open_source(_source(tmp_path, 1, 0), "coco", Ledger(), Context(shapes=True))
    objects = [item for block in _items(reading) for item in block.objects]
    spelled = [item for item in objects if isinstance(item, SpelledShape)]
    assert len(spelled) > 0.9 * len(objects) > 100
    assert {item.iscrowd for item in spelled} == {0, 1}


def test_records_of_a_block_are_those_of_the_source(tmp_path: Path) -> None:
    reading = open_source(_source(tmp_path, 2, 0), "coco", Ledger(), Context(shapes=True))
    expanded = list(chain.from_iterable(block.expanded() for block in _items(reading)))
    assert expanded == list(reading.records(Ledger()))


def test_what_mostly_is_otherwise_is_soon_no_longer_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def counted(text: bytes) -> Sequence[SpelledShape | None] | None:
        asked.append(spelled_ones(text))
        return asked[-1]

    monkeypatch.setattr(shaperuns, "spelled_ones", counted)
    monkeypatch.setattr(blocks, "IMAGES", 1)
    source = _source(tmp_path, 3, 0)
    reading = open_source(source, "coco", Ledger(), Context(shapes=True))
    assert all(isinstance(item, SpelledBlock) for item in _items(reading))
    assert len(asked) == IMAGES
    asked.clear()
    source.write_text(re.sub(r"\.\d+", "", source.read_text()))
    reading = open_source(source, "coco", Ledger(), Context(shapes=True))
    assert all(isinstance(item, ShapeBlock) for item in _items(reading))
    assert len(asked) < IMAGES / 2


_fraction = st.tuples(st.integers(0, 10**18), st.integers(0, 20)).map(lambda n: f"{n[0] / 10 ** n[1]:.{n[1]}f}")
_any_number = st.one_of(_fraction, st.floats(0, 1e18).map(repr), st.sampled_from(ODD_NUMBERS))
_two = st.tuples(_any_number, _any_number)


@given(st.lists(st.lists(_two, min_size=1, max_size=5).map(chain.from_iterable).map(list), min_size=1, max_size=3))
@example([["1.5", "2.5", "9.5", "2.5", "9.5", "8.5", "1.5", "2.5"]])
@example([["1.5", "2.5", "9.5", "2.5", "9.5", "0.0000001"]])
@example([["1.5", "2.5", "9.5", "2.5", "9.5", "123456789012345.6"]])
def test_what_is_taken_is_spelled_as_its_numbers_are(rings: list[list[str]]) -> None:
    text = ",".join([f"[{', '.join(ring)}]" for ring in rings])
    said = (
        f'{{"segmentation":[{text}],"area":1,"iscrowd":0,"image_id":1,"bbox":[1.5,2.5,3.5,4.5],"category_id":1,"id":1}}'
    )
    for taken in spelled_ones(f"[{said}]".encode()) or ():
        if taken is not None:
            decoded = msgspec.json.decode(said, type=Shape)
            assert bytes(taken.segmentation) == msgspec.json.encode(decoded.segmentation)
            assert all(len(ring) >= 6 and ring[:2] != ring[-2:] for ring in decoded.segmentation)
