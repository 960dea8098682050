"""The lines of all boxes of a block at once, as `usual` writes them: rows of bytes with NULs, which XML cannot hold, in
place of what is shorter than the longest.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...schemas.errors import InvalidInput
from ..blocks import Block
from .edgetexts import edge_texts
from .elements import source_of
from .shapes import DEFAULT_SOURCE
from .usual import BOX_AFTER, BOX_BEFORE, EDGES, Usual

_LONGEST = 400
"""Bytes in front of a box's numbers; longer ones would make all rows as long."""
_END = ord("\n")


def box_lines(block: Block, usual: Usual) -> list[bytes] | None:
    """The lines of each image; None where what is said of the boxes takes a closer look."""
    rest = dict(block.metadata)
    source = source_of(block.metadata, rest) if rest else DEFAULT_SOURCE
    if rest:
        return None
    places = {label: place for place, label in enumerate(dict.fromkeys(block.labels))}
    try:
        fronts = [(BOX_BEFORE % usual.front(label, source)).encode() for label in places]
    except InvalidInput:
        return None
    width = max(map(len, fronts), default=1)
    if width > _LONGEST:
        return None
    table = np.array(fronts, f"S{width}")
    labels = np.fromiter(map(places.__getitem__, block.labels), np.intp, len(block.labels))
    edges = edge_texts(block.bbox)
    columns: list[NDArray[np.uint8] | bytes] = [table[labels, None].view(np.uint8)]
    for place, before in enumerate(EDGES):
        columns += [before.encode(), edges[:, place]]
    rows = _side_by_side(len(labels), [*columns, BOX_AFTER.encode()])
    text = rows.tobytes().translate(None, b"\0")
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == _END)  # in attributes XML spells it otherwise
    bounds: list[int] = np.append(ends, -1)[np.cumsum([0, *block.counts]) - 1].tolist()
    return [text[start + 1 : stop + 1] for start, stop in pairwise(bounds)]


def _side_by_side(count: int, columns: list[NDArray[np.uint8] | bytes]) -> NDArray[np.uint8]:
    """Rows out of columns, of which some are alike in every row."""
    parts = [np.frombuffer(part, np.uint8)[None] if isinstance(part, bytes) else part for part in columns]
    rows = np.empty((count, sum(part.shape[1] for part in parts)), np.uint8)
    start = 0
    for part in parts:
        rows[:, start : start + part.shape[1]] = part
        start += part.shape[1]
    return rows
