"""The outlines of many masks at once: numpy is asked once for all of them, as they lie side by side on one canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .outlines import Ints, Ring, edges_of, object_runs, parents_of, rings_of, simple_loops


class Runs(Protocol):
    """A mask, as `masks.Rle` is one."""

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def counts(self) -> Sequence[int]: ...


def trace_all(masks: Sequence[Runs]) -> list[list[Ring]]:
    """Of each mask what `outlines.trace` makes of it."""
    out: list[list[Ring]] = [[] for _ in masks]
    runs: list[Ints] = [object_runs(mask.counts) for mask in masks]
    together = np.concatenate(runs) if runs else np.empty(0, dtype=np.intp)
    if not together.size:
        return out
    heights = np.array([mask.height for mask in masks], dtype=np.intp)
    # A column between two masks and a row below all of them stay empty, so that none touches another.
    widths = np.array([mask.width + 1 for mask in masks], dtype=np.intp)
    ends = np.cumsum(widths)
    lefts: Ints = ends - widths
    height, width = int(heights.max()) + 1, int(ends[-1])
    owners = np.repeat(np.arange(len(masks)), [len(own) // 2 for own in runs])
    placed = _placed(together, heights[owners], lefts[owners], height)

    edges = edges_of(placed, height, width)
    walk, begins = simple_loops(edges, height)
    parents = parents_of(placed, edges, walk, begins, height, width)
    owner_of_loop: Ints = np.searchsorted(lefts, edges.x[walk[begins[:-1]]], side="right") - 1
    rings = rings_of(edges, walk, begins, parents, _for_each(lefts[owner_of_loop], begins))
    owners_of_loops: list[int] = owner_of_loop.tolist()
    places: list[int] = []
    for ring, owner in zip(rings, owners_of_loops, strict=True):
        own = out[owner]
        places.append(len(own))
        own.append(ring if ring.hole_of is None else Ring(ring.xy, places[ring.hole_of]))
    return out


def _placed(runs: Ints, heights: Ints, lefts: Ints, height: int) -> Ints:
    """Runs of pixels, each of a mask so many pixels high, on a canvas of that height, where the mask begins `lefts`
    columns from the left; a run that goes on into further columns in a piece for each.
    """
    first, last = runs[0::2], runs[1::2]
    column, end = first // heights, last // heights
    pieces = end - column + 1
    of = np.repeat(np.arange(len(first)), pieces)
    place = np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    top = np.where(place == 0, (first - column * heights)[of], 0)
    foot = np.where(place == pieces[of] - 1, (last - end * heights)[of], heights[of] - 1)
    left = (column[of] + place + lefts[of]) * height
    return np.stack((left + top, left + foot), axis=1).ravel()


def _for_each(values: Ints, begins: list[int]) -> Ints:
    """The value of each loop for all of its edges."""
    return np.repeat(values, np.diff(np.array(begins, dtype=np.intp)))
