"""Shapes that are called sound without a closer look have no mistakes."""

from __future__ import annotations

from itertools import chain
from math import cos, inf, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas import soundness
from annolake.schemas.geometry import flat, signed_area
from annolake.schemas.model import Annotation, Line, Points, Polygon, Rectangle
from annolake.schemas.shapes import coordinates_of, shape_mistakes
from annolake.schemas.soundness import KINDS, Shapes, judged

NUMBERS = st.one_of(
    st.integers(-2, 12), st.floats(-1, 12), st.sampled_from([1e-9, 1e300, -1e300, inf, float("nan"), 2.0**60])
)
RINGS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=7).map(flat)
SMALL = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=12).map(flat)
EXTENTS = st.sampled_from([(10, 10), (5.5, 20), (inf, inf), (1.0, 1.0)])


def _round(count: int, turns: int, radius: float) -> list[float]:
    angles = [2 * pi * turns * number / count for number in range(count)]
    return [value for angle in angles for value in (5 + radius * cos(angle), 5 + radius * sin(angle))]


SHAPES = st.one_of(
    st.builds(lambda xy: Polygon(label="a", xy=xy), st.one_of(RINGS, SMALL)),
    st.builds(
        lambda *numbers: Polygon(label="a", xy=_round(*numbers)),
        st.integers(3, 9),
        st.sampled_from([1, 1, 2]),
        st.floats(0, 6),
    ),
    st.builds(lambda box: Rectangle(label="a", bbox=box), st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
    st.builds(lambda xy: Line(label="a", xy=xy), RINGS),
    st.builds(lambda xy: Points(label="a", xy=xy), RINGS),
)


def sound(shapes: list[Annotation], extents: list[tuple[float, float]]) -> list[bool]:
    numbers = [list(coordinates_of(shape)) for shape in shapes]
    kinds = [KINDS.index(type(shape).__name__.lower()) for shape in shapes]
    return judged(Shapes([*chain(*numbers)], [len(values) for values in numbers], kinds, extents)).sound


@given(st.lists(st.tuples(SHAPES, EXTENTS), max_size=6))
def test_what_is_called_sound_has_no_mistakes(given_: list[tuple[Annotation, tuple[float, float]]]) -> None:
    shapes, extents = [shape for shape, _ in given_], [extent for _, extent in given_]
    for shape, extent, verdict in zip(shapes, extents, sound(shapes, extents), strict=True):
        assert not verdict or list(shape_mistakes(shape, *extent, "pixels")) == []


@given(st.lists(st.builds(lambda xy: Polygon(label="a", xy=xy), SMALL), min_size=1, max_size=6))
def test_of_plain_rings_all_without_mistakes_are_sound(rings: list[Annotation]) -> None:
    """Whole numbers leave nothing to rounding, so that the quick look is as good as the close one."""
    for ring, verdict in zip(rings, sound(rings, [(10, 10)] * len(rings)), strict=True):
        area = abs(signed_area(coordinates_of(ring)))
        assert verdict == (area > 0 and list(shape_mistakes(ring, 10, 10, "pixels")) == [])


def _comb(teeth: int) -> list[float]:
    """A ring of long edges, side by side on both axes: it goes to and fro, and the same way back a little apart."""
    there = [(60.0 * (number % 2), float(number)) for number in range(teeth)]
    return [value for x, y in [*there, *((x + 0.4, y) for x, y in reversed(there))] for value in (x - y, x + y)]


@pytest.mark.parametrize("pairs", [1, 1 << 18])
@pytest.mark.parametrize("farthest", [5, 1000])
def test_a_crossing_is_seen_beside_rings_that_take_long(
    monkeypatch: pytest.MonkeyPatch, pairs: int, farthest: int
) -> None:
    """However many edges are compared at once, and whether or not those of another ring are given up."""
    monkeypatch.setattr(soundness, "_PAIRS", pairs)
    monkeypatch.setattr(soundness, "_FARTHEST", farthest)
    crossing: list[float] = [1, 1, 9, 1, 9, 9, 8, 9, 8, 0, 2, 0, 2, 9, 1, 9]
    rings: list[Annotation] = [Polygon(label="a", xy=xy) for xy in (crossing, _comb(40))]
    assert list(shape_mistakes(rings[1], inf, inf, "pixels")) == []
    assert sound(rings, [(inf, inf)] * 2) == [False, farthest == 1000]


def test_a_scribble_of_many_edges_is_not_sound() -> None:
    scribble = [float(value) for number in range(3000) for value in (number * 7919 % 3001, number * 104729 % 2999)]
    assert sound([Polygon(label="a", xy=scribble)], [(inf, inf)]) == [False]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Polygon(label="a", xy=_round(12, 1, 4)), True),
        (Polygon(label="a", xy=_round(12, 1, 4)[::-1]), True),
        (Polygon(label="a", xy=_round(5, 2, 4)), False),
        (Polygon(label="a", xy=[1, 1, 9, 9, 9, 1, 1, 9]), False),
        (Polygon(label="a", xy=[1, 1, 9, 1, 9, 9, 1, 9]), True),
        (Polygon(label="a", xy=[1, 1, 9, 1, 9, 9, 1, 9, 1, 1]), False),
        (Polygon(label="a", xy=[1, 1, 11, 1, 11, 9, 1, 9]), False),
        (Polygon(label="a", xy=[1, 1, 9, 1, 9, 9, 8, 9, 8, 2, 2, 2, 2, 9, 1, 9]), True),
        (Polygon(label="a", xy=[1, 1, 9, 1, 9, 9, 8, 9, 8, 0, 2, 0, 2, 9, 1, 9]), False),
        (Polygon(label="a", xy=[1, 1, 9, 9]), False),
        (Rectangle(label="a", bbox=(0, 0, 10, 10)), True),
        (Rectangle(label="a", bbox=(0, 0, 10, 0)), False),
        (Line(label="a", xy=[1, 1, 9, 9]), True),
        (Line(label="a", xy=[1, 1]), False),
        (Line(label="a", xy=[1, 1, 9, 11]), False),
        (Points(label="a", xy=[1, 1]), True),
    ],
)
def test_most_usual_shapes_are_sound(shape: Annotation, expected: bool) -> None:
    assert sound([shape], [(10, 10)]) == [expected]
