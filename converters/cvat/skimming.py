"""Files of nothing but ordinary images, read by a pattern: as CVAT and others write boxes and polygons of which nothing
else is said. Several times faster than a tree, and exact: a file that differs in anything, or of which something has to
be told, is none of these, and is left to the XML parser, which makes the same of them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from ...schemas.model import Annotation, Polygon, Rectangle
from ...schemas.names import is_safe_name
from ..format import Context
from ..ledger import Ledger
from ..parallel import looked_over
from .boxruns import GAP, OPENING, TEXT, Named, Run, run_of
from .forms import FEWEST
from .numbers import usual_of_each
from .ordinary import metadata, span_of

Row = Sequence[str]

_SAID = rf'label="({TEXT}+)" source="({TEXT}*)" occluded="([01])"'
_EDGE = r"([0-9]{1,9}\.[0-9]{2})"
_SIDE = r"([0-9]{1,9})"
_PIECE = re.compile(
    rf"{GAP}(?:"
    rf'<box {_SAID} xtl="{_EDGE}" ytl="{_EDGE}" xbr="{_EDGE}" ybr="{_EDGE}" z_order="0"{GAP}(?:/>|>{GAP}</box>)|'
    rf'<polygon {_SAID} points="([0-9.,;-]+)" z_order="0"{GAP}(?:/>|>{GAP}</polygon>)|'
    rf'<image id="([0-9]{{1,18}})" name="({TEXT}+)"(?: subset="({TEXT}+)")? width="{_SIDE}" height="{_SIDE}"'
    rf"{GAP}(/?)>|"
    rf"(</image>)|(</annotations>)|(.+))",
    re.DOTALL,
)
_BOX, _POLYGON, _POINTS, _IMAGE, _NAME, _EMPTY, _END, _LAST, _ODD = 0, 7, 10, 11, 12, 16, 17, 18, 19
_NO_TEXT: list[Row] = [("",) * _ODD + ("?",)]
_OPENING = OPENING.encode()
_HEAD = re.compile(rb'(?:<\?xml version=["\']1\.0["\'](?: encoding=["\'](?:utf-8|UTF-8)["\'])?\s*\?>)?\s*<annotations>')
_BLOCK = 1 << 18
_KEPT = 64 << 20
"""Bytes of columns, at most, that are not read a second time."""
_UNIT = 1 << 10
"""Bytes of a file that are shared out: about an image."""
_END_OF_ALL = "</annotations>"
_LARGEST_HEAD = 1 << 18
_LARGEST = 1 << 24


class Stretch(msgspec.Struct):
    """Some images of a file: the number of the first, and at which byte it begins. `is_run`: they can be read into
    columns; `run`: those, where they are kept.
    """

    number: int
    offset: int
    is_run: bool
    run: Run | None = None


class Skimmed(msgspec.Struct):
    """What a file holds, or a part of it: the names and subsets of its images, how many shapes each has, labels in use,
    and where it can be read on. `head`: the bytes before the images. `ended`: the end was seen.
    """

    head: bytes = b""
    names: list[Named] = []
    shapes: array[int] = msgspec.field(default_factory=lambda: array("L"))
    labels: dict[str, None] = {}
    stretches: list[Stretch] = []
    ended: bool = False


IN_HEAD = ("id", "name", "subset", "width", "height")


class Image(msgspec.Struct):
    """An image's shapes, and what its attributes say: `IN_HEAD`, an empty text where there is no subset."""

    head: Row
    annotations: list[Annotation]


def skimmed(path: Path, context: Context) -> Skimmed | None:
    """The whole file looked at; None where it is not ordinary in every respect, or cannot be read."""
    try:
        with path.open("rb") as file:
            head, opening, _ = file.read(_LARGEST_HEAD).partition(_OPENING)
        if not opening or _HEAD.match(head) is None:
            return None
        units = path.stat().st_size // _UNIT + 1
        room = _KEPT if context.memory is None else 0

        def look(start: int, stop: int) -> Skimmed | None:
            share = room * (stop - start) // units
            return _look(path, start * _UNIT, None if stop == units else stop * _UNIT, share)

        found = Skimmed(head)
        for part in looked_over(look, units, context, Ledger(), least=1):
            if part is None or (found.ended and part.stretches):
                return None
            for stretch in part.stretches:
                stretch.number += len(found.names)
            found.stretches += part.stretches
            found.names += part.names
            found.shapes += part.shapes
            found.labels |= part.labels
            found.ended |= part.ended
    except OSError:
        return None
    twice = len(set(found.names)) < len(found.names)
    return found if found.ended and not twice else None


