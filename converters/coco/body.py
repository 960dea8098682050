"""The images and annotations of a COCO file that is being written, in files beside it until both are whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec
from msgspec import UNSET, UnsetType

from ...schemas.model import Annotation, Boxes, Record
from ...schemas.plain import is_object
from ..blocks import Block
from ..ledger import Ledger
from ..lowering import groups
from ..shapeblocks import Number, Shape, ShapeBlock
from ..spelledblocks import SpelledBlock, SpelledShape
from .addresses import name_from_url
from .boxruns import box_rows
from .escaping import as_json, as_lines
from .notes import EXTENSION
from .objects import tidy_hull
from .renumbering import Numbers, Part
from .restoring import is_plain, shapes_to_coco, to_coco, to_label_only

_BUFFER = 1 << 18
_OURS = frozenset(("id", "file_name", "width", "height", EXTENSION))
"""Keys of an image that what a file notes about it does not set."""


class Picture(msgspec.Struct, gc=False):
    """An image about which COCO has noted nothing."""

    id: Any
    file_name: str
    width: Number | UnsetType
    height: Number | UnsetType
    split: str | UnsetType
    noted: dict[str, Any] | UnsetType = msgspec.field(name=EXTENSION)


class Body:
    """One process's images and annotations; each element is a line, with a comma before it but for the first."""

    def __init__(self, path: Path, numbers: Numbers, *, split_key: bool, fronted: bool = False) -> None:
        self.numbers = numbers
        self.split_key, self.fronted = split_key, fronted
        self._category = cache(numbers.categories.id_of)
        self.images = self.annotations = 0
        self.paths = {key: f"{path}.{key}" for key in ("images", "annotations")}
        self.pictures: BinaryIO
        self.shapes: BinaryIO

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.pictures, self.shapes = [
                stack.enter_context(open(path, "wb", buffering=_BUFFER)) for path in self.paths.values()
            ]
            self.opened = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.opened.close()
        finally:
            if kind is not None:
                for path in self.paths.values():
                    Path(path).unlink(missing_ok=True)

    def part(self) -> Part:
        return Part(self.paths, self.images, self.annotations, self.numbers)

    def add(self, record: Record) -> None:
        """One image and its objects."""
        numbers = self.numbers
        image_id = numbers.images.take(record.id)
        self.pictures.write((b",\n" if self.images else b"") + as_json(self._image(record, image_id)))
        elements: list[Any] = self._plain(record.annotations, image_id)
        if not elements:
            shapes = groups(record.annotations)
            ids = numbers.annotations.take_each([group[0].metadata.get("coco_id") for group in shapes])
            elements += [self._object(group, image_id, own) for group, own in zip(shapes, ids, strict=True)]
        for tag in record.tags:
            identity = numbers.annotations.take(tag.metadata.get("coco_id"))
            category = numbers.categories.id_of(tag.label, tag.metadata.get("coco_category_id"))
            elements.append(to_label_only(tag, identity, image_id, category))
        self._add(elements)
        self.images += 1

    def _plain(self, shapes: Sequence[Annotation], image_id: Any) -> list[Any]:
        """The annotations of an image's shapes, where all of them are plain; nothing where one takes a closer look."""
        if not (type(shapes) is Boxes or all(map(is_plain, shapes))):
            return []
        categories = list(map(self._category, [shape.label for shape in shapes]))
        ids = self.numbers.annotations.fresh(len(shapes))
        return list(shapes_to_coco(shapes, ids, image_id, categories))

    def add_block(self, block: Block) -> None:
        """Images of plain boxes, all at once where nothing about a box is odd."""
        numbers = self.numbers
        rows = box_rows(block)
        if rows is None:
            for record in block.expanded(Ledger()):
                self.add(record)
            return
        wanted = [record.id for record in block.records]
        some = any(identity is not None for identity in wanted)
        ids = list(map(numbers.images.take, wanted)) if some else numbers.images.fresh(len(wanted))
        pictures = as_lines(map(self._picture, block.records, ids))
        self.pictures.write((b",\n" if self.images else b"") + pictures)
        self.images += len(wanted)
        if count := len(block.labels):
            image_ids = chain.from_iterable(map(repeat, ids, block.counts))
            categories = map(self._category, block.labels)
            elements = as_lines(rows(image_ids, categories, numbers.annotations.fresh(count)))
            self.shapes.write((b",\n" if self.annotations else b"") + elements)
            self.annotations += count

    def add_shapes(self, block: ShapeBlock | SpelledBlock) -> None:
        """Images whose objects mostly are as they will stand here."""
        as_they_are = isinstance(block, SpelledBlock) or _are_fractions(block)
        to_hub: Any = block.to_hub
        elements: list[Any] = []
        for item, label, identity, image_id in self._numbered(block):
            if isinstance(item, Shape) and not item.segmentation:
                item = to_hub(item, label)
            if isinstance(item, (Shape, SpelledShape)):
                if isinstance(item, Shape) and not as_they_are:
                    _respell(item)
                item.id, item.image_id, item.category_id = identity, image_id, self._category(label)
                elements.append(item)
            else:
                elements.append(self._object(item, image_id, identity))
        self._add(elements)

    def _numbered(self, block: ShapeBlock | SpelledBlock) -> Iterator[tuple[Any, str, Any, Any]]:
        """Each object, its label, its id and that of its image, which is written."""
        numbers = self.numbers
        images = [numbers.images.take(record.id) for record in block.records]
        pictures = as_lines(map(self._image, block.records, images))
        ids = numbers.annotations.take_each([_wanted(item) for item in block.objects])
        self.pictures.write((b",\n" if self.images else b"") + pictures)
        self.images += len(images)
        owners = chain.from_iterable(map(repeat, images, block.counts))
        return zip(block.objects, block.labels, ids, owners, strict=True)

    def _add(self, elements: list[Any]) -> None:
        """Annotations, as they will stand."""
        if elements:
            self.shapes.write(b",\n" if self.annotations else b"")
            self.shapes.write(as_lines(elements))
        self.annotations += len(elements)

    def _object(self, group: Sequence[Annotation], image_id: Any, identity: Any) -> Any:
        label, metadata = group[0].label, group[0].metadata
        category = self.numbers.categories.id_of(label, metadata.get("coco_category_id"))
        return to_coco(group, identity, image_id, category)

    def _picture(self, record: Record, image_id: Any) -> Picture | dict[str, Any]:
        """An image's keys, quickly where COCO has noted nothing about it."""
        extras = record.extras
        if "coco" in extras or record.storage_name is not None:
            return self._image(record, image_id)
        width = UNSET if record.width is None else record.width
        height = UNSET if record.height is None else record.height
        split = record.split if self.split_key and record.split is not None else UNSET
        return Picture(image_id, record.image, width, height, split, extras or UNSET)

    def _image(self, record: Record, image_id: Any) -> dict[str, Any]:
        """An image's keys as the source had them, our own where it had none."""
        facts = record.extras.get("coco")
        coco = {key: value for key, value in facts.items() if key not in _OURS} if is_object(facts) else {}
        name = facts.get("file_name", ...) if is_object(facts) else ...
        out: dict[str, Any] = {"id": image_id}
        if name is ...:
            out["file_name"] = record.image
        elif isinstance(name, str) and name:
            fronted = self.fronted and record.image == f"{record.split}/{name}"
            out["file_name"] = name if fronted else record.image
        elif name or (name is not None and record.image in (str(image_id), name_from_url(coco))):
            out["file_name"] = name
        elif record.image not in (str(image_id), name_from_url(coco)):
            out["file_name"] = record.image
        if record.width is not None:
            out["width"] = record.width
        if record.height is not None:
            out["height"] = record.height
        others = {key: value for key, value in record.extras.items() if key != "coco" or not is_object(value)}
        if isinstance(coco.get("split"), str) and (self.split_key or record.split is None):
            others["coco"] = {"split": coco.pop("split")}  # there it would be the split that the image is in
        out.update(coco)
        if self.split_key and record.split is not None:
            out["split"] = record.split
        if record.storage_name is not None:
            others["storageName"] = record.storage_name
        if others:
            out[EXTENSION] = others
        return out


