"""The label files of many images as one text, which is read at once where all its rows are boxes as programs write
them: class, centre and size, one blank between two of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..text import LINE_LIMIT
from .boxrows import HIGHEST

_COLUMNS = 5
_ENDS = np.frombuffer(b"    \n", np.uint8)
"""What stands behind the columns of a row."""

_DIGITS = 9
_NOUGHT = ord("0")
_NUMERIC = b"0123456789-.eE \n"
_COMMAS = bytes.maketrans(b" \n", b",,")
_FLOATS = msgspec.json.Decoder(list[float])


def surveyed(text: bytes, ends: Sequence[int]) -> tuple[array[int], int] | None:
    """How many rows each file has, and the highest class there is (-1: none); None where a row may be no box, or a
    class no whole number. `ends` are where files end in the text.
    """
    marks = _marks(text)
    if marks is None or text.translate(None, _NUMERIC):
        return None
    counts = array("L", _counts(marks, ends).tolist())
    if not len(marks):
        return counts, -1
    given = np.frombuffer(text, np.uint8)
    starts, lengths = _classes(marks)
    classes = np.zeros(len(starts), np.int64)
    if lengths.max() > _DIGITS or lengths.min() < 1:
        return None
    for place in range(lengths.max()):
        inside = place < lengths
        digits = given[starts[inside] + place].astype(np.int64) - _NOUGHT
        if not ((digits >= 0) & (digits <= 9)).all():
            return None
        classes[inside] = classes[inside] * 10 + digits
    return counts, int(classes.max())


def boxes_in(text: bytes, ends: Sequence[int], classes: int) -> tuple[NDArray[np.float64], list[int]] | None:
    """Class, centre and size of all rows (rows, 5), and how many each file has; None where anything is odd, as in
    `boxrows.plain_boxes`: numbers out of range, a row that stands twice in a file, a class not below `classes`.
    """
    marks = _marks(text) if len(text) <= LINE_LIMIT else None
    if marks is None:
        return None
    try:
        numbers = _FLOATS.decode(b"[" + text[:-1].translate(_COMMAS) + b"]")
    except msgspec.MsgspecError:
        return None
    if len(numbers) != len(marks):
        return None
    rows = np.array(numbers, np.float64).reshape(-1, _COLUMNS)
    number, boxes = rows[:, 0], rows[:, 1:]
    if not ((number >= 0) & (number < classes) & (number == np.floor(number))).all():
        return None
    if not ((boxes >= 0) & (boxes <= HIGHEST)).all() or not (boxes[:, 2:] > 0).all():
        return None
    counts = _counts(marks, ends)
    return None if _repeated(text, rows, counts) else (rows, counts.tolist())


def _marks(text: bytes) -> NDArray[np.intp] | None:
    """Where columns end; None where a row has not five."""
    given = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero(given <= ord(" "))
    if len(marks) % _COLUMNS or not (given[marks].reshape(-1, _COLUMNS) == _ENDS).all():
        return None
    return marks


def _counts(marks: NDArray[np.intp], ends: Sequence[int]) -> NDArray[np.intp]:
    return np.diff(np.searchsorted(marks[_COLUMNS - 1 :: _COLUMNS], ends), prepend=0)


def _classes(marks: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the first column of each row begins, and how long it is."""
    starts = np.concatenate(([0], marks[_COLUMNS - 1 : -1 : _COLUMNS] + 1))
    return starts, marks[::_COLUMNS] - starts


def _repeated(text: bytes, rows: NDArray[np.float64], counts: NDArray[np.intp]) -> bool:
    """Whether a row stands twice in a file: then a sum of its numbers does, too."""
    sums = np.repeat(np.arange(len(counts), dtype=np.float64), counts)
    for column, weight in enumerate(_WEIGHTS):
        sums += rows[:, column] * weight
    sums.sort()
    if not (sums[1:] == sums[:-1]).any():
        return False
    lines = text.split(b"\n")
    start = 0
    for count in counts.tolist():
        if len(set(lines[start : start + count])) < count:
            return True
        start += count
    return False


_WEIGHTS = (3.1415926535, 0.5772156649, 1.6180339887, 2.7182818284, 1.4142135623)
"""Such that two boxes hardly have the same sum."""
