"""A COCO file's outlined objects a few hundred images at a time, for targets that keep them as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from ...schemas import masks
from ...schemas.errors import AnnolakeError
from ...schemas.manyoutlines import trace_all
from ...schemas.model import Annotation, Record, Tag
from .. import blocks
from ..shapeblocks import Shape, ShapeBlock
from .objects import from_plain

if TYPE_CHECKING:
    from .document import Document, Text
    from .reading import ImageRecords
    from .segmentation import Traced

_SHAPES = msgspec.json.Decoder(list[Shape])
_QUOTES = 14
"""Of an annotation that has COCO's own seven keys, and neither another one nor a text."""


def in_blocks(source: ImageRecords, numbers: range) -> Iterator[Record | ShapeBlock]:
    """The images with these numbers."""
    for start in range(0, len(numbers), blocks.IMAGES):
        yield from _run(source, numbers[start : start + blocks.IMAGES])


def _run(source: ImageRecords, numbers: range) -> Iterator[Record | ShapeBlock]:
    document = source.document
    first, last = document.start[numbers.start], document.start[numbers.stop]
    annotated: list[int] = document.order[first:last].tolist()
    ends = [place - first for place in document.start[numbers.start : numbers.stop + 1]]
    texts = document.texts(annotated)
    usual: list[Text | None] = []
    for start, stop in pairwise(ends):
        usual += _usual(texts[start:stop])
    text = b"[%b]" % b",".join([raw for raw in usual if raw is not None])
    try:
        found = iter(_plain_ones(_SHAPES.decode(text)))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if len(numbers) == 1:
            yield from source.stream(numbers)
        else:
            middle = len(numbers) // 2
            yield from _run(source, numbers[:middle])
            yield from _run(source, numbers[middle:])
        return
    shapes = [None if raw is None else next(found) for raw in usual]
    gathered = _Gathered()
    source.traced = _traced(document, [number for number, raw in zip(annotated, usual, strict=True) if raw is None])
    try:
        for index, (start, stop) in zip(numbers, pairwise(ends), strict=True):
            record = source.head(index, stop - start)
            if record is None:
                continue
            alone = gathered.add(source, record, annotated[start:stop], shapes[start:stop])
            if alone is not None:
                if gathered.records:
                    yield gathered.block()
                gathered = _Gathered()
                yield alone
    except AnnolakeError:
        if gathered.records:
            yield gathered.block()
        raise
    if gathered.records:
        whole = len(gathered.records) == len(numbers)
        yield gathered.block(text.count(b".") if whole else None)


def _usual(raws: Sequence[Text]) -> Sequence[Text | None]:
    """An image's annotations, those that may be shapes by their quotation marks."""
    if b"".join(raws).count(b'"') == _QUOTES * len(raws):
        # Fewer none can have that is decoded later, and so none has more where there are so many in all.
        return raws
    return [raw if bytes(raw).count(b'"') == _QUOTES else None for raw in raws]


class _Mask(msgspec.Struct):
    size: list[int]
    counts: list[int] | str


class _Masked(msgspec.Struct):
    segmentation: _Mask


_MASKED = msgspec.json.Decoder(_Masked)


def _traced(document: Document, numbers: Sequence[int]) -> dict[int, Traced]:
    """The masks among annotations, and their outlines; what is no good mask is told where it is read."""
    found: dict[int, masks.Rle] = {}
    for number in numbers:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, masks.MaskError):
            mask = _MASKED.decode(document.annotations[number]).segmentation
            found[number] = masks.parse(mask.size, mask.counts)
    outlines = trace_all(list(found.values()))
    return {number: (mask, rings) for (number, mask), rings in zip(found.items(), outlines, strict=True)}


class _Gathered:
    def __init__(self) -> None:
        self.records: list[Record] = []
        self.counts: list[int] = []
        self.objects: list[Shape | Sequence[Annotation]] = []
        self.labels: list[str] = []

    def block(self, points: int | None = None) -> ShapeBlock:
        return ShapeBlock(
            records=self.records,
            counts=self.counts,
            objects=self.objects,
            labels=self.labels,
            to_hub=_to_hub,
            points=points,
        )

    def add(
        self, source: ImageRecords, record: Record, numbers: Sequence[int], shapes: Sequence[Shape | None]
    ) -> Record | None:
        """Take an image in, or give it back with its annotations, where one of them can only stand in a record."""
        objects: list[Shape | Sequence[Annotation]] = []
        labels: list[str] = []
        tags: list[Tag] = []
        fits = True
        known = [shape for shape in shapes if shape is not None]
        names = [source.plain_labels.get(shape.category_id, "") for shape in known]
        if len(known) == len(shapes) and all(names):
            return self._take(record, known, names)
        for number, shape in zip(numbers, shapes, strict=True):
            if shape is not None and (label := source.plain_labels.get(shape.category_id)):
                objects.append(shape)
                labels.append(label)
                continue
            for item in _objects(source.any(number, record)):
                if isinstance(item, Tag):
                    tags.append(item)
                else:
                    objects.append(item)
                    labels.append(item[0].label)
                    fits = fits and type(item[0].metadata.get("coco_id")) is int
        if fits and not tags:
            return self._take(record, objects, labels)
        annotations: list[Annotation] = []
        for item, label in zip(objects, labels, strict=True):
            annotations += _to_hub(item, label) if isinstance(item, Shape) else item
        return replace(record, annotations=annotations, tags=tuple(tags))

    def _take(self, record: Record, objects: Sequence[Shape | Sequence[Annotation]], labels: Sequence[str]) -> None:
        self.records.append(record)
        self.counts.append(len(objects))
        self.objects += objects
        self.labels += labels


def _objects(found: Sequence[Annotation | Tag]) -> Iterator[Sequence[Annotation] | Tag]:
    """What one annotation became: one object, or a tag."""
    shapes = [item for item in found if not isinstance(item, Tag)]
    if shapes:
        yield shapes
    yield from (item for item in found if isinstance(item, Tag))


def _plain_ones(shapes: list[Shape]) -> Sequence[Shape | None]:
    """The shapes that are as blocks have them, None for the others: seldom is there one."""
    rings = chain.from_iterable([shape.segmentation for shape in shapes])
    odd: list[object] = [xy for xy in rings if len(xy) < 6 or len(xy) & 1 or (xy[0] == xy[-2] and xy[1] == xy[-1])]
    odd += [shape for shape in shapes if shape.area < 0 or shape.bbox[2] <= 0 or shape.bbox[3] <= 0]
    if not odd:
        return shapes
    known = set(map(id, odd))
    return [
        None if id(shape) in known or not known.isdisjoint(map(id, shape.segmentation)) else shape for shape in shapes
    ]


def _to_hub(shape: Shape, label: str) -> Sequence[Annotation]:
    found = from_plain(shape, label)
    if found is None:
        raise ValueError("a shape that is not plain")
    return found
