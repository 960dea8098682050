"""A block is written as its images one by one, and fails as they do."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annolake.converters.blocks import Block
from annolake.converters.cvat.writing import join_parts, write_file, write_part
from annolake.converters.ledger import Ledger
from annolake.schemas.errors import AnnolakeError
from annolake.schemas.model import Catalog, Category, Metadata, Record

LABELS = ("car", 'a "b" & <c>', "é", "two words", "undeclared")
CATALOG = Catalog(labels=tuple(map(Category, LABELS[:-1])), splits=("train", "val"))


def block(
    seed: int, metadata: Metadata, *, spread: float = 500, labels: tuple[str, ...] = LABELS, **facts: Any
) -> Block:
    dice = random.Random(seed)
    counts = [dice.choice((0, 1, 3)) for _ in range(12)]
    numbers = [[dice.choice((round, float))(dice.random() * spread) for _ in range(4)] for _ in range(sum(counts))]
    records = [
        Record(
            image=f"{n}.jpg",
            width=dice.choice((640, 640.0, None, 1)),
            height=480,
            split=dice.choice((None, "train", 'v"l')),
            **facts,
        )
        for n in range(12)
    ]
    chosen = [dice.choice(labels) for _ in numbers]
    bbox = np.array(numbers).reshape(-1, 4)
    return Block(records=records, counts=counts, labels=chosen, bbox=bbox, metadata=metadata)


def written(path: Path, *items: Block | Record) -> Any:
    try:
        parts = [write_part(path, number, CATALOG, half) for number, half in enumerate((items[:1], items[1:]))]
        return join_parts(path, CATALOG, parts), path.read_bytes()
    except AnnolakeError as error:
        return str(error), error.place


@pytest.mark.parametrize("metadata", [{}, {"source": "manual"}, {"source": "a & b"}, {"source": 5}, {"occluded": True}])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"spread": 1e-3},
        {"labels": ("x" * 500, "car")},
        {"labels": ("car", "a\x01b")},
        {"extras": {"cvat": {"id": 7}}},
        {"extras": {"cvat": {"id": "x"}, "coco": {"license": 3}}},
        {"extras": {"cvat": {"elements": ["<mask/>"]}}},
        {"extras": {"cvat": {"id": "a\x01b"}}},
        {"extras": {"cvat": []}},
        {"storage_name": "there"},
    ],
    ids=str,
)
def test_as_one_by_one(tmp_path: Path, metadata: Metadata, more: dict[str, Any]) -> None:
    first, second = block(1, metadata, **more), block(2, metadata, **more)
    one_by_one = [record for half in (first, second) for record in half.expanded(Ledger())]
    assert written(tmp_path / "a.xml", first, second) == written(tmp_path / "a.xml", *one_by_one)


def test_whole_numbers_and_no_boxes_at_all(tmp_path: Path) -> None:
    some, none = block(3, {}), block(4, {}).cut(0, 0)
    whole = Block(records=some.records, counts=some.counts, labels=some.labels, bbox=some.bbox.astype(np.int64))
    for items in ([whole, none], [none, none]):
        one_by_one = [record for item in items for record in item.expanded(Ledger())]
        assert written(tmp_path / "a.xml", *items) == written(tmp_path / "a.xml", *one_by_one)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ("abcd", None),
        ("abdc", None),
        ("acbd", None),
        ("badc", None),
        ("abbc", None),
        ("a\nbc", None),
        ("abcd", (4, 3, 2, 1)),
        ("abcd", (4, 3, None, "x")),
        ("abcd", (4, 3, "<", "7")),
        ("dcba", (None, None, None, 5)),
        ("abcd", ("", "", "-1", "²")),
    ],
)
def test_ids_are_the_same_however_many_images_are_reckoned_to_come_before(
    tmp_path: Path, names: str, ids: tuple[int | str | None, ...] | None
) -> None:
    facts: list[dict[str, Any]] = [{} if one is None else {"cvat": {"id": one}} for one in ids or [None] * 4]
    records = [Record(image=name, extras=extras) for name, extras in zip(names, facts, strict=True)]
    path = tmp_path / "a.xml"
    found: list[bytes] = []
    for before in (1, 2):
        parts = [write_part(path, 0, CATALOG, records[:2]), write_part(path, before, CATALOG, records[2:])]
        join_parts(path, CATALOG, parts)
        found.append(path.read_bytes())
    write_file(path, False, None, CATALOG, records)
    assert found == [path.read_bytes()] * 2
