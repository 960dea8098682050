"""What is decided for an image when all of them are known: its id, and whether its name needs its split in front.

Images are written as if their names were in lexical order behind those of the part before, or all had ids of their
own, which is the rule: then they are right as they stand. What is asked about others waits in files beside the target,
and names are sorted there, so that there may be more of them than memory holds. Held are eight bytes an image, and one
more where splits share names.
"""

from __future__ import annotations

import os
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import accumulate, chain, islice, pairwise
from operator import lt
from pathlib import Path

import msgspec

from ...schemas.model import Record
from ..longlists import Listed, sorted_lines, write_lines
from .notes import EXTENSION, NO_SPLIT
from .usual import attribute, attribute_of_each

_AT_ONCE = 1 << 16
"""Names that are compared in one go."""
_ROOM = 16 << 20
"""Bytes for comparing all of them."""
_RUN = 1 << 16
"""Bytes of rows that are read at once."""

_PIECE = 1 << 20
"""Bytes of images that are copied at once."""
_PLAIN = re.compile(r"-?[0-9]+")
"""An id that XML spells as it is."""

_encoder = msgspec.json.Encoder()


class Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An image: `front` bytes with its id and name, and `length` others. `identity` is the id that its source
    gave it.
    """

    name: str
    split: str | None
    identity: str | None
    front: int
    length: int


_decode = msgspec.json.Decoder(Row).decode_lines


class Part(msgspec.Struct):
    """A run of images in the file `path`, and its rows in a file beside it. `splits` in order of first appearance.
    `highest`: the largest of the ids that are numbers.

    `before`: how many images are reckoned to be in the parts before. `known`: how many have an id of their source, and
    `plain`: all of these stand as they are. `first` and `last` are names; `in_order`: each is above the one before.
    """

    path: str
    before: int = 0
    images: int = 0
    annotations: int = 0
    splits: Counter[str | None] = msgspec.field(default_factory=Counter[str | None])
    known: int = 0
    plain: bool = True
    highest: int = -1
    first: str = ""
    last: str = ""
    in_order: bool = True

    @property
    def is_numbered(self) -> bool:
        """Whether all ids are our own."""
        return not self.known

    @property
    def rows_path(self) -> str:
        return f"{self.path}.rows"

    def rows(self) -> Iterator[Row]:
        return chain.from_iterable(self.runs())

    def runs(self) -> Iterator[list[Row]]:
        """Some rows at a time."""
        with open(self.rows_path, "rb") as file:
            while lines := file.readlines(_RUN):
                yield _decode(b"".join(lines))

    def remove(self) -> None:
        os.unlink(self.path)
        os.unlink(self.rows_path)


class PartFile:
    """A part while it is written."""

    def __init__(self, path: Path, before: int) -> None:
        self.part = Part(str(path), before)
        with ExitStack() as opened:
            self._file = opened.enter_context(path.open("wb", buffering=1 << 20))
            self._rows = opened.enter_context(open(self.part.rows_path, "wb"))
            self._opened = opened.pop_all()

    def write(self, record: Record, objects: int, text: bytes, identity: str | None) -> None:
        """The next image, which has so many objects. InvalidInput where XML cannot hold its name."""
        self.write_all([record], [attribute("name", record.image)], [text], [identity], objects)

    def write_all(
        self,
        records: Sequence[Record],
        names: Sequence[str],
        texts: Sequence[bytes],
        ids: Sequence[str | None],
        objects: int,
    ) -> None:
        """The next images, which have so many objects; `names` as attributes."""
        if not records:
            return
        part = self.part
        fresh = range(part.before + part.images, part.before + part.images + len(records))
        shown = [one if one and _PLAIN.fullmatch(one) else 0 for one in ids] if any(ids) else fresh
        fronts = [f'  <image id="{one}"{name}'.encode() for one, name in zip(shown, names, strict=True)]
        self._file.write(b"".join(chain.from_iterable(zip(fronts, texts, strict=True))))
        rows = [
            Row(record.image, record.split, identity, len(front), len(text))
            for record, front, text, identity in zip(records, fronts, texts, ids, strict=True)
        ]
        self._rows.write(_encoder.encode_lines(rows))
        self._look_at([record.image for record in records], [identity for identity in ids if identity is not None])
        part.images += len(rows)
        part.annotations += objects
        part.splits.update([record.split for record in records])

    def _look_at(self, names: list[str], known: list[str]) -> None:
        part = self.part
        part.first = part.first if part.images else names[0]
        part.in_order = part.in_order and _are_in_order([part.last, *names] if part.images else names)
        part.last = names[-1]
        if known:
            part.known += len(known)
            part.plain = part.plain and all(map(_PLAIN.fullmatch, known))
            part.highest = max(part.highest, *map(_value, known))

    def close(self) -> None:
        self._opened.close()


def pieces(parts: Sequence[Part], *, split_in_name: bool) -> Iterator[bytes]:
    """The images with their ids: the source's, else the place of the name in lexical order, else above all."""
    if not split_in_name and _stand(parts):
        for part in parts:
            with open(part.path, "rb") as file:
                yield from iter(partial(file.read, _PIECE), b"")
        return
    mark = "" if all(part.is_numbered for part in parts) else f' {EXTENSION}-id="new"'
    fresh = _fresh_ids(parts)
    short = _shared(parts) if split_in_name else None
    index = 0
    for part in parts:
        with open(part.path, "rb") as file:
            for rows in part.runs():
                names = [row.name for row in rows]
                if short is not None:
                    names = [_plain(row) if short[place] else row.name for place, row in enumerate(rows, index)]
                ids = [row.identity for row in rows]
                marks = [mark if identity is None else "" for identity in ids]
                known = [str(fresh[place]) if one is None else one for place, one in enumerate(ids, index)]
                heads = zip(attribute_of_each("id", known), attribute_of_each("name", names), marks, strict=True)
                for row, head in zip(rows, heads, strict=True):
                    text = file.read(row.front + row.length)[row.front :]
                    yield f"  <image{''.join(head)}".encode() + text
                index += len(rows)


