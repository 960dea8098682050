"""The smallest rectangle around a polygon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas.geometry import contains, corners, hull, rotated_box, shoelace, smallest_rectangle

NUMBERS = st.integers(-50, 50)


def test_an_upright_box_is_itself() -> None:
    assert smallest_rectangle(corners(2, 3, 10, 4)) == (2, 3, 12, 3, 12, 7, 2, 7)


def test_a_turned_box_is_found_again() -> None:
    """Also when points inside it and on its sides are among the corners."""
    turned = rotated_box(10, 20, 40, 20, 30)
    middle = [(turned[0] + turned[2]) / 2, (turned[1] + turned[3]) / 2, 30, 30]
    found = smallest_rectangle([*turned, *middle])
    assert shoelace(found) == pytest.approx(800)
    pairs = sorted(zip(found[::2], found[1::2], strict=True))
    assert pairs == [pytest.approx(point) for point in sorted(zip(turned[::2], turned[1::2], strict=True))]


def test_a_line_has_its_upright_hull() -> None:
    assert smallest_rectangle([0, 0, 4, 2, 2, 1]) == (0, 0, 4, 0, 4, 2, 0, 2)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12))
def test_it_holds_every_point_and_is_no_larger_than_the_upright_one(points: list[tuple[int, int]]) -> None:
    xy = [value for point in points for value in point]
    found = smallest_rectangle(xy)
    *_, w, h = hull(xy)
    assert len(found) == 8
    assert shoelace(found) <= w * h + 1e-9
    centre = sum(found[::2]) / 4, sum(found[1::2]) / 4
    grown = [c + (value - c) * 1.001 for value, c in zip(found, centre * 4, strict=True)]
    if shoelace(found) > 0:
        assert all(contains(grown, x, y) for x, y in points)
