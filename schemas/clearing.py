"""Images that surely are without a mistake, told many at a time: `validation` has to look at the others only.

Coordinates are not made objects: the decoder steps over them, and all of some hundred images become one array. As in
`metalake_decoding`, a count of quotation marks proves that every key was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import chain, islice, repeat
from operator import attrgetter
from typing import NamedTuple

import msgspec

from . import jsontext
from .metalake_decoding import known, values_of
from .metalake_wire import (
    GEOMETRY_KEY,
    WireAnnotation,
    WireImage,
    WireLine,
    WirePoints,
    WirePolygon,
    WireRectangle,
    WireTag,
)
from .model import Annotation, Coordinates, Points, Polygon, Record, count_objects
from .problems import Problem
from .rings import part_mistakes
from .shapes import extent
from .soundness import KINDS, Shapes, judged
from .validation import attribute_mistakes, image_mistakes, label_mistakes
from .wording import metadata_mistakes

Fit = Callable[[Record], tuple[Record, list[Problem]]]
"""An image with the size that its shapes are to be seen in, and what is wrong with that size."""


class Look(NamedTuple):
    """What is known of an image without a close look: how many objects and tags it has; whether surely nothing is wrong
    with it by itself, but for what was `found` about its size; and of each annotation whether its shape surely has no
    mistake.
    """

    image: str
    objects: int
    clean: bool
    sure: list[bool]
    found: list[Problem]


class _Rectangle(WireRectangle, kw_only=True, tag_field="type", tag="rectangle", gc=False):
    bbox: msgspec.Raw  # pyright: ignore[reportIncompatibleVariableOverride]


class _Polygon(WirePolygon, kw_only=True, tag_field="type", tag="polygon", gc=False):
    polygon: msgspec.Raw  # pyright: ignore[reportIncompatibleVariableOverride]


class _Line(WireLine, kw_only=True, tag_field="type", tag="line", gc=False):
    line: msgspec.Raw  # pyright: ignore[reportIncompatibleVariableOverride]


class _Points(WirePoints, kw_only=True, tag_field="type", tag="points", gc=False):
    points: msgspec.Raw  # pyright: ignore[reportIncompatibleVariableOverride]


class _Image(WireImage, kw_only=True, gc=False):
    annotations: list[_Rectangle | _Polygon | _Line | _Points]  # pyright: ignore[reportIncompatibleVariableOverride]


_IMAGE = msgspec.json.Decoder(_Image)
_NUMBERS = msgspec.json.Decoder(list[float])
_encode = msgspec.json.Encoder().encode
_KINDS: dict[type, int] = {_Rectangle: 0, _Polygon: 1, _Line: 2, _Points: 3}
_SHAPES = [attrgetter(GEOMETRY_KEY[kind]) for kind in KINDS]
_OF_NUMBERS = b"0123456789+-.eE \t\r\n"
_BOX = b"[,,,]"
_TIES = frozenset(("instance", "part", "hole_of"))


class Clearing:
    """Looks over the images of one data set. `labels` are the allowed ones, if only some are."""

    def __init__(self, fit: Fit, *, coordinates: Coordinates, labels: Collection[str] | None) -> None:
        self._fit = fit
        self._coordinates: Coordinates = coordinates
        self._labels = labels
        self._good_labels: set[str] = set()

    def looks(self, raws: Sequence[msgspec.Raw]) -> list[Look | None]:
        """What is known of each image; None where that is nothing."""
        opened = [_opened(raw, self._fit) for raw in raws]
        images = [one for one in opened if one is not None]
        text = b",".join(chain.from_iterable(one.texts for one in images))
        try:
            numbers = _NUMBERS.decode(b"[" + text.translate(None, b"[]") + b"]")
        except msgspec.MsgspecError:  # a number that no float holds
            return [None] * len(raws)
        lengths = list(chain.from_iterable(one.lengths for one in images))
        kinds = list(chain.from_iterable(one.kinds for one in images))
        extents = [size for one in images for size in repeat(extent(one.record, self._coordinates), len(one.kinds))]
        verdicts = zip(*judged(Shapes(numbers, lengths, kinds, extents)), strict=True)
        return [one and self._look(one, list(islice(verdicts, len(one.kinds)))) for one in opened]

    def _look(self, image: _Opened, verdicts: list[tuple[bool, tuple[float, float], bool]]) -> Look:
        annotations, tags = image.wire.annotations, image.wire.tags or ()
        tied = [_with_ties(one) for one in annotations if one.metadata and not _TIES.isdisjoint(one.metadata)]
        sure = [sound for sound, _, _ in verdicts]
        beginnings = {(one.label, begin) for one, (_, begin, _) in zip(annotations, verdicts, strict=True)}
        clean = (
            image.whole
            and all(sure)
            and len(beginnings) == len(annotations)
            and (self._says_its_size(image.record) or not annotations or any(beyond for _, _, beyond in verdicts))
            and not any(image_mistakes(image.record, self._coordinates))
            and not part_mistakes(tied)
            and all(map(self._is_good, chain(annotations, tags)))
        )
        objects = count_objects(Record(image="", annotations=tied)) + len(annotations) - len(tied) + len(tags)
        return Look(image.wire.image, objects, clean, sure, image.found)

    def _says_its_size(self, record: Record) -> bool:
        """Whether nobody has to guess if these are pixels."""
        return self._coordinates == "normalized" or record.width is not None or record.height is not None

    def _is_good(self, item: WireAnnotation | WireTag) -> bool:
        """Whether its label and its facts are without a mistake; about its confidence the decoder has judged."""
        if item.label not in self._good_labels:
            if any(label_mistakes(item.label, self._labels)):
                return False
            self._good_labels.add(item.label)
        if item.metadata and any(metadata_mistakes(item.metadata)):
            return False
        return not item.attributes or not any(attribute_mistakes(values_of(item.attributes, None)))


class _Opened(NamedTuple):
    """An image whose shapes are as they must be, as texts. `record` is the image without them; `whole`: it has no keys
    but those decoded.
    """

    wire: _Image
    record: Record
    found: list[Problem]
    texts: list[bytes]
    kinds: list[int]
    lengths: list[int]
    whole: bool


def _opened(raw: msgspec.Raw, fit: Fit) -> _Opened | None:
    try:
        wire = _IMAGE.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    texts: list[bytes] = []
    kinds: list[int] = []
    lengths: list[int] = []
    for annotation in wire.annotations:
        kind = _KINDS[type(annotation)]
        text = bytes(_SHAPES[kind](annotation))
        brackets = text.translate(None, _OF_NUMBERS)
        points = len(brackets) // 4
        if brackets != (_brackets(points) if kind else _BOX):
            return None
        texts.append(text)
        kinds.append(kind)
        lengths.append(2 * points if kind else 4)
    record, found = fit(Record(image=wire.image, width=known(wire.width), height=known(wire.height)))
    whole = jsontext.quotes(raw) == jsontext.quotes(_encode(wire))
    return _Opened(wire, record, found, texts, kinds, lengths, whole)


@lru_cache(1024)
def _brackets(points: int) -> bytes:
    """What is left of that many points without their numbers; of none, something that never is."""
    return b"[" + b",".join([b"[,]"] * points) + b"]" if points else b""


def _with_ties(annotation: WireAnnotation) -> Annotation:
    kind = Polygon if isinstance(annotation, WirePolygon) else Points
    return kind(label=annotation.label, xy=[], metadata=annotation.metadata or {})
