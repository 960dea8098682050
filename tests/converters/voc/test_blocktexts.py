"""A block is written as its images are one by one: the same files, lists, and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annolake.converters.blocks import Block
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.voc import Options
from annolake.converters.voc.writing import write
from annolake.schemas.errors import InvalidInput
from annolake.schemas.model import Catalog, Record

NAMES = ("1.jpg", "a.b/c-d.e.PNG", "two words.jpg", "no_picture", "x..jpg", "ö.jpg", "&.jpg", "a/1.jpg")
FACTS: tuple[dict[str, Any], ...] = (
    {},
    {"voc": None},
    {"voc": {"folder": "VOC2012", "path": "/a & b/c.jpg", "source": {"database": "Unknown"}}},
    {"voc": {"folder": "", "path": ""}},
    {"voc": {"occluded": True}},
    {"voc": {"filename": "z.jpg"}},
    {"voc": {"segmented": "1", "depth": "1", "verified": "yes", "sets": ["Main/val", "Main/mine 3"]}},
    {"voc": {"extra": {"note": "x"}}, "coco": {"license": 1}},
    {"coco": {"license": 1}},
)


def _block(labels: list[str], bbox: Any, **facts: Any) -> Block:
    records = [
        Record(image=f"{number:02}/{NAMES[number % len(NAMES)]}", split=("train", "val", None)[number % 3], **each)
        for number, each in enumerate(
            {"extras": extras, "width": width, "height": 3} for extras in FACTS for width in (None, 640, 33.5, 0)
        )
    ]
    counts = [number % 4 for number in range(len(records))]
    labels = [labels[number % len(labels)] for number in range(sum(counts))]
    return Block(records=records, counts=counts, labels=labels, bbox=np.resize(bbox, (len(labels), 4)), **facts)


def _written(folder: Path, block: Block, catalog: Catalog, *, at_once: bool) -> Any:
    items: Any = [block] if at_once else list(block.expanded(Ledger()))
    try:
        counts = write(folder, Options(), Context(), catalog, items)
    except InvalidInput as error:
        return error.code, error.message, error.place
    return counts, {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    "labels", [["car", "100% <&>"], ["car", "\nbroken\n"], ["car", " "], ["car", "\x01"]], ids=repr
)
@pytest.mark.parametrize("convention", ["edges", "devkit"])
@pytest.mark.parametrize(
    "bbox",
    [
        np.array([[1, 2, 30, 40], [0, 0, 2**40, 1]]),
        np.array([[0.1, 0.2, 1 / 3, 40.0], [1.0, 2.0, 3.0, 4.0], [-1e-17, -0.0, 5.5, 1e-9]]),
        np.array([[1e15, 2e15, 3.0, 4.0]]),
    ],
    ids=["whole", "decimals", "huge"],
)
def test_the_same_files(tmp_path: Path, labels: list[str], convention: str, bbox: Any) -> None:
    catalog = Catalog(splits=("train", "val"), extras={"voc": {"convention": convention}})
    block = _block(labels, bbox)
    together = _written(tmp_path / "a", block, catalog, at_once=True)
    assert together == _written(tmp_path / "b", block, catalog, at_once=False)
    assert (together[0] == "label-missing") is (" " in labels)


@pytest.mark.parametrize(
    "notes",
    [
        {"folder": ""},
        {"folder": "xml", "unsplit": "all"},
        {"roots": ["00", "01"]},
        {"split_folders": {"train": "train"}},
        {"flags": ["Main/car_train"]},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("splits", [(), ("train", "val")])
def test_the_same_whatever_the_set(tmp_path: Path, notes: dict[str, Any], splits: tuple[str, ...]) -> None:
    catalog = Catalog(splits=splits, extras={"voc": notes})
    block = _block(["car"], np.array([[1, 2, 30, 40]]))
    together = _written(tmp_path / "a", block, catalog, at_once=True)
    assert together == _written(tmp_path / "b", block, catalog, at_once=False)


@pytest.mark.parametrize(
    "image",
    [
        {"image": "1.png"},
        {"image": "1.jpg", "split": "a/b"},
        {"image": "../1.jpg"},
        {"image": "2.jpg", "extras": {"voc": {"path": "\x01"}}},
        {"image": "2.jpg", "extras": {"voc": {"folder": "\x01"}}},
        {"image": "2.jpg", "extras": {"voc": {"folder": 3}}},
        {"image": "2.jpg", "extras": {"voc": {"source": {"no name": "x"}}}},
        {"image": "2.jpg", "extras": {"voc": {"source": {"a": 1}}}},
        {"image": "2.jpg", "extras": {"voc": []}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("metadata", [{}, {"difficult": True}])
def test_the_same_of_images_that_cannot_be(tmp_path: Path, image: dict[str, Any], metadata: dict[str, Any]) -> None:
    records = [Record(image="1.jpg"), Record(**image)]
    block = Block(
        records=records, counts=[1, 1], labels=["a", "b"], bbox=np.array([[1, 2, 3, 4]] * 2), metadata=metadata
    )
    together = _written(tmp_path / "a", block, Catalog(), at_once=True)
    assert together[2].image == image["image"]
    assert together == _written(tmp_path / "b", block, Catalog(), at_once=False)