def _look(path: Path, start: int, stop: int | None, room: int) -> Skimmed | None:
    """The images that begin from one byte to another (excluded); None where one is not ordinary."""
    found = Skimmed()
    for offset, text in _texts(path, start, stop):
        if text is None or found.ended:
            return None
        images, end, more = text.partition(_END_OF_ALL)
        if more.strip(" \t\r\n"):
            return None
        found.ended |= bool(end)
        run, named = run_of(images) or (None, [])
        stretch = Stretch(len(found.names), offset, run is not None)
        found.stretches.append(stretch)
        if run is None:
            if not _ordinary(images, found):
                return None
        else:
            for place, one in enumerate(named):
                if one is not None:
                    found.names.append(one)
                    found.shapes.append(int(run.counts[place]))
                elif not _ordinary(run.odd[place], found):
                    return None
            found.labels.update(dict.fromkeys(run.labels))
            room -= run.size
            if room >= 0:
                stretch.run = run
    return found if all(is_safe_name(name) for name, _ in found.names) else None


def _ordinary(text: str, found: Skimmed) -> bool:
    """Whether these are whole images, ordinary in all that they hold, which is then found."""
    inside = False
    for row in _pieces(text):
        label = row[_BOX] or row[_POLYGON]
        if bool(label or row[_END]) != inside or row[_LAST] or row[_ODD]:
            return False
        if label:
            found.labels.setdefault(label)
            found.shapes[-1] += 1
        elif row[_IMAGE]:
            found.names.append((row[_NAME], row[_NAME + 1] or None))
            found.shapes.append(0)
            inside = not row[_EMPTY]
        else:
            inside = False
    return not inside


def runs(path: Path, skimmed: Skimmed, start: int, stop: int) -> Iterator[tuple[int, int, Run | None]]:
    """Number of the first image and of the last (excluded), and what is between in columns, of all runs that have some
    of the images `start` to `stop`; None where most of it is something else.
    """
    following: list[Stretch | None] = [*skimmed.stretches[1:], None]
    for stretch, after in zip(skimmed.stretches, following, strict=True):
        last, end = (len(skimmed.names), None) if after is None else (after.number, after.offset)
        if last <= start or stop <= stretch.number:
            continue
        run = stretch.run
        if run is None and stretch.is_run:
            text = "".join(some or "" for _, some in _texts(path, stretch.offset, end))
            run, _ = run_of(text.partition(_END_OF_ALL)[0]) or (None, ())
        yield stretch.number, last, run


def image_in(text: str) -> Image | None:
    """The image that the text of an ordinary one says; None where a shape takes a closer look after all."""
    return next(_images([_pieces(text)], 0, 0))


def images(path: Path, stretches: Sequence[Stretch], start: int) -> Iterator[Image | None]:
    """The images from number `start` on; None, and nothing after it, where a shape takes a closer look after all."""
    stretch = next(stretch for stretch in reversed(stretches) if stretch.number <= start)
    texts = (text for _, text in _texts(path, stretch.offset, None))
    return _images((_NO_TEXT if text is None else _pieces(text) for text in texts), stretch.number, start)


def _images(some: Iterable[list[Row]], number: int, start: int) -> Iterator[Image | None]:
    image = Image((), [])
    for rows in some:
        outlines = iter(usual_of_each([row[_POINTS] for row in rows if row[_POLYGON]]))
        for row in rows:
            if row[_IMAGE]:
                number += 1
                image = Image(row[_IMAGE:_EMPTY], [])
                if not row[_EMPTY]:
                    continue
            elif row[_BOX] or row[_POLYGON]:
                xy = next(outlines) if row[_POLYGON] else None
                if number <= start:
                    continue
                shape = _shape(row, xy)
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


def _shape(row: Row, xy: tuple[float, ...] | None) -> Annotation | None:
    if label := row[_BOX]:
        _, source, occluded, left, top, right, bottom = row[:_POLYGON]
        return Rectangle(bbox=span_of(left, top, right, bottom), label=label, metadata=metadata(source, occluded))
    label, source, occluded, _ = row[_POLYGON:_IMAGE]
    if xy is None or len(xy) < 2 * FEWEST["polygon"]:
        return None
    return Polygon(xy=xy, label=label, metadata=metadata(source, occluded))


def _pieces(text: str) -> list[Row]:
    return _PIECE.findall(text.rstrip(" \t\r\n"))


def _texts(path: Path, start: int, stop: int | None) -> Iterator[tuple[int, str | None]]:
    """The images of a file that begin from byte `start` to `stop` (excluded), some at a time, and at which byte the
    first of these begins; None for what is not UTF-8, or too long.
    """
    with path.open("rb") as file:
        file.seek(start)
        offset, rest = start, b""
        while block := file.read(_BLOCK):
            data = rest + block
            if not rest.startswith(_OPENING):
                first = data.find(_OPENING)
                if first < 0:
                    rest = data[1 - len(_OPENING) :]
                    offset += len(data) - len(rest)
                    continue
                offset, data = offset + first, data[first:]
            end = -1 if stop is None else data.find(_OPENING, max(stop - offset, 0))
            cut = max(data.rfind(_OPENING), 0) if end < 0 else end
            if cut:
                yield offset, _text(data[:cut])
            if end >= 0:
                return
            offset, rest = offset + cut, data[cut:]
            if len(rest) > _LARGEST:
                yield offset, None
                return
        if rest.startswith(_OPENING):
            yield offset, _text(rest)


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
