"""COCO files of blocks are the files of the same images one by one."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from annolake.converters.blocks import Block
from annolake.converters.coco import FORMAT
from annolake.converters.coco.escaping import as_lines
from annolake.converters.coco.ids import Ids
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.schemas.errors import InvalidInput
from annolake.schemas.model import Catalog, Category, Record

WHOLE = np.arange(4 * 700, dtype=np.int64).reshape(-1, 4)
FLOATS = WHOLE * 1.1 + 0.3
FEW = FLOATS[:4].copy()
FEW[2] = (0.5, -0.0, 1e9, 3e8)
CATALOG = Catalog(labels=(Category("car", id=7), Category("a, b", id="x")), splits=("train", "val"))


def _records(count: int, **facts: Any) -> list[Record]:
    return [Record(image=f"é/{index}.jpg", width=640, height=480.5, split="val", **facts) for index in range(count)]


def _block(records: list[Record], bbox: Any, **more: Any) -> Block:
    counts = [0] * len(records)
    counts[1], counts[-1] = len(bbox) // 2, len(bbox) - len(bbox) // 2
    labels = [("car", "a, b", "new")[index % 3] for index in range(len(bbox))]
    return Block(records=records, counts=counts, labels=labels, bbox=bbox, **more)


BLOCKS: dict[str, Block] = {
    "floats": _block(_records(3), FLOATS),
    "whole numbers": _block(_records(300), WHOLE),
    "no boxes": _block(_records(3), FLOATS[:0]),
    "a huge box": _block(_records(3), FEW),
    "huge whole numbers": _block(_records(3), WHOLE[:4] + 2**52),
    "ids": _block([*_records(2, id=5), *_records(2), *_records(1, id="text")], FLOATS),
    "facts": _block([*_records(2, extras={"coco": {"license": 3}}), *_records(2, storage_name="s")], FLOATS),
    "facts of others": _block([*_records(2, extras={"cvat": {"é": 3}}), *_records(2, extras={"coco": 1})], FLOATS),
    "no size": _block([Record(image="a.jpg"), Record(image="b.jpg", split="train"), Record(image="c")], FLOATS),
    "source": _block(_records(3), FLOATS, metadata={"source": "manual"}),
    "several facts": _block(_records(3), FLOATS, metadata={"source": "é", "occluded": True}),
    "no attribute": _block(_records(3), FLOATS, metadata={"source": ["a"]}),
    "of somebody else": _block(_records(3), FLOATS, metadata={"source": "manual", "weather": "rain"}),
    "a crowd": _block(_records(3), FLOATS, metadata={"iscrowd": True}),
}


def _written(path: Path, items: Iterable[Record | Block]) -> bytes:
    FORMAT.write(path, FORMAT.options(), Context(), CATALOG, cast(Iterable[Record], items))
    return path.read_bytes()


@pytest.mark.parametrize("name", BLOCKS)
def test_the_same_file(tmp_path: Path, name: str) -> None:
    block = BLOCKS[name]
    between = Record(image="alone.jpg", width=1, height=1, id=301)
    by_blocks = _written(tmp_path / "blocks.json", [block, between, block])
    one_by_one = [*block.expanded(Ledger()), between, *block.expanded(Ledger())]
    assert by_blocks == _written(tmp_path / "records.json", one_by_one)


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    block = _block(_records(3), FEW * 1e150 * 1e100)
    with pytest.raises(InvalidInput, match="area") as one:
        _written(tmp_path / "records.json", block.expanded(Ledger()))
    with pytest.raises(InvalidInput) as other:
        _written(tmp_path / "blocks.json", [block])
    assert (one.value.code, one.value.place) == (other.value.code, other.value.place)


@pytest.mark.parametrize("wanted", [[], [300], [5, 299], [1000], ["a"]])
def test_fresh_ids_over_pages_are_those_of_single_ones(wanted: list[Any]) -> None:
    runs, single = Ids(200), Ids(200)
    for ids in (runs, single):
        assert [ids.take(identity) for identity in wanted] == wanted
    for count in (1, 100, 700, 3):
        assert list(runs.fresh(count)) == [single.take(None) for _ in range(count)]
    following = Ids(1004)
    following.fresh(600)
    assert runs.continued_by(following) == single.continued_by(following)


def test_what_was_written_is_let_go() -> None:
    values = (number for number in range(3))
    watched = weakref.ref(values)
    assert as_lines(values) == b"0,\n1,\n2"
    del values
    assert watched() is None
