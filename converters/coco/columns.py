"""The annotations of a COCO file in columns, for a target of boxes: decoded in pieces that a processor's cache holds,
which several processes can share.

A text is cut where one object ends and the next begins. Where each piece is a list by itself, so is the whole, of just
these elements. A piece whose annotations have COCO's own seven keys has fourteen quotation marks for each, and then no
other key; of any other piece the annotations are taken one by one. Nothing here has words for what is broken: None is
given back, and the file is read in the other way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.jsonelements import DECODE_ERRORS
from ..shapeblocks import PLAIN_QUOTES, Id, Number
from .document import RAW_LIST, Head
from .numbering import whole_numbers
from .outlines import NO_RINGS, are_outlines, is_outline
from .root import Span, address

ODD, BOX, OUTLINED = 0, 1, 2
"""What an annotation is: a box without or with rings, or anything that takes a closer look."""

_PIECE = 1 << 18
_NEAR = 512
_TAIL = 1 << 20
_EXACT = 2.0**53
"""Below it every whole number is a float."""
_OPENING = re.compile(rb"\s*:\s*\[")
BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_END = re.compile(rb"\}[ \t\r\n]*\]")


Text = Callable[[int, int], bytes | memoryview]
"""The bytes of a file between two places."""


class _Box(msgspec.Struct, gc=False):
    """An annotation with COCO's own seven keys. Its rings are not decoded."""

    id: int
    image_id: Id
    category_id: Id
    bbox: tuple[Number, Number, Number, Number]
    area: Number
    iscrowd: Literal[0, 1]
    segmentation: msgspec.Raw


_BOXES = msgspec.json.Decoder(list[_Box])
_BOX = msgspec.json.Decoder(_Box)
_HEADS = msgspec.json.Decoder(list[Head])
_HEAD = msgspec.json.Decoder(Head)


class Columns(NamedTuple):
    """A row for each annotation, in the file's order: its id and its image's, its category, `(x, y, width, height)` and
    its kind; where the odd ones stand in the file. Of these, category and box are not known.
    """

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    categories: NDArray[np.int64]
    bbox: NDArray[np.float64]
    kinds: NDArray[np.uint8]
    odd: dict[int, Span]


def elements(data: bytes, key: bytes) -> Span | None:
    """Where the elements of what may be the root's array of that name stand, if they are objects."""
    start = beginning(data, key)
    if start is None:
        return None
    first = tail_of(len(data))
    near = ending(data[first:]) if key == b"annotations" and first > start else None
    if near is not None:
        return start, first + near
    end = _END.search(data, start)
    return None if end is None else (start, end.start() + 1)


def beginning(data: bytes, key: bytes) -> int | None:
    """Where the elements of what may be the root's array of that name begin."""
    word = b'"%b"' % key
    at = data.find(word)
    while at >= 0:
        opening = _OPENING.match(data, at + len(word))
        if opening is not None:
            return opening.end()
        at = data.find(word, at + len(word))
    return None


def tail_of(size: int) -> int:
    """Where the last bytes of a file begin, among which the end of its annotations is looked for first."""
    return size - _TAIL


def ending(tail: bytes) -> int | None:
    """Where annotations end in the last bytes of a file, if they do, as in most."""
    end = _END.search(tail)
    before = None if end is None else BETWEEN.search(tail, max(end.start() - _PIECE, 0))
    if end is None or before is None:
        return None
    try:
        _HEADS.decode(b"[%b]" % tail[before.end() - 1 : end.start() + 1])
    except DECODE_ERRORS:
        return None
    return end.start() + 1


def pieces(text: Text, span: Span) -> list[Span]:
    """The span cut between objects, or what look like such."""
    found: list[Span] = []
    start, end = span
    while start < end:
        stop, following = _cut(text, start + _PIECE, end)
        found.append((start, stop))
        start = following
    return found


def _cut(text: Text, at: int, end: int) -> Span:
    """Where the next object ends, and where one begins then: both at the end where there is none."""
    size = _NEAR
    while at < end:
        between = BETWEEN.search(text(at, min(at + size, end)))
        if between is not None:
            return at + between.start() + 1, at + between.end() - 1
        if at + size >= end:
            break
        size *= 4
    return end, end


def listed(text: Text, span: Span) -> bytes:
    """The objects of a piece as a list; UnicodeDecodeError where their text is not UTF-8."""
    found = b"".join((b"[", text(*span), b"]"))
    if not found.isascii():
        found.decode()
    return found


def columns(text: Text, spans: Sequence[Span]) -> Columns | None:
    """The annotations of these pieces; None where one of them is no list of objects with ids, or most are odd."""
    parts: list[Columns] = []
    known = odd = 0
    for span in spans:
        try:
            part = _columns(listed(text, span), span[0] - len("["))
        except (*DECODE_ERRORS, OverflowError, TypeError):
            return None
        known, odd = known + len(part.ids), odd + len(part.odd)
        if 2 * odd > known:
            return None
        parts.append(part)
    return joined(parts)


