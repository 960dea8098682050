"""Ids that are given out once each, although several processes write one file.

Each process gives ids as if it were alone, or from where it reckons that the part before ends. Where the parts have
none in common, and none of their own making but such as go on where the part before ended, they are right as they
stand, which is the rule. Other parts are looked through line by line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..files import write_pieces
from .categories import Categories
from .escaping import as_json
from .ids import Ids

_ID = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+')
_IMAGE_ID, _CATEGORY_ID, _OWN_ID = b'"image_id":', b'"category_id":', b',"id":'
_OPENING = b'{"id":'


class Numbers(msgspec.Struct):
    """What a file numbers."""

    images: Ids
    annotations: Ids
    categories: Categories


class Part(msgspec.Struct):
    """One process's images and annotations: the files they are in, how many they are, and how they are numbered."""

    paths: dict[str, str]
    images: int
    annotations: int
    numbers: Numbers


def renumbered(parts: list[Part], empty: Numbers) -> Numbers:
    """The numbers of all parts together, what stands in their files changed where it clashes."""
    whole, *others = [part.numbers for part in parts] or [empty]
    labels = len(empty.categories.plain)
    for part, own in zip(parts[1:], others, strict=True):
        clean = len(own.categories.plain) == labels
        if clean and _right(whole.images, own.images) and _right(whole.annotations, own.annotations):
            whole.images.add(own.images)
            whole.annotations.add(own.annotations)
        else:
            _rewrite(part, whole)
    return whole


def _right(ids: Ids, own: Ids) -> bool:
    return ids.apart(own) or ids.continued_by(own)


def _rewrite(part: Part, whole: Numbers) -> None:
    own, images = part.numbers, dict[bytes, bytes]()
    names = {category["id"]: category["name"] for category in own.categories.plain}
    categories = dict[bytes, bytes]()

    def category(found: bytes) -> bytes:
        if found not in categories:
            identity = _value(found)
            categories[found] = as_json(whole.categories.id_of(names[identity], identity))
        return categories[found]

    def image(line: bytes, number: int) -> bytes:
        start, stop = _span(line, len(_OPENING))
        wanted = own.images.wanted(number, _value(line[start:stop]))
        new = images[line[start:stop]] = as_json(whole.images.take(wanted))
        return line[:start] + new + line[stop:]

    def annotation(line: bytes, number: int) -> bytes:
        start, stop = _span(line, line.index(_IMAGE_ID) + len(_IMAGE_ID))
        begin, end = _span(line, line.index(_CATEGORY_ID, stop) + len(_CATEGORY_ID))
        first, last = _span(line, end + len(_OWN_ID))
        new = as_json(whole.annotations.take(own.annotations.wanted(number, _value(line[first:last]))))
        front = line[:start] + images[line[start:stop]] + line[stop:begin]
        return front + category(line[begin:end]) + _OWN_ID + new + line[last:]

    for key, change in (("images", image), ("annotations", annotation)):
        old = part.paths[key]
        part.paths[key] = f"{old}.again"
        write_pieces(Path(part.paths[key]), _changed(old, change))
        os.unlink(old)


def _changed(path: str, change: Callable[[bytes, int], bytes]) -> Iterator[bytes]:
    with open(path, "rb") as lines:
        for number, line in enumerate(lines):
            yield change(line, number)


def _span(line: bytes, start: int) -> tuple[int, int]:
    return next(_ID.finditer(line, start)).span()


def _value(text: bytes) -> Any:
    return msgspec.json.decode(text) if text.startswith(b'"') else int(text)
