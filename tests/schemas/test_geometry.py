"""The geometry of boxes and rings, against worked examples, other formulas and brute force."""

from fractions import Fraction
from itertools import combinations
from math import cos, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas.geometry import (
    box_from_centre,
    centre_box,
    clip_box,
    clip_ring,
    contains,
    corners,
    flat,
    hull,
    hull_of,
    open_ring,
    pairs,
    rotated,
    rotated_box,
    scaled,
    self_crossing,
    shoelace,
    signed_area,
)

SQUARE = (1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0)
L_SHAPE = (0, 0, 4, 0, 4, 1, 1, 1, 1, 4, 0, 4)
BOW_TIE = (0, 0, 4, 4, 4, 0, 0, 4)

whole = st.integers(-20, 20)
rings = st.lists(st.tuples(whole, whole), min_size=3, max_size=9).map(flat)


def test_points_and_pairs_undo_each_other() -> None:
    assert pairs(SQUARE) == [(1, 1), (4, 1), (4, 3), (1, 3)]
    assert flat(pairs(SQUARE)) == SQUARE
    with pytest.raises(ValueError):
        pairs((1, 2, 3))


def test_hull_is_position_and_size() -> None:
    assert hull((7, 2, 3, 9, 5, 5)) == (3, 2, 4, 7)
    assert hull_of([(7, 2, 3, 9), (), (10, 0)]) == (3, 0, 7, 9)
    with pytest.raises(ValueError):
        hull(())


def test_open_ring_drops_only_a_repeated_last_point() -> None:
    assert open_ring((*SQUARE, 1.0, 1.0)) == SQUARE
    assert open_ring(SQUARE) == SQUARE
    assert open_ring((5, 5)) == (5, 5)


def test_area_is_positive_clockwise_on_the_screen() -> None:
    assert signed_area(corners(1, 1, 3, 2)) == 6
    assert signed_area(flat(reversed(pairs(SQUARE)))) == -6
    assert shoelace(flat(reversed(pairs(SQUARE)))) == 6
    assert shoelace(L_SHAPE) == 7
    assert shoelace((3, 4)) == shoelace((3, 4, 8, 9)) == shoelace(()) == 0


def test_area_keeps_its_digits_far_from_the_origin() -> None:
    assert shoelace(corners(1e9, 1e9, 0.5, 0.5)) == 0.25


def test_corners_and_centres() -> None:
    assert corners(10, 20, 40, 20) == (10, 20, 50, 20, 50, 40, 10, 40)
    assert centre_box(10, 20, 40, 20) == (30, 30, 40, 20)
    assert box_from_centre(30, 30, 40, 20) == (10, 20, 40, 20)


def test_scaling_takes_points_and_boxes() -> None:
    assert scaled((0.25, 0.5, 0.75, 1.0), 100, 80) == (25, 40, 75, 80)


def test_rotation_is_clockwise_as_in_cvat() -> None:
    """CVAT's own example: the box with the corners 10,20 and 50,40 under rotation 30."""
    expected = (17.679, 11.340, 52.321, 31.340, 42.321, 48.660, 7.679, 28.660)
    assert rotated_box(10, 20, 40, 20, 30) == pytest.approx(expected, abs=5e-4)


def test_quarter_turns_are_exact() -> None:
    assert rotated_box(10, 20, 40, 20, 90) == (40, 10, 40, 50, 20, 50, 20, 10)
    assert rotated_box(10, 20, 40, 20, 180) == (50, 40, 10, 40, 10, 20, 50, 20)
    assert rotated_box(10, 20, 40, 20, -90) == rotated_box(10, 20, 40, 20, 270)
    assert rotated((0.1, 0.2, 0.7, 0.3), 720) == (0.1, 0.2, 0.7, 0.3)


def test_rotation_about_a_given_centre() -> None:
    assert rotated((1, 0), 90, (0, 0)) == (0, 1)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((1, 2, 3, 4), (1, 2, 3, 4)),
        ((-1, -2, 3, 4), (0, 0, 2, 2)),
        ((8, 6, 5, 5), (8, 6, 2, 2)),
        ((-5, -5, 50, 50), (0, 0, 10, 8)),
        ((10, 0, 3, 3), None),
        ((2, -4, 3, 4), None),
        ((2, 2, 0, 4), None),
        ((2, 2, -1, 4), None),
        ((float("nan"), 2, 1, 4), None),
    ],
)
def test_clip_box(box: tuple[float, float, float, float], expected: object) -> None:
    assert clip_box(box, 10, 8) == expected


def test_clip_box_leaves_a_box_inside_untouched() -> None:
    box = (0.1, 0.2, 0.3, 0.4)
    assert clip_box(box, 1, 1) == box


