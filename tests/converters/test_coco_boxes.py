"""A COCO file that is opened for boxes, in columns, says what it says when it is opened as any other."""

from __future__ import annotations

import itertools
import json
import os
import random
import re

import pytest

from annolake.converters import blocks, parallel
from annolake.converters.blocks import Block
from annolake.converters.coco import FORMAT as COCO
from annolake.converters.coco import boxdocument, columns, results
from annolake.converters.coco.boxdocument import BoxDocument
from annolake.converters.coco.document import Document
from annolake.converters.coco.layout import Source
from annolake.converters.coco.shapedocument import ShapeDocument
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.registry import get
from annolake.schemas.errors import InvalidInput
from annolake.schemas.largejson import LargeJson

from .test_blocks import outcome

FACTS = {
    "license": 3,
    "coco_url": "http://c/1",
    "date_captured": "2013-11-14 11:18:45",
    "flickr_url": "http://f/1",
}
RING = [1.5, 2, 4, 2, 4, 6.25]
BOX = {"segmentation": [], "area": 12.0, "iscrowd": 0, "image_id": 1, "bbox": [1.5, 2, 3, 4.25], "category_id": 1}
USUAL = (
    BOX,
    {**BOX, "segmentation": [RING]},
    {**BOX, "segmentation": [RING, [8, 8, 10, 8, 10, 11, 9, 9]], "bbox": [1, 2, 9, 9]},
    {**BOX, "category_id": 7},
)
ODD = (
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2, 30, 3, 357], "size": [20, 20]}},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2, 30, 3, 357], "size": [20, 20]}, "bbox": [0, 0, 0, 0]},
    {**BOX, "iscrowd": 1},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2, 30, 3, 357], "size": [20, 20]}, "area": -2},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2, 30, 3, 357], "size": [20, 20]}, "category_id": 3},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": "0h<", "size": [20, 20]}},
    {**BOX, "mood": "good"},
    {**BOX, "segmentation": [[*RING, *RING[:2]]]},
    {**BOX, "segmentation": [RING, []]},
    {**BOX, "segmentation": RING},
    {**BOX, "segmentation": [[]]},
    {**BOX, "segmentation": [RING], "bbox": [1, 2, 0, 4]},
    {**BOX, "bbox": [-5, 2, 3, 4]},
    {**BOX, "bbox": [1, 2, 30, 4]},
    {**BOX, "area": -1},
    {**BOX, "category_id": 2},
    {**BOX, "bbox": None},
    {**BOX, "bbox": [], "segmentation": [RING]},
    {key: value for key, value in BOX.items() if key != "area"},
)
BROKEN = (
    {**BOX, "category_id": 99},
    {**BOX, "category_id": 2**63 - 1},
    {**BOX, "category_id": -1},
    {**BOX, "category_id": "1"},
    {**BOX, "segmentation": [RING[:-1]]},
    {**BOX, "segmentation": {"counts": [8, 2], "size": [20, 20]}},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2], "size": [20, 20]}},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2, 30, 3, 357.0], "size": [20, 20]}},
    {**BOX, "iscrowd": 1, "segmentation": {"counts": [400], "size": [10, 40]}},
    {**BOX, "segmentation": None, "bbox": [1, 2, 3]},
    {**BOX, "image_id": 77},
    {**BOX, "image_id": "1"},
    {**BOX, "id": "x"},
    {**BOX, "id": 2**70},
    {**BOX, "id": 2},
    {**BOX, "bbox": [2**60, 1, 2, 3]},
    {**BOX, "iscrowd": 2},
    {**BOX, "caption": "a }] and }, { in a text"},
    [],
    {},
)
TARGETS = [("yolo", {"task": "detect"}), ("voc", {"polygons": "box"}), ("yolo", {"task": "detect", "crowd": "keep"})]
TARGETS += [("metalake", {}), ("coco", {})]
SEPARATORS = [(",", ":"), (", ", ": "), (" ,\n\t", " : ")]


