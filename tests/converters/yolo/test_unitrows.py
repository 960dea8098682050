"""A block is written as its images are one by one: the same files, lists, and errors."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annolake.converters.blocks import Block
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.yolo import Options
from annolake.converters.yolo.writing import write, write_part
from annolake.schemas.errors import InvalidInput
from annolake.schemas.model import Catalog, Category, Record

NAMES = ("1.jpg", "a.b/c-d.e.PNG", "two words.jpg", "no_picture", "images", "images/x.jpg", "ö.jpg", "a/1.jpg", ".png")
CATALOG = Catalog(labels=(Category("car"), Category("&")), coordinates="normalized", splits=("train", "val"))
DETECT = Options(task="detect", decimals=12)


def _block(bbox: Any, labels: tuple[str, ...] = ("car", "&"), names: tuple[str, ...] = NAMES) -> Block:
    records = [Record(image=name, split=split) for split in ("train", "val", None) for name in names]
    counts = [(number * 5) % 4 for number in range(len(records))]
    boxes = sum(counts)
    said = [labels[number % len(labels)] for number in range(boxes)]
    return Block(records=records, counts=counts, labels=said, bbox=np.resize(bbox, (boxes, 4)))


def _written(folder: Path, items: Any, catalog: Catalog, options: Options, *, in_parts: bool = False) -> Any:
    try:
        if in_parts:
            write_part(folder, 0, options, Context(), catalog, items)
            counts = None
        else:
            counts = write(folder, options, Context(), catalog, items)
    except InvalidInput as error:
        return error.code, error.message, error.place
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return counts, sorted(str(path.relative_to(folder)) for path in folder.rglob("*")), files


def _same(tmp_path: Path, block: Block, catalog: Catalog = CATALOG, options: Options = DETECT, **how: Any) -> Any:
    one_by_one = _written(tmp_path / "records", list(block.expanded(Ledger())), catalog, options, **how)
    assert _written(tmp_path / "block", [block], catalog, options, **how) == one_by_one
    return one_by_one


def _fractions(digits: int, seed: int = 1) -> list[list[float]]:
    dice = random.Random(seed)
    return [[round(dice.random() * size, digits) for size in (0.5, 0.5, 0.5, 0.5)] for _ in range(97)]


ODD: dict[str, Any] = {
    "six decimals": [[x, y, w + 1e-6, h + 1e-6] for x, y, w, h in _fractions(6)],
    "twelve decimals": [[x, y, w + 1e-6, h + 1e-6] for x, y, w, h in _fractions(12)],
    "a fine one among others": [[0.25, 0.25, 0.5, 0.5]] * 11 + [[0.1234567, 0.25, 0.5, 0.5]],
    "in the middle": [[0.0, 0.25, (2 * unit + 1) / 10**6, 0.5] for unit in range(0, 300_000, 3001)],
    "less than a unit": [[0.25, 0.25, 0.5, 0.5]] * 7 + [[0.25, 0.25, 1e-9, 0.5]],
    "no height": [[0.25, 0.25, 0.5, 0.5]] * 7 + [[0.25, 0.25, 0.5, 0.0]],
    "all of the image": [[0.0, -0.0, 1.0, 1.0]],
    "beyond": [[0.25, 0.25, 0.5, 0.5]] * 7 + [[1.9, 0.5, 0.5, 0.5]],
    "before": [[0.25, 0.25, 0.5, 0.5]] * 7 + [[-0.9, 0.5, 0.5, 0.5]],
    "whole numbers": np.array([[0, 0, 1, 1]]),
}


@pytest.mark.parametrize("decimals", [1, 5, 6, 7, 12])
@pytest.mark.parametrize("name", ODD)
def test_the_same_rows(tmp_path: Path, name: str, decimals: int) -> None:
    block = _block(ODD[name])
    texts = _same(tmp_path, block, options=Options(task="detect", decimals=decimals))[2]
    assert sum(text.count(b"\n") for file, text in texts.items() if "/" in file) == len(block.labels)


def test_no_boxes(tmp_path: Path) -> None:
    _same(tmp_path, Block(records=[Record(image="a.jpg")], counts=[0], labels=[], bbox=np.zeros((0, 4))))


@pytest.mark.parametrize("catalog", [CATALOG, Catalog(coordinates="normalized")], ids=["appended", "none known"])
def test_labels_that_the_catalogue_does_not_have(tmp_path: Path, catalog: Catalog) -> None:
    _same(tmp_path, _block(_fractions(6), ("z", "car", "new", "&")), catalog)


@pytest.mark.parametrize("names", [("a.jpg", "b.jpg"), ("a.jpg", "../b.jpg"), ("../a.jpg", "b.jpg"), ("c.jpg", "a\n")])
def test_the_first_error_is_the_same(tmp_path: Path, names: tuple[str, ...]) -> None:
    block = _block(_fractions(6), ("car", "new"), names)
    assert isinstance(_same(tmp_path, block, in_parts=True)[0], str)


def test_images_that_share_a_label_file(tmp_path: Path) -> None:
    assert _same(tmp_path, _block(_fractions(6), names=("a.jpg", "b.jpg", "a.png")))[0] == "same-stem"


@pytest.mark.parametrize("layout", ["ultralytics", "darknet"])
def test_splits_in_names(tmp_path: Path, layout: Any) -> None:
    catalog = Catalog(labels=CATALOG.labels, coordinates="normalized", splits=("train", "val"), split_in_name=True)
    block = _block(_fractions(6), names=("train/a.jpg", "val/a.jpg", "train/b/a.jpg", "c.jpg", "d/images/c.jpg"))
    _same(tmp_path, block, catalog, Options(task="detect", decimals=12, layout=layout))
