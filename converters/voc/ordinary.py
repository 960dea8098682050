"""Annotation files in the ordinary form, read by a pattern: what the devkit, labelImg and annolake write where nothing
is special. Several times faster than a tree, and exact: a file that differs in anything is none of these, and is left
to the XML parser, which makes the same of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from lxml import etree
from msgspec.structs import replace

from ...schemas.model import Annotation, Boxes, Rectangle
from .elements import content
from .numbers import parsed

UNSPECIFIED = "Unspecified"
USUAL_DEPTH = "3"
_USUAL_POSES = frozenset(("", UNSPECIFIED))
_NOTED = ("verified", "folder", "filename", "path", "source", "owner")
_FLAGS = ("truncated", "difficult", "occluded")
_WHOLE = re.compile(r"\.0+(?:,|\Z)")
_NUMBERS = msgspec.json.Decoder(list[int | float])
GAP = r"[ \t\r\n]*"
_TEXT = r"[^<>&\x00-\x1f\x7f-\x9f\ufffe\uffff]*"
NUMBER = r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?"
LABEL = _TEXT.replace("*", "+")
_SIDE = r"[1-9][0-9]{0,8}"


def _element(name: str, inner: str) -> str:
    return rf"<{name}>{inner}</{name}>{GAP}"


def _leaf(name: str, inner: str = _TEXT) -> str:
    return _element(name, f"({inner})")


def _maybe(pattern: str) -> str:
    return f"(?:{pattern})?"


_SIZE = _leaf("width", _SIDE) + _leaf("height", _SIDE) + _maybe(_leaf("depth"))
HEAD = (
    r"""(?:<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=(?:"(?:utf|UTF)-8"|'(?:utf|UTF)-8'))?\?>)?"""
    + GAP
    + rf'<annotation(?: verified="([a-z]*)")?>{GAP}'
    + "".join(_maybe(_leaf(name)) for name in ("folder", "filename", "path"))
    + _maybe(rf"(<source>[^&!?\0]*?</source>){GAP}")
    + _maybe(rf"(<owner>[^&!?\0]*?</owner>){GAP}")
    + _maybe(_element("size", GAP + _SIZE))
    + _maybe(_leaf("segmented"))
)
_SAYING = (("pose", LABEL), *((flag, "[01]") for flag in _FLAGS))
SAID = "".join(_maybe(_element(*each)) for each in _SAYING)
_SAID = "".join(_maybe(_leaf(*each)) for each in _SAYING)
FRONT = rf"<object>{GAP}" + _leaf("name", LABEL)
_CORNERS = "".join(_leaf(name, NUMBER) for name in ("xmin", "ymin", "xmax", "ymax"))
_BOX = _element("bndbox", GAP + _CORNERS)
_OBJECT_END = rf"</object>{GAP}"
REST = _BOX + _OBJECT_END
END = rf"</annotation>{GAP}"
_IN_HEAD, _AT_END = re.compile(HEAD), re.compile(rf"{END}\Z")
_OBJECT, _IN_OBJECT = re.compile(f"({FRONT}{_SAID}{REST})"), re.compile(_SAID)
_NOTE = _maybe(_leaf("annolake"))
OUTLINED = re.compile(f"({FRONT}{_SAID}{_BOX}{_maybe(_element('polygon', '([^&!?po]+)'))}{_NOTE}{_OBJECT_END})")
"""An object that has a polygon or a note besides, or neither."""
NOTED_END = re.compile(rf"{_NOTE}{END}\Z")


class Ordinary(msgspec.Struct, array_like=True, gc=False):
    """What a file says. `notes` as they are to be noted of the image; `corners` of all boxes, four numbers each, as
    they stand; `metadata` of the objects that say something, by number from 0; `shown`: one is said not to be occluded.
    """

    notes: dict[str, Any]
    width: int | None
    height: int | None
    labels: list[str]
    corners: list[int | float]
    metadata: dict[int, dict[str, Any]]
    shown: bool


def ordinary(data: bytes) -> Ordinary | None:
    """What a file of the ordinary form says; None for any other."""
    frame = framed(data, _OBJECT, _AT_END)
    return None if frame is None else frame.boxes()


class Frame(NamedTuple):
    """A file's notes and size; of each object its whole text, its name, pose, three flags and four corners, and what
    else its pattern takes; the match of the end.
    """

    notes: dict[str, Any]
    sides: tuple[int | None, int | None]
    objects: list[tuple[str, ...]]
    end: re.Match[str]

    def boxes(self) -> Ordinary:
        """The objects without what else is taken of them."""
        if not self.objects:
            return Ordinary(self.notes, *self.sides, [], [], {}, False)
        _, labels, poses, truncated, difficult, occluded, *columns = zip(*self.objects, strict=True)
        odd = not _USUAL_POSES.issuperset(poses) or "1" in (*truncated, *difficult, *occluded)
        each = enumerate(self.objects) if odd else ()
        return Ordinary(
            self.notes,
            *self.sides,
            list(labels),
            numbers(list(chain.from_iterable(zip(*columns[:4], strict=True)))),
            {number: metadata for number, said in each if (metadata := _metadata(said[2:6]))},
            "0" in occluded,
        )


def framed(data: bytes, objects: re.Pattern[str], end: re.Pattern[str]) -> Frame | None:
    """A file of these objects below the usual head; None for any other."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    head = _IN_HEAD.match(text)
    if head is None:
        return None
    found = objects.findall(text, head.end())
    # Objects that leave no gap end where their lengths say.
    at_end = end.match(text, head.end() + sum([len(each[0]) for each in found]))
    if at_end is None:
        return None
    *noted, width, height, depth, segmented = head.groups()
    notes = {name: value for name, value in zip(_NOTED, noted, strict=True) if value is not None}
    for name in ("source", "owner"):
        if name in notes:
            notes[name] = held = tree(notes[name])
            if held is BROKEN:
                return None
    if segmented is not None:
        notes["segmented"] = segmented
    if width is not None and depth is not None and depth != USUAL_DEPTH:
        notes["depth"] = depth
    return Frame(notes, (None, None) if width is None else (int(width), int(height)), found, at_end)


