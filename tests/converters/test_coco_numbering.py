"""Ids of a COCO file that several processes write are those that one process gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annolake.converters.coco import FORMAT, Options
from annolake.converters.coco.ids import Ids
from annolake.converters.coco.writing import write_part
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source
from annolake.schemas.model import Boxes, Catalog, Category, Record, Rectangle

CATALOG = Catalog(labels=(Category("car"), Category("dog")))


def _records(counts: list[int], given: dict[int, int] | None = None) -> list[Record]:
    """Images with so many boxes each; those in `given` have an id, and their boxes have ids from there on."""
    out: list[Record] = []
    for number, count in enumerate(counts):
        boxes = [Rectangle((n, 2, 3, 4), label=("car", "dog")[n % 2]) for n in range(count)]
        identity = (given or {}).get(number)
        if identity is None:
            out.append(Record(image=f"{number}.jpg", annotations=Boxes(boxes)))
        else:
            own = [Rectangle(b.bbox, label=b.label, metadata={"coco_id": identity + n}) for n, b in enumerate(boxes)]
            out.append(Record(image=f"{number}.jpg", annotations=[*own], id=identity))
    return out


def _in_parts(path: Path, records: list[Record], cuts: list[int], wrong: int = 0) -> bytes:
    parts = []
    for start, stop in zip([0, *cuts], [*cuts, len(records)], strict=True):
        before = sum(len(record.annotations) for record in records[:start]) + (wrong if start else 0)
        parts.append(
            FORMAT.write_part(path, start, Options(), Context(before=before), CATALOG, records[start:stop])  # type: ignore[misc]
        )
    FORMAT.join(path, Options(), Context(), CATALOG, parts)  # type: ignore[misc]
    return path.read_bytes()


@pytest.mark.parametrize("wrong", [0, 1, -1, 300])
@pytest.mark.parametrize("ids", [{}, {0: 1}, {1: 3, 4: 2}, {3: 40, 4: 2}, {5: 1, 0: 5}])
def test_parts_are_numbered_as_by_one_process(tmp_path: Path, ids: dict[int, int], wrong: int) -> None:
    records = _records([3, 0, 260, 7, 1, 2], ids)
    FORMAT.write(tmp_path / "one.json", Options(), Context(), CATALOG, records)
    assert _in_parts(tmp_path / "parts.json", records, [2, 4], wrong) == (tmp_path / "one.json").read_bytes()


def test_parts_that_go_on_where_others_ended_are_not_looked_through(tmp_path: Path) -> None:
    records = _records([3, 0, 260, 7])
    first = write_part(tmp_path / "x.json", 0, CATALOG, records[:2])
    second = write_part(tmp_path / "x.json", 2, CATALOG, records[2:], 3)
    assert first.numbers.images.continued_by(second.numbers.images)
    assert first.numbers.annotations.continued_by(second.numbers.annotations)


@settings(max_examples=50)
@given(steps=st.lists(st.one_of(st.integers(1, 600), st.integers(-300, 0)), max_size=12))
def test_many_fresh_ids_are_those_taken_one_by_one(steps: list[int]) -> None:
    """Steps above 0 take so many fresh ids; others an id that is wanted."""
    one, many = Ids(1), Ids(1)
    for step in steps:
        if step > 0:
            assert list(many.fresh(step)) == [one.take(None) for _ in range(step)]
        else:
            assert many.take(-step) == one.take(-step)
    assert vars(many) == vars(one)


@pytest.mark.parametrize("kind", ["yolo", "voc"])
def test_readers_reckon_what_images_have(tmp_path: Path, kind: str) -> None:
    box = "<object><name>car</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>"
    for number, count in enumerate([2, 0, 3]):
        if kind == "yolo":
            rows = "".join(f"0 0.5 0.5 0.{n + 1} 0.2\n" for n in range(count))
            (tmp_path / f"{number}.txt").write_text(rows)
        else:
            (tmp_path / f"{number}.xml").write_text(f"<annotation>{box * count}</annotation>")
    reading = open_source(tmp_path, kind, Ledger())
    assert reading.before is not None
    assert [reading.before(start) for start in range(4)] == [0, 2, 2, 5]
