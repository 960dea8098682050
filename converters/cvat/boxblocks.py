"""Blocks out of runs of images that were read into columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...schemas.model import Record
from .. import blocks
from ..blocks import Block
from .boxruns import Named, Run
from .ordinary import metadata


def in_blocks(run: Run, named: Sequence[Named], start: int, stop: int, *, numbered: bool) -> Iterator[Block | int]:
    """The images `start` to `stop` (excluded) of a run whose images are so called, and the numbers of the odd ones
    among them. `numbered`: their ids are our own.
    """
    whole = _block(run, named, numbered=numbered)
    odd = [place for place in run.odd if start <= place < stop]
    for before, place in pairwise([start - 1, *odd, stop]):
        count = place - before - 1
        parts = -(-count // blocks.IMAGES)
        for part in range(parts):
            yield whole.cut(before + 1 + count * part // parts, before + 1 + count * (part + 1) // parts)
        if place < stop:
            yield place


def _block(run: Run, named: Sequence[Named], *, numbered: bool) -> Block:
    edges = np.rint(np.frombuffer(run.edges).reshape(4, -1).T * 100)
    edges[:, 2:] -= edges[:, :2]  # in hundredths, as `span_of`
    facts: list[dict[str, Any]] = [{}] * len(named) if numbered else [{"cvat": {"id": one}} for one in run.ids]
    return Block(
        records=[
            Record(image=name, width=width, height=height, split=split, extras=extras)
            for (name, split), width, height, extras in zip(named, run.sides[::2], run.sides[1::2], facts, strict=True)
        ],
        counts=run.counts.tolist(),
        labels=[run.labels[code] for code in run.codes],
        bbox=edges / 100,
        metadata=metadata(run.source, "0"),
    )