def _document(seed, shares=(10, 1, 0), images=30):
    dice = random.Random(seed)
    pictures = [{**FACTS, "id": 3 * n, "file_name": f"{n}.jpg", "width": 20, "height": 20} for n in range(1, images)]
    for picture in pictures if seed % 3 == 1 else ():
        if dice.random() < 0.2:
            picture |= dice.choice([{"width": -1}, {"id": "x"}, {"mood": "good"}, {"width": 20.0}, {"license": None}])
    annotations = []
    for number in range(1, 120):
        [kind] = dice.choices((USUAL, ODD, BROKEN), shares)
        one = dice.choice(kind)
        if isinstance(one, dict):
            one = {"id": 1000 - number, **one}
            one |= {"image_id": dice.choice(pictures)["id"]} if one.get("image_id") == 1 else {}
            one = dict(dice.sample(list(one.items()), len(one))) if seed % 4 == 3 else one
        annotations.append(one)
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "dog"}, {"id": 7, "name": "é"}]
    parts = {"info": {"images": 1}, "images": pictures, "annotations": annotations, "categories": categories}
    return dict(sorted(parts.items(), key=lambda part: part[0] != "annotations")) if seed % 2 else parts


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(columns, "_PIECE", 900)
    monkeypatch.setattr(columns, "_TAIL", 1500)
    monkeypatch.setattr(blocks, "IMAGES", 7)
    monkeypatch.setattr(parallel, "WORTH_A_PROCESS", 1)


def both(tmp_path, monkeypatch, target, chosen, jobs):
    """What comes of it image by image, and in columns, which is the same whether the file is held or not."""
    found = []
    for way, fewest in (("long", 10**9), ("short", 0), ("unheld", 0)):
        monkeypatch.setattr(blocks, "FEWEST", fewest)
        with monkeypatch.context() as patch:
            patch.setattr(boxdocument, "LARGE", 0 if way == "unheld" else 1 << 26)
            if way == "long":
                for quick in ("BoxDocument", "ShapeDocument"):
                    patch.setattr(results, quick, lambda source, ledger, _: Document(source, ledger))
            out = tmp_path / f"{way}{get(target).suffix}"
            found.append(outcome(tmp_path / "coco.json", "coco", out, target, chosen, jobs))
    long, short, unheld = found
    assert unheld == short
    return long, short


@pytest.mark.parametrize("shares", [(10, 1, 0), (100, 5, 1), (1, 3, 0)], ids=["usual", "broken", "odd"])
@pytest.mark.parametrize("seed", range(12))
def test_the_same_as_by_the_long_way(tmp_path, monkeypatch, seed, shares):
    target, chosen = TARGETS[seed % len(TARGETS)]
    text = json.dumps(_document(seed, shares), ensure_ascii=seed % 2 == 0, separators=SEPARATORS[seed % 3])
    (tmp_path / "coco.json").write_text(text)
    long, short = both(tmp_path, monkeypatch, target, chosen, 1 + seed % 2)
    assert short == long


@pytest.mark.parametrize("broken", range(len(BROKEN)))
def test_the_same_error(tmp_path, monkeypatch, broken):
    document = _document(0)
    document["annotations"][70] = {"id": 2000, **one} if (one := BROKEN[broken]) else one
    (tmp_path / "coco.json").write_text(json.dumps(document))
    for target, chosen in (("yolo", {"task": "detect"}), ("metalake", {}), ("coco", {})):
        long, short = both(tmp_path, monkeypatch, target, chosen, 1)
        assert short == long


@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        (r'"iscrowd": 0', '"iscrowd": 0, "iscrowd": 0'),
        (r'"area": 12.0', '"area": NaN'),
        (r'"area": 12.0', '"area": 1e999'),
        (r"\[1.5, 2, 4", "[1e999, 2, 4"),
        (r'"categories": ', '"annotations": [], "categories": '),
        (r"\}\], ", "}, "),
        (r"\}\], ", "},], "),
        (r"\}, \{", "}, , {"),
        (r"\}, \{", "} {"),
        (r'"info": \{"images": 1\}', r'"info": {"images": [{"id": 1}], "annotations": [{"id": 1}]}'),
        (r'"info": \{"images": 1\}', r'"info": "\"images\": [{}], \"annotations\": [{}]"'),
        (r'"annotations"', r'"\u0061nnotations"'),
        (r'"image_id"', r'"\u0069mage_id"'),
        (r'"dog"', r'"\ud800"'),
        (r'"image_id": (\d+)', r'"image_id": "6"'),
        (r'"category_id": 1', r'"category_id": "1"'),
    ],
)
@pytest.mark.parametrize("times", [1, 0])
def test_the_same_of_odd_texts(tmp_path, monkeypatch, pattern, other, times):
    text = re.sub(pattern, lambda _: other, json.dumps(_document(2, (20, 1, 0))), count=times)
    (tmp_path / "coco.json").write_text(text)
    for target, chosen in (("yolo", {"task": "detect"}), ("metalake", {})):
        long, short = both(tmp_path, monkeypatch, target, chosen, 1)
        assert short == long