def test_clip_ring_worked_examples() -> None:
    assert clip_ring(SQUARE, 10, 10) == SQUARE
    assert clip_ring((-2, 0, 2, 0, 2, 4, -2, 4), 10, 10) == (0, 0, 2, 0, 2, 4, 0, 4)
    assert clip_ring((20, 20, 30, 20, 30, 30), 10, 10) == ()
    assert clip_ring((-4, 0, 0, 0, 0, 4, -4, 4), 10, 10) == ()
    whole_image = pairs(clip_ring(corners(-5, -5, 50, 50), 10, 8))
    assert sorted(whole_image) == [(0, 0), (0, 8), (10, 0), (10, 8)]
    assert signed_area(flat(whole_image)) == 80


@given(st.lists(st.tuples(whole, whole), min_size=3, max_size=3).map(flat))
def test_a_clipped_triangle_holds_exactly_the_points_inside_both(ring: tuple[int, ...]) -> None:
    clipped = clip_ring(ring, 10, 8)
    assert all(0 <= x <= 10 and 0 <= y <= 8 for x, y in pairs(clipped))
    # Points off the grid of corners, so that none lies on an outline in spite of rounding.
    for column in range(0, 10, 2):
        for row in range(0, 8, 2):
            x, y = column + 1 / pi, row + 1 / 3.7
            if abs(_distance_to_edges(ring, x, y)) > 1e-9:
                assert contains(clipped, x, y) == contains(ring, x, y)


def test_contains_by_the_even_odd_rule() -> None:
    assert contains(L_SHAPE, 0.5, 3)
    assert not contains(L_SHAPE, 2, 2)
    assert not contains(L_SHAPE, -1, 0.5)
    assert contains(L_SHAPE, 0, 0)
    assert not contains(SQUARE, 4, 3)


def test_self_crossing_worked_examples() -> None:
    assert self_crossing(BOW_TIE)
    assert self_crossing((*BOW_TIE, 0, 0))
    assert not self_crossing(SQUARE)
    assert not self_crossing((0, 0, 4, 0, 2, 3))
    assert not self_crossing((0, 0, 4, 0))


@pytest.mark.parametrize(
    "ring",
    [
        pytest.param((0, 0, 4, 0, 4, 4, 2, 0, 0, 4), id="vertex on an edge"),
        pytest.param((0, 0, 2, 2, 4, 0, 4, 4, 2, 2, 0, 4), id="vertex met twice"),
        pytest.param((0, 0, 9, 0, 9, 9, 5, 5, 5, 7, 7, 7, 5, 7, 5, 5, 0, 9), id="seam walked there and back"),
        pytest.param((0, 0, 0, 0, 4, 0, 4, 4, 4, 4, 0, 4), id="points repeated"),
    ],
)
def test_touching_is_not_crossing(ring: tuple[int, ...]) -> None:
    assert not self_crossing(ring)


@given(rings)
def test_self_crossing_agrees_with_trying_every_pair_of_edges(ring: tuple[int, ...]) -> None:
    points = pairs(ring)
    edges = list(zip(points, points[1:] + points[:1], strict=True))
    assert self_crossing(ring) == any(_cross_exactly(*a, *b) for a, b in combinations(edges, 2))


def test_long_rings_are_swept_not_compared_pair_by_pair() -> None:
    """Trying all pairs of 20,000 edges would take minutes."""
    turns = [2 * pi * index / 20_000 for index in range(20_000)]
    wavy = [v for a in turns for v in ((300 + 9 * sin(9 * a)) * cos(a), (300 + 9 * sin(9 * a)) * sin(a))]
    comb = [v for row in range(10_000) for v in (0, row, 1000, row + 0.5)] + [-5, 10_000, -5, 0]
    assert not self_crossing(wavy)
    assert not self_crossing(comb)
    assert self_crossing([*wavy, 0.0, 400.0, 0.0, -400.0])


def _cross_exactly(a: tuple[float, float], b: tuple[float, float], *others: tuple[float, float]) -> bool:
    """Solves a + s (b - a) = c + t (d - c) in fractions: both s and t strictly between 0 and 1."""
    c, d = others
    abx, aby, cdx, cdy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    determinant = abx * cdy - aby * cdx
    if determinant == 0:
        return False
    acx, acy = c[0] - a[0], c[1] - a[1]
    s = Fraction(int(acx * cdy - acy * cdx), int(determinant))
    t = Fraction(int(acx * aby - acy * abx), int(determinant))
    return 0 < s < 1 and 0 < t < 1


def _distance_to_edges(ring: tuple[int, ...], x: float, y: float) -> float:
    points = pairs(ring)
    distances = [1e9]
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        if length:
            distances.append(abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length)
    return min(distances)
