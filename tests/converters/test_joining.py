"""Parts of one object joined to one ring: the area of all, no width between them, a ring that every reader takes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.joining import joined_ring
from annolake.schemas.geometry import pairs, self_crossing, shoelace

LEFT = (0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0)
RIGHT = (20.0, 4.0, 30.0, 4.0, 30.0, 14.0, 20.0, 14.0)


def test_the_bridge_goes_over_the_closest_vertices_and_back():
    # (10, 0) and (20, 4) are 10.77 apart, (10, 10) and (20, 4) 11.66
    assert pairs(joined_ring([LEFT, RIGHT])) == [
        (0, 0), (10, 0), (20, 4), (30, 4), (30, 14), (20, 14), (20, 4), (10, 0), (10, 10), (0, 10),
    ]  # fmt: skip


def test_a_part_that_runs_the_other_way_is_turned_round():
    backwards = tuple(number for point in reversed(pairs(RIGHT)) for number in point)
    assert shoelace(joined_ring([LEFT, backwards])) == 200


def test_parts_that_touch_at_a_vertex_need_no_bridge():
    touching = (10.0, 10.0, 20.0, 10.0, 20.0, 20.0)
    third = (20.0, 10.0, 25.0, 5.0, 25.0, 10.0)
    ring = joined_ring([LEFT, touching, third])
    assert all(a != b for a, b in pairwise(pairs(ring)))
    assert shoelace(ring) == 100 + 50 + 12.5


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(1, 9)] * 2, st.booleans()), min_size=2, max_size=6))
def test_the_area_is_that_of_all_parts(boxes: list[tuple[int, int, int, int, bool]]):
    parts: list[tuple[float, ...]] = []
    for number, (x, y, w, h, backwards) in enumerate(boxes):
        x, y = x + 20 * (number % 3), y + 20 * (number // 3)
        ring = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        parts.append(tuple(float(value) for point in (ring[::-1] if backwards else ring) for value in point))
    ring = joined_ring(parts)
    assert shoelace(ring) == pytest.approx(sum(map(shoelace, parts)))
    assert set(pairs(ring)) == {point for part in parts for point in pairs(part)}
    assert not self_crossing(joined_ring(parts[:2]))
