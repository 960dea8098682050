"""Files of nothing but ordinary images, read by a pattern: as CVAT and others write boxes and polygons of which nothing
else is said. Several times faster than a tree, and exact: a file that differs in anything, or of which something has to
be told, is none of these, and is left to the XML parser, which makes the same of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ...schemas.model import Annotation, Polygon, Rectangle
from ...schemas.names import is_safe_name
from .forms import FEWEST
from .numbers import usual
from .ordinary import metadata, span_of

Row = Sequence[str]

_GAP = r"[ \t\r\n]*"
_TEXT = r"[ !#-%'-;=?-~]"
"""Of printable ASCII what means itself in an attribute."""
_SAID = rf'label="({_TEXT}+)" source="({_TEXT}*)" occluded="([01])"'
_EDGE = r"([0-9]{1,9}\.[0-9]{2})"
_SIDE = r"([0-9]{1,9})"
_PIECE = re.compile(
    rf"{_GAP}(?:"
    rf'<box {_SAID} xtl="{_EDGE}" ytl="{_EDGE}" xbr="{_EDGE}" ybr="{_EDGE}" z_order="0"{_GAP}(?:/>|>{_GAP}</box>)|'
    rf'<polygon {_SAID} points="([0-9.,;-]+)" z_order="0"{_GAP}(?:/>|>{_GAP}</polygon>)|'
    rf'<image id="([0-9]{{1,18}})" name="({_TEXT}+)"(?: subset="({_TEXT}+)")? width="{_SIDE}" height="{_SIDE}"'
    rf"{_GAP}(/?)>|"
    rf"(</image>)|(</annotations>)|(.+))",
    re.DOTALL,
)
_BOX, _POLYGON, _IMAGE, _NAME, _EMPTY, _END, _LAST, _ODD = 0, 7, 11, 12, 16, 17, 18, 19
_NOT_ASCII: list[Row] = [("",) * _ODD + ("?",)]
_OPENING = b"<image "
_HEAD = re.compile(rb'(?:<\?xml version=["\']1\.0["\'](?: encoding=["\'](?:utf-8|UTF-8)["\'])?\s*\?>)?\s*<annotations>')
_BLOCK = 1 << 16
_LARGEST_HEAD = 1 << 18
_LARGEST = 1 << 24


class Skimmed(msgspec.Struct):
    """What a file holds: the bytes before its images, the names and subsets of these, labels in use; and at which byte
    it can be read on, from the image of which number.
    """

    head: bytes
    names: list[tuple[str, str | None]] = []
    labels: dict[str, None] = {}
    places: list[tuple[int, int]] = []


class Image(msgspec.Struct):
    """An image's attributes, but for what it has no other word for, and its shapes."""

    given: dict[str, str]
    annotations: list[Annotation]


def skimmed(path: Path) -> Skimmed | None:
    """The whole file looked at; None where it is not ordinary in every respect, or cannot be read."""
    try:
        with path.open("rb") as file:
            head, opening, _ = file.read(_LARGEST_HEAD).partition(_OPENING)
        if not opening or _HEAD.match(head) is None:
            return None
        found = Skimmed(head)
        return found if _look(path, found) else None
    except OSError:
        return None


def _look(path: Path, found: Skimmed) -> bool:
    inside = ended = False
    for offset, rows in _rows(path, len(found.head)):
        found.places.append((len(found.names), offset))
        for row in rows:
            label = row[_BOX] or row[_POLYGON]
            if ended or bool(label or row[_END]) != inside or row[_ODD]:
                return False
            if label:
                found.labels.setdefault(label)
            elif row[_IMAGE]:
                found.names.append((row[_NAME], row[_NAME + 1] or None))
                inside = not row[_EMPTY]
            else:
                inside, ended = False, bool(row[_LAST])
    twice = len(set(found.names)) < len(found.names)
    return ended and not twice and all(is_safe_name(name) for name, _ in found.names)


def images(path: Path, places: Sequence[tuple[int, int]], start: int) -> Iterator[Image | None]:
    """The images from number `start` on; None, and nothing after it, where a shape takes a closer look after all."""
    number, offset = next(place for place in reversed(places) if place[0] <= start)
    image = Image({}, [])
    for _, rows in _rows(path, offset):
        for row in rows:
            if row[_IMAGE]:
                number += 1
                image = Image(_given(row), [])
                if not row[_EMPTY]:
                    continue
            elif number > start and (row[_BOX] or row[_POLYGON]):
                shape = _shape(row)
                if shape is None:
                    yield None
                    return
                image.annotations.append(shape)
                continue
            elif row[_ODD]:
                yield None
                return
            elif not row[_END]:
                continue
            if number > start:
                yield image


def _given(row: Row) -> dict[str, str]:
    given: dict[str, str] = dict(zip(("id", "name", "subset", "width", "height"), row[_IMAGE:_EMPTY], strict=True))
    if not given["subset"]:
        del given["subset"]
    return given


def _shape(row: Row) -> Annotation | None:
    if label := row[_BOX]:
        _, source, occluded, left, top, right, bottom = row[:_POLYGON]
        return Rectangle(bbox=span_of(left, top, right, bottom), label=label, metadata=metadata(source, occluded))
    label, source, occluded, text = row[_POLYGON:_IMAGE]
    xy = usual(text)
    if xy is None or len(xy) < 2 * FEWEST["polygon"]:
        return None
    return Polygon(xy=xy, label=label, metadata=metadata(source, occluded))


def _rows(path: Path, offset: int) -> Iterator[tuple[int, list[Row]]]:
    """The pieces of a file from an image on, some images at a time, and at which byte the first of these begins."""
    with path.open("rb") as file:
        file.seek(offset)
        rest = b""
        while (block := file.read(_BLOCK)) and len(rest) < _LARGEST:
            data = rest + block
            cut = max(data.rfind(_OPENING), 0)
            if cut:
                yield offset, _found(data[:cut])
            offset += cut
            rest = data[cut:]
        yield offset, _found(rest)


def _found(data: bytes) -> list[Row]:
    return _PIECE.findall(data.rstrip(b" \t\r\n").decode()) if data.isascii() else _NOT_ASCII
