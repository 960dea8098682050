"""Outlines of pixel masks: from a mask to rings along pixel edges, and back.

Coordinates follow the edge model of `geometry`: pixel (column i, row j) covers [i, i+1] x [j, j+1]. A ring
through pixel centres would shrink every object by half a pixel on each side, so rings run along pixel edges
and their numbers are whole: a mask of the columns and rows 50 to 69 has the ring 50..70 and the area 400.

Outer rings run clockwise on the screen, holes the other way. The mask is the union, over the outer rings, of
the ring minus its holes. An island inside a hole is one more outer ring.

Where pixels touch only at a corner, every ring is kept simple, that is, none meets a vertex twice: two pixels
that touch at a corner are two outer rings, and an outline that bites its own tail at a corner is an outer
ring with a hole.
"""

from collections.abc import Iterator, Sequence
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


def trace(mask: Mask, left: int = 0, top: int = 0) -> list[Ring]:
    """The exact outline of a mask (shape (h, w)) whose top-left pixel stands at column `left`, row `top`.

    Each ring holds its corners only and begins at its top-most, then left-most one; the list is ordered by
    these beginnings, so a hole always comes after its outer ring. Pixels cost time in numpy only, corners in
    Python.
    """
    padded = np.pad(mask, 1)
    corners = _corners(padded)
    # Corners are numbered row by row, so the smallest number of a loop is its top-most, left-most corner.
    loops = sorted(_from(loop, loop.index(min(loop))) for loop in _simple_loops(corners))
    parents = _parents(padded, corners, loops)
    x: list[int] = (corners.x + left).tolist()
    y: list[int] = (corners.y + top).tolist()
    return [
        Ring(tuple(value for corner in loop for value in (x[corner], y[corner])), parent)
        for loop, parent in zip(loops, parents, strict=True)
    ]


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
        raise MaskError(
            f"the mask size [{height}, {width}] is over {limit} pixels; check it, or raise the limit"
        )


class _Corners(NamedTuple):
    """All corners of a mask's outlines, numbered row by row, and how the outlines run through them.

    A lattice point where two object pixels touch only diagonally holds two corners, the left one and the
    right one.
    """

    x: Ints
    y: Ints
    doubled: Mask
    column_order: Ints  # the same corners column by column: 2k and 2k+1 are the ends of vertical edge k
    following: Ints


def _corners(padded: Mask) -> _Corners:
    tl, tr, bl, br = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    saddle = (tl == br) & (tr == bl) & (tl != tr)
    y, x = np.nonzero((tl ^ tr ^ bl ^ br) | saddle)
    copies = np.where(saddle[y, x], 2, 1)
    y, x = np.repeat(y, copies), np.repeat(x, copies)
    doubled = saddle[y, x]

    # Each corner of a pair keeps to its own object pixel: if that is the top-left one, the left corner turns
    # up and the right corner down; if it is the top-right one, the other way round.
    is_right = np.zeros(len(x), dtype=np.bool_)
    is_right[1:] = (y[1:] == y[:-1]) & (x[1:] == x[:-1])
    turns_down = doubled & (is_right == tl[y, x])
    column_order = np.lexsort((turns_down, y, x))

    # Along a row, corners 2k and 2k+1 are the ends of a horizontal edge. With the object on the right hand
    # it is walked rightwards when the object lies below it; every vertical edge then starts where one ends.
    begins = np.arange(0, len(x), 2) + ~br[y[0::2], x[0::2]]
    ends = begins ^ 1
    vertical = np.empty(len(x), dtype=np.intp)
    vertical[column_order[0::2]] = column_order[1::2]
    vertical[column_order[1::2]] = column_order[0::2]
    following = np.empty(len(x), dtype=np.intp)
    following[begins] = ends
    following[ends] = vertical[ends]
    return _Corners(x, y, doubled, column_order, following)


def _simple_loops(corners: _Corners) -> Iterator[list[int]]:
    """The closed outlines as lists of corners, cut apart wherever one would meet a point twice."""
    following: list[int] = corners.following.tolist()
    doubled: list[bool] = corners.doubled.tolist()
    x: list[int] = corners.x.tolist()
    y: list[int] = corners.y.tolist()
    seen = bytearray(len(following))
    for start in range(len(following)):
        path: list[int] = []
        place: dict[tuple[int, int], int] = {}
        corner = start
        while not seen[corner]:
            seen[corner] = 1
            if doubled[corner]:
                point = x[corner], y[corner]
                met = place.get(point)
                if met is not None:
                    yield path[met:]
                    for cut in path[met:]:
                        place.pop((x[cut], y[cut]), None)
                    del path[met:]
                place[point] = len(path)
            path.append(corner)
            corner = following[corner]
        if path:
            yield path


def _from(loop: list[int], begin: int) -> list[int]:
    return loop[begin:] + loop[:begin]


def _parents(padded: Mask, corners: _Corners, loops: list[list[int]]) -> list[int | None]:
    """For every loop the number of the outer ring it is a hole of, or None.

    From the first corner of a hole one looks left, through object pixels, to the next vertical edge. It
    belongs to the outer ring sought or to another of its holes, which begins further up or further left and
    so is known already.
    """
    parents: list[int | None] = [None] * len(loops)
    x, y, _, column_order, following = corners
    first = np.array([loop[0] for loop in loops], dtype=np.intp)
    # An outer ring leaves its first corner along the row, a hole leaves it downwards.
    holes = np.flatnonzero(y[following[first]] != y[first]) if loops else first
    if not len(holes):
        return parents
    loop_of = np.empty(len(x), dtype=np.intp)
    loop_of[np.concatenate([np.array(loop) for loop in loops])] = np.repeat(
        np.arange(len(loops)), [len(loop) for loop in loops]
    )

    sides = np.flatnonzero(padded[1:, :-1] != padded[1:, 1:])
    row_length = padded.shape[1] - 1
    here = y[first[holes]] * row_length + x[first[holes]]
    left_side = sides[np.searchsorted(sides, here) - 1]
    side_y, side_x = np.divmod(left_side, row_length)

    tops, bottoms = column_order[0::2], column_order[1::2]
    edge = np.searchsorted(x[tops] * len(padded) + y[tops], side_x * len(padded) + side_y, side="right") - 1
    # A loop owns the edges that leave its corners, not those that arrive: cutting swapped the latter.
    leaves = np.where(following[tops] == bottoms, tops, bottoms)
    owners: list[int] = loop_of[leaves[edge]].tolist()
    for hole, owner in zip(holes.tolist(), owners, strict=True):
        known = parents[owner]
        parents[hole] = owner if known is None else known
    return parents


def _paint(mask: Mask, xy: Sequence[float], value: bool) -> None:
    """Sets the pixels whose centres lie in the ring, row by row between the edges that cross the row."""
    height, width = mask.shape
    points = np.array(xy, dtype=np.float64)
    if points.size % 2 or not (np.abs(points) < _FAR).all():
        raise MaskError(
            "a ring has an odd count of numbers, or one that is not finite or beyond 1e9; mend it"
        )
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
