"""Plain images of a run of files as blocks: those of ordinary files of whose boxes nothing is said but labels."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.model import Record
from ..blocks import Block
from .columns import Columns
from .layout import Entry, Root
from .naming import plain_id


def parts_of(
    said: Columns,
    entries: Sequence[Entry],
    names: Sequence[str],
    shift: int,
    flagged: Container[Root],
    own: range,
    *,
    exact: bool,
) -> list[Block | int] | None:
    """The images `own` of a run, in order: blocks, and the numbers of those that take a closer look; None where that
    are many, as small blocks cost more than they save. `flagged`: roots whose lists say more than which images.
    `exact`: the target tells a whole number from a float, so that decimals take a closer look.
    """
    bbox, odd = _boxes(said, shift, exact=exact)
    heads = [
        None if place in odd or entries[place].root in flagged else _head(said, place, entries[place], names[place])
        for place in own
    ]
    if 4 * heads.count(None) > len(own):
        return None
    box = sum(said.counts[: own.start])
    parts: list[Block | int] = []
    for plain, group in groupby(zip(own, heads, strict=True), lambda each: each[1] is not None):
        places = [place for place, _ in group]
        counts = said.counts[places[0] : places[-1] + 1]
        first, box = box, box + sum(counts)
        if not plain:
            parts += places
            continue
        parts.append(
            Block(
                records=[
                    head for head in heads[places[0] - own.start : places[-1] + 1 - own.start] if head is not None
                ],
                counts=counts,
                labels=said.labels[first:box],
                bbox=bbox[first:box],
                files=[str(entries[place].xml) for place in places],
            )
        )
    return parts


def _boxes(said: Columns, shift: int, *, exact: bool) -> tuple[NDArray[Any], set[int]]:
    """All boxes, and the numbers of files of which one says more, has no area or no label, besides the odd ones."""
    strange = list(said.metadata)
    if isinstance(said.corners, bytes):
        ends = np.frombuffer(said.corners, np.int32).reshape(-1, 4).astype(np.int64)
    else:
        ends = np.array(said.corners, np.float64).reshape(-1, 4)
        if exact:
            strange += np.flatnonzero((ends != np.floor(ends)).any(axis=1)).tolist()
            ends = ends.astype(np.int64)
    low = ends[:, :2] - shift
    bbox = np.concatenate((low, ends[:, 2:] - low), axis=1)
    strange += np.flatnonzero((bbox[:, 2:] <= 0).any(axis=1)).tolist()
    blank = {label for label in set(said.labels) if not label.strip()}
    if blank:
        strange += [number for number, label in enumerate(said.labels) if label in blank]
    owners = np.repeat(np.arange(len(said.counts)), said.counts)
    return bbox, said.odd.union(owners[strange].tolist() if strange else ())


def _head(said: Columns, place: int, entry: Entry, name: str) -> Record | None:
    """An image without its boxes, as `records` has it; None where its name or size takes a closer look."""
    filename, width = said.filename[place], said.width[place]
    if width is None or filename is None or plain_id(filename) != entry.id or "/" in filename:
        return None
    facts: dict[str, Any] = {}
    if (folder := said.folder[place]) is not None:
        facts["folder"] = folder
    if (path := said.path[place]) is not None:
        facts["path"] = path
    if (source := said.source[place]) is not None:
        facts["source"] = said.trees[source]
    if (owner := said.owner[place]) is not None:
        facts["owner"] = said.trees[owner]
    if (depth := said.depth[place]) is not None:
        facts["depth"] = depth
    if (segmented := said.segmented[place]) is not None and segmented != "0":
        facts["segmented"] = segmented
    if place in said.shown:
        facts["occluded"] = True
    if (verified := said.verified[place]) is not None:
        facts["verified"] = verified
    if entry.sets is not None:
        facts["sets"] = list(entry.sets)
    return Record(
        image=name,
        width=width,
        height=said.height[place],
        split=entry.split,
        extras={"voc": facts} if facts else {},
    )
