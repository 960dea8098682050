"""Many annotation files in the ordinary form at once: one pattern goes through the texts of all of them, and what they
say is held in columns. A file is such here exactly if it is by `ordinary`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any

import msgspec

from .ordinary import (
    BROKEN,
    END,
    FRONT,
    GAP,
    HEAD,
    LABEL,
    NUMBER,
    REST,
    SAID,
    USUAL_DEPTH,
    Ordinary,
    numbers,
    ordinary,
    said,
    tree,
)

_SEAM, _MARK = "\0", "\1"
"""Between two files, and in the place of an object: neither may stand in a file."""
_OBJECTS = re.compile(f"{FRONT}({SAID}){REST}")
_FRAMES = re.compile(f"(?:\\A|{_SEAM}){HEAD}({_MARK}*)")
_END = re.compile(END)
_NOTHING = b"<annotation></annotation>"


class Columns(msgspec.Struct, array_like=True, gc=False):
    """What a run of files says, one item of a column for each file; `odd`: files of another form, of which it says
    nothing. `source` and `owner` are numbers in `trees`. `labels` and `corners` (four numbers each) are of all objects,
    `counts` of which so many are each file's; `metadata` of the objects that say something, by number from 0; `shown`:
    files of which an object is said not to be occluded.
    """

    odd: set[int]
    verified: list[str | None]
    folder: list[str | None]
    filename: list[str | None]
    path: list[str | None]
    source: list[int | None]
    owner: list[int | None]
    width: list[int | None]
    height: list[int | None]
    depth: list[str | None]
    segmented: list[str | None]
    counts: list[int]
    labels: list[str]
    corners: bytes | list[int | float]
    metadata: dict[int, dict[str, Any]]
    shown: set[int]
    trees: list[Any]

    def numbers(self) -> Sequence[int | float]:
        """The corners, as `parsed` has them."""
        return array("i", self.corners) if isinstance(self.corners, bytes) else self.corners

    def notes(self, place: int) -> dict[str, Any]:
        """What is to be noted of a file's image."""
        source, owner = self.source[place], self.owner[place]
        notes = {
            "verified": self.verified[place],
            "folder": self.folder[place],
            "filename": self.filename[place],
            "path": self.path[place],
            "source": None if source is None else self.trees[source],
            "owner": None if owner is None else self.trees[owner],
            "segmented": self.segmented[place],
            "depth": self.depth[place],
        }
        return {name: value for name, value in notes.items() if value is not None}

    def files(self, start: int = 0) -> Iterator[Ordinary | None]:
        """What each file from `start` on says; None for odd ones."""
        corners = self.numbers()
        said = self.metadata
        first = sum(self.counts[:start])
        for place, count in enumerate(self.counts[start:], start):
            last = first + count
            if place in self.odd:
                yield None  # which counts nothing
                continue
            yield Ordinary(
                self.notes(place),
                self.width[place],
                self.height[place],
                self.labels[first:last],
                list(corners[4 * first : 4 * last]),
                {number - first: said[number] for number in range(first, last) if number in said} if said else {},
                place in self.shown,
            )
            first = last


KEPT = msgspec.msgpack.Decoder(Columns)
"""Reads what `kept` makes."""

kept = msgspec.msgpack.Encoder().encode
"""What files say in a fifth of their bytes."""


def columns(files: Sequence[bytes | None], *, doubtful: bool = False) -> Columns:
    """What files say. None for one that is odd whatever it says. `doubtful`: most of them may well be odd, which costs
    least to be asked one by one.
    """
    odd = _odd(files, range(len(files))) if doubtful else {place for place, data in enumerate(files) if data is None}
    alike = True
    while not isinstance(held := _held(files, odd, alike=alike), Columns):
        told = _odd(files, held)
        odd |= told if alike or told else held or set(range(len(files)))
        alike = alike and told == held
    return held


def _odd(files: Sequence[bytes | None], places: Iterable[int]) -> set[int]:
    return {place for place in places if (data := files[place]) is None or ordinary(data) is None}


