"""Rotated boxes, ellipses and cuboids as polygons, and back while they are still the figure's outline."""

from math import pi

import pytest

from annolake.schemas.figures import Figure, figure_of
from annolake.schemas.geometry import shoelace
from annolake.schemas.model import Polygon, Rectangle


def polygon(figure: Figure, **changes: object) -> Polygon:
    return Polygon(xy=figure.outline(), label="x", metadata={**figure.metadata(), **changes})


def test_a_rotated_box_has_cvats_corners() -> None:
    """The worked example: box 10,20,50,40 turned by 30 degrees."""
    figure = Figure("obb", (10, 20, 40, 20), 30)
    wanted = (17.679, 11.340, 52.321, 31.340, 42.321, 48.660, 7.679, 28.660)
    assert figure.outline() == pytest.approx(wanted, abs=0.001)
    assert figure_of(polygon(figure)) == figure


def test_an_ellipse_is_a_ring_of_64_with_998_thousandths_of_its_area() -> None:
    figure = Figure("ellipse", (50, 40, 20, 10))
    assert len(figure.outline()) == 2 * 64
    assert shoelace(figure.outline()) / (pi * 20 * 10) == pytest.approx(0.998, abs=0.0005)
    assert figure_of(polygon(figure)) == figure


def test_a_turned_ellipse_is_as_wide_as_it_was_high() -> None:
    ring = Figure("ellipse", (50, 40, 20, 10), 90).outline()
    assert (max(ring[::2]), max(ring[1::2])) == pytest.approx((60, 60))


def test_a_cuboid_is_the_hull_of_its_eight_corners() -> None:
    front, back = (0, 0, 0, 10, 10, 0, 10, 10), (14, -4, 14, 6, 4, -4, 4, 6)
    figure = Figure("cuboid", (*front, *back))
    ring = figure.outline()
    assert sorted(zip(ring[::2], ring[1::2], strict=True)) == [(0, 0), (0, 10), (4, -4), (10, 10), (14, -4), (14, 6)]
    assert figure_of(polygon(figure)) == figure


def test_what_was_edited_is_no_figure_any_more() -> None:
    figure = Figure("obb", (10, 20, 40, 20), 30)
    xy = list(figure.outline())
    rounded = Polygon(xy=[round(value, 1) for value in xy], label="x", metadata=figure.metadata())
    assert figure_of(rounded) == figure
    xy[0] += 0.1
    assert figure_of(Polygon(xy=xy, label="x", metadata=figure.metadata())) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"geometry": "[1,2,3]"},
        {"geometry": "no json"},
        {"geometry": 5},
        {"geometry": "[0,0,1,1]", "rotation": "thirty"},
        {"shape": "star"},
        {"shape": ["obb"]},
    ],
)
def test_what_others_noted_is_no_figure(metadata: dict[str, object]) -> None:
    shape = Polygon(xy=(0, 0, 1, 0, 1, 1, 0, 1), label="x", metadata=metadata and {"shape": "obb", **metadata})
    assert figure_of(shape) is None


def test_a_rectangle_is_no_figure() -> None:
    metadata = Figure("obb", (0, 0, 1, 1)).metadata()
    assert figure_of(Rectangle(bbox=(0, 0, 1, 1), label="x", metadata=metadata)) is None


@pytest.mark.parametrize("turn", [0, 30, 90, 135.5, 180, 359])
def test_four_corners_are_a_rotated_box_without_its_numbers(turn: float) -> None:
    given = Figure("obb", (10, 20, 40, 20), turn)
    found = figure_of(Polygon(xy=given.outline(), label="x", metadata={"shape": "obb"}))
    assert found is not None
    assert found.geometry == pytest.approx(given.geometry)
    assert (found.rotation - turn + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("xy", [(0, 0, 10, 0, 12, 10, 0, 10), (0, 0, 0, 10, 10, 10, 10, 0), (0, 0, 10, 0, 10, 10)])
def test_other_corners_are_none(xy: tuple[float, ...]) -> None:
    """A trapezium, a rectangle that runs against the clock, a triangle."""
    assert figure_of(Polygon(xy=xy, label="x", metadata={"shape": "obb"})) is None
