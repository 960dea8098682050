"""The decimals that are written are read as the number meant, and no shorter ones are."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan, nextafter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annolake.converters.voc.numbers import all_written, span, undone, written

NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    st.integers(-(10**9), 10**9).map(lambda n: n / 10**5),
    st.integers(-(10**12), 10**12),
    st.floats(-1e12, 1e12, allow_nan=False),
    st.integers(-60, 60).flatmap(lambda power: st.floats(0.5, 2).map(lambda n: n * 2.0**power)),
)


@settings(max_examples=500)
@given(wanted=NUMBERS, offset=st.one_of(st.sampled_from([0, 1]), NUMBERS))
def test_the_shortest_decimal_from_which_the_offset_is_taken(wanted: float, offset: float) -> None:
    total = wanted + offset
    decimals = [float(f"{total:.{digits}f}") for digits in range(17)]
    neighbours = [total, nextafter(total, inf), nextafter(total, -inf)]
    exact = [number for number in (*decimals, *neighbours) if number - offset == wanted]
    near = [number for number in decimals[:10] if abs(number - offset - wanted) <= 1e-11]
    assert undone(wanted, offset) == next(iter((*exact, *near)), None)


@given(low=NUMBERS, size=NUMBERS.map(abs), shift=st.sampled_from([0, 1]))
def test_a_span_is_read_as_it_was_and_written_alike_again(low: float, size: float, shift: int) -> None:
    start, end = span(low, size, shift)
    texts = written(start), written(end)
    read = float(texts[0]) - shift
    assert (written(span(read, float(texts[1]) - read, shift)[0]), written(end)) == texts


@given(number=NUMBERS)
def test_a_number_is_written_without_an_exponent_and_read_the_same(number: float) -> None:
    text = written(number)
    assert not set(text) - set("-.0123456789")
    assert float(text) == number
    assert Decimal(text) == Decimal(repr(float(number)))


@given(st.lists(NUMBERS))
def test_numbers_written_at_once_are_those_written_one_by_one(numbers: list[float]) -> None:
    assert all_written(numbers) == [written(number) for number in numbers]


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_no_number_is_not_written(number: float) -> None:
    for write in (written, lambda value: all_written([1.0, value])):
        with pytest.raises(ValueError, match="digits"):
            write(number)
