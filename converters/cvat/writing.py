"""Records to a CVAT file. The body goes to a neighbour first, because <meta> declares what the shapes use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Record, count_objects
from ..blocks import Block
from ..files import write_pieces
from ..format import Written
from ..ledger import Ledger
from ..shapeblocks import ShapeBlock
from .declaring import Facts, Used, declared, foreign
from .elements import from_xml
from .meta import frames_of
from .notes import DEFAULT_FRAMES, Extension, FrameNote, Notes, notes_of
from .numbering import Part, pieces
from .picturing import Body
from .shapes import as_xml
from .stream import Element
from .weaving import Loom


def write_file(path: Path, video: bool, frames: str | None, catalog: Catalog, records: Iterable[Record]) -> Written:
    """The whole file. InvalidInput for text that XML cannot hold, and notes that make no sense."""
    if video:
        return _write_video(path, frames, catalog, records)
    return join_parts(path, catalog, [write_part(path, 0, catalog, records, alone=True)])


def write_part(
    path: Path, part: int, catalog: Catalog, records: Iterable[Record | Block | ShapeBlock], *, alone: bool = False
) -> tuple[Part, Used]:
    """A run of images, beside the file, and what it uses. It reckons with `part` images before."""
    used = Used(catalog)
    body = Body(path.with_name(f"{path.name}.{part}"), part, used, alone=alone)
    with closing(body.file):
        for item in records:
            if isinstance(item, Block):
                images = () if body.add_block(item) else item.expanded(Ledger())
            elif isinstance(item, ShapeBlock):
                images = () if body.add_shapes(item) else item.expanded()
            else:
                images = (item,)
            for record in images:
                with _named(record):
                    body.add(record)
    return body.file.part, used


def join_parts(path: Path, catalog: Catalog, parts: list[tuple[Part, Used]]) -> Written:
    """The parts one behind the other, below what they use."""
    notes, used = notes_of(catalog), Used(catalog)
    for _, own in parts:
        used.add(own)
        used.more_points |= own.more_points
    bodies = [body for body, _ in parts]
    splits = sum((body.splits for body in bodies), Counter[str | None]())
    images = splits.total()
    facts = Facts(images, splits=Counter({split: count for split, count in splits.items() if split is not None}))
    body = pieces(bodies, split_in_name=catalog.split_in_name or notes.fronted)
    numbered = all(body.is_numbered for body in bodies)
    extension = _extension(catalog, numbered, (), None, splits)
    write_pieces(path, _document(notes, catalog, used, extension, facts, body))
    for part in bodies:
        part.remove()
    return Written(images, sum(part.annotations for part in bodies))


def _write_video(path: Path, frames: str | None, catalog: Catalog, records: Iterable[Record]) -> Written:
    notes, used = notes_of(catalog), Used(catalog)
    pattern = frames or notes.frames
    meta = next((found for xml in notes.head if (found := from_xml(xml)).tag == "meta"), None)
    loom = Loom(notes, used, pattern, None if meta is None else frames_of(meta))
    images = annotations = 0
    for record in records:
        with _named(record):
            loom.add(record)
        images += 1
        annotations += count_objects(record)
    tracks = [_pretty(track) for track in loom.tracks()]
    extension = _extension(catalog, False, loom.pictures(), pattern, loom.splits())
    write_pieces(path, _document(notes, catalog, used, extension, loom.facts(), tracks))
    return Written(images, annotations)


@contextmanager
def _named(record: Record) -> Generator[None]:
    """What cannot be written is told with its image."""
    try:
        yield
    except InvalidInput as error:
        if error.place.image is None:
            error.place = Place(image=record.image, annotation=error.place.annotation)
        raise


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
    catalog: Catalog, numbered: bool, pictures: tuple[FrameNote, ...], pattern: str | None, splits: Iterable[str | None]
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
