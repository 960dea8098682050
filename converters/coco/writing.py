"""Records to COCO files: objects regrouped, original numbers restored where the shape is still as it was read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec
from msgspec import UNSET

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Record, objects
from ...schemas.names import is_safe_name
from ...schemas.plain import is_object
from ..format import Written
from ..ledger import Decision
from .categories import Categories
from .ids import Ids
from .layout import owns, split_in
from .notes import EXTENSION, Extension, File, Notes, notes_of
from .pictures import name_from_url
from .restoring import to_coco, to_label_only

_encode = msgspec.json.Encoder().encode
_BUFFER = 1 << 18
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_EMPTY_HEAD: dict[str, Any] = {"info": {}, "licenses": []}
_PARTS = frozenset(("images", "annotations", "categories", EXTENSION))
_OURS = frozenset(("id", "file_name", "width", "height", EXTENSION))
"""Keys of an image that what a file notes about it does not set."""


def write_file(path: Path, catalog: Catalog, records: Iterable[Record]) -> Written:
    """All splits in one file; the split then stands in each image."""
    notes = notes_of(catalog)
    split = any(file.split is not None for file in notes.files)
    extension = Extension(extras=_others(catalog), files=notes.files if split else ())
    head = notes.files[0].head if notes.files else _EMPTY_HEAD
    with _Writer(path, Categories(catalog.labels), notes, head, extension, split_key=True) as writer:
        for record in records:
            writer.add(record)
    return Written(writer.images, writer.annotations, _renumbered([writer]))


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
                writer = _Writer(target, categories, notes, file.head, extension, split_key=False)
                writers[split] = stack.enter_context(writer)
            return writers[split]

        for split in (*files, *catalog.splits):
            writer_of(split)
        for record in records:
            writer_of(record.split).add(record)
        if not writers:
            writer_of(None)
    return Written(
        sum(writer.images for writer in writers.values()),
        sum(writer.annotations for writer in writers.values()),
        _renumbered(writers.values()),
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
    """One file. Its images and annotations go to neighbours first, because the ones stand before the others."""

    def __init__(
        self,
        path: Path,
        categories: Categories,
        notes: Notes,
        head: Mapping[str, Any],
        extension: Extension,
        *,
        split_key: bool,
    ) -> None:
        self.path = path
        self.head = head
        self.extension = extension
        self.split_key = split_key
        self.images = self.annotations = 0
        self.image_ids = Ids(notes.next_image_id)
        self.ids = Ids(notes.next_id)
        self.categories = categories
        self.neighbours = [path.with_name(f"{path.name}.{part}") for part in ("images", "body")]
        self.pictures: BinaryIO
        self.body: BinaryIO

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.pictures, self.body = [
                stack.enter_context(path.open("wb", buffering=_BUFFER)) for path in self.neighbours
            ]
            self.opened = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.opened.close()
            if kind is None:
                self._assemble()
        finally:
            for path in self.neighbours:
                path.unlink(missing_ok=True)

    def add(self, record: Record) -> None:
        """One image and its objects."""
        image_id = self.image_ids.take(record.id)
        self.pictures.write((b",\n" if self.images else b"") + ascii_json(_encode(self._image(record, image_id))))
        pieces = self.body.write
        opening = b",\n" if self.annotations else b""
        for group in objects(record.annotations):
            label, metadata = group[0].label, group[0].metadata
            identity = self.ids.take(metadata.get("coco_id"))
            category = self.categories.id_of(label, metadata.get("coco_category_id"))
            pieces(opening + ascii_json(_encode(to_coco(group, identity, image_id, category))))
            opening = b",\n"
            self.annotations += 1
        for tag in record.tags:
            identity = self.ids.take(tag.metadata.get("coco_id"))
            category = self.categories.id_of(tag.label, tag.metadata.get("coco_category_id"))
            pieces(opening + ascii_json(_encode(to_label_only(tag, identity, image_id, category))))
            opening = b",\n"
            self.annotations += 1
        self.images += 1

    def _image(self, record: Record, image_id: Any) -> dict[str, Any]:
        """An image's keys as the source had them, our own where it had none."""
        facts = record.extras.get("coco")
        coco = {key: value for key, value in facts.items() if key not in _OURS} if is_object(facts) else {}
        name = facts.get("file_name", ...) if is_object(facts) else ...
        out: dict[str, Any] = {"id": image_id}
        if name is ... or (self.split_key and record.image == f"{record.split}/{name}"):
            out["file_name"] = record.image
        elif name or (name is not None and record.image in (str(image_id), name_from_url(coco))):
            out["file_name"] = name
        elif record.image not in (str(image_id), name_from_url(coco)):
            out["file_name"] = record.image
        if record.width is not None:
            out["width"] = record.width
        if record.height is not None:
            out["height"] = record.height
        out.update(coco)
        if self.split_key and record.split is not None:
            out["split"] = record.split
        others = {key: value for key, value in record.extras.items() if key != "coco" or not is_object(value)}
        if record.storage_name is not None:
            others["storageName"] = record.storage_name
        if others:
            out[EXTENSION] = others
        return out

    def _assemble(self) -> None:
        pictures_path, body_path = self.neighbours
        with self.path.open("wb") as out, pictures_path.open("rb") as pictures, body_path.open("rb") as body:
            out.write(b"{")
            for key, value in self.head.items():
                if key in _PARTS:
                    continue
                out.write(ascii_json(_encode(key)) + b":" + ascii_json(_encode(value)) + b",\n")
            out.write(b'"images":[\n')
            shutil.copyfileobj(pictures, out, _BUFFER)
            out.write(b'\n],\n"annotations":[\n')
            shutil.copyfileobj(body, out, _BUFFER)
            out.write(b'\n],\n"categories":' + ascii_json(_encode(self.categories.plain)))
            if self.extension != Extension():
                out.write(b',\n"' + EXTENSION.encode() + b'":' + ascii_json(_encode(self.extension)))
            out.write(b"}\n")


def _renumbered(writers: Iterable[_Writer]) -> tuple[Decision, ...]:
    count = sum(writer.ids.doubled + writer.image_ids.doubled for writer in writers)
    return (Decision("ids-renumbered", f"{count:,} ids stood twice: the later ones are new"),) if count else ()


def ascii_json(encoded: bytes) -> bytes:
    """JSON with every other character escaped: pycocotools opens files in the platform's own encoding."""
    if encoded.isascii():
        return encoded
    return _NOT_ASCII.sub(_escape, encoded.decode()).encode("ascii")


def _escape(found: re.Match[str]) -> str:
    units = found.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
