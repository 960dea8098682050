"""Outlines of pixel masks: from runs of pixels to rings along pixel edges, and back to a mask.

Coordinates follow the edge model of `geometry`: pixel (column i, row j) covers [i, i+1] x [j, j+1]. A ring
through pixel centres would shrink every object by half a pixel on each side, so rings run along pixel edges
and their numbers are whole: a mask of the columns and rows 50 to 69 has the ring 50..70 and the area 400.

Outer rings run clockwise on the screen, holes the other way. The mask is the union, over the outer rings, of
the ring minus its holes. An island inside a hole is one more outer ring.

Where pixels touch only at a corner, every ring is kept simple, that is, none meets a vertex twice: two pixels
that touch at a corner are two outer rings, and an outline that bites its own tail at a corner is an outer
ring with a hole.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]

PIXEL_LIMIT = 2**28
"""Largest height x width that is worked on unless the caller allows more: 16384 x 16384."""


class MaskError(ValueError):
    """A mask that cannot be used. The text says what is wrong and what to do; the caller knows the place."""


class Ring(msgspec.Struct, frozen=True, gc=False):
    """One closed outline.

    `xy` is flat, in the edge model, not closed; whole numbers when traced from a mask. `hole_of` is the
    position, in the list the ring stands in, of the outer ring it is a hole of; None for an outer ring.
    """

    xy: tuple[float, ...]
    hole_of: int | None = None


def trace(counts: Sequence[int], height: int, width: int) -> list[Ring]:
    """The exact outline of a mask of `height` x `width` pixels, given as runs down its columns.

    `counts` are the lengths of the runs: background, object, background, ..., together height x width. Each
    ring holds its corners only and begins at its top-most, then left-most one; the list is ordered by these
    beginnings, so a hole always comes after its outer ring. Runs cost time in numpy only, corners in Python
    too, pixels nothing.
    """
    runs = object_runs(counts)
    if not runs.size:
        return []
    edges = edges_of(runs, height, width)
    walk, begins = simple_loops(edges, height)
    parents = parents_of(runs, edges, walk, begins, height, width)
    return rings_of(edges, walk, begins, parents)


def rasterise(rings: Sequence[Ring], height: int, width: int, *, limit: int = PIXEL_LIMIT) -> Mask:
    """The mask (shape (height, width)) of rings and their holes; exactly undoes `trace`.

    A pixel belongs to a ring when its centre lies inside by the even-odd rule, which also serves rings with
    fractions. Raises MaskError for a size below 1 or above `limit`, numbers that are unpaired, not finite or
    absurdly large, and a `hole_of` that names no outer ring.
    """
    check_size(height, width, limit)
    mask = np.zeros((height, width), dtype=np.bool_)
    for outer, holes in families(rings):
        if holes:
            piece = np.zeros_like(mask)
            _paint(piece, outer.xy, True)
            for hole in holes:
                _paint(piece, hole.xy, False)
            mask |= piece
        else:
            _paint(mask, outer.xy, True)
    return mask


def families(rings: Sequence[Ring]) -> list[tuple[Ring, list[Ring]]]:
    """Every outer ring with its holes. Raises MaskError when a `hole_of` names no outer ring."""
    holes: dict[int, list[Ring]] = {index: [] for index, ring in enumerate(rings) if ring.hole_of is None}
    for ring in rings:
        if ring.hole_of is not None:
            if ring.hole_of not in holes:
                raise MaskError(f"hole_of {ring.hole_of} names no outer ring; give the position of one")
            holes[ring.hole_of].append(ring)
    return [(rings[index], its_holes) for index, its_holes in holes.items()]


def check_size(height: int, width: int, limit: int = PIXEL_LIMIT) -> None:
    """Raises MaskError unless 1 <= height, 1 <= width and height x width <= limit."""
    if height < 1 or width < 1:
        raise MaskError(f"the mask size [{height}, {width}] is not positive; give height, width of the image")
    if height * width > limit:
        raise MaskError(f"the mask size [{height}, {width}] is over {limit} pixels; check it, or raise the limit")


def object_runs(counts: Sequence[int]) -> Ints:
    """The first and the last pixel of every object run in turn, pixels counted down the columns."""
    bounds = np.array(counts, dtype=np.intp).cumsum()[: len(counts) // 2 * 2]
    if (bounds[1:] == bounds[:-1]).any():  # an empty run parts what belongs together, or is no object
        values, times = np.unique(bounds, return_counts=True)
        bounds = values[times % 2 == 1]
    bounds[1::2] -= 1
    return bounds


class Edges(NamedTuple):
    """The horizontal edges of all outlines, as long as they go, ordered by y, then by their left end.

    They are walked with the object on the right hand: from `x` to `end_x` rightwards when the object lies
    below, leftwards when it lies above.
    """

    x: Ints
    end_x: Ints
    y: Ints
    below: Ints  # 1 when the object lies below, 0 when it lies above


def edges_of(runs: Ints, height: int, width: int) -> Edges:
    # Every run has an edge one pixel long above its first pixel and one below its last. An edge reaches from
    # one key to another, both 2 * (y * stride + x) + below; edges of which one ends where another begins are
    # parts of one.
    column = runs // height
    y = runs - column * height
    y[1::2] += 1
    stride = width + 1
    left = 2 * (y * stride + column)
    left[0::2] += 1
    right = left + 2
    first, last = column[0::2], column[1::2]
    wraps = first != last
    if wraps.any():  # a run that goes on into further columns leaves at the foot and comes in at the head
        first, last = first[wraps], last[wraps]
        left = np.concatenate((left, 2 * (first + 1) + 1, 2 * (height * stride + first)))
        right = np.concatenate((right, 2 * (last + 1) + 1, 2 * (height * stride + last)))
    left.sort()
    right.sort()
    parted = np.ones(len(left) + 1, dtype=np.bool_)
    np.not_equal(left[1:], right[:-1], out=parted[1:-1])
    left, right = left[parted[:-1]], right[parted[1:]]

    below = left & 1
    y = (left >> 1) // stride
    left, right = (left >> 1) - y * stride, (right >> 1) - y * stride
    rightwards = below == 1
    return Edges(np.where(rightwards, left, right), np.where(rightwards, right, left), y, below)


def simple_loops(edges: Edges, height: int) -> tuple[Ints, list[int]]:
    """The closed outlines, none of which meets a point twice, as `_walk` gives them."""
    # Corner k is where edge k begins, corner count + k where it ends. Column by column, each two corners are
    # the ends of a vertical edge. Where object pixels touch only diagonally, two corners share a point; with
    # the one under its object pixel before the one above, each of them keeps to its own pixel.
    count = len(edges.y)
    stride = 2 * (height + 1)
    down = 2 * edges.y + edges.below
    keys = np.concatenate((edges.x * stride + down, edges.end_x * stride + down))
    order = keys.argsort()
    following = _following(order)

    points = keys[order] >> 1
    shared = np.flatnonzero(points[1:] == points[:-1])
    if shared.size:
        loop = _loops(following)
        # A loop that meets a point twice falls apart into two when both corners turn the other way. Loops
        # do not cross, so what is done at one point changes nothing at another.
        bites = shared[loop[order[shared] % count] == loop[order[shared + 1] % count]]
        if bites.size:
            order[bites], order[bites + 1] = order[bites + 1], order[bites]
            following = _following(order)
    return _walk(following.tolist())


def _following(order: Ints) -> Ints:
    """For every edge the next one: vertical edges lead from the end of one to the beginning of another."""
    one, other = order[0::2], order[1::2]
    count = len(one)
    following = np.empty(count, dtype=np.intp)
    following[np.maximum(one, other) - count] = np.minimum(one, other)
    return following


def _loops(following: Ints) -> Ints:
    """For every edge the first one of its loop: those within twice as many steps are looked at in each round."""
    first, ahead = np.arange(len(following)), following
    while True:
        least = np.minimum(first, first[ahead])
        if (least == first).all():
            return first
        first, ahead = least, ahead[ahead]


def _walk(following: list[int]) -> tuple[Ints, list[int]]:
    """The edges loop by loop, and the places where loops begin, with the end of the last.

    A loop begins with its first edge in the order of edges, its top-most, then left-most one; the loops are
    ordered by these edges.
    """
    path: list[int] = []
    begins: list[int] = []
    seen = bytearray(len(following))
    edge = 0
    while edge >= 0:
        begins.append(len(path))
        start = edge
        while not seen[edge]:
            seen[edge] = 1
            path.append(edge)
            edge = following[edge]
        edge = seen.find(0, start)
    return np.array(path, dtype=np.intp), [*begins, len(path)]


def _loop_of(walk: Ints, begins: list[int]) -> Ints:
    """For every edge the number of its loop."""
    loop = np.empty(len(walk), dtype=np.intp)
    loop[walk] = np.repeat(np.arange(len(begins) - 1), np.diff(begins))
    return loop


def parents_of(runs: Ints, edges: Edges, walk: Ints, begins: list[int], height: int, width: int) -> list[int | None]:
    """For every loop the number of the outer ring it is a hole of, or None.

    From the first corner of a hole one looks up, through the object run that ends there, to the edge above
    it. That belongs to the outer ring sought or to another of its holes, which begins further up and so is
    known already.
    """
    parents: list[int | None] = [None] * (len(begins) - 1)
    top = walk[begins[:-1]]
    holes = np.flatnonzero(edges.below[top] == 0)
    if not holes.size:
        return parents
    x, y = edges.end_x[top[holes]], edges.y[top[holes]]
    firsts = runs[0::2]
    run = np.searchsorted(firsts, x * height + y) - 1
    above_y = np.maximum(firsts[run] - x * height, 0)
    stride = width + 1
    lefts = np.minimum(edges.x, edges.end_x)
    above = np.searchsorted(edges.y * stride + lefts, above_y * stride + x, side="right") - 1
    owners: list[int] = _loop_of(walk, begins)[above].tolist()
    for hole, owner in zip(holes.tolist(), owners, strict=True):
        known = parents[owner]
        parents[hole] = owner if known is None else known
    return parents


def rings_of(
    edges: Edges, walk: Ints, begins: list[int], parents: Sequence[int | None], x: Ints | int = 0
) -> list[Ring]:
    """The loops as rings, `x` taken off the columns of each edge as it is walked."""
    corners = np.array((edges.x, edges.y, edges.end_x, edges.y))[:, walk]
    corners[0::2] -= x
    xy: list[int] = corners.ravel(order="F").tolist()
    rings: list[Ring] = []
    for (begin, end), parent in zip(pairwise(begins), parents, strict=True):
        ring = xy[4 * begin : 4 * end]
        # The top edge leaves the first corner of an outer ring, but arrives at that of a hole.
        rings.append(Ring(tuple(ring)) if parent is None else Ring(tuple(ring[2:] + ring[:2]), parent))
    return rings


def _paint(mask: Mask, xy: Sequence[float], value: bool) -> None:
    """Sets the pixels whose centres lie in the ring, row by row between the edges that cross the row."""
    height, width = mask.shape
    points = np.array(xy, dtype=np.float64)
    if points.size % 2 or not (np.abs(points) < _FAR).all():
        raise MaskError("a ring has an odd count of numbers, or one that is not finite or beyond 1e9; mend it")
    ax, ay = points[0::2], points[1::2]
    bx, by = np.roll(ax, -1), np.roll(ay, -1)
    first = np.clip(np.ceil(np.minimum(ay, by) - 0.5), 0, height).astype(np.intp)
    counts = np.clip(np.ceil(np.maximum(ay, by) - 0.5), 0, height).astype(np.intp) - first
    total = int(counts.sum())
    if total == 0:
        return
    if total > PIXEL_LIMIT:
        raise MaskError(f"a ring of {len(ax)} points goes up and down too often to be drawn; simplify it")

    edge = np.repeat(np.arange(len(ax)), counts)
    row = np.arange(total) + np.repeat(first - np.cumsum(counts) + counts, counts)
    at = ax[edge] + (row + 0.5 - ay[edge]) * (bx[edge] - ax[edge]) / (by[edge] - ay[edge])
    column = np.clip(np.ceil(at - 0.5), 0, width).astype(np.intp)
    top, left = int(row.min()), int(column.min())
    crossed = np.zeros((int(row.max()) + 1 - top, int(column.max()) + 1 - left), dtype=np.uint8)
    np.bitwise_xor.at(crossed, (row - top, column - left), 1)
    inside = np.bitwise_xor.accumulate(crossed, axis=1)[:, :-1].astype(np.bool_)
    mask[top : top + inside.shape[0], left : left + inside.shape[1]][inside] = value


_FAR = 1e9
