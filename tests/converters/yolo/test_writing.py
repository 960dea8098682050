"""What is written: read by an independent reader with Ultralytics' rules, and read back by ours."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.yolo import FORMAT, Options
from annolake.converters.yolo.columns import Columns
from annolake.converters.yolo.formatting import RowWriter
from annolake.schemas.errors import InvalidInput, UsageError
from annolake.schemas.model import Catalog, Category, Polygon, Record, Rectangle

CATS = Catalog(labels=(Category("cat"), Category("dog")), coordinates="normalized")


def boxes(*names: str, split: str | None = None) -> list[Record]:
    box = Rectangle(label="dog", bbox=(0.1, 0.2, 0.3, 0.4))
    return [Record(image=name, annotations=(box,), split=split) for name in names]


def test_detect_as_ultralytics_reads_it(write, ultralytics):
    target = write(CATS, [*boxes("a.jpg", "sub dir/b.ü.png"), Record(image="empty.jpg")])
    found = ultralytics(target)
    assert found["train"] == found["val"]
    assert found["train"] == {
        "./images/train/a.jpg": [[1, 0.25, 0.4, 0.3, 0.4]],
        "./images/train/sub dir/b.ü.png": [[1, 0.25, 0.4, 0.3, 0.4]],
        "./images/train/empty.jpg": [],
    }
    assert (target / "labels/train/a.txt").read_text() == "1 0.250000 0.400000 0.300000 0.400000\n"
    assert (target / "labels/train/empty.txt").read_bytes() == b""


def test_a_set_without_val_is_said_to_be_judged_by_what_it_learnt(tmp_path):
    records = boxes("a.jpg", split="train")
    written = FORMAT.write(tmp_path / "1", Options(task="detect"), Context(), CATS, iter(records))
    assert [decision.code for decision in written.decisions] == ["yolo-val"]
    both = [*records, *boxes("b.jpg", split="val")]
    assert FORMAT.write(tmp_path / "2", Options(task="detect"), Context(), CATS, iter(both)).decisions == ()


def test_every_file_is_one_that_may_be_overwritten(write):
    for options in ({}, {"layout": "darknet"}):
        records = [*boxes("a.jpg", split="train"), *boxes("images/b.jpg", split="odd one"), *boxes("c.d")]
        target = write(CATS, records, **options)
        written = [path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()]
        assert len(written) == 3 + 3 + (2 if options else 1)
        assert all(map(FORMAT.owns, written)), written
    for name in ("notes.txt", "images/train/a.jpg", "classes.txt", "labels/a.json", "sub/data.yaml"):
        assert not FORMAT.owns(name)


def test_only_a_test_split_still_has_train_and_val(write, read, ultralytics):
    target = write(CATS, boxes("a.jpg", split="test"))
    found = ultralytics(target)
    assert found["train"] == found["val"] == found["test"]
    assert [record.split for record in read(target).records] == ["test"]


def test_class_numbers_are_the_catalogues_order(write, read):
    labels = (Category("zebra", id=90, supercategory="animal"), Category("ant", id=7), Category("unused", id=1))
    records = [Record(image="a.jpg", annotations=(Rectangle(label="ant", bbox=(0, 0, 1, 1)),))]
    target = write(Catalog(labels=labels, coordinates="normalized"), records)
    assert (target / "labels/train/a.txt").read_text().startswith("1 ")
    assert yaml.safe_load((target / "data.yaml").read_text())["names"] == {0: "zebra", 1: "ant", 2: "unused"}
    assert read(target).catalog.labels == labels


def test_labels_without_a_catalogue_are_numbered_from_a_to_z(write):
    records = [Record(image=f"{x}.jpg", annotations=(Rectangle(label=x, bbox=(0, 0, 1, 1)),)) for x in "cab"]
    target = write(Catalog(coordinates="normalized"), records)
    assert yaml.safe_load((target / "data.yaml").read_text())["names"] == {0: "a", 1: "b", 2: "c"}


def test_what_yolo_has_no_place_for_rides_along(write, read):
    labels = (Category("person", id=1, keypoints=("nose", "eye"), skeleton=((1, 2),)), Category("person", id=2))
    extras = {"coco": {"info": {"year": 2017, "text": 'ä "q" \\ 😀 \u2028'}}, "yolo": {"task": "detect", "channels": 3}}
    catalog = Catalog(labels=labels, coordinates="normalized", extras=extras)
    target = write(catalog, boxes())
    assert read(target).catalog == catalog
    # A person who edits the names gets their names, and the facts of those that stay.
    text = (target / "data.yaml").read_text(encoding="utf-8")
    (target / "data.yaml").write_text(text.replace("nc: 1", "nc: 2").replace('  0: "person"', "  0: x\n  1: person"))
    assert [category.name for category in read(target).catalog.labels] == ["x", "person"]


def test_facts_that_are_broken_are_passed_over_with_a_warning(write, read):
    target = write(CATS, boxes("a.jpg"))
    text = (target / "data.yaml").read_text()
    (target / "data.yaml").write_text(re.sub(r"annolake: .*", "annolake: '{'", text))
    found = read(target)
    assert found.codes() == ["annolake-facts"]
    assert found.images == ["a.jpg"]


def test_boxes_among_polygons_come_home_as_boxes(write, read, ultralytics):
    upright = (0.1, 0.1, 0.5, 0.1, 0.5, 0.4, 0.1, 0.4)
    as_written = (0.5, 0.4, 0.5, 0.1, 0.1, 0.1, 0.1, 0.4)
    annotations = (
        Rectangle(label="cat", bbox=(0.25, 0.5, 0.5, 0.25)),
        Polygon(label="cat", xy=upright),
        Polygon(label="cat", xy=as_written),
        Polygon(label="dog", xy=(0.1, 0.1, 0.5, 0.1, 0.5, 0.4)),
    )
    target = write(CATS, [Record(image="a.jpg", annotations=annotations)])
    (rows,) = ultralytics(target)["train"].values()
    assert [len(row) for row in rows] == [9, 9, 9, 7]
    box, first, second, third = read(target).records[0].annotations
    assert (box, first, third) == (annotations[0], annotations[1], annotations[3])
    # The one ring that looks as our boxes do begins at its next vertex; it is the same ring.
    assert second.xy == (*as_written[2:], *as_written[:2])


def test_oriented_boxes(write, read, ultralytics):
    ring = Polygon(label="cat", xy=(0.5, 0.1, 0.6, 0.2, 0.5, 0.4, 0.4, 0.2), metadata={"shape": "obb"})
    box = Rectangle(label="dog", bbox=(0.25, 0.5, 0.5, 0.25))
    target = write(CATS, [Record(image="a.jpg", annotations=(ring, box))], task="obb")
    assert [len(row) for row in ultralytics(target)["train"]["./images/train/a.jpg"]] == [9, 9]
    found = read(target)
    assert found.records[0].annotations == [ring, box]
    assert found.catalog.extras["yolo"]["task"] == "obb"
    with pytest.raises(InvalidInput):
        write(CATS, [Record(image="a.jpg", annotations=(Polygon(label="cat", xy=ring.xy[:6]),))], task="obb")


def test_key_points_come_home(write, read, ultralytics):
    def person(keypoints: list[float | None] | None) -> Rectangle:
        kept = {} if keypoints is None else {"keypoints": json.dumps(keypoints), "shape": "keypoints"}
        return Rectangle(label="cat", bbox=(0.25, 0.25, 0.5, 0.5), metadata=kept)

    records = [Record(image="a.jpg", annotations=(person([0.5, 0.25, 2, 0.125, 0.5, 1]), person(None)))]
    target = write(CATS, records)
    assert len(ultralytics(target, keypoints=2)["train"]["./images/train/a.jpg"]) == 2
    assert yaml.safe_load((target / "data.yaml").read_text())["kpt_shape"] == [2, 3]
    assert read(target).records[0].annotations == list(records[0].annotations)
    pairs = [Record(image="a.jpg", annotations=(person([0.5, 0.25, None, 0.125, 0.5, None]),))]
    two = Catalog(labels=CATS.labels, coordinates="normalized", extras={"yolo": {"task": "pose", "kpt_shape": [2, 2]}})
    target = write(two, pairs)
    assert (target / "labels/train/a.txt").read_text().split()[5:] == ["0.500000", "0.250000", "0.125000", "0.500000"]
    found = read(target)
    assert (found.records[0].annotations, found.catalog) == (list(pairs[0].annotations), two)


def test_confidence_is_a_column_of_every_row_or_of_none(write, read):
    def sure(confidence: float | None) -> Record:
        box = Rectangle(label="cat", bbox=(0, 0, 1, 1), confidence=confidence)
        return Record(image=f"{confidence}.jpg", annotations=(box,))

    target = write(CATS, [sure(0.37), sure(1.0), sure(0.123456789)], save_conf=True)
    assert (target / "labels/train/0.37.txt").read_text().split()[5] == "0.37"
    assert [r.annotations[0].confidence for r in read(target).records] == [0.37, 1.0, 0.123456789]
    with pytest.raises(InvalidInput) as caught:
        write(CATS, [sure(0.37), sure(None)], save_conf=True)
    assert (caught.value.code, caught.value.place.image) == ("confidence-missing", "None.jpg")


def test_fractions_keep_the_digits_they_have(write, read):
    box = Rectangle(label="cat", bbox=(0.1, 0.2, 0.123456789, 0.25))
    exact = read(write(CATS, [Record(image="a.jpg", annotations=(box,))]))
    assert exact.records[0].annotations[0].bbox == pytest.approx(box.bbox, abs=1e-11)
    pixels = Catalog(labels=CATS.labels, coordinates="pixels")
    target = write(pixels, [Record(image="a.jpg", annotations=(box,))])
    assert (target / "labels/train/a.txt").read_text() == "0 0.161728 0.325000 0.123457 0.250000\n"


def test_a_tiny_box_does_not_vanish(write, read):
    pixels = Catalog(labels=CATS.labels, coordinates="pixels")
    box = Rectangle(label="cat", bbox=(0.5, 0.5, 1e-8, 0.1))
    ring = Polygon(label="cat", xy=(0.1, 0.1, 0.2, 0.1, 0.2, 0.2))
    for shapes in ((box,), (box, ring)):
        found = read(write(pixels, [Record(image="a.jpg", annotations=shapes)])).records[0].annotations[0]
        assert isinstance(found, Rectangle)
        assert found.bbox[2] == pytest.approx(1e-8, rel=1e-3)


def test_darknet(write, read):
    target = write(CATS, boxes("a.jpg", split="train") + boxes("b.jpg", split="val"), layout="darknet")
    lines = dict(line.split(" = ") for line in (target / "obj.data").read_text().splitlines())
    assert (lines["classes"], lines["train"], lines["valid"]) == ("2", "data/train.txt", "data/val.txt")
    assert (target / "obj.names").read_text() == "cat\ndog\n"
    assert (target / "val.txt").read_text() == "data/obj_val_data/b.jpg\n"
    assert (target / "obj_val_data/b.txt").is_file()
    with pytest.raises(UsageError):
        write(CATS, boxes("a.jpg"), layout="darknet", task="segment")
    with pytest.raises(InvalidInput):
        write(Catalog(labels=(Category(" x"),), coordinates="normalized"), [], layout="darknet")


def test_nothing_is_written_and_read_as_nothing(write, read):
    for catalog in (CATS, Catalog(coordinates="normalized")):
        found = read(write(catalog, []))
        assert (found.records, found.catalog.names()) == ([], catalog.names())


@pytest.mark.parametrize(
    ("annotation", "task"),
    [
        (Rectangle(label="cat", bbox=(0, 0, 1, 1)), "detect"),
        (Polygon(label="cat", xy=(0, 0, 1, 0, 1, 1)), "segment"),
        (Rectangle(label="cat", bbox=(0, 0, 1, 1), metadata={"keypoints": "[0.5, 0.5, 2]"}), "pose"),
    ],
)
def test_the_task_is_found_from_what_there_is(annotation, task):
    ledger = Ledger()
    assert FORMAT.settle is not None
    settled = FORMAT.settle(Options(), CATS, lambda: iter([Record(image="a", annotations=(annotation,))]), ledger)
    assert settled.task == task
    assert [decision.code for decision in ledger.decisions] == ["yolo-task"]


CLASHING = Catalog(
    labels=CATS.labels, coordinates="normalized", splits=("train", "val"), split_in_name=True
)  # as a reader leaves it where several splits share names


@pytest.mark.parametrize("layout", ["ultralytics", "darknet"])
@pytest.mark.parametrize(
    "images",
    [
        {"train/a.jpg": "train", "val/a.jpg": "val", "b.jpg": "val"},
        {"train/a.jpg": "train", "val/a.jpg": "val", "val/b.jpg": "val"},
        {"train/a.jpg": "train", "val/b.jpg": "val"},
        {"train/a.jpg": "train", "b.jpg": "val"},
        {"train/a.jpg": "train", "a.jpg": "val"},
        {"train/train/a.jpg": "train", "val/b.jpg": "val", "c.jpg": "val"},
    ],
)
def test_a_split_in_front_comes_home_also_where_the_names_do_not_tell(write, read, layout, images):
    """In a part of a data set, and in a video project, a name that has its split in front may be alone."""
    target = write(CLASHING, [boxes(name, split=split)[0] for name, split in images.items()], layout=layout)
    back = read(target)
    assert {record.image: record.split for record in back.records} == images
    assert back.catalog.split_in_name


@given(
    st.lists(
        st.one_of(
            st.integers(0, 64_000).map(lambda hundredths: hundredths / 100 / 640),
            st.integers(0, 999_999).map(lambda units: (units + 0.5) / 1e6),
            st.floats(0, 1),
        ),
        min_size=6,
        max_size=60,
    ).filter(lambda xy: len(xy) % 2 == 0)
)
def test_each_number_of_a_ring_is_rounded_as_decimals_are(xy):
    rows = RowWriter(Columns(task="segment"), {"cat": 7}.__getitem__, 6)
    ring, box = Polygon(label="cat", xy=xy), Rectangle(label="cat", bbox=(0.25, 0.5, 0.125, 0.0625))
    text = rows.rows(Record(image="a.jpg", annotations=(box, ring)))
    corners = "7 0.375000 0.562500 0.375000 0.500000 0.250000 0.500000 0.250000 0.562500\n"
    assert text == corners + " ".join(("7", *(f"{number:.6f}" for number in xy))) + "\n"
