"""Mends: what they change, what they leave, and that the problem is gone afterwards."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas.mending import mend_plain, mend_record
from annolake.schemas.model import Annotation, Line, Points, Polygon, Record, Rectangle, Tag, Value
from annolake.schemas.structure import problems
from annolake.schemas.validation import check_record


def box(*bbox: float, **facts: Any) -> Rectangle:
    return Rectangle(bbox=bbox, **{"label": "car", **facts})  # type: ignore[arg-type]


def ring(*xy: float, **facts: Any) -> Polygon:
    return Polygon(xy=xy, **{"label": "car", **facts})


def record(*annotations: Annotation, **facts: Any) -> Record:
    return Record(**{"image": "a.png", "width": 100, "height": 50, "annotations": annotations, **facts})


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (box(10, 10, -4, 5), box(6, 10, 4, 5), "mended-not-positive"),
        (box(10, 10, -4, -5), box(6, 5, 4, 5), "mended-not-positive"),
        (box(10, 10, 0, 5), None, "mended-not-positive"),
        (box(-5, 40, 10, 20), box(0, 40, 5, 10), "mended-outside-image"),
        (box(100, 10, 5, 5), None, "mended-outside-image"),
        (ring(90, 10, 110, 10, 110, 20, 90, 20), ring(90, 10, 100, 10, 100, 20, 90, 20), "mended-outside-image"),
        (ring(200, 10, 210, 10, 210, 20), None, "mended-outside-image"),
        (ring(1, 1, 9, 1, 5, 8, 1, 1), ring(1, 1, 9, 1, 5, 8), "mended-closing-point"),
        (ring(1, 1, 9, 1), None, "mended-too-few-points"),
        (ring(1, 1, 5, 5, 9, 9), None, "mended-degenerate"),
        (Line(xy=(1, 1), label="x"), None, "mended-too-few-points"),
        (box(1, 1, 2, 2, label=" car\t"), box(1, 1, 2, 2), "mended-label-blanks"),
        (box(1, 1, 2, 2, metadata={"a.b": 1}), box(1, 1, 2, 2, metadata={"a_b": 1}), "mended-metadata-key"),
        (box(1, 1, 2, 2, metadata={"$id": 1}), box(1, 1, 2, 2, metadata={"_id": 1}), "mended-metadata-key"),
        (
            box(1, 1, 2, 2, metadata={"a.b": 1, "a_b": 2}),
            box(1, 1, 2, 2, metadata={"a_b_2": 1, "a_b": 2}),
            "mended-metadata-key",
        ),
        (
            box(1, 1, 2, 2, attributes={"c": (Value("x", 0.5, {"$k": [{"a.b": 1}]}),)}),
            box(1, 1, 2, 2, attributes={"c": (Value("x", 0.5, {"_k": [{"a_b": 1}]}),)}),
            "mended-metadata-key",
        ),
    ],
)
def test_one_mend(before: Annotation, after: Annotation | None, code: str):
    mended, mends = mend_record(record(before), "pixels")
    if isinstance(after, Polygon):
        (polygon,) = mended.annotations
        assert isinstance(polygon, Polygon)
        corners = set(zip(polygon.xy[::2], polygon.xy[1::2], strict=True))
        assert corners == set(zip(after.xy[::2], after.xy[1::2], strict=True))
    else:
        assert list(mended.annotations) == ([] if after is None else [after])
    assert {mend.code for mend in mends} == {code}
    assert all(mend.severity == "notice" and mend.place.annotation == 1 for mend in mends)


@pytest.mark.parametrize(
    "annotation",
    [
        box(1, 2, 3, 4),
        box(float("nan"), 2, 3, 4),
        Line(xy=(1, 1, 200, 1), label="x"),
        Points(xy=(200, 1), label="x"),
        ring(80, 0, 110, 30, 110, 0, 80, 30),
        ring(1, 2, 3),
        box(1, 1, 2, 2, label="  "),
        box(90, 40, 10.00005, 10),
    ],
)
def test_what_is_left_alone(annotation: Annotation):
    before = record(annotation)
    assert mend_record(before, "pixels") == (before, [])


def test_fractions_are_clipped_to_1():
    mended, (mend,) = mend_record(record(box(0.5, 0.5, 0.75, 0.25)), "normalized")
    assert mended.annotations == [box(0.5, 0.5, 0.5, 0.25)]
    assert mend.code == "mended-out-of-range"
    assert "0.75" in mend.message and "[0.5, 0.5, 0.5, 0.25]" in mend.message


def test_duplicates_go_and_the_first_stays():
    mended, (mend,) = mend_record(record(box(1, 1, 2, 2), box(3, 1, 2, 2), box(1, 1, 2, 2)), "pixels")
    assert mended.annotations == [box(1, 1, 2, 2), box(3, 1, 2, 2)]
    assert (mend.code, mend.place.annotation) == ("mended-duplicate-annotation", 3)


def test_near_duplicates_stay():
    ids = record(*(box(1, 1, 2, 2, metadata={"coco_id": n}) for n in (1, 2)))
    assert mend_record(ids, "pixels") == (ids, [])
    broken = record(*(box(value, 1, 2, 2) for value in (float("inf"), float("-inf"), 10**400)))
    assert mend_record(broken, "pixels") == (broken, [])


def test_a_ring_that_has_a_hole_stays():
    outer = ring(1, 1, 5, 5, 9, 9, metadata={"instance": "1", "part": 1})
    hole = ring(2, 2, 3, 2, 3, 3, metadata={"instance": "1", "part": 2, "hole_of": 1})
    before = record(outer, hole)
    assert mend_record(before, "pixels") == (before, [])


def test_tags_are_mended_too():
    mended, (mend,) = mend_record(record(tags=(Tag(label=" dusk", metadata={"a": 1}),)), "pixels")
    assert mended.tags == (Tag(label="dusk", metadata={"a": 1}),)
    assert mend.code == "mended-label-blanks"


COORDINATES = st.integers(-20, 130) | st.floats(-50, 200).map(lambda value: round(value, 2))
FACTS = {
    "label": st.sampled_from(["car", " car", "bus ", "\tcar\n"]),
    "metadata": st.dictionaries(st.sampled_from(["a", "a.b", "a_b", "$a", "_a", "", ".", "a_b_2"]), st.integers(0, 2)),
}
ANNOTATIONS = st.one_of(
    st.builds(Rectangle, bbox=st.tuples(*[COORDINATES] * 4), **FACTS),
    st.builds(Polygon, xy=st.lists(COORDINATES, max_size=10).map(lambda v: v[: len(v) // 2 * 2]), **FACTS),
    st.builds(Polygon, xy=st.lists(COORDINATES, min_size=6, max_size=6).map(lambda v: v + v[:2]), **FACTS),
)


@given(st.lists(ANNOTATIONS, max_size=5), st.sampled_from(["pixels", "normalized"]))
def test_what_was_mended_is_no_problem_any_more(annotations: list[Annotation], coordinates: Any):
    before = record(*annotations)
    mended, mends = mend_record(before, coordinates)
    crossing = {
        problem.place.annotation
        for problem in check_record(mended, coordinates=coordinates)
        if problem.code == "self-crossing"
    }
    left = {
        problem.code
        for problem in check_record(mended, coordinates=coordinates)
        if problem.place.annotation not in crossing
    }
    assert left & {mend.code.removeprefix("mended-") for mend in mends} == set()
    assert left <= {"looks-normalized"}
    assert mend_record(mended, coordinates) == (mended, [])


def plain(**keys: Any) -> dict[str, Any]:
    annotation = {"type": "points", "points": [[1, 2]], "label": "x", **keys}
    return {"images": [{"image": "a.png", "annotations": [annotation]}]}


def mended_annotation(before: dict[str, Any]) -> dict[str, Any]:
    return before["images"][0]["annotations"][0]


@pytest.mark.parametrize(
    ("keys", "after", "code", "pointer"),
    [
        ({"type": "Points"}, {"type": "points"}, "mended-unknown-type", "/type"),
        ({"type": " RECTANGLE", "bbox": [1, 2, 3, 4]}, {"type": "rectangle"}, "mended-unknown-type", "/type"),
        ({"label": 7}, {"label": "7"}, "mended-wrong-type", "/label"),
        ({"label": 7.5}, {"label": "7.5"}, "mended-wrong-type", "/label"),
        ({"points": [["1", " 2.50"]]}, {"points": [[1, 2.5]]}, "mended-wrong-type", "/points"),
        ({"attributes": {"c": "red"}}, {"attributes": {"c": [{"value": "red"}]}}, "mended-wrong-type", "/attributes/c"),
        (
            {"attributes": {"c": ["red"]}},
            {"attributes": {"c": [{"value": "red"}]}},
            "mended-wrong-type",
            "/attributes/c/0",
        ),
        (
            {"attributes": {"c": [{"value": True, "confidence": 1}]}},
            {"attributes": {"c": [{"value": "true", "confidence": 1}]}},
            "mended-wrong-type",
            "/attributes/c/0/value",
        ),
        (
            {"attributes": {"n": [{"value": 4}]}},
            {"attributes": {"n": [{"value": "4"}]}},
            "mended-wrong-type",
            "/attributes/n/0/value",
        ),
    ],
)
def test_one_mend_of_the_form(keys: dict[str, Any], after: dict[str, Any], code: str, pointer: str):
    document = plain(**keys)
    (mend,) = mend_plain(document)
    assert {key: mended_annotation(document)[key] for key in after} == after
    assert (mend.code, mend.place.pointer) == (code, "/images/0/annotations/0" + pointer)
    assert (mend.place.image, mend.place.annotation, mend.severity) == ("a.png", 1, "notice")
    assert problems(json.dumps(document).encode(), "f", "annotations") == []


def test_older_line_form_and_missing_annotations():
    document = {
        "images": [
            {"image": "a", "annotations": [{"type": "Line", "polygon": [[1, 2], [3, 4]], "label": "x"}]},
            {"image": "b"},
        ]
    }
    assert [mend.code for mend in mend_plain(document)] == [
        "mended-unknown-type",
        "mended-old-line-form",
        "mended-missing-key",
    ]
    assert document["images"] == [
        {"image": "a", "annotations": [{"type": "line", "line": [[1, 2], [3, 4]], "label": "x"}]},
        {"image": "b", "annotations": []},
    ]


@pytest.mark.parametrize(
    "document",
    [
        plain(),
        plain(type="Rectangel"),
        plain(points=[["1", "two"]]),
        plain(points=[["1e999", "2"]]),
        plain(points=[["1", "0x2"]]),
        plain(points=[["\uff11", "1_0"]]),
        plain(points="1 2"),
        plain(label=None),
        plain(label=True),
        plain(attributes={"c": None}),
        plain(attributes={"c": {"value": "x"}}),
        {"images": [3, {"image": "a", "annotations": None}, {"image": 7, "annotations": [3]}]},
        {"images": {}},
        [],
        None,
    ],
)
def test_what_is_not_certain_is_left(document: Any):
    before = copy.deepcopy(document)
    assert mend_plain(document) == []
    assert document == before
