"""The outlines of many masks at once are those of each by itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas import masks
from annolake.schemas.manyoutlines import trace_all


@st.composite
def _masks(draw: st.DrawFn) -> masks.Rle:
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    pixels = draw(st.lists(st.integers(0, 3), min_size=height * width, max_size=height * width))
    filled = draw(st.integers(0, 3))
    return masks.encode(np.array(pixels).reshape(height, width) <= filled - 1)


@given(st.lists(_masks(), max_size=8))
def test_the_same_as_one_by_one(given_: list[masks.Rle]) -> None:
    assert trace_all(given_) == [masks.rings(mask) for mask in given_]


def test_runs_of_nothing_and_of_everything() -> None:
    """Runs of no pixels are allowed, and a run may go through all columns."""
    given_ = [
        masks.parse([2, 2], [0, 4]),
        masks.parse([3, 2], [6]),
        masks.parse([3, 3], [0, 1, 0, 2, 1, 0, 1, 4]),
        masks.parse([4, 2], [1, 6, 1]),
    ]
    assert trace_all(given_) == [masks.rings(mask) for mask in given_]
    assert trace_all([]) == []
