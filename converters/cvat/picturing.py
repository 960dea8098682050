"""The <image> elements of a file that is being written, held in a file beside it until their ids are known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...schemas.model import Boxes, Record, count_objects
from ...schemas.plain import is_list, is_object
from ..format import Indivisible
from ..lowering import groups
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
from .notes import EXTENSION, NO_SPLIT, Extra, as_text, of_track
from .restoring import restored, tied
from .usual import Usual, attribute, attributes, child

_OWN = frozenset(("id", "name", "subset", "width", "height", "task_id", EXTENSION, f"{EXTENSION}-id"))


class Part(msgspec.Struct):
    """A run of images in the file `path`, each without its id and name: these, and how many bytes it has."""

    path: str
    names: list[str] = []
    splits: list[str | None] = []
    ids: list[str | None] = []
    lengths: list[int] = []
    annotations: int = 0


def pieces(parts: Sequence[Part], *, split_in_name: bool) -> Iterator[bytes]:
    """The images with their ids: the source's, else the place of the name in lexical order, else above all."""
    names = [name for part in parts for name in part.names]
    ids = [identity for part in parts for identity in part.ids]
    given = {identity for identity in ids if identity is not None}
    order = sorted(range(len(names)), key=names.__getitem__)
    fresh = {index: place for place, index in enumerate(order)}
    if given:
        following = max((int(one) for one in given if one.isdecimal() and len(one) < 16), default=-1) + 1
        unknown = [index for index in order if ids[index] is None]
        fresh = {index: following + place for place, index in enumerate(unknown)}
    if split_in_name:
        names = _plain_names(names, [split for part in parts for split in part.splits])
    index = 0
    for part in parts:
        with open(part.path, "rb") as file:
            for length in part.lengths:
                identity = ids[index]
                mark = b""
                if identity is None:
                    identity = str(fresh[index])
                    mark = f' {EXTENSION}-id="new"'.encode() if given else b""
                head = attribute("id", identity) + attribute("name", names[index])
                yield b"  <image" + head.encode() + mark + file.read(length)
                index += 1


def _plain_names(names: list[str], splits: list[str | None]) -> list[str]:
    """The names without the split in front, where that was put there for names that several splits share."""
    plain = [name.removeprefix(f"{split or NO_SPLIT}/") for name, split in zip(names, splits, strict=True)]
    count = Counter(plain)
    return [short if count[short] > 1 else name for short, name in zip(plain, names, strict=True)]


class Body:
    """One process's images. `alone`: there are no others, so that names of key points can be made up."""

    def __init__(self, path: Path, used: Used, *, alone: bool) -> None:
        self.used = used
        self.alone = alone
        self.usual = Usual()
        self.file = path.open("wb", buffering=1 << 20)
        self.part = Part(str(path))

    def add(self, record: Record) -> None:
        """One image, its id left open."""
        facts = record.extras.get("cvat")
        cvat: dict[str, Any] = facts if is_object(facts) else {}
        identity = cvat.get("id")
        lines = [*self._shapes(record)]
        elements = cvat.get("elements")
        lines += [child(from_xml(str(xml))) for xml in (elements if is_list(elements) else ())]
        head = attributes(self._attributes(record, cvat))
        text = f"{head}>\n{''.join(lines)}  </image>\n".encode() if lines else f"{head}/>\n".encode()
        self.file.write(text)
        part = self.part
        part.lengths.append(len(text))
        part.names.append(record.image)
        part.splits.append(record.split)
        known = isinstance(identity, int | str) and not isinstance(identity, bool)
        part.ids.append(str(identity) if known else None)
        part.annotations += count_objects(record)
        if self.used.more_points and not self.alone:
            raise Indivisible("indivisible", "key points that nobody names are named by one process")

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
        own: dict[str, Any] = {}
        others = {k: v for k, v in record.extras.items() if k != "cvat" or not is_object(v)}
        if others:
            own["extras"] = others
        if record.storage_name is not None:
            own["storageName"] = record.storage_name
        if own:
            out[EXTENSION] = json.dumps(own)
        return out

    def _shapes(self, record: Record) -> Iterator[str]:
        following = 0
        if type(boxes := record.annotations) is Boxes:
            for label in dict.fromkeys([box.label for box in boxes]):
                self.used.label(label)
            yield from self.usual.boxes(boxes)
        for group in () if type(boxes) is Boxes else groups(record.annotations):
            if len(group) == 1 and (text := self.usual.line(group[0])) is not None:
                self.used.label(group[0].label)
                yield text
                continue
            if len(group) > 1:
                following = following or 1 + max(group_of(a.metadata) or 0 for a in record.annotations)
                if (lines := self.usual.lines(group, following)) is not None:
                    for part in group:
                        self.used.label(part.label)
                    following += 1
                    yield from lines
                    continue
            shapes = restored(group, record, self.used.point_names)
            if len(shapes) > 1:
                following = tied(shapes, following)
            for shape in shapes:
                yield self._shape(shape)
        for tag in record.tags:
            element = tag_element(tag)
            self.used.element(tag.label, element)
            yield child(element)

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