@pytest.mark.parametrize("target", ["yolo", "coco"])
@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        ("2013-11-14", "é"),
        ('"dog"', '"é"'),
        ('"images": 1', '"images": "é"'),
        (" 12.0,", ' 12.0, "mood": "é",'),
        ("}", "}é"),
    ],
)
def test_the_same_of_what_is_not_utf8(tmp_path, monkeypatch, target, pattern, other):
    text = json.dumps(_document(2, (20, 1, 0)))
    (tmp_path / "coco.json").write_bytes(text.replace(pattern, other, 1).encode("latin-1"))
    long, short = both(tmp_path, monkeypatch, target, {}, 1)
    assert short == long
    assert "is not UTF-8" in str(short)


def test_an_image_with_a_crowd_stays_in_its_block(tmp_path):
    document = _document(0, (1, 0, 0))
    document["annotations"][5] = {**ODD[0], "id": 2000, "image_id": document["images"][4]["id"]}
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document))
    reading = COCO.read(path, COCO.options(), Context(boxes=True), Ledger())
    assert reading.blocks_for is not None
    ledger = Ledger()
    items = list(reading.blocks_for(get("yolo").fidelity(get("yolo").options()))(ledger))
    assert all(isinstance(item, Block) for item in items)
    [example] = ledger.losses["crowd-skipped"].examples
    assert (example.image, example.annotation) == ("5.jpg", 2000)


def test_the_elements_of_a_list_are_those_that_are_read_one_by_one(tmp_path):
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(_document(0, (3, 1, 0))))
    document = BoxDocument(Source(path), Ledger(), 1)
    other = Document(Source(path), Ledger())
    assert document.columns is not None
    assert document.columns.odd
    for ours, theirs in ((document.annotations, other.annotations), (document.images, other.images)):
        assert list(map(bytes, ours)) == list(map(bytes, theirs))
        assert list(map(bytes, ours[3:9])) == list(map(bytes, theirs[3:9]))
    assert (document.order.tolist(), document.start) == (other.order.tolist(), other.start)
    assert (document.next_id, document.next_image_id) == (other.next_id, other.next_image_id)


@pytest.mark.parametrize("front", [100, 1 << 23])
def test_of_a_large_file_the_annotations_are_not_held(tmp_path, monkeypatch, front):
    monkeypatch.setattr(boxdocument, "LARGE", 0)
    monkeypatch.setattr(boxdocument, "_FRONT", front)
    path = tmp_path / "coco.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(_document(0, (3, 1, 0)), indent=1).encode())
    document, other = BoxDocument(Source(path), Ledger(), 1), Document(Source(path), Ledger())
    assert document.columns is not None
    assert len(document.data) < len(other.data) / 2
    assert list(map(bytes, document.annotations)) == list(map(bytes, other.annotations))
    assert list(map(bytes, document.images)) == list(map(bytes, other.images))
    for pointer in (("annotations", 77, "bbox"), ("images", 9, "width"), ("categories", 1), ("annotations", 500)):
        assert document.locate(document.place(*pointer)) == other.locate(other.place(*pointer))


@pytest.mark.parametrize(("outlines", "kind"), [([RING], ShapeDocument), ([], BoxDocument)])
@pytest.mark.parametrize("first", ["images", "annotations"])
def test_what_may_become_either_is_opened_as_what_it_holds(tmp_path, outlines, kind, first):
    document = _document(1 if first == "annotations" else 0, (1, 0, 0))
    for one in document["annotations"]:
        one["segmentation"] = outlines
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document))
    assert type(results.opened(Source(path), None, Ledger(), Context(boxes=True, shapes=True))) is kind


@pytest.mark.parametrize("calls", range(5))
def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path, monkeypatch, calls):
    monkeypatch.setattr(boxdocument, "LARGE", 0)
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(_document(0)))
    before, done = LargeJson.read, itertools.count()

    def read(self, start, stop):
        if next(done) == calls:
            os.truncate(path, 6000)
        return before(self, start, stop)

    monkeypatch.setattr(LargeJson, "read", read)
    with pytest.raises(InvalidInput, match=r"coco\.json:1"):
        BoxDocument(Source(path), Ledger(), 1)


@pytest.mark.parametrize("clashing", [False, True])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_of_several_files(tmp_path, monkeypatch, clashing, jobs):
    for seed, split in enumerate(("train", "val", "test")):
        document = _document(2 * seed, (20, 1, 0), images=9)
        for picture in document["images"]:
            picture["file_name"] = f"{'' if clashing else split}{picture['file_name']}"
        path = tmp_path / "coco.json" / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    long, short = both(tmp_path, monkeypatch, "yolo", {"task": "detect"}, jobs)
    assert short == long
