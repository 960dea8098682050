"""Rows of label files: what each column means, and what is refused, with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.ledger import Ledger
from annolake.converters.yolo.columns import Columns
from annolake.converters.yolo.rows import RowReader
from annolake.schemas.errors import InvalidInput
from annolake.schemas.model import Category, Polygon, Rectangle

NAMES = ["cat", "dog", "owl"]


def rows(text: str | bytes, task: Any = "detect", *, lenient: bool = False, **columns: Any) -> tuple[Any, Ledger]:
    ledger = Ledger(lenient=lenient)
    reader = RowReader(Columns(task=task, **columns), NAMES, tuple(map(Category, NAMES)))
    data = text.encode() if isinstance(text, str) else text
    return reader.annotations(data, "labels/a.txt", "a.jpg", ledger), ledger


def refused(text: str | bytes, task: str = "detect", **columns: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        rows(text, task, **columns)
    return caught.value


def test_a_box_is_its_centre_and_size():
    (box,), ledger = rows("1 0.5 0.4 0.2 0.6\n")
    assert isinstance(box, Rectangle)
    assert box.label == "dog"
    assert box.bbox == pytest.approx((0.4, 0.1, 0.2, 0.6))
    assert ledger.seen["annotations"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "2.0 0.5 0.5 1 1",
        "2 5e-1 .5 1. +1",
        "\ufeff2 0.5 0.5 1 1\n",
        "2\t0.5\t0.5   1 1\r\n",
        "\n\n2 0.5 0.5 1 1 \n\n",
        "2 0.5 0.5 1 1\r",
    ],
)
def test_all_ways_to_write_the_same_row(text: str):
    (box,), _ = rows(text)
    assert (box.label, box.bbox) == ("owl", (0.0, 0.0, 1.0, 1.0))


@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n", "\ufeff"])
def test_nothing_is_no_annotations(text: str):
    assert rows(text)[0] == []


def test_a_ring_is_kept_as_it_stands():
    (ring,), _ = rows("0 0.1 0.2 0.3 0.2 0.3 0.4", "segment")
    assert isinstance(ring, Polygon)
    assert ring.xy == (0.1, 0.2, 0.3, 0.2, 0.3, 0.4)
    assert ring.metadata == {}


def test_an_oriented_box_is_its_four_corners_and_says_so():
    (ring,), _ = rows("0 0.5 -0.009 0.6 0.2 0.5 0.4 0.4 0.2", "obb")
    assert ring.xy == (0.5, -0.009, 0.6, 0.2, 0.5, 0.4, 0.4, 0.2)
    assert ring.metadata == {"shape": "obb"}


def test_key_points_ride_beside_their_box():
    (box,), ledger = rows("0 0.5 0.5 0.4 0.4 0.1 0.2 2 0.3 0.4 0.5", "pose", keypoints=(2, 3))
    assert box.bbox == pytest.approx((0.3, 0.3, 0.4, 0.4))
    assert json.loads(box.metadata["keypoints"]) == [0.1, 0.2, 2, 0.3, 0.4, 0.5]
    assert box.metadata["shape"] == "keypoints"
    assert ledger.losses["keypoints-boxed"].count == 1


def test_a_visibility_that_no_row_has_is_not_invented():
    (box,), _ = rows("0 0.5 0.5 0.4 0.4 0.1 0.2 0.3 0.4", "pose", keypoints=(2, 2))
    assert json.loads(box.metadata["keypoints"]) == [0.1, 0.2, None, 0.3, 0.4, None]


def test_no_labelled_point_is_no_key_points():
    (box,), _ = rows("0 0.5 0.5 0.4 0.4 0 0 0 0 0 0", "pose", keypoints=(2, 3))
    assert box.metadata == {}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("0 0.5 0.5 0.2 0.2 0.37", {"confidence": "last"}),
        ("0 0.37 0.5 0.5 0.2 0.2", {"confidence": "second"}),
        ("0 0.5 0.5 0.2 0.2 0.37 12", {"confidence": "last", "track": True}),
    ],
)
def test_confidence_and_track_id_where_the_options_say(text: str, columns: dict):
    (box,), _ = rows(text, **columns)
    assert box.confidence == 0.37
    assert box.bbox == pytest.approx((0.4, 0.4, 0.2, 0.2))
    assert box.metadata == ({"track_id": 12} if "track" in columns else {})


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("0 0.5 0.5 0.1 0.1\n0 320.5 0.5 0.1 0.1", "out-of-range", 2, 3),
        ("0 0.5 -0.02 0.1 0.1", "out-of-range", 1, 7),
        ("0 0.5 0.5 1.02 0.1", "out-of-range", 1, 11),
        ("0 0.5 0.5 1e400 0.1", "out-of-range", 1, 11),
        ("0 0.5 0.5 0.1 -0.001", "negative-size", 1, 15),
        ("0 nan 0.5 0.1 0.1", "bad-number", 1, 3),
        ("0 0.5 0.5 inf 0.1", "bad-number", 1, 11),
        ("0 0.5 0.5 0.1 1_0", "bad-number", 1, 15),
        ("0 ０.５ 0.5 0.1 0.1", "bad-number", 1, 3),
        ("0 0,5 0,5 0,1 0,1", "bad-number", 1, 3),
        ("0 0.5 1.2.3 0.1 0.1", "bad-number", 1, 7),
        ("0 0.5 0x1p-1 0.1 0.1", "bad-number", 1, 7),
        ("cat 0.5 0.5 0.1 0.1", "bad-number", 1, 1),
        ("3 0.5 0.5 0.1 0.1", "class-out-of-range", 1, 1),
        ("-1 0.5 0.5 0.1 0.1", "bad-class", 1, 1),
        ("1.5 0.5 0.5 0.1 0.1", "bad-class", 1, 1),
        ("1e400 0.5 0.5 0.1 0.1", "bad-class", 1, 1),
        ("0 0.5 0.5 0.1", "column-count", 1, None),
        ("0", "column-count", 1, None),
        ("0 0.5 0.5 0.1 0.1 0.9", "column-count", 1, None),
        ("\n0 0 0 2 2 2 2 0 label_0 0", "dota-rows", 2, 17),
    ],
)
def test_what_is_refused_and_where(text: str, code: str, line: int, column: int | None):
    error = refused(text)
    assert error.code == code
    assert (error.place.file, error.place.line, error.place.column) == ("labels/a.txt", line, column)
    assert error.place.image == "a.jpg"
    assert error.hint


def test_messages_name_the_rule_and_the_way_out():
    assert "1.01" in refused("0 320.5 0.5 0.1 0.1").message
    assert "pixels" in str(refused("0 320.5 0.5 0.1 0.1").hint)
    assert "--yolo-confidence last" in refused("0 0.5 0.5 0.1 0.1 0.9").message
    assert "point" in refused("0 0,5 0.5 0.1 0.1").message
    assert "DOTA" in refused("0 0 0 2 2 2 2 0 label_0 0").message
    assert "3 names" in refused("7 0.5 0.5 0.1 0.1").message


@pytest.mark.parametrize("number", ["1.01", "-0.01", "1.005"])
def test_within_the_tolerance_a_number_stays_as_it_is(number: str):
    (box,), _ = rows(f"0 {number} 0.5 0 0.1")
    assert box.bbox[0] == float(number)


def test_a_ring_is_judged_by_its_hull_as_ultralytics_does():
    # Hull x 0.5 .. 1.2: centre 0.85, width 0.7, both legal; hull x 0.1 .. 1.5: width 1.4, not legal.
    (ring,), ledger = rows("0 0.5 0.1 1.2 0.1 0.6 0.5", "segment")
    assert ring.xy[2] == 1.2
    assert [problem.code for problem in ledger.problems] == ["out-of-range"]
    assert refused("0 0.1 0.1 1.5 0.1 0.5 0.5", "segment").code == "out-of-range"
    assert refused("0 0.1 0.1 1e400 0.1 0.5 0.5", "segment").code == "out-of-range"


@pytest.mark.parametrize(
    ("text", "task", "columns", "code"),
    [
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.9", "segment", {}, "column-count"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3", "obb", {}, "column-count"),
        ("0 0.5 0.5 0.1 0.1", "pose", {"keypoints": (1, 3)}, "column-count"),
        ("0 0.5 0.5 0.1 0.1 1.2 0.5 2", "pose", {"keypoints": (1, 3)}, "out-of-range"),
        ("0 0.5 0.5 0.1 0.1 0.5 0.5 1e400", "pose", {"keypoints": (1, 3)}, "out-of-range"),
        ("0 0.5 0.5 0.1 0.1 1.5", "detect", {"confidence": "last"}, "out-of-range"),
        ("0 0.5 0.5 0.1 0.1", "detect", {"confidence": "last"}, "column-count"),
        ("0 0.5 0.5 0.1 0.1 1.5", "detect", {"track": True}, "bad-number"),
    ],
)
def test_rows_that_do_not_fit_the_task(text: str, task: str, columns: dict, code: str):
    assert refused(text, task, **columns).code == code


def test_a_box_among_polygons_is_a_box():
    found, _ = rows("0 0.5 0.5 0.2 0.2\n1 0.1 0.2 0.3 0.2 0.3 0.4", "segment")
    assert [type(annotation) for annotation in found] == [Rectangle, Polygon]


def test_a_box_without_width_is_kept_and_said():
    (box,), ledger = rows("0 0.5 0.5 0 0.2")
    assert box.bbox[2] == 0
    assert [problem.code for problem in ledger.problems] == ["degenerate"]


def test_repeated_rows_are_kept_and_counted():
    found, ledger = rows("0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n")
    assert len(found) == 4
    (problem,) = ledger.problems
    assert (problem.code, problem.place.line) == ("duplicate-row", 3)
    assert "2 rows" in problem.message


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        ("0 0.5 0.5 0.2 0.2\n".encode("utf-16"), "not-text", 1),
        (b"0 0.5 0.5 0.2 0.2\n\0\0\0", "not-text", 2),
        (b"0 0.5 0.5 0.2 0.2\n\xff\xfe\n", "not-text", 2),
        (b"0 " + b"0.5 " * 1_100_000, "line-too-long", 1),
    ],
)
def test_files_that_hold_no_rows(data: bytes, code: str, line: int):
    error = refused(data)
    assert (error.code, error.place.line) == (code, line)


def test_lenient_books_bad_rows_and_reads_the_others():
    found, ledger = rows("0 0.5 0.5 0.2 0.2\n9 0.5 0.5 0.2 0.2\n1 nan 0 0 0\n2 0.5 0.5 0.1 0.1\n", lenient=True)
    assert [annotation.label for annotation in found] == ["cat", "owl"]
    assert [(p.code, p.place.line, p.place.annotation) for p in ledger.problems] == [
        ("class-out-of-range", 2, 2),
        ("bad-number", 3, 3),
    ]
    assert ledger.seen["annotations"] == 4
    assert ledger.seen["annotations dropped"] == ledger.dropped == 2
    assert [place.line for place in ledger.places or ()] == [1, 4]


@given(st.binary(max_size=60) | st.text("0123456789.-+eE \n,nainf_", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes):
    for task in ("detect", "segment"):
        try:
            found, _ = rows(data, task)
        except InvalidInput as error:
            assert error.place.file and error.place.line
        else:
            assert len(found) == sum(1 for line in data.decode("utf-8-sig").split("\n") for _ in [line] if line.strip())


_TOKENS = st.sampled_from(
    ("0 1 2 3 0.5 0.25 1.0 0.000001 1.01 1.02 -0.005 -0 5e-1 .5 +1 00.5 1_0 nan 0,5 ٣").split()  # noqa: SIM905
)
_ROWS = st.lists(_TOKENS, min_size=4, max_size=6).flatmap(
    lambda tokens: st.sampled_from([" ", "  ", "\t", ","]).map(
        lambda blank: " ".join(tokens[:2]) + blank + " ".join(tokens[2:])
    )
)
_USUAL_ROWS = st.tuples(st.integers(0, 3), *[st.floats(0.001, 1).map(lambda x: f"{x:.6f}")] * 4).map(
    lambda row: " ".join(map(str, row))
)


@given(
    st.lists(st.one_of(_USUAL_ROWS, _ROWS), max_size=4), st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), st.booleans()
)
def test_boxes_read_at_once_are_those_read_row_by_row(listed: list[str], end: str, last: bool):
    text = end.join(listed) + end * last
    one_by_one, told = rows(text, lenient=True)
    try:
        at_once, ledger = rows(text)
    except InvalidInput as error:
        assert error.code in [problem.code for problem in told.problems]
    else:
        assert at_once == one_by_one
        assert ledger.problems == told.problems
        assert ledger.seen == told.seen
