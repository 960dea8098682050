"""A conversion reads again what it wrote; whatever differs and is not in the books is a defect, and is withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from annolake.converters import convert, registry
from annolake.converters.fidelity import Fidelity
from annolake.converters.format import Context, Reading, Written
from annolake.converters.ledger import Ledger
from annolake.converters.projection import projector
from annolake.converters.testing.strategies import EVERYTHING
from annolake.converters.verifying import verify
from annolake.schemas.errors import AnnolakeError
from annolake.schemas.model import Catalog, Line, Polygon, Record, Rectangle, Tag, Value, count_objects

BOX = Rectangle(bbox=(10, 10, 20, 30), label="car", confidence=0.5, metadata={"occluded": True, "coco_id": 9})
RING = Polygon(xy=(40, 40, 60, 40, 50, 60), label="tree", attributes={"colour": (Value("red"),)})
GIVEN = Record(image="a.png", annotations=[BOX, RING], tags=(Tag(label="night"),), width=100, height=80, split="train")
BOXES = Fidelity(shapes=frozenset(("rectangle",)), image_size=True, splits=True)


def reading(*records: Record) -> Reading:
    def stream(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        for record in records[start:stop]:
            ledger.seen["images"] += 1
            ledger.seen["annotations"] += count_objects(record)
            yield record

    return Reading(catalog=Catalog(), records=stream, images=len(records))


def verified(
    back: Record | None,
    fidelity: Fidelity = EVERYTHING,
    change: Callable[[Record], Record] = lambda record: record,
) -> None:
    """Verify `back` (None: what the projection gives) for GIVEN; `change` is what the projection does beside."""

    def project_with(ledger: Ledger) -> Callable[[Record], Record]:
        project = projector(fidelity, ledger, coordinates="pixels", target="pixels")
        return lambda record: change(project(record))

    written = project_with(Ledger())(GIVEN) if back is None else back
    verify(reading(GIVEN), lambda: reading(written), project_with, fidelity, "pixels")


def shapes(*annotations: Any) -> Record:
    return replace(GIVEN, annotations=list(annotations))


def test_what_is_the_same_passes() -> None:
    verified(GIVEN)
    verified(shapes(RING, BOX))
    verified(shapes(replace(BOX, metadata={"occluded": True}), RING))


def test_what_is_booked_passes() -> None:
    verified(None, BOXES)


@pytest.mark.parametrize(
    "back",
    [
        shapes(BOX),
        shapes(BOX, RING, BOX),
        shapes(replace(BOX, bbox=(10, 10, 20, 30.001)), RING),
        shapes(replace(BOX, confidence=None), RING),
        shapes(replace(BOX, label="cat"), RING),
        shapes(replace(BOX, metadata={}), RING),
        shapes(BOX, replace(RING, attributes={})),
        shapes(BOX, Line(xy=RING.xy, label="tree", attributes=RING.attributes)),
        replace(GIVEN, tags=()),
        replace(GIVEN, width=80, height=100),
        replace(GIVEN, split="val"),
        replace(GIVEN, extras={"odd": 1}),
        replace(GIVEN, image="b.png"),
    ],
)
def test_what_a_writer_got_wrong_is_found(back: Record) -> None:
    with pytest.raises(AnnolakeError, match="withdrawn") as caught:
        verified(back)
    assert (caught.value.code, caught.value.exit_code) == ("verification-failed", 1)
    assert caught.value.place.image in ("a.png", "b.png")
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        lambda record: replace(record, annotations=record.annotations[:1]),
        lambda record: replace(record, annotations=[*record.annotations, BOX]),
        lambda record: replace(record, annotations=[replace(a, confidence=None) for a in record.annotations]),
        lambda record: replace(record, annotations=[replace(a, attributes={}) for a in record.annotations]),
        lambda record: replace(record, annotations=[replace(a, metadata={}) for a in record.annotations]),
        lambda record: replace(record, annotations=[replace(a, label="cat") for a in record.annotations]),
        lambda record: replace(record, annotations=[BOX, replace(RING, xy=(40, 40, 60, 40, 50, 61))]),
        lambda record: replace(record, tags=()),
    ],
)
def test_what_the_projection_took_without_a_word_is_found(change: Callable[[Record], Record]) -> None:
    with pytest.raises(AnnolakeError, match="without a word") as caught:
        verified(None, change=change)
    assert caught.value.code == "verification-failed"


def test_a_loss_of_one_kind_explains_no_other() -> None:
    no_confidence = replace(EVERYTHING, confidence=False)
    verified(None, no_confidence)

    def careless(record: Record) -> Record:
        return replace(record, annotations=[replace(a, metadata={}) for a in record.annotations])

    with pytest.raises(AnnolakeError, match=r"metadata \(occluded\)"):
        verified(None, no_confidence, careless)


def lake(tmp_path: Path) -> Path:
    box = {"type": "rectangle", "bbox": [10, 10, 20, 30], "label": "car"}
    path = tmp_path / "lake.json"
    path.write_text(json.dumps({"images": [{"image": "a.png", "width": 100, "height": 80, "annotations": [box]}]}))
    return path


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """COCO is written with every box moved by a pixel."""
    real = registry.get("coco")

    def write(path: Path, options: Any, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
        def moved(record: Record) -> Record:
            boxes = [replace(a, bbox=(a.bbox[0] + 1, *a.bbox[1:])) for a in record.annotations]  # type: ignore[union-attr]
            return replace(record, annotations=boxes)

        return real.write(path, options, context, catalog, map(moved, records))

    broken = replace(real, write=write)
    monkeypatch.setattr(registry, "get", lambda name: broken if name == "coco" else _get(name))


_get = registry.get


@pytest.mark.usefixtures("careless")
def test_a_conversion_withdraws_what_is_wrong(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    with pytest.raises(AnnolakeError, match="geometry") as caught:
        convert(lake(tmp_path), target, to="coco")
    assert caught.value.exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake.json"]


@pytest.mark.usefixtures("careless")
def test_the_check_can_be_left_out(tmp_path: Path) -> None:
    report = convert(lake(tmp_path), tmp_path / "out.json", to="coco", verify=False)
    assert not report.verified
    assert (tmp_path / "out.json").exists()


def test_the_report_says_whether_it_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = lake(tmp_path)
    assert convert(source, tmp_path / "1.json", to="coco").verified
    monkeypatch.setattr("annolake.converters.verifying.IMAGES", 0)
    assert not convert(source, tmp_path / "2.json", to="coco").verified
    assert convert(source, tmp_path / "3.json", to="coco", verify=True).verified
