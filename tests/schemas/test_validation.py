"""The meaning of records: one wrong thing at a time, and what must not be complained of."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas.errors import Place
from annolake.schemas.model import Annotation, Line, Points, Polygon, Record, Rectangle, Tag, Value
from annolake.schemas.names import are_plain, is_safe_name
from annolake.schemas.validation import Checker, check_operation_id, check_record


def box(*bbox: float, **facts: Any) -> Rectangle:
    return Rectangle(bbox=bbox, **{"label": "car", **facts})  # type: ignore[arg-type]


def ring(*xy: float, **facts: Any) -> Polygon:
    return Polygon(xy=xy, **{"label": "car", **facts})


def record(*annotations: Annotation, **facts: Any) -> Record:
    return Record(**{"image": "a.png", "width": 100, "height": 50, "annotations": annotations, **facts})


def codes(record: Record, **options: Any) -> list[str]:
    return [problem.code for problem in check_record(record, **{"coordinates": "pixels", **options})]


TRIANGLE = (1, 1, 9, 1, 5, 8)
GOOD = [
    box(10, 10, 20.5, 30),
    box(0, 0, 100, 50, confidence=0),
    box(90, 40, 10.00005, 10.00001),
    ring(*TRIANGLE),
    # A notch that touches itself in one point, and a seam walked there and back.
    ring(0, 0, 10, 0, 10, 10, 5, 0, 0, 10),
    Line(xy=(0, 0, 100, 50), label="lane"),
    Points(xy=(100, 50), label="corner"),
    box(1, 1, 2, 2, attributes={"colour": (Value("red", 0.5, {"tone": "dark"}),)}),
    box(1, 1, 2, 2, metadata={"occluded": True, "size": 3.5, "price$": "1.50"}),
]


def test_good_annotations_have_no_problems():
    assert codes(record(*GOOD)) == []


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (box(1, 2, 0, 4), ["not-positive"]),
        (box(10, 2, -3, 4), ["not-positive"]),
        (box(nan, 2, 3, 4), ["not-finite"]),
        (box(1, 2, 3, inf), ["not-finite"]),
        (box(1, 2, 10**400, 4), ["not-finite"]),
        (box(-1, 2, 3, 4), ["outside-image"]),
        (box(95, 2, 5.001, 4), ["outside-image"]),
        (box(95, 45, 5, 5.00001), []),
        (ring(1, 1, 5, 5), ["too-few-points"]),
        (ring(1, 1, 5, 5, 1, 1), ["too-few-points"]),
        (ring(*TRIANGLE, 1, 1), ["closing-point"]),
        (ring(1, 1, 5, 5, 9, 9), ["degenerate"]),
        (ring(2, 2, 2, 2, 2, 2), ["too-few-points"]),
        (ring(0, 0, 10, 10, 10, 0, 0, 10), ["self-crossing"]),
        (ring(1, 1, 9, 1, 5), ["odd-coordinates"]),
        (ring(1, 1, 9, 1, 5, 51), ["outside-image"]),
        (Line(xy=(1, 1), label="x"), ["too-few-points"]),
        (Line(xy=(1, 1, 101, 1), label="x"), ["outside-image"]),
        (Points(xy=(), label="x"), ["too-few-points"]),
        (box(1, 1, 2, 2, label=""), ["empty-label"]),
        (box(1, 1, 2, 2, label=" \t"), ["empty-label"]),
        (box(1, 1, 2, 2, label="car "), ["label-blanks"]),
        (box(1, 1, 2, 2, label="c\x07ar"), ["label-characters"]),
        (box(1, 1, 2, 2, confidence=75), ["confidence-range"]),
        (box(1, 1, 2, 2, confidence=nan), ["confidence-range"]),
        (box(1, 1, 2, 2, metadata={"a.b": 1}), ["metadata-key"]),
        (box(1, 1, 2, 2, metadata={"$set": 1}), ["metadata-key"]),
        (box(1, 1, 2, 2, metadata={"": 1}), ["metadata-key"]),
        (box(1, 1, 2, 2, metadata={"price$": "1.5"}), []),
        (box(1, 1, 2, 2, metadata={"a": [1]}), ["nested-metadata"]),
        (box(1, 1, 2, 2, metadata={"a": [{"b.c": 1}]}), ["nested-metadata", "metadata-key"]),
        (box(1, 1, 2, 2, metadata={"a": nan}), ["not-finite"]),
        (box(1, 1, 2, 2, metadata={"k" * 300: 1}), ["long-key"]),
        (box(1, 1, 2, 2, attributes={"": (Value("x"),)}), ["empty-attribute"]),
        (box(1, 1, 2, 2, attributes={"c": (Value(""),)}), ["empty-attribute"]),
        (box(1, 1, 2, 2, attributes={"c": (Value("x", 2.0),)}), ["confidence-range"]),
        (box(1, 1, 2, 2, attributes={"c": (Value("x", None, {"$a": 1}),)}), ["metadata-key"]),
    ],
)
def test_one_annotation(annotation: Annotation, expected: list[str]):
    assert codes(record(annotation)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"image": "sub folder/ä b.c.png"}, []),
        ({"image": ""}, ["empty-name"]),
        ({"image": "../a.png"}, ["unsafe-name"]),
        ({"image": "/bucket/folder/a.png"}, ["leading-slash"]),
        ({"image": "//server/a.png"}, ["unsafe-name"]),
        ({"image": "C:\\a.png"}, ["unsafe-name"]),
        ({"image": "a\nb.png"}, ["image-name-characters"]),
        ({"image": "ü" * 128 + "/a.png"}, ["long-name"]),
        ({"image": ("x" * 200 + "/") * 2 + "a.png"}, []),
        ({"width": 0}, ["image-size"]),
        ({"width": -5, "height": nan}, ["image-size", "image-size"]),
        ({"tags": (Tag(label=""), Tag(label="dusk", confidence=2))}, ["empty-label", "confidence-range"]),
    ],
)
def test_one_image(facts: dict[str, Any], expected: list[str]):
    assert codes(record(**facts)) == expected


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [((0, 0, 1, 1), []), ((0.5, 0.5, 0.5000009, 0.5), []), ((0.5, 0.5, 0.51, 0.5), ["out-of-range"])],
)
def test_fractions_lie_within_0_and_1(bbox: tuple[float, ...], expected: list[str]):
    assert codes(record(box(*bbox)), coordinates="normalized") == expected


@pytest.mark.parametrize(
    ("bbox", "expected"), [((0.25, 0.1, 0.5, 0.2), ["looks-normalized"]), ((0, 0, 1, 1), []), ((0.5, 0.5, 8, 8), [])]
)
def test_pixels_that_look_like_fractions(bbox: tuple[float, ...], expected: list[str]):
    assert codes(record(box(*bbox), width=None, height=None)) == expected


def test_without_a_size_nothing_is_outside():
    assert codes(record(box(-5, 2, 9000, 4), width=None, height=None)) == []


def test_labels_that_are_not_listed():
    problems = list(check_record(record(box(1, 1, 2, 2, label="Car")), coordinates="pixels", labels=["car", "bus"]))
    assert [(problem.code, problem.severity) for problem in problems] == [("unknown-label", "error")]
    assert problems[0].fix == 'did you mean "car"?'


def rings(*metadata: dict[str, Any]) -> Record:
    return record(*(ring(n, 0, n + 5, 0, n, 5, metadata=facts) for n, facts in enumerate(metadata)))


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ([{"instance": "1", "part": 1, "parts": 2}, {"instance": "1", "part": 2, "parts": 2, "hole_of": 1}], []),
        ([{"instance": "1"}, {"instance": "1"}], []),
        ([{"instance": "1", "part": 2, "parts": 3}], []),
        ([{"instance": "1", "part": 1}, {"instance": "2", "part": 1}], []),
        ([{"instance": "1", "part": 2, "hole_of": 1}], ["broken-parts"]),
        ([{"instance": "1", "part": 1}, {"instance": "2", "part": 2, "hole_of": 1}], ["broken-parts"]),
        ([{"instance": "1", "part": 1, "hole_of": 1}], ["broken-parts"]),
        ([{"instance": "1", "part": 3, "parts": 2}], ["broken-parts"]),
        ([{"instance": "1", "part": 0}], ["broken-parts"]),
        ([{"instance": "1", "part": "1"}], ["broken-parts"]),
        ([{"instance": "1", "part": 1}, {"instance": "1", "part": 1}], ["broken-parts"]),
        ([{"part": 1}], ["broken-parts"]),
        ([{"hole_of": 1}], ["broken-parts"]),
    ],
)
def test_rings_of_one_object(metadata: list[dict[str, Any]], expected: list[str]):
    assert codes(rings(*metadata)) == expected


def test_the_same_annotation_twice():
    twice = record(box(1, 1, 2, 2), box(1, 1, 2, 2, label="bus"), box(1, 1, 2, 2))
    (problem,) = check_record(twice, coordinates="pixels")
    assert (problem.code, problem.severity, problem.place.annotation) == ("duplicate-annotation", "warning", 3)
    ids = [box(1, 1, 2, 2, metadata={"coco_id": n, "note": "n"}) for n in (1, 2)]
    assert codes(record(*ids)) == ["repeated-shape"]
    assert codes(record(box(1, 1, 2, 2, metadata={"track_id": 1}), box(1, 1, 2, 2, metadata={"track_id": 2}))) == []


def test_places_are_those_given_else_image_and_number():
    given_place = Place(file="f.json", line=7, image="a.png", annotation="id 12")
    problems = check_record(record(box(1, 1, 0, 2), box(1, 1, 2, 0)), coordinates="pixels", places=[given_place])
    assert [problem.place for problem in problems] == [given_place, Place(image="a.png", annotation=2)]


def test_every_problem_says_what_to_do():
    bad = [box(1, 2, 0, 4), ring(1, 1, 5, 5, 9, 9), box(1, 1, 2, 2, label="", confidence=9, metadata={"a.b": []})]
    problems = list(check_record(record(*bad, image="../x", width=0), coordinates="pixels"))
    assert len(problems) == 8
    assert all(problem.message and problem.fix for problem in problems)


def test_names_across_images():
    checker = Checker(coordinates="pixels")
    names = ["a.png", "b.png", "A.png", "caf\u00e9.png", "cafe\u0301.png", "a.png"]
    found = [[(p.code, p.severity) for p in checker.check(record(image=name))] for name in names]
    similar = [("similar-name", "warning")]
    assert found == [[], [], similar, [], similar, [("duplicate-image", "error")]]


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("car_human_annotations", []),
        ("yolo v1.2 ü", []),
        ("", ["error"]),
        ("  ", ["error"]),
        ("a\nb", ["error"]),
        ("..", ["error"]),
        ("$op", ["error"]),
        ("run/7?", ["warning"]),
        (" run", ["warning"]),
    ],
)
def test_operation_ids(text: str, severities: list[str]):
    assert [problem.severity for problem in check_operation_id(text)] == severities


@pytest.mark.parametrize("name", ["a.png", "a/b.png", "..a/b..", "a b/ü", "ab:c"])
def test_safe_names(name: str):
    assert is_safe_name(name)
    assert are_plain(["a.png", "a/b.png", "a b/ü"])


@pytest.mark.parametrize("name", ["", "/a", "\\a", "a/../b", "..", "a\\..\\b", "c:a", "\\\\host\\a", "a\0b"])
def test_unsafe_names(name: str):
    assert not is_safe_name(name)
    assert not are_plain([name])
    assert not are_plain(["a", name, "b"])


ANY_NUMBER = st.floats() | st.integers() | st.sampled_from([10**400, -(10**400), 1e308, -1e308, 0, -0.0])
ANY_METADATA = st.dictionaries(
    st.sampled_from(["a", "a.b", "$a", "", "instance", "part", "parts", "hole_of"]),
    st.none() | ANY_NUMBER | st.text(max_size=3) | st.lists(ANY_NUMBER, max_size=2) | st.just({"x.y": nan}),
    max_size=4,
)
ANY_FACTS = {"label": st.text(max_size=3), "confidence": st.none() | st.floats(), "metadata": ANY_METADATA}
ANY_ANNOTATION = st.one_of(
    st.builds(Rectangle, bbox=st.tuples(*[ANY_NUMBER] * 4), **ANY_FACTS),
    *(st.builds(kind, xy=st.lists(ANY_NUMBER, max_size=9), **ANY_FACTS) for kind in (Polygon, Line, Points)),
)


@given(
    st.builds(
        Record,
        image=st.text(max_size=4),
        annotations=st.lists(ANY_ANNOTATION, max_size=4),
        width=st.none() | ANY_NUMBER,
        height=st.none() | ANY_NUMBER,
    ),
    st.sampled_from(["pixels", "normalized"]),
)
def test_any_record_is_judged_without_a_fall(record: Record, coordinates: Any):
    for problem in check_record(record, coordinates=coordinates):
        assert str(problem)
