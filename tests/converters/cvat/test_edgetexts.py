"""Edges of many boxes at once are spelled as one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annolake.converters.cvat.edgetexts import edge_texts
from annolake.converters.cvat.numbers import edges

Box = tuple[float, float, float, float]
HUNDREDTHS = st.integers(0, 10**6).map(lambda n: n / 100)
DECIMALS = st.builds(lambda n, places: n / 10**places, st.integers(0, 10**9), st.integers(1, 9))
NUMBERS = st.one_of(
    HUNDREDTHS,
    DECIMALS,
    st.floats(0, 5000),
    st.floats(1e-6, 1),
    st.builds(lambda share, side: share * side, st.floats(0, 1), st.integers(1, 5000)),
    st.floats(-1e12, 1e12),
    st.sampled_from([0.0, -0.0, 1e9, 999999999.99, 999999999.9999999, 1e-3, 9.999999999e-4, 1e17, -0.05, 0.1, 1e-20]),
)
WHOLE = st.integers(0, 5000) | st.integers(-(2**53) + 1, 2**53 - 1)


def spelled(texts: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[tuple[str, ...]]:
    return [tuple(edge.tobytes().replace(b"\0", b"").decode() for edge in box) for box in texts]


@settings(max_examples=300)
@given(
    boxes=st.one_of(
        st.lists(st.tuples(HUNDREDTHS, HUNDREDTHS, HUNDREDTHS, HUNDREDTHS)),
        st.lists(st.tuples(*[DECIMALS | st.floats(1e-3, 2000)] * 4)),
        st.lists(st.tuples(*[NUMBERS] * 4)),
    )
)
@example(boxes=[(0.5, 0.75, 0.5, 0.25), (0.123456789, 0.999999999999, 0.876543211, 9.000000000001)])
@example(boxes=[(999999999.9999999, 999999999.5, 999999999.9999999, 999999999.5)])
def test_floats(boxes: list[Box]) -> None:
    bbox = np.array(boxes, np.float64).reshape(-1, 4)
    assert spelled(edge_texts(bbox)) == list(edges(boxes))


@given(boxes=st.lists(st.tuples(WHOLE, WHOLE, WHOLE, WHOLE)))
def test_whole_numbers(boxes: list[tuple[int, int, int, int]]) -> None:
    bbox = np.array(boxes, np.int64).reshape(-1, 4)
    assert spelled(edge_texts(bbox)) == list(edges(boxes))
