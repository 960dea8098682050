"""Numbers as CVAT spells them, in decimal arithmetic."""

from __future__ import annotations

from decimal import Context, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from annolake.converters.cvat.numbers import (
    decimal,
    edges,
    far_edge,
    numbers,
    points,
    span,
    spelled,
    usual,
    usual_of_each,
)

NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    st.integers(-(10**12), 10**12).map(lambda n: n / 10**5),
    st.integers(-(10**9), 10**9),
    st.floats(-1e18, 1e18, allow_nan=False).filter(lambda n: abs(n) > 1e-20 or n == 0),
)


def plainly(value: Decimal) -> str:
    """Two decimals at least, no exponent, no zeros behind them."""
    head, _, tail = f"{value:f}".partition(".")
    return f"{head}.{tail.rstrip('0').ljust(2, '0')}"


@settings(max_examples=500)
@given(value=NUMBERS)
def test_a_number_is_spelled_with_all_its_decimals(value: float) -> None:
    assert spelled(value) == plainly(Decimal(repr(float(value))))
    assert float(spelled(value)) == value


@settings(max_examples=500)
@given(low=NUMBERS, size=NUMBERS)
def test_the_far_edge_is_the_sum_of_the_decimals(low: float, size: float) -> None:
    total = Context(prec=100).add(Decimal(repr(float(low))), Decimal(repr(float(size))))
    found = far_edge(low, size)
    assert Decimal(found) == total
    if total:
        assert found == plainly(total)


@settings(max_examples=500)
@given(low=st.floats(allow_nan=False, allow_infinity=False), size=st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_spelled_is_read_however_small_or_large(low: float, size: float) -> None:
    assert float(decimal(spelled(low), "xtl")) == low
    if abs(low + size) < 1e308:
        total = Context(prec=60).add(Decimal(repr(low)), Decimal(repr(size)))
        assert decimal(far_edge(low, size), "xbr") == total


@given(low=st.integers(-(10**6), 10**6), size=st.integers(0, 10**6))
def test_a_far_edge_comes_home_as_the_size(low: int, size: int) -> None:
    start = low / 100
    assert span(decimal(spelled(start), "xtl"), decimal(far_edge(start, size / 100), "xbr")) == size / 100


@given(boxes=st.one_of(*(st.lists(st.tuples(*[kind] * 4)) for kind in (NUMBERS, st.integers(), st.floats(0, 2000)))))
def test_edges_of_several_boxes_are_spelled_as_one_by_one(boxes: list[tuple[float, float, float, float]]) -> None:
    one_by_one = [(spelled(x), spelled(y), far_edge(x, w), far_edge(y, h)) for x, y, w, h in boxes]
    assert list(edges(boxes)) == one_by_one


@given(flat=st.lists(st.tuples(NUMBERS, NUMBERS)).map(lambda pairs: [n for pair in pairs for n in pair]))
def test_points_are_spelled_one_by_one_and_read_again(flat: list[float]) -> None:
    text = points(flat)
    assert text == ";".join(f"{spelled(x)},{spelled(y)}" for x, y in zip(flat[::2], flat[1::2], strict=True))
    assert numbers(text, "points") == tuple(flat)


TEXTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1).map(lambda pairs: points([n for pair in pairs for n in pair]))
ODD = ["", "1;2,3,4", "1,2,3;4", "1,2|3,4", "1,2;", "01,2", "1e3,2", "é", ";", "1,2;;3,4"]
ANY = TEXTS | st.text("12.,;-|", max_size=9) | st.sampled_from(ODD)


def by_pairs(text: str) -> tuple[float, ...] | None:
    pairs = [pair.split(",") for pair in text.split(";")]
    return tuple(float(decimal(one, "x")) for pair in pairs for one in pair) if {*map(len, pairs)} == {2} else None


@settings(max_examples=500)
@given(texts=st.lists(TEXTS) | st.lists(ANY))
def test_points_of_usual_spelling_are_read_at_once_as_one_by_one(texts: list[str]) -> None:
    found = usual_of_each(texts)
    assert list(found) == list(map(usual, texts))
    for text, xy in zip(texts, found, strict=True):
        assert xy is None or xy == by_pairs(text)
