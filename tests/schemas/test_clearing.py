"""Images that are cleared without a close look are as they must be, and have no mistakes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas.clearing import Clearing, Look
from annolake.schemas.errors import InvalidInput
from annolake.schemas.metalake_decoding import decode_record
from annolake.schemas.model import Coordinates, count_objects
from annolake.schemas.problems import Problem
from annolake.schemas.validation import check_record

GOOD: dict[str, Any] = {"type": "polygon", "polygon": [[1, 1], [9, 1], [9, 9], [1, 9]], "label": "car"}
BOX: dict[str, Any] = {"type": "rectangle", "bbox": [1, 2, 3, 4.5], "label": "car"}
IMAGE: dict[str, Any] = {"image": "a.jpg", "width": 10, "height": 10, "annotations": [GOOD, BOX]}


def look(*images: Any, coordinates: Coordinates = "pixels", labels: list[str] | None = None) -> list[Look | None]:
    texts = [image if isinstance(image, str) else json.dumps(image) for image in images]
    clearing = Clearing(lambda record: (record, []), coordinates=coordinates, labels=labels)
    return clearing.looks([msgspec.Raw(text.encode()) for text in texts])


def with_(**changes: Any) -> dict[str, Any]:
    return {**IMAGE, "annotations": [BOX, {**GOOD, **changes}]}


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        {"image": "a.jpg", "annotations": []},
        {"image": "a.jpg", "annotations": [GOOD]},
        {**IMAGE, "id": "7", "split": "train", "storageName": "x", "tags": [{"label": "night"}], "coco": {"a": '"'}},
        with_(metadata={"coco_id": 7, "geometry": '{"size":"a\\\\"}', "iscrowd": True, "area": 1.5, "x": None}),
        with_(attributes={"colour": [{"value": "red", "confidence": 0.5, "metadata": {"by": "me"}}]}),
        with_(metadata={"instance": "1", "part": 1, "parts": 2}),
        with_(type="line", line=[[0, 0], [1, 1]])
        | {"annotations": [{"type": "line", "line": [[0, 0], [1, 1]], "label": "a"}]},
        {**IMAGE, "annotations": [{"type": "points", "points": [[0, 0]], "label": "a"}]},
    ],
)
def test_usual_images_are_cleared(image: dict[str, Any]) -> None:
    (found,) = look(image)
    assert found is not None
    assert found.clean
    heard: list[Problem] = []
    record = decode_record(msgspec.Raw(json.dumps(image).encode()), "f", 0, heard.append)
    assert not heard
    assert (found.image, found.objects) == (record.image, count_objects(record))


@pytest.mark.parametrize(
    "image",
    [
        {**IMAGE, "unknown": 1},
        {**IMAGE, "image": "../a.jpg"},
        {**IMAGE, "width": 0},
        {**IMAGE, "annotations": [GOOD, GOOD]},
        {**IMAGE, "tags": [{"label": " "}]},
        {"image": "a.jpg", "annotations": [{**BOX, "bbox": [0.1, 0.1, 0.5, 0.5]}]},
        with_(label=" "),
        with_(unknown=1),
        with_(metadata={"a.b": 1}),
        with_(metadata={"a": 10**400}),
        with_(metadata={"a": [1]}),
        with_(metadata={"part": 1}),
        with_(attributes={"colour": [{"value": ""}]}),
        with_(attributes={"colour": [{"value": "red", "unknown": 1}]}),
        with_(polygon=[[1, 1], [11, 1], [5, 5]]),
        with_(polygon=[[1, 1], [9, 9], [9, 1], [1, 9]]),
        with_(polygon=[[1, 1], [9, 1], [9, 9], [1, 1]]),
        '{"image":"a.jpg","image":"a.jpg","annotations":[]}',
        '{"image":"a.jpg","im\\u0061ge":"a.jpg","annotations":[]}',
        '{"image":"a\\"","annotations":[],"split":"\\\\","split":"a"}',
    ],
)
def test_whatever_may_be_a_mistake_wants_a_close_look(image: Any) -> None:
    (found,) = look(image)
    assert found is None or not found.clean


@pytest.mark.parametrize(
    "shape",
    [
        {"polygon": []},
        {"polygon": [[1, 2], [3]]},
        {"polygon": [[1, 2, 3], [3, 4], [5, 6]]},
        {"polygon": [[1, 2], [3, 4], [5, "6"]]},
        {"polygon": [[1, 2], [3, 4], [[5, 6]]]},
        {"polygon": [[1, 2], [3, 4], [True, 6]]},
        {"polygon": {"x": 1}},
        {"polygon": [[1, 2], [3, 4], [5, 10**400]]},
    ],
)
def test_of_shapes_that_are_none_nothing_is_known(shape: dict[str, Any]) -> None:
    assert look(with_(**shape)) == [None]


def test_labels_that_are_not_allowed_want_a_close_look() -> None:
    found = look(IMAGE, {**IMAGE, "annotations": [{**BOX, "label": "bus"}]}, labels=["car"])
    assert [one is not None and one.clean for one in found] == [True, False]


NUMBERS = st.one_of(st.integers(-1, 12), st.floats(0, 1), st.sampled_from([1e300, 2**70, -(10**400)]))
PAIRS = st.lists(st.one_of(st.lists(NUMBERS, min_size=2, max_size=2), st.lists(NUMBERS, max_size=3)), max_size=5)
KEYS = st.sampled_from(["a", "a.b", "$", "", "part", "parts", "instance", "hole_of", '"', "\\"])
TEXTS = st.text('a\\"', max_size=3)
VALUES = st.one_of(
    st.integers(-1, 3), st.text('a\\"', max_size=3), st.sampled_from([None, True, 1.5, [1], {"b": 1}, 10**400])
)
VALUE = st.fixed_dictionaries({"value": st.sampled_from(["red", ""])}, optional={"x": VALUES})
FACTS = st.fixed_dictionaries(
    {"label": st.sampled_from(["car", "", " car", "bus", "b\n"])},
    optional={
        "confidence": st.sampled_from([0, 0.5, 1, 2, "x"]),
        "metadata": st.dictionaries(KEYS, VALUES, max_size=3),
        "attributes": st.dictionaries(
            st.sampled_from(["colour", " "]),
            st.lists(
                st.fixed_dictionaries({"value": st.sampled_from(["red", ""])}, optional={"x": VALUES}), max_size=2
            ),
            max_size=1,
        ),
        "x": VALUES,
    },
)
SHAPES = st.one_of(
    st.fixed_dictionaries({"type": st.just("rectangle"), "bbox": st.lists(NUMBERS, min_size=3, max_size=5)}),
    st.fixed_dictionaries({"type": st.just("rectangle"), "bbox": st.just([1, 1, 2, 2])}),
    *(st.fixed_dictionaries({"type": st.just(kind), kind: PAIRS}) for kind in ("polygon", "line", "points")),
    st.fixed_dictionaries({"type": st.just("line"), "polygon": PAIRS}),
)
IMAGES = st.fixed_dictionaries(
    {
        "image": st.sampled_from(["a.jpg", "b/c.png", "/a.jpg", "../a.jpg", "", "a\n.jpg"]),
        "annotations": st.lists(st.builds(lambda shape, facts: {**shape, **facts}, SHAPES, FACTS), max_size=3),
    },
    optional={
        "width": st.sampled_from([10, 10.5, 0, -1, 2**70, "10"]),
        "height": st.sampled_from([10, 9]),
        "id": st.sampled_from([1, "1", 1.0]),
        "split": st.text('a\\"', max_size=2),
        "tags": st.lists(FACTS, max_size=2),
        "coco": st.dictionaries(KEYS, VALUES, max_size=2),
        "x": VALUES,
    },
)


@given(
    st.lists(IMAGES, max_size=4),
    st.sampled_from(["pixels", "normalized"]),
    st.sampled_from([None, ["car"]]),
    st.booleans(),
)
def test_what_is_cleared_has_no_mistakes(
    images: list[dict[str, Any]], coordinates: Coordinates, labels: list[str] | None, is_ascii: bool
) -> None:
    texts = [json.dumps(image, ensure_ascii=is_ascii) for image in images]
    for index, (text, known) in enumerate(
        zip(texts, look(*texts, coordinates=coordinates, labels=labels), strict=True)
    ):
        heard: list[Problem] = []
        try:
            record = decode_record(msgspec.Raw(text.encode()), "f", index, heard.append)
        except InvalidInput:
            assert known is None or not known.clean
            continue
        if known is None:
            continue
        close = {"coordinates": coordinates, "labels": labels}
        found = list(check_record(record, **close))  # type: ignore[arg-type]
        assert list(check_record(record, **close, sure=known.sure)) == found  # type: ignore[arg-type]
        if known.clean:
            assert (found, heard) == ([], [])
            assert (known.image, known.objects) == (record.image, count_objects(record))