def _stand(parts: Sequence[Part]) -> bool:
    """Whether the ids that were written are those that images get when all are known."""
    parts = [part for part in parts if part.images]
    if all(part.known == part.images and part.plain for part in parts):
        return True
    ends = list(accumulate(part.images for part in parts))
    return (
        all(part.is_numbered and part.in_order for part in parts)
        and all(left.last < right.first for left, right in pairwise(parts))
        and [part.before for part in parts] == [0, *ends[:-1]]
    )


def _are_in_order(names: Sequence[str]) -> bool:
    return all(map(lt, names, names[1:])) and not any("\n" in name for name in names)


def _fresh_ids(parts: Sequence[Part]) -> array[int]:
    """The ids of images that have none; meaningless for the others."""
    names = Listed(f"{parts[0].path}.names")
    rows = enumerate(chain.from_iterable(part.rows() for part in parts))
    # No name has either character, which XML cannot hold: the one is less than all that a name may have, and nothing
    # that it may have is between the other and the end of a line, so that lines stand in the order of names.
    write_lines(
        names.path, (f"{row.name.replace(chr(10), chr(11))}\0{index}" for index, row in rows if row.identity is None)
    )
    ids = array("q", bytes(8 * sum(part.images for part in parts)))
    for identity, line in enumerate(sorted_lines([names]), max(part.highest for part in parts) + 1):
        ids[int(line.rpartition("\0")[2])] = identity
    os.unlink(names.path)
    return ids


def _shared(parts: Sequence[Part]) -> bytearray:
    """For each image, whether its name is one of several without the split that was put in front of it."""
    from ..spilling import KEY, Column, doubles, keys_of

    column = Column(KEY)
    plain = (_plain(row) for part in parts for row in part.rows())
    while some := list(islice(plain, _AT_ONCE)):
        column.append(keys_of(some))
    shared = bytearray(len(column))
    for later, first in doubles(column, _ROOM).tolist():
        shared[later] = shared[first] = 1
    return shared


def _value(identity: str) -> int:
    """Of an id that is a number, and not too large for ids above it; else -1."""
    return int(identity) if identity.isdecimal() and len(identity) < 16 else -1


def _plain(row: Row) -> str:
    return row.name.removeprefix(f"{row.split or NO_SPLIT}/")
