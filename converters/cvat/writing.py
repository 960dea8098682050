"""Records to a CVAT file. The body goes to a neighbour first, because <meta> declares what the shapes use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Record, count_objects
from ..files import write_pieces
from ..format import Written
from .declaring import Facts, Used, declared, foreign
from .elements import from_xml
from .meta import frames_of
from .notes import DEFAULT_FRAMES, Extension, FrameNote, Notes, notes_of
from .picturing import Body
from .shapes import as_xml
from .stream import Element
from .weaving import Loom


def write_file(path: Path, video: bool, frames: str | None, catalog: Catalog, records: Iterable[Record]) -> Written:
    """The whole file. InvalidInput for text that XML cannot hold, and notes that make no sense."""
    notes, used = notes_of(catalog), Used(catalog)
    pattern = frames or notes.frames
    writer = (_Video if video else _Images)(path, notes, used, pattern)
    images = annotations = 0
    try:
        for record in records:
            try:
                writer.add(record)
            except InvalidInput as error:
                if error.place.image is None:
                    error.place = Place(image=record.image, annotation=error.place.annotation)
                raise
            images += 1
            annotations += count_objects(record)
        body = writer.pieces(split_in_name=catalog.split_in_name)
        extension = _extension(catalog, writer.numbered, writer.pictures(), pattern if video else None, writer.splits())
        write_pieces(path, _document(notes, catalog, used, extension, writer.facts(), body))
    finally:
        writer.close()
    return Written(images, annotations)


class _Images:
    def __init__(self, path: Path, notes: Notes, used: Used, pattern: str) -> None:
        self.body = Body(path.with_name(path.name + ".body"), used)

    def add(self, record: Record) -> None:
        self.body.add(record)

    @property
    def numbered(self) -> bool:
        return self.body.numbered()

    def pictures(self) -> tuple[FrameNote, ...]:
        return ()

    def pieces(self, *, split_in_name: bool) -> Iterator[bytes]:
        return self.body.pieces(split_in_name=split_in_name)

    def splits(self) -> list[str | None]:
        return self.body.splits

    def facts(self) -> Facts:
        return Facts(len(self.body.names), splits=Counter(split for split in self.body.splits if split is not None))

    def close(self) -> None:
        self.body.close()


class _Video:
    numbered = False

    def __init__(self, path: Path, notes: Notes, used: Used, pattern: str) -> None:
        meta = next((found for xml in notes.head if (found := from_xml(xml)).tag == "meta"), None)
        self.loom = Loom(notes, used, pattern, None if meta is None else frames_of(meta))

    def add(self, record: Record) -> None:
        self.loom.add(record)

    def pictures(self) -> tuple[FrameNote, ...]:
        return self.loom.pictures()

    def splits(self) -> list[str | None]:
        return self.loom.splits()

    def facts(self) -> Facts:
        return self.loom.facts()

    def pieces(self, *, split_in_name: bool) -> Iterator[bytes]:
        return iter([_pretty(track) for track in self.loom.tracks()])

    def close(self) -> None:
        pass


def _document(
    notes: Notes, catalog: Catalog, used: Used, extension: Extension, facts: Facts, body: Iterable[bytes]
) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
    head = [from_xml(xml) for xml in notes.head] or [etree.fromstring("<version>1.1</version>")]
    found = next((child for child in head if child.tag == "meta"), None)
    meta = declared(catalog, used, None if found is None else as_xml(found), extension, facts)
    if found is None:
        head.insert(1 if head[0].tag == "version" else 0, meta)
    for child in head:
        yield _pretty(meta if child is found else child)
    yield from body
    for xml in notes.tail:
        yield _pretty(from_xml(xml))
    yield b"</annotations>\n"


def _pretty(element: Element) -> bytes:
    element.tail = None
    etree.indent(element, "  ", level=1)
    return b"  " + etree.tostring(element, encoding="unicode").encode() + b"\n"


def _extension(
    catalog: Catalog, numbered: bool, pictures: tuple[FrameNote, ...], pattern: str | None, splits: list[str | None]
) -> Extension:
    """What the file has no other place for."""
    extras = {key: value for key, value in catalog.extras.items() if key != "cvat"}
    labels: dict[str, dict[str, Any]] = {}
    for category in catalog.labels:
        if category.name not in labels and (known := foreign(category)):
            labels[category.name] = known
    seen = tuple(dict.fromkeys(split for split in splits if split is not None))
    return Extension(
        extras=msgspec.to_builtins(extras),
        labels=labels,
        splits=() if catalog.splits == seen else catalog.splits,
        numbered=numbered,
        pictures=pictures,
        frames=pattern if pattern != DEFAULT_FRAMES else None,
    )