def joined(parts: Sequence[Columns]) -> Columns:
    """One behind the other."""
    odd: dict[int, Span] = {}
    before = 0
    for part in parts:
        odd |= {before + number: span for number, span in part.odd.items()}
        before += len(part.ids)
    return Columns(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.categories for part in parts]),
        np.concatenate([part.bbox for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        odd,
    )


def column(ids: Sequence[Any]) -> NDArray[np.int64]:
    """Ids that are whole numbers; TypeError where one is none, also where it is the text of one."""
    numbers = whole_numbers(ids)
    if numbers is None:
        raise TypeError("an id that is no number")
    return numbers


def quotes(text: bytes) -> int:
    """The number of quotation marks."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord('"')))


def _columns(text: bytes, shift: int) -> Columns:
    """Of a list; `shift` is what takes a place in the text to that in the file."""
    try:
        plains = _BOXES.decode(text)
    except DECODE_ERRORS:
        return _one_by_one(text, shift)
    extra = sum(bytes(plain.segmentation).count(b'"') for plain in plains if plain.iscrowd)
    if quotes(text) != PLAIN_QUOTES * len(plains) + extra:
        return _one_by_one(text, shift)
    found = _all(plains)
    for number in np.flatnonzero(found.kinds == ODD).tolist():
        span = _span(text, plains[number])
        if span is None:
            return _one_by_one(text, shift)
        found.odd[number] = span[0] + shift, span[1] + shift
    return found


def _span(text: bytes, plain: _Box) -> Span | None:
    """Where in the text an annotation stands, found by where its outline does; None where it is not where it usually
    is: between two others, or at an end. No other object has that outline.
    """
    at = address(plain.segmentation)
    middle = at - address(text)
    starts = [found.end() - 1 for found in BETWEEN.finditer(text, max(middle - _NEAR, 0), middle)] or [text.index(b"{")]
    after = BETWEEN.search(text, middle + memoryview(plain.segmentation).nbytes)
    span = starts[-1], len(text) - len("]") if after is None else after.start() + 1
    again = _decoded(memoryview(text)[slice(*span)])
    return span if again is not None and address(again.segmentation) == at else None


def _one_by_one(text: bytes, shift: int) -> Columns:
    """The same where some are odd."""
    raws = RAW_LIST.decode(text)
    plains = [_decoded(raw) if bytes(raw).count(b'"') == PLAIN_QUOTES else None for raw in raws]
    usual = _all([plain for plain in plains if plain is not None])
    places = np.flatnonzero([plain is not None for plain in plains])
    count = len(raws)
    ids, images, categories = np.zeros((3, count), np.int64)
    found = Columns(ids, images, categories, np.zeros((count, 4)), np.full(count, ODD, np.uint8), {})
    found.ids[places], found.images[places], found.categories[places] = usual.ids, usual.images, usual.categories
    found.bbox[places], found.kinds[places] = usual.bbox, usual.kinds
    for number in np.flatnonzero(found.kinds == ODD).tolist():
        head = _HEAD.decode(raws[number])
        if not isinstance(head.id, int) or not isinstance(head.image_id, int):
            raise TypeError("an id that is no number")
        found.ids[number], found.images[number] = head.id, head.image_id
        first = address(raws[number]) - address(text) + shift
        found.odd[number] = first, first + memoryview(raws[number]).nbytes
    return found


def _decoded(text: memoryview | msgspec.Raw) -> _Box | None:
    try:
        return _BOX.decode(text)
    except DECODE_ERRORS:
        return None


def _all(plains: Sequence[_Box]) -> Columns:
    """Of annotations with the seven keys and no other; TypeError for an id that is no number."""
    count = len(plains)

    bbox = np.fromiter(chain.from_iterable([plain.bbox for plain in plains]), np.float64, 4 * count).reshape(-1, 4)
    kinds = _kinds([plain.segmentation for plain in plains])
    kinds[np.fromiter([plain.iscrowd for plain in plains], np.bool_, count)] = ODD
    kinds[(kinds == OUTLINED) & ~(bbox[:, 2:] > 0).all(axis=1)] = ODD
    kinds[~(np.abs(bbox) < _EXACT).all(axis=1)] = ODD
    return Columns(
        column([plain.id for plain in plains]),
        column([plain.image_id for plain in plains]),
        column([plain.category_id for plain in plains]),
        bbox,
        kinds,
        {},
    )


def _kinds(segmentations: Sequence[msgspec.Raw]) -> NDArray[np.uint8]:
    kinds = np.where(are_outlines(segmentations), np.uint8(OUTLINED), np.uint8(ODD))
    for number in np.flatnonzero(kinds == ODD).tolist():
        text = bytes(segmentations[number])
        kinds[number] = BOX if len(text) <= NO_RINGS else OUTLINED if is_outline(text) else ODD
    return kinds
