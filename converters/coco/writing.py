"""Records to COCO files: a file by one process or by several, or a folder with a file for each split."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import UNSET

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Record
from ...schemas.names import is_safe_name
from ..blocks import Block
from ..format import Item, Written
from ..ledger import Decision
from ..shapeblocks import ShapeBlock
from ..spelledblocks import SpelledBlock
from .body import Body
from .categories import Categories
from .escaping import as_json
from .ids import Ids
from .layout import owns, split_in
from .notes import EXTENSION, Extension, File, Notes, notes_of
from .renumbering import Numbers, Part, renumbered

_BUFFER = 1 << 18
_EMPTY_HEAD: dict[str, Any] = {"info": {}, "licenses": []}
_PARTS = frozenset(("images", "annotations", "categories", EXTENSION))


def write_file(path: Path, catalog: Catalog, records: Iterable[Item]) -> Written:
    """All splits in one file; the split then stands in each image."""
    return join_parts(path, catalog, [write_part(path, 0, catalog, records)])


def write_part(path: Path, part: int, catalog: Catalog, records: Iterable[Item], before: int = 0) -> Part:
    """A run of images, beside the file. If none has an id, it reckons with `part` images and so many annotations
    before.
    """
    numbers = _numbers(catalog, notes_of(catalog), part, before)
    with Body(path.with_name(f"{path.name}.{part}"), numbers, split_key=True) as body:
        for item in records:
            if isinstance(item, Block):
                body.add_block(item)
            elif isinstance(item, ShapeBlock | SpelledBlock):
                body.add_shapes(item)
            else:
                body.add(item)
    return body.part()


def join_parts(path: Path, catalog: Catalog, parts: list[Part]) -> Written:
    """The parts one behind the other: each id once, as if one process had written them all."""
    notes = notes_of(catalog)
    split = any(file.split is not None for file in notes.files)
    extension = Extension(extras=_others(catalog), files=notes.files if split else ())
    head = notes.files[0].head if notes.files else _EMPTY_HEAD
    numbers = renumbered(parts, _numbers(catalog, notes))
    _assemble(path, head, parts, numbers.categories, extension)
    return Written(
        sum(part.images for part in parts), sum(part.annotations for part in parts), _told_renumbered([numbers])
    )


def _numbers(catalog: Catalog, notes: Notes, images: int = 0, annotations: int = 0) -> Numbers:
    image_ids, ids = Ids(notes.next_image_id + images), Ids(notes.next_id + annotations)
    return Numbers(image_ids, ids, Categories(catalog.labels))


def write_folder(path: Path, catalog: Catalog, records: Iterable[Record]) -> Written:
    """One file for each split, named as the source's files were, else `annotations/instances_<split>.json`."""
    notes = notes_of(catalog)
    files = {file.split: file for file in notes.files}
    writers: dict[str | None, _Writer] = {}
    path.mkdir()
    with ExitStack() as stack:

        def writer_of(split: str | None) -> _Writer:
            if split not in writers:
                file = files.get(split, File(head=_EMPTY_HEAD))
                target = path / _file_name(split, file)
                _check_new(target, split, writers)
                target.parent.mkdir(parents=True, exist_ok=True)
                own = catalog.labels if file.categories is UNSET else file.categories
                unsplit = split is None and split_in(target, path) is not None
                extension = Extension(extras=_others(catalog), unsplit=unsplit)
                categories = Categories(own, catalog.labels)
                numbers = Numbers(Ids(notes.next_image_id), Ids(notes.next_id), categories)
                writer = _Writer(target, numbers, file.head, extension, fronted=catalog.split_in_name)
                writers[split] = stack.enter_context(writer)
            return writers[split]

        for split in (*files, *catalog.splits):
            writer_of(split)
        for record in records:
            writer_of(record.split).body.add(record)
        if not writers:
            writer_of(None)
    return Written(
        sum(writer.body.images for writer in writers.values()),
        sum(writer.body.annotations for writer in writers.values()),
        _told_renumbered(writer.body.numbers for writer in writers.values()),
    )


def _file_name(split: str | None, file: File) -> str:
    """The file's own name where that is one of COCO's layouts; such names stay below the folder."""
    if file.name is not None and owns(file.name):
        return file.name
    split = "default" if split is None else split
    name = f"annotations/instances_{split}.json"
    if not is_safe_name(split) or not owns(name):
        message = f"the split {split!r} cannot be part of a file's name"
        raise InvalidInput("unsafe-name", message, place=Place(pointer="/annolake/splits"), hint="rename the split")
    return name


def _check_new(target: Path, split: str | None, writers: Mapping[str | None, _Writer]) -> None:
    for other, writer in writers.items():
        if str(writer.path).casefold() == str(target).casefold():
            message = f"the splits {other!r} and {split!r} would be written to one file"
            place, hint = Place(pointer="/annolake/splits"), "rename one of them, or write --coco-layout file"
            raise InvalidInput("same-name", message, place=place, hint=hint)


def _others(catalog: Catalog) -> dict[str, Any]:
    """What other formats know of the data set and COCO has no place for."""
    return {key: value for key, value in catalog.extras.items() if key != "coco"}


class _Writer:
    """One file of a folder."""

    def __init__(
        self, path: Path, numbers: Numbers, head: Mapping[str, Any], extension: Extension, *, fronted: bool
    ) -> None:
        self.path = path
        self.head = head
        self.extension = extension
        self.body = Body(path, numbers, split_key=False, fronted=fronted)

    def __enter__(self) -> Self:
        self.body.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.body.__exit__(kind, error, trace)
        if kind is None:
            _assemble(self.path, self.head, [self.body.part()], self.body.numbers.categories, self.extension)


def _assemble(
    path: Path, head: Mapping[str, Any], parts: list[Part], categories: Categories, extension: Extension
) -> None:
    with path.open("wb") as out:
        out.write(b"{")
        for key, value in head.items():
            if key in _PARTS:
                continue
            out.write(as_json(key) + b":" + as_json(value) + b",\n")
        for key in ("images", "annotations"):
            out.write(b'"%b":[' % key.encode())
            between = b"\n"
            for part in parts:
                if getattr(part, key):
                    out.write(between)
                    between = b",\n"
                with open(part.paths[key], "rb") as run:
                    shutil.copyfileobj(run, out, _BUFFER)
                os.unlink(part.paths[key])
            out.write((b"\n" if between == b"\n" else b"") + b"\n],\n")
        out.write(b'"categories":' + as_json(categories.plain))
        if extension != Extension():
            out.write(b',\n"' + EXTENSION.encode() + b'":' + as_json(extension))
        out.write(b"}\n")


def _told_renumbered(numbers: Iterable[Numbers]) -> tuple[Decision, ...]:
    count = sum(one.annotations.doubled + one.images.doubled for one in numbers)
    return (Decision("ids-renumbered", f"{count:,} ids stood twice: the later ones are new"),) if count else ()
