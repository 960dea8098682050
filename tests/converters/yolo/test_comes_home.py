"""Names of images, splits and parts: what is written comes home, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.yolo import FORMAT, Options
from annolake.schemas.errors import InvalidInput
from annolake.schemas.model import Catalog, Category, Polygon, Record, Rectangle

CATS = Catalog(labels=(Category("cat"), Category("dog")), coordinates="normalized")


def boxes(*names: str, split: str | None = None) -> list[Record]:
    box = Rectangle(label="dog", bbox=(0.1, 0.2, 0.3, 0.4))
    return [Record(image=name, annotations=(box,), split=split) for name in names]


NAMES = ["a.jpg", "A B/c d.jpg", "b.tar.png", "x.foo", "noend", "ümläut/日本.JPEG", "images/q.jpg", "labels/r.jpg"]
NAMES += ["train/s.jpg", "deep/images/t.jpg", " lead.jpg", "#hash.jpg", "at 10:30.jpg", "data/u.jpg", "%20.jpg"]


@pytest.mark.parametrize("layout", ["ultralytics", "darknet"])
@pytest.mark.parametrize("split", [None, "train", "val", "odd split", "minival"])
def test_awkward_names_come_home(write, read, layout, split):
    catalog = Catalog(labels=CATS.labels, coordinates="normalized", splits=(split,) if split else ())
    records = boxes(*NAMES, split=split)
    found = read(write(catalog, records, layout=layout))
    assert [(r.image, r.split, len(r.annotations)) for r in found.records] == [(n, split, 1) for n in NAMES]
    assert found.catalog.splits == catalog.splits
    assert found.ledger.problems == []


@pytest.mark.parametrize("listed", [("train", "val", "other"), ()])
def test_splits_come_home_whatever_they_are(write, read, listed):
    splits = [None, "train", "val", "test", "other", "valid", "none", "unsplit", "Größe 1", "train", None]
    records = [r for n, split in enumerate(splits) for r in boxes(f"{n}.jpg", split=split)]
    catalog = Catalog(labels=CATS.labels, coordinates="normalized", splits=listed)
    found = read(write(catalog, records))
    assert {r.image: r.split for r in found.records} == {r.image: r.split for r in records}
    assert found.ledger.decisions == []


@pytest.mark.parametrize("layout", ["ultralytics", "darknet"])
def test_same_stem_is_an_error_that_names_both(write, layout):
    with pytest.raises(InvalidInput) as caught:
        write(CATS, boxes("sub/0001.jpg", "sub/0001.png"), layout=layout)
    assert caught.value.code == "same-stem"
    assert "sub/0001.jpg" in caught.value.message and "sub/0001.png" in caught.value.message
    assert caught.value.exit_code == 4
    write(CATS, [*boxes("a.jpg", split="train"), *boxes("a.png", split="val"), *boxes("a.foo")], layout=layout)


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a/../../b.jpg", "C:\\a.jpg", "a\nb.jpg", "a\0.jpg", "", "a/"])
def test_names_that_are_no_names(write, name):
    with pytest.raises(InvalidInput) as caught:
        write(CATS, boxes(name))
    assert caught.value.code == "unsafe-name"


def test_the_same_input_gives_the_same_bytes_also_in_parts(write, tmp_path: Path):
    records = boxes(*(f"{n}.jpg" for n in range(7))) + boxes("x.jpg", split="odd")
    one, two = write(CATS, records), tmp_path / "parts"
    options = Options(task="detect", decimals=12)
    assert FORMAT.write_part is not None and FORMAT.join is not None
    parts = [FORMAT.write_part(two, n, options, Context(), CATS, records[n * 4 : n * 4 + 4]) for n in range(2)]
    FORMAT.join(two, options, Context(), CATS, parts)
    contents = [{p.relative_to(top): p.read_bytes() for p in top.rglob("*") if p.is_file()} for top in (one, two)]
    assert contents[0] == contents[1]
    again = tmp_path / "clash"
    names = ["a.jpg", "a.png"]
    parts = [FORMAT.write_part(again, n, options, Context(), CATS, boxes(name)) for n, name in enumerate(names)]
    with pytest.raises(InvalidInput) as caught:
        FORMAT.join(again, options, Context(), CATS, parts)
    assert "a.jpg" in caught.value.message and "a.png" in caught.value.message


fractions = st.floats(0, 1, allow_subnormal=False)
labels = st.sampled_from(["cat", "dog"])
rings = st.lists(fractions, min_size=6, max_size=12).filter(lambda xy: len(xy) % 2 == 0)
rectangles = st.builds(
    lambda label, x, y, w, h: Rectangle(label=label, bbox=(x * (1 - w), y * (1 - h), w, h)),
    labels, fractions, fractions, st.floats(1e-4, 1), st.floats(1e-4, 1),
)  # fmt: skip
polygons = st.builds(lambda label, xy: Polygon(label=label, xy=tuple(xy)), labels, rings)


@settings(max_examples=40)
@given(st.lists(rectangles | polygons, max_size=5), st.sampled_from(["pixels", "normalized"]))
def test_what_is_written_is_what_is_read(tmp_path_factory, annotations, space: Any):
    catalog = Catalog(labels=CATS.labels, coordinates=space)
    record = Record(image="a.jpg", annotations=tuple(annotations))
    assert FORMAT.settle is not None
    options = FORMAT.settle(Options(), catalog, lambda: iter([record]), Ledger())
    target = tmp_path_factory.mktemp("yolo") / "out"
    FORMAT.write(target, options, Context(), catalog, [record])
    ledger = Ledger()
    (found,) = FORMAT.read(target, Options(), Context(), ledger).records(ledger)
    error = 1.01 * 10.0**-options.decimals
    assert len(found.annotations) == len(annotations)
    for before, after in zip(annotations, found.annotations, strict=True):
        assert (type(before), before.label) == (type(after), after.label)
        assert numbers(after) == pytest.approx(numbers(before), abs=error)


def numbers(annotation: Any) -> tuple[float, ...]:
    return annotation.bbox if isinstance(annotation, Rectangle) else tuple(annotation.xy)
