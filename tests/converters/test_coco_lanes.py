"""The short ways through a COCO file give what the long ones give."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.coco import FORMAT as COCO
from annolake.converters.coco.objects import tidy_hull
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.registry import get
from annolake.converters.yolo import Options as Yolo

BOX = {"category_id": 1, "iscrowd": 0, "area": 12.0, "bbox": [1, 2, 3, 4], "segmentation": []}
RING = {**BOX, "area": 6.0, "segmentation": [[1, 2, 4, 2, 4, 6]]}
PARTS = {**BOX, "area": 14.0, "bbox": [1, 2, 9, 9], "segmentation": [[1, 2, 4, 2, 4, 6], [8, 8, 10, 8, 10, 11]]}
CROWD = {**BOX, "iscrowd": 1, "segmentation": {"counts": [8, 2, 30, 3, 357], "size": [20, 20]}}
EMPTY = {**CROWD, "segmentation": {"counts": [400], "size": [20, 20]}}
KNOWN_BY_NOBODY = {**RING, "mood": "good"}
KINDS = (BOX, RING, PARTS, CROWD, KNOWN_BY_NOBODY)


def coco_file(tmp_path, annotations):
    images = [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20}]
    numbered = [{**each, "image_id": 1, "id": number} for number, each in enumerate(annotations, 1)]
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": numbered, "categories": [{"id": 1, "name": "cat"}]}))
    return path


def read(path, target, options, ledger):
    reading = COCO.read(path, COCO.options(), Context(), Ledger())
    assert reading.records_for is not None
    [record] = reading.records_for(get(target).fidelity(options))(ledger)
    return record


@pytest.mark.parametrize("target", ["metalake", "yolo", "coco"])
@pytest.mark.parametrize("seed", range(20))
def test_annotations_together_are_those_one_by_one(tmp_path, target, seed):
    path = coco_file(tmp_path, random.Random(seed).choices(KINDS, k=seed % 9 + 1))
    options = get(target).options()
    quickly, slowly = Ledger(complete=True), Ledger(lenient=True)  # one by one, because their places are wanted
    assert read(path, target, options, quickly) == read(path, target, options, slowly)
    assert {code: loss.count for code, loss in quickly.losses.items()} == {
        code: loss.count for code, loss in slowly.losses.items()
    }


@pytest.mark.parametrize(("kind", "warned"), [(CROWD, []), (EMPTY, ["empty-mask"])])
def test_a_crowd_that_is_left_out_is_told_to_be_empty_where_it_is(tmp_path, kind, warned):
    ledger = Ledger()
    record = read(coco_file(tmp_path, [kind]), "yolo", Yolo(task="segment"), ledger)
    assert [problem.code for problem in ledger.problems] == warned
    assert [annotation.metadata["iscrowd"] for annotation in record.annotations] == [True]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([1, 3, 10, 100, 10**4, 10**10]))
def test_the_size_of_a_hull_is_rounded_to_ten_decimals(one, other, parts):
    low, high = sorted((one / parts, other / parts))
    found = tidy_hull([[low, 0.0, high, 1.0]])
    assert repr(found) == repr((low, 0.0, round(high - low, 10), 1.0))
