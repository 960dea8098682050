"""Which images of several sources may share a name, found with eight bytes for each: names themselves would be ten
times as much, and there may be a hundred million.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b


def mark(name: str) -> int:
    """64 bits of a hash: equal for equal names, and hardly ever for others."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def shared(marks: Sequence[array[int]]) -> list[frozenset[int]]:
    """For each list of marks, those that stand more than once in all lists together."""
    import numpy as np

    columns = [np.frombuffer(some, dtype=np.uint64) for some in marks]
    ordered = np.sort(np.concatenate(columns))
    several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not several.size:
        return [frozenset()] * len(marks)
    return [frozenset(np.intersect1d(column, several).tolist()) for column in columns]