def rectangles(plain: Ordinary, shift: int) -> list[Annotation] | Boxes | None:
    """The boxes of a file, `shift` taken off their minima; None where one has no area or no label."""
    if not all(map(str.strip, plain.labels)):
        return None
    boxes = Boxes()
    numbers = iter(plain.corners)
    for label, left, top, right, bottom in zip(plain.labels, numbers, numbers, numbers, numbers, strict=False):
        x, y = left - shift, top - shift
        w, h = right - x, bottom - y
        if w <= 0 or h <= 0:
            return None
        boxes.append(Rectangle((x, y, w, h), label=label))
    if not plain.metadata:
        return boxes
    out: list[Annotation] = [*boxes]
    for number, metadata in plain.metadata.items():
        out[number] = replace(out[number], metadata=metadata)
    return out


def said(text: str) -> tuple[dict[str, Any], bool]:
    """What the elements between an object's name and its box say of it, and whether that it is not occluded."""
    found = _IN_OBJECT.fullmatch(text)
    texts = found.groups("") if found is not None else ("",) * 4
    return _metadata(texts), texts[-1] == "0"


def _metadata(texts: Sequence[str]) -> dict[str, Any]:
    """By its pose and flags."""
    pose, *flags = texts
    metadata: dict[str, Any] = {} if pose in _USUAL_POSES else {"pose": pose}
    metadata.update((flag, True) for flag, text in zip(_FLAGS, flags, strict=True) if text == "1")
    return metadata


def numbers(texts: list[str]) -> list[int | float]:
    """As `parsed` has them, all at once."""
    joined = ",".join(texts)
    try:
        numbers = _NUMBERS.decode(f"[{joined}]")
    except msgspec.DecodeError:  # a zero in front
        return list(map(parsed, texts))
    if "-" in joined or _WHOLE.search(joined):
        return [int(n) if n == int(n) else n for n in numbers]
    return numbers


BROKEN: Any = object()


@lru_cache(maxsize=64)
def tree(xml: str) -> Any:
    """What an element holds, of which many files have the same."""
    if "xmlns" in xml:
        return BROKEN
    try:
        held = content(etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True)))
    except etree.XMLSyntaxError:
        return BROKEN
    return held if isinstance(held, str) or all(isinstance(value, str) for value in held.values()) else BROKEN
