"""Rows whose numbers are whole units of the last decimal: rounded by numpy, spelled as JSON, and many at once.

A number from 0 to below 2 stands there as its units and one more, 10**places: the digit in front, 1 or 2, stands for a
nought or a one before the point. A class is the first of a row, and stays as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..blocks import Block
from ..ringblocks import BOX, RingBlock
from .rows import is_box

_HALVES = 2.0**27 + 1
"""By this factor a float is split into two of half its digits, whose products are exact (Dekker, 1971)."""
_encode = msgspec.json.Encoder().encode


def in_units(given: NDArray[np.float64], unit: int) -> NDArray[np.int64] | None:
    """Numbers from 0 to below 2 in whole units, rounded as decimals are, and one unit more; None where a number is
    another.
    """
    scaled = given * unit
    whole = np.rint(scaled)
    if not (scaled.min() >= 0 and whole.max() < 2 * unit):
        return None
    middle = np.nonzero(np.abs(scaled - whole) == 0.5)
    if len(middle[0]):  # pixels of two decimals often are: then what the product lost says which is nearer
        value, product = given[middle], scaled[middle]
        high = value * _HALVES - (value * _HALVES - value)
        lost = (high * unit - product) + (value - high) * unit
        whole[middle] += np.where(lost * (product - whole[middle]) > 0, np.sign(lost), 0)
    return whole.astype(np.int64) + unit


def spelled(rows: list[list[int]]) -> str:
    """The text of rows, each a class and numbers in units."""
    return _spelled(_encode(rows)[len("[[") : -len("]]")]) + "\n"


def box_texts(block: Block, classes: Mapping[str, int], places: int, error: float | None) -> list[str | None] | None:
    """The text of each image of a block, its fractions with so many decimals; None for an image that takes a closer
    look: a box of less than a unit, or one whose decimals leave more than `error`. None where all images do, as where a
    label has no class.
    """
    if not block.labels:
        return ["" for _ in block.counts]
    numbers = list(map(classes.get, block.labels))
    if None in numbers:
        return None
    unit = 10**places
    given = np.array(block.bbox, np.float64)
    given[:, :2] += given[:, 2:] / 2
    units = in_units(given, unit)
    if units is None:
        return None
    odd = given[:, 2:].min(axis=1) < 10.0**-places
    if error is not None:
        odd |= (np.abs((units - unit) / unit - given) > error).any(axis=1)
    rows: list[list[Any]] = np.column_stack((np.array(numbers, np.int64), units)).tolist()
    texts = _by_image(rows, block.counts)
    return _without(texts, block.counts, odd)


def ring_texts(block: RingBlock, classes: Mapping[str, int], places: int) -> list[str | None] | None:
    """The same of a block of rings and boxes, which become rings too."""
    if not block.labels:
        return ["" for _ in block.counts]
    numbers = list(map(classes.get, block.labels))
    if None in numbers:
        return None
    lengths, xy, odd = block.lengths, block.xy, np.zeros(len(block.labels), bool)
    boxes = lengths == BOX
    if boxes.any():
        inside = np.repeat(boxes, lengths)
        bbox = xy[inside].reshape(-1, BOX)
        odd[boxes] = bbox[:, 2:].min(axis=1) < 10.0**-places
        lengths = np.where(boxes, 2 * BOX, lengths)
        flat = np.empty(int(lengths.sum()))
        inside, given = np.repeat(boxes, lengths), xy[~inside]
        flat[inside], flat[~inside] = _corners(bbox).ravel(), given
        xy = flat
    in_all = in_units(xy, 10**places)
    if in_all is None:
        return None
    units: list[int] = in_all.tolist()
    rows: list[list[Any]] = []
    stop = 0
    for number, length, was_box in zip(numbers, lengths.tolist(), boxes.tolist(), strict=True):
        start, stop = stop, stop + length
        row = units[start:stop]
        if length == 2 * BOX and not was_box and is_box(row):
            row = [*row[2:], *row[:2]]
        rows.append([number, *row])
    texts = _by_image(rows, block.counts)
    return _without(texts, block.counts, odd)


def _corners(bbox: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes as rings, as `formatting` has them."""
    left, top, right, bottom = bbox[:, 0], bbox[:, 1], bbox[:, 0] + bbox[:, 2], bbox[:, 1] + bbox[:, 3]
    return np.column_stack((right, bottom, right, top, left, top, left, bottom))


def _without(texts: list[str | None], counts: Sequence[int], odd: NDArray[np.bool_]) -> list[str | None]:
    """The same, None for an image that has one of the `odd` rows."""
    ends = list(accumulate(counts))
    for row in np.flatnonzero(odd).tolist():
        texts[bisect_right(ends, row)] = None
    return texts


def _by_image(rows: list[list[Any]], counts: Sequence[int]) -> list[str | None]:
    """The text of each image, which have so many of the rows."""
    ends = accumulate(counts)
    by_image = [rows[end - count : end] for end, count in zip(ends, counts, strict=True) if count]
    encoded = _encode(by_image)[len("[[[") : -len("]]]")].replace(b"]],[[", b"\n;") + b"\n"
    written = iter(_spelled(encoded).split(";"))
    return [next(written) if count else "" for count in counts]


def _spelled(encoded: bytes) -> str:
    return encoded.replace(b"],[", b"\n").replace(b",1", b" 0.").replace(b",2", b" 1.").decode()
