"""Shapes that are called sound without a closer look have no mistakes."""

from __future__ import annotations

from math import cos, inf, pi, sin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annolake.schemas import soundness
from annolake.schemas.model import Annotation, Line, Points, Polygon, Rectangle
from annolake.schemas.shapes import shape_mistakes
from annolake.schemas.soundness import sound

NUMBERS = st.one_of(
    st.integers(-2, 12), st.floats(-1, 12), st.sampled_from([1e-9, 1e300, -1e300, inf, float("nan"), 10**400])
)
RINGS = st.lists(NUMBERS, max_size=14)
SMALL = st.lists(st.integers(0, 4), min_size=6, max_size=16)
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


@pytest.fixture(autouse=True)
def _every_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "_WORTHWHILE", 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(SHAPES, EXTENTS), max_size=6))
def test_what_is_called_sound_has_no_mistakes(given_: list[tuple[Annotation, tuple[float, float]]]) -> None:
    shapes, extents = [shape for shape, _ in given_], [extent for _, extent in given_]
    for shape, extent, verdict in zip(shapes, extents, sound(shapes, extents), strict=True):
        assert not verdict or list(shape_mistakes(shape, *extent, "pixels")) == []


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
        (Polygon(label="a", xy=[1, 1, 9, 9]), False),
        (Rectangle(label="a", bbox=(0, 0, 10, 10)), True),
        (Rectangle(label="a", bbox=(0, 0, 10, 0)), False),
        (Line(label="a", xy=[1, 1, 9, 9]), False),
    ],
)
def test_most_usual_shapes_are_sound(shape: Annotation, expected: bool) -> None:
    assert sound([shape], [(10, 10)]) == [expected]
