"""Ids of a whole file at once, by numpy where all of them are whole numbers, as nearly always."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

Id = int | str
_SPREAD = 100
"""Ids that lie farther apart are looked up one by one: a table of all numbers between them would be too large."""


def owners(index: Mapping[Id, int], wanted: Collection[Any]) -> NDArray[np.int32]:
    """The number that `index` has for each of the ids; -2 for one that it has not."""
    known, asked = whole_numbers(index), whole_numbers(wanted)
    if known is None or asked is None or not len(known):
        return np.fromiter(map(index.get, wanted, repeat(-2)), np.int32, len(wanted))
    low, high = int(known.min()), int(known.max())
    if high - low > _SPREAD * len(known):
        return np.fromiter(map(index.get, wanted, repeat(-2)), np.int32, len(wanted))
    numbers = np.full(high - low + 2, -2, np.int32)
    numbers[known - low] = np.fromiter(index.values(), np.int32, len(index))
    places = np.full(len(asked), len(numbers) - 1)
    inside = (asked >= low) & (asked <= high)
    places[inside] = asked[inside] - low
    return numbers[places]


def whole_numbers(ids: Collection[Any]) -> NDArray[np.int64] | None:
    """The ids as an array; None where one is a text or is too large for it."""
    if set(map(type, ids)) - {int}:
        return None
    try:
        return np.fromiter(ids, np.int64, len(ids))
    except OverflowError:
        return None


def following(ids: Collection[Any]) -> int:
    """The first whole number above all of the ids."""
    numbers = whole_numbers(ids)
    if numbers is not None and len(numbers):
        return int(numbers.max()) + 1
    return max((number for number in ids if isinstance(number, int)), default=0) + 1


def are_unlike(ids: Collection[Any]) -> bool:
    """Whether no id stands twice."""
    numbers = whole_numbers(ids)
    if numbers is None:
        return len(set(ids)) == len(ids)
    numbers.sort()
    return not (numbers[1:] == numbers[:-1]).any()
