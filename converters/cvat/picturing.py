"""The <image> elements of a file that is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...schemas.errors import InvalidInput
from ...schemas.model import Annotation, Boxes, Record, count_objects
from ...schemas.plain import is_list, is_object
from ..blocks import Block
from ..format import Indivisible
from ..lowering import groups
from ..shapeblocks import ShapeBlock
from .declaring import Used
from .elements import (
    Restored,
    attributes_for,
    element_for,
    from_xml,
    group_of,
    has_children,
    label_of,
    source_of,
    tag_element,
)
from .notes import EXTENSION, Extra, as_text, of_track
from .numbering import PartFile
from .restoring import restored, tied
from .usual import Usual, attribute_of_each, attributes, child

_OWN = frozenset(("id", "name", "subset", "width", "height", "task_id", EXTENSION, f"{EXTENSION}-id"))
_ID = frozenset(("id",))
_REMEMBERED = 4_096


class Body:
    """One process's images, with `before` of others in front. `alone`: there are no others at all, so that names of key
    points can be made up.
    """

    def __init__(self, path: Path, before: int, used: Used, *, alone: bool) -> None:
        self.used = used
        self.alone = alone
        self.usual = Usual()
        self.file = PartFile(path, before)
        self._heads: dict[tuple[str | None, float | None, float | None], str] = {}

    def add(self, record: Record) -> None:
        lines = [*self._shapes(record)]
        cvat = _facts(record)
        lines += _elements(cvat)
        head = attributes(self._attributes(record, cvat))
        text = f"{head}>\n{''.join(lines)}  </image>\n".encode() if lines else f"{head}/>\n".encode()
        self.file.write(record, count_objects(record), text, _identity(cvat))
        self._check_names()

    def add_block(self, block: Block) -> bool:
        """The images of a block at once; False, and nothing done, where one of them takes a closer look."""
        from .boxlines import box_lines

        lines = box_lines(block, self.usual)
        if lines is None:
            return False
        texts: list[bytes] = []
        ids: list[str | None] = []
        try:
            names = attribute_of_each("name", [record.image for record in block.records])
            for record, boxes in zip(block.records, lines, strict=True):
                cvat = _facts(record)
                if "elements" in cvat:
                    return False
                head = self._head(record, cvat).encode()
                texts.append(b"%b>\n%b  </image>\n" % (head, boxes) if boxes else b"%b/>\n" % head)
                ids.append(_identity(cvat))
        except InvalidInput:
            return False
        for label in dict.fromkeys(block.labels):
            self.used.label(label)
        self.file.write_all(block.records, names, texts, ids, len(block.labels))
        return True

    def add_shapes(self, block: ShapeBlock) -> bool:
        """The same for outlined objects; False where one of the images cannot be written."""
        from .shapelines import shape_lines

        for label in dict.fromkeys(block.labels):
            self.used.label(label)
        texts: list[bytes] = []
        ids: list[str | None] = []
        try:
            names = attribute_of_each("name", [record.image for record in block.records])
            for record, lines in shape_lines(block, self.usual, self._objects):
                cvat = _facts(record)
                lines += _elements(cvat)
                head = self._head(record, cvat)
                texts.append((f"{head}>\n{''.join(lines)}  </image>\n" if lines else f"{head}/>\n").encode())
                ids.append(_identity(cvat))
        except InvalidInput:
            return False
        self.file.write_all(block.records, names, texts, ids, len(block.labels))
        self._check_names()
        return True

    def _head(self, record: Record, cvat: dict[str, Any]) -> str:
        """What `_attributes` says; where that is a split and a size, others have them, too, and it is remembered."""
        if cvat.keys() - _ID or type(record.width) is not int or type(record.height) is not int:
            return attributes(self._attributes(record, cvat))
        key = record.split, record.width, record.height
        head = self._heads.get(key)
        if head is None:
            bare = Record(image=record.image, split=record.split, width=record.width, height=record.height)
            head = attributes(self._attributes(bare, {}))
            if len(self._heads) < _REMEMBERED:
                self._heads[key] = head
        return head + attributes(_carried(record))

    def _attributes(self, record: Record, cvat: dict[str, Any]) -> dict[str, str]:
        out: dict[str, str] = {}
        if record.split is not None:
            out["subset"] = record.split
        if (task := cvat.get("task_id")) is not None:
            out["task_id"] = str(task)
        for side in ("width", "height"):
            if (value := getattr(record, side)) is not None:
                out[side] = str(value)
        attributes = cvat.get("attributes")
        if is_object(attributes):
            out.update({str(k): str(v) for k, v in attributes.items() if k not in _OWN})
        out.update(_carried(record))
        return out

    def _shapes(self, record: Record) -> Iterator[str]:
        if type(boxes := record.annotations) is Boxes:
            for label in dict.fromkeys([box.label for box in boxes]):
                self.used.label(label)
            yield from self.usual.boxes(boxes)
        else:
            following = 1 + max((group_of(a.metadata) or 0 for a in record.annotations), default=0)
            yield from self._objects(record, record.annotations, following)[0]
        for tag in record.tags:
            element = tag_element(tag)
            self.used.element(tag.label, element)
            yield child(element)

    def _objects(self, record: Record, shapes: Sequence[Annotation], following: int) -> tuple[list[str], int]:
        """The lines of objects of an image, and the group that follows."""
        out: list[str] = []
        for group in groups(shapes):
            lines, following = self._object(record, group, following)
            out += lines
        return out, following

    def _object(self, record: Record, group: Sequence[Annotation], following: int) -> tuple[list[str], int]:
        if len(group) == 1 and (text := self.usual.line(group[0])) is not None:
            self.used.label(group[0].label)
            return [text], following
        if len(group) > 1 and (lines := self.usual.lines(group, following)) is not None:
            for part in group:
                self.used.label(part.label)
            return lines, following + 1
        shapes = restored(group, record, self.used.point_names)
        if len(shapes) > 1:
            following = tied(shapes, following)
        return [self._shape(shape) for shape in shapes], following

    def _check_names(self) -> None:
        if self.used.more_points and not self.alone:
            raise Indivisible("indivisible", "key points that nobody names are named by one process")

    def _shape(self, shape: Restored) -> str:
        annotation = shape.annotation
        given = {"label": label_of(annotation, shape.extra), "source": source_of(annotation.metadata, shape.metadata)}
        given["occluded"] = "1" if annotation.metadata.get("occluded") is True else "0"
        if shape.group is not None:
            given["group_id"] = str(shape.group)
        of_its_track = of_track(shape.extra)
        if of_its_track != Extra():
            shape.mark = msgspec.structs.replace(shape.mark, carried=as_text(of_its_track))
        if not has_children(shape):
            self.used.label(annotation.label)
            return f"    <{shape.form.kind}{attributes(attributes_for(shape, given))}/>\n"
        element = element_for(shape, given)
        self.used.element(annotation.label, element)
        return child(element)


def _facts(record: Record) -> dict[str, Any]:
    facts = record.extras.get("cvat")
    return facts if is_object(facts) else {}


def _elements(cvat: dict[str, Any]) -> list[str]:
    """What else stood in the image's element."""
    elements = cvat.get("elements")
    return [child(from_xml(str(xml))) for xml in (elements if is_list(elements) else ())]


def _carried(record: Record) -> dict[str, str]:
    """What other formats know of an image, as an attribute."""
    own: dict[str, Any] = {}
    others = {key: value for key, value in record.extras.items() if key != "cvat" or not is_object(value)}
    if others:
        own["extras"] = others
    if record.storage_name is not None:
        own["storageName"] = record.storage_name
    return {EXTENSION: json.dumps(own)} if own else {}


def _identity(cvat: dict[str, Any]) -> str | None:
    """The id that the image's source gave it."""
    identity = cvat.get("id")
    return str(identity) if isinstance(identity, int | str) and not isinstance(identity, bool) else None