def _wanted(item: Shape | SpelledShape | Sequence[Annotation]) -> Any:
    return item.id if isinstance(item, (Shape, SpelledShape)) else item[0].metadata.get("coco_id")


def _respell(shape: Shape) -> None:
    """A box that is the hull of its outline is not carried, and is spelled as that: 4, not 4.0, where that has a 4, and
    0.0, not -0.0.
    """
    numbers = chain(shape.bbox, chain.from_iterable(shape.segmentation))
    if set(map(type, numbers)) != {float} or 0 in shape.bbox:
        hull = tidy_hull(shape.segmentation)
        shape.bbox = hull if hull == shape.bbox else shape.bbox


def _are_fractions(block: ShapeBlock) -> bool:
    """Whether no coordinate is a whole number as such, and no nought of a box has another sign than its outline."""
    shapes = [item for item in block.objects if isinstance(item, Shape)]
    if block.spelled is not None and b"-0" not in block.spelled:
        coordinates = sum([4 + sum(map(len, shape.segmentation)) for shape in shapes])
        if block.spelled.count(b".") == coordinates + sum([isinstance(shape.area, float) for shape in shapes]):
            return True
    boxes = list(chain.from_iterable([shape.bbox for shape in shapes]))
    rings = chain.from_iterable([shape.segmentation for shape in shapes])
    return set(map(type, chain(boxes, chain.from_iterable(rings)))) <= {float} and 0 not in boxes