def _held(files: Sequence[bytes | None], odd: set[int], *, alike: bool) -> Columns | set[int]:
    """What all files but the odd ones say; where there are others of which this cannot be told, which. `alike`: all
    objects are laid out as the first.
    """
    joined = b"\0".join([_NOTHING if data is None or place in odd else data for place, data in enumerate(files)])
    try:
        text = joined.decode()
    except UnicodeDecodeError:
        return set(range(len(files))) - odd
    first = _OBJECTS.search(text) if alike else None
    outside, *inside = _taken_apart(_OBJECTS if first is None else _like(first), text)
    rest = _MARK.join(outside)
    if _MARK in text or rest.count(_SEAM) != len(files) - 1:
        return set(range(len(files))) - odd
    (before, *ends), *heads, marks = _taken_apart(_FRAMES, rest)
    if before or len(marks) != len(files) or not all(map(_END.fullmatch, set(ends))):
        frames = enumerate(rest.split(_SEAM))
        return {
            place
            for place, frame in frames
            if not ((head := _FRAMES.match(frame)) and _END.fullmatch(frame, head.end()))
        }
    broken = {xml for column in heads[4:6] for xml in set(column) if xml is not None and tree(xml) is BROKEN}
    if broken:
        return {place for column in heads[4:6] for place, xml in enumerate(column) if xml in broken}
    return _in_columns(odd, heads, list(map(len, marks)), inside)


def _in_columns(odd: set[int], heads: list[list[Any]], counts: list[int], objects: list[list[str]]) -> Columns:
    verified, folder, filename, path, source, owner, width, height, depth, segmented = heads
    labels, saying, *corners = objects
    trees = {xml: tree(xml) for xml in {*source, *owner} if xml is not None}
    numbered = {None: None, **{xml: number for number, xml in enumerate(trees)}}
    metadata, shown = _said(saying, counts)
    return Columns(
        odd=odd,
        verified=verified,
        folder=folder,
        filename=filename,
        path=path,
        source=[numbered[xml] for xml in source],
        owner=[numbered[xml] for xml in owner],
        width=[None if side is None else int(side) for side in width],
        height=[None if side is None else int(side) for side in height],
        depth=[None if each == USUAL_DEPTH else each for each in depth],
        segmented=segmented,
        counts=counts,
        labels=labels,
        corners=_packed(numbers(list(chain.from_iterable(zip(*corners, strict=True))))),
        metadata=metadata,
        shown=shown,
        trees=list(trees.values()),
    )


def _like(found: re.Match[str]) -> re.Pattern[str]:
    """A pattern for objects laid out as the one that was found: it takes half the time. Any gap may follow them."""
    groups = range(1, _OBJECTS.groups + 1)
    ends = [found.start(), *map(found.end, groups)]
    starts = [*map(found.start, groups), found.end()]
    *literals, last = (found.string[end:start] for end, start in zip(ends, starts, strict=True))
    saying = re.sub(r"(?<=<pose>).*(?=</pose>)", lambda _: LABEL, re.escape(found[2]))
    saying = re.sub(r">[01]</", ">[01]</", saying)
    values = (LABEL, saying, *[NUMBER] * 4)
    pattern = "".join(f"{re.escape(literal)}({value})" for literal, value in zip(literals, values, strict=True))
    return _compiled(pattern + re.escape(last.rstrip(" \t\r\n")) + GAP)


_compiled = lru_cache(maxsize=16)(re.compile)


def _taken_apart(pattern: re.Pattern[str], text: str) -> list[list[Any]]:
    """What stands outside of all matches, and each of their groups, in columns."""
    pieces: list[Any] = pattern.split(text)
    step = pattern.groups + 1
    return [pieces[place::step] for place in range(step)]


def _said(saying: list[str], counts: list[int]) -> tuple[dict[int, dict[str, Any]], set[int]]:
    """What is said of objects between their names and boxes; and the files of those said not to be occluded."""
    said_by = {text: said(text) for text in set(saying)}
    metadata: dict[int, dict[str, Any]] = {}
    shown: set[int] = set()
    if not any(held or is_shown for held, is_shown in said_by.values()):
        return metadata, shown
    files = chain.from_iterable(repeat(place, count) for place, count in enumerate(counts))
    for number, (text, place) in enumerate(zip(saying, files, strict=True)):
        held, is_shown = said_by[text]
        if held:
            metadata[number] = held
        if is_shown:
            shown.add(place)
    return metadata, shown


def _packed(corners: list[int | float]) -> bytes | list[int | float]:
    try:
        return array("i", corners).tobytes()  # pyright: ignore[reportArgumentType]
    except (TypeError, OverflowError):
        return corners
