"""A COCO file's outlined objects a few hundred images at a time, for targets that keep them as they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, compress
from operator import sub
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from ...schemas import masks
from ...schemas.errors import AnnolakeError
from ...schemas.manyoutlines import trace_all
from ...schemas.model import Annotation, Record, Tag
from .. import blocks
from ..shapeblocks import Shape, ShapeBlock
from ..spelledblocks import SpelledBlock, SpelledShape
from .objects import Wanted, from_any, from_plain
from .pictures import is_usual
from .spelledmasks import spelled_mask
from .spelledrings import spelled_ones

if TYPE_CHECKING:
    from .document import Document
    from .pictures import PlainImage
    from .reading import ImageRecords
    from .segmentation import Traced

Outlined = Record | ShapeBlock | SpelledBlock
_Object = Shape | SpelledShape | Sequence[Annotation]
_SHAPES = msgspec.json.Decoder(list[Shape])
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_TRIALS = 4


def in_blocks(source: ImageRecords, numbers: range, *, spelled: bool = False) -> Iterator[Outlined]:
    """The images with these numbers; where objects are wanted as they are `spelled`, and mostly cannot be had so, it is
    soon no longer tried.
    """
    tried = done = 0
    for start in range(0, len(numbers), blocks.IMAGES):
        worth = spelled and tried <= done + _TRIALS
        for item in _run(source, numbers[start : start + blocks.IMAGES], spelled=worth):
            tried += not isinstance(item, Record)
            done += isinstance(item, SpelledBlock)
            yield item


def _run(source: ImageRecords, numbers: range, *, spelled: bool) -> Iterator[Outlined]:
    document = source.document
    first, last = document.start[numbers.start], document.start[numbers.stop]
    annotated: list[int] = document.order[first:last].tolist()
    ends = [place - first for place in document.start[numbers.start : numbers.stop + 1]]
    texts = document.texts(annotated)
    are_plain = document.seven_keys(annotated, texts)
    text = b"[%b]" % b",".join(compress(texts, are_plain))
    try:
        some = spelled_ones(text) if spelled else None
        found = iter(_plain_ones(_SHAPES.decode(text)) if some is None else some)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if len(numbers) == 1:
            yield from source.stream(numbers)
        else:
            middle = len(numbers) // 2
            yield from _run(source, numbers[:middle], spelled=spelled)
            yield from _run(source, numbers[middle:], spelled=spelled)
        return
    shapes = [next(found) if is_plain else None for is_plain in are_plain]
    names = source.plain_labels
    labels = ["" if shape is None else names.get(shape.category_id, "") for shape in shapes]
    odd = [row for row, is_plain in zip(annotated, are_plain, strict=True) if not is_plain]
    source.traced = _traced(document, odd) if some is None else {}
    gathered = _Gathered(spelled=some is not None)
    images = _usual_images(source, numbers)
    special = [*range(len(numbers))] if images is None else _owners(labels, ends)
    done = 0
    try:
        for here in (*special, len(numbers)):
            if images is not None and done < here:
                source.ledger.seen["images"] += here - done
                source.ledger.seen["annotations"] += ends[here] - ends[done]
                own = slice(ends[done], ends[here])
                counts = map(sub, ends[done + 1 : here + 1], ends[done:here])
                known = cast("list[Shape | SpelledShape]", shapes[own])
                gathered.take(source.images.plain(images[done:here]), counts, known, labels[own])
            done = here + 1
            if here == len(numbers):
                break
            own = slice(ends[here], ends[here + 1])
            record = source.head(numbers[here], own.stop - own.start)
            if record is None:
                continue
            alone = gathered.add(source, record, annotated[own], shapes[own], labels[own])
            if alone is not None:
                if gathered.records:
                    yield gathered.block()
                gathered = _Gathered(spelled=gathered.spelled)
                yield alone
    except AnnolakeError:
        if gathered.records:
            yield gathered.block()
        raise
    if gathered.records:
        shapes_there = sum([isinstance(item, Shape) for item in gathered.objects])
        all_there = shapes_there == sum(are_plain)
        yield gathered.block(text if all_there else None)


def _usual_images(source: ImageRecords, numbers: range) -> Sequence[PlainImage] | None:
    """The images with these numbers, if nothing is to be said about any of them."""
    images = source.document.plain_images
    if images is None or source.images.clashing:
        return None
    images = images[numbers.start : numbers.stop]
    return images if all(map(is_usual, images)) else None


def _owners(labels: Sequence[str], ends: Sequence[int]) -> list[int]:
    """The images of which an annotation has no label here, of those whose annotations end there."""
    return sorted({bisect_right(ends, place) - 1 for place, label in enumerate(labels) if not label})


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
    def __init__(self, *, spelled: bool) -> None:
        self.spelled = spelled
        self.records: list[Record] = []
        self.counts: list[int] = []
        self.objects: list[_Object] = []
        self.labels: list[str] = []

    def block(self, spelled: bytes | None = None) -> ShapeBlock | SpelledBlock:
        shared: dict[str, Any] = {"records": self.records, "counts": self.counts, "labels": self.labels}
        if self.spelled:
            return SpelledBlock(**shared, objects=cast(Any, self.objects), to_hub=_from_spelled)
        return ShapeBlock(**shared, objects=cast(Any, self.objects), to_hub=_to_hub, spelled=spelled)

    def take(
        self,
        records: Sequence[Record],
        counts: Iterable[int],
        objects: Sequence[_Object],
        labels: Sequence[str],
    ) -> None:
        """Images, and how many of these objects each has."""
        self.records += records
        self.counts += counts
        self.objects += objects
        self.labels += labels

    def add(
        self,
        source: ImageRecords,
        record: Record,
        numbers: Sequence[int],
        shapes: Sequence[Shape | SpelledShape | None],
        known: Sequence[str],
    ) -> Record | None:
        """Take an image in, or give it back with its annotations, where one of them can only stand in a record. `known`
        are the labels of the shapes, empty where there is none.
        """
        objects: list[_Object] = []
        labels: list[str] = []
        tags: list[Tag] = []
        fits = True
        for number, shape, label in zip(numbers, shapes, known, strict=True):
            if shape is not None and label:
                objects.append(shape)
                labels.append(label)
                continue
            mask = spelled_mask(source.document.annotations[number], record) if self.spelled else None
            name = None if mask is None else source.plain_labels.get(mask.category_id)
            if mask is not None and name is not None:
                objects.append(mask)
                labels.append(name)
                continue
            for item in _objects(source.any(number, record)):
                if isinstance(item, Tag):
                    tags.append(item)
                else:
                    objects.append(item)
                    labels.append(item[0].label)
                    fits = fits and type(item[0].metadata.get("coco_id")) is int
        if fits and not tags:
            return self.take([record], [len(objects)], objects, labels)
        return replace(record, annotations=_hub(objects, labels), tags=tuple(tags))


def _hub(objects: Sequence[_Object], labels: Sequence[str]) -> list[Annotation]:
    """Objects as annotations."""
    out: list[Annotation] = []
    for item, label in zip(objects, labels, strict=True):
        if isinstance(item, SpelledShape):
            out += _from_spelled(item, label)
        else:
            out += _to_hub(item, label) if isinstance(item, Shape) else item
    return out


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


def _from_spelled(shape: SpelledShape, label: str) -> Sequence[Annotation]:
    found, _ = from_any(_OBJECT.decode(msgspec.json.encode(shape)), label, 0, (None, None), Wanted())
    return [item for item in found if not isinstance(item, Tag)]
