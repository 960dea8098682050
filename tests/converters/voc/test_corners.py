"""Corners found for many boxes at once are those found one by one, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annolake.converters.voc.corners import corners
from annolake.converters.voc.numbers import all_written, span, written

COORDINATES = st.one_of(
    st.integers(0, 10**6).map(lambda n: n / 100),
    st.integers(-(10**9), 10**9).map(lambda n: n / 10**5),
    st.floats(0, 2000),
    st.floats(-1e7, 1e7),
    st.integers(0, 2**20).map(lambda n: n * 640 / 2**20),
    st.tuples(st.integers(0, 10**6), st.sampled_from([480, 640, 1333])).map(lambda both: both[0] / 10**6 * both[1]),
    st.integers(-60, 20).flatmap(lambda power: st.floats(0.5, 2).map(lambda n: n * 2.0**power)),
)
BOXES = st.tuples(COORDINATES, COORDINATES, COORDINATES.map(abs), COORDINATES.map(abs))


@settings(max_examples=300)
@given(boxes=st.lists(BOXES, max_size=20), shift=st.sampled_from([0, 1]))
def test_corners_are_those_of_the_spans(boxes: list[tuple[float, float, float, float]], shift: int) -> None:
    found = corners(np.array(boxes, np.float64).reshape(-1, 4), shift).tolist()
    spans = [(span(x, w, shift), span(y, h, shift)) for x, y, w, h in boxes]
    assert found == [[left, top, right, bottom] for (left, right), (top, bottom) in spans]


@pytest.mark.parametrize("decimals", range(12))
@pytest.mark.parametrize("shift", [0, 1])
def test_corners_of_rounded_numbers(decimals: int, shift: int) -> None:
    dice = np.random.default_rng(decimals)
    rounded = np.round(dice.random((500, 4)) * 1000, decimals)
    scaled = np.round(dice.random((500, 4)), decimals) * [640, 480, 640, 480]
    for bbox in (rounded, scaled):
        spans = [(span(x, w, shift), span(y, h, shift)) for x, y, w, h in bbox.tolist()]
        assert corners(bbox, shift).tolist() == [[left, top, right, bottom] for (left, right), (top, bottom) in spans]


def test_whole_numbers_stay_whole() -> None:
    ends = corners(np.array([[1, 2, 3, 4], [2**52, 0, 2**52, 1]]), 1)
    assert ends.dtype == np.int64
    assert ends.tolist() == [[2, 3, 4, 6], [2**52 + 1, 1, 2**53, 1]]


def test_a_few_odd_numbers_among_many_are_written_as_alone() -> None:
    numbers = [1.5, -0.0, 1e-7, -3e-9, 2.0, -4.0, 1e15, -12.25]
    assert all_written(numbers) == ["1.5", "0", "0.0000001", "-0.000000003", "2", "-4", "1000000000000000", "-12.25"]
    assert all_written(numbers) == list(map(written, numbers))
