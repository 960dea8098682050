"""From the hub to a VOC data set on disk: an XML for every image, lists of ImageSets where splits are known, and
`labelmap.txt`. Folders are those of the source, where it was VOC, else the devkit's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Category, Record
from ..blocks import Block
from ..files import write_new
from ..format import Context, Written
from ..images import stem
from ..ledger import Decision, Ledger
from ..longlists import Listed, Lists, lines_in, remove, sorted_lines, write_lines
from ..ringblocks import RingBlock
from .imagefile import ImageWriter
from .imagesets import class_of, flag_of, split_of, usual_sets
from .labelmap import FILE, label_map, lineless
from .layout import UNSPLIT, split_of_folder
from .notes import Convention, SetNotes, check_path, image_notes, in_word, notes_of

if TYPE_CHECKING:
    from . import Options
    from .blocktexts import BlockTexts

_LIST_NAME = re.compile(r"(?!\.)[^/\\:\0-\x1f\x7f]{1,100}")


class Part(msgspec.Struct):
    """What one process wrote: rows of lists by their path, labels in use, whose each XML file is (file, NUL, image),
    and files that were there already.
    """

    rows: dict[str, Listed]
    labels: set[str]
    images: int
    annotations: int
    owners: list[Listed]
    taken: list[str]


def write(
    path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record | Block | RingBlock]
) -> Written:
    """Write the data set into the new folder `path`. InvalidInput for names that cannot be files of their own."""
    return join(path, options, context, catalog, [write_part(path, 0, options, context, catalog, records)])


def write_part(
    path: Path,
    part: int,
    options: Options,
    context: Context,
    catalog: Catalog,
    records: Iterable[Record | Block | RingBlock],
) -> Part:
    """Write the XML files of a run of images."""
    return _Writer(path, part, convention_of(options, catalog), catalog).write(records)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Part]) -> Written:
    """Write what describes the whole data set: lists and labels."""
    notes = _notes(catalog)
    owners = [listed for part in parts for listed in part.owners]
    if taken := {file for part in parts for file in part.taken}:
        raise _same_stem(taken, owners)
    remove(owners)
    rows: dict[str, list[Listed]] = {}
    for part in parts:
        for name, lines in part.rows.items():
            rows.setdefault(name, []).append(lines)
    for name in (
        *(f"ImageSets/{known}" for known in (*notes.lists, *notes.flags)),
        *_empty_splits(catalog, notes, rows),
    ):
        for root in notes.roots or ("",):
            rows.setdefault(f"{root}/{name}".lstrip("/"), [])
    for name in sorted(rows):
        os.makedirs(path / os.path.dirname(name), exist_ok=True)
        write_lines(f"{path}/{name}.txt", sorted_lines(rows[name]))
    remove(listed for lists in rows.values() for listed in lists)
    for folder in {f"{root}/{notes.folder}".strip("/") for root in notes.roots or ("",)}:
        if not notes.split_folders:
            os.makedirs(path / folder, exist_ok=True)
    used = {label for part in parts for label in part.labels}
    labels = (*catalog.labels, *(Category(name) for name in sorted(used - set(catalog.names()))))
    text = label_map(catalog, labels, convention_of(options, catalog), notes)
    write_new(f"{path}/{FILE}", text)
    left_out = lineless(labels)
    said = f"{len(left_out)} labels have no line in {FILE}, where no line can hold them: {', '.join(left_out[:5])}"
    decisions = (Decision("label-map", said),) if left_out else ()
    return Written(sum(part.images for part in parts), sum(part.annotations for part in parts), decisions)


def convention_of(options: Options, catalog: Catalog) -> Convention:
    if options.convention != "auto":
        return options.convention
    return notes_of(catalog).convention or "edges"


class _Writer:
    def __init__(self, path: Path, part: int, convention: Convention, catalog: Catalog) -> None:
        self.path = path.as_posix()
        self.catalog = catalog
        self.notes = _notes(catalog)
        self.images = ImageWriter(int(convention == "devkit"))
        self.owners = Lists[None](f"{self.path}.{part}.owners")
        self.rows = Lists[str](f"{self.path}.{part}.rows")
        self.made: set[str] = set()
        splits = [f"Main/{split}" for split in catalog.splits]
        self.flags = {name: split_of(name, [*splits, *_lists_of(self.notes)]) for name in self.notes.flags}
        self.front = f"{self.notes.folder}/" if self.notes.folder else ""
        self.usual: dict[str | None, tuple[str, ...]] = {}
        self.part = Part({}, set(), 0, 0, [], [])

    def write(self, items: Iterable[Record | Block | RingBlock]) -> Part:
        os.makedirs(self.path, exist_ok=True)
        for item in items:
            if isinstance(item, Record):
                self._write(item)
            else:
                self._write_block(item)
        self.part.rows = self.rows.close()
        self.part.owners = list(self.owners.close().values())
        return self.part

    def _write(self, record: Record) -> None:
        try:
            self._write_one(record)
        except InvalidInput as error:
            if error.place.image is not None:
                raise
            place = Place(image=record.image)
            raise InvalidInput(error.code, error.message, place=place, hint=error.hint) from None
        self.part.images += 1
        self.part.annotations += len(record.annotations)
        self.part.labels.update([annotation.label for annotation in record.annotations])

    def _write_one(self, record: Record) -> None:
        check_path(record.image, record.image)
        notes = image_notes(record)
        root, bare, own = self._placed(record)
        identity = _clean(stem(own)) if notes.file is None else notes.file
        file = "/".join(filter(None, (root, self.notes.folder, f"{identity}.xml")))
        self.owners.add(None, f"{file}\0{record.image}")
        self._write_file(file, self.images.text(record, notes, identity, own, bare))
        for name, row in self._rows(record, notes.sets):
            listed = "/".join(filter(None, (root, "ImageSets", name)))
            self.rows.add(listed, f"{identity} {row:>2}" if row else identity)

    def _write_file(self, file: str, text: str) -> None:
        below = file.rpartition("/")[0]
        if below not in self.made:
            os.makedirs(f"{self.path}/{below}", exist_ok=True)
            self.made.add(below)
        try:
            write_new(f"{self.path}/{file}", text)
        except FileExistsError:
            self.part.taken.append(file)

    def _write_block(self, block: Block | RingBlock) -> None:
        """Its images: those that are plain in each respect quickly, others as if they had come one by one."""
        texts = None
        if not (self.flags or self.notes.roots or self.notes.split_folders):
            texts = self.texts.objects(block)
        if texts is None:
            for record in block.expanded(Ledger()):
                self._write(record)
            return
        for place, (record, objects) in enumerate(zip(block.records, texts, strict=True)):
            lists, plain = self._usual_lists(record.split), self.texts.file(record, objects)
            if plain is None or lists is None:
                for one in block.cut(place, place + 1).expanded(Ledger()):
                    self._write(one)
                continue
            identity, text = plain
            file = f"{self.front}{identity}.xml"
            self.owners.add(None, f"{file}\0{record.image}")
            self._write_file(file, text)
            for listed in lists:
                self.rows.add(listed, identity)
            self.part.images += 1
            self.part.annotations += block.counts[place]
        self.part.labels.update(block.labels)

    @cached_property
    def texts(self) -> BlockTexts:
        from .blocktexts import BlockTexts  # which loads numpy

        return BlockTexts(self.images)

    def _usual_lists(self, split: str | None) -> tuple[str, ...] | None:
        """The lists of an image of which no others are noted; None where the split cannot be the name of one."""
        lists = self.usual.get(split)
        if lists is None and (split is None or _LIST_NAME.fullmatch(split)):
            words = usual_sets(split or self.notes.unsplit)
            lists = self.usual[split] = tuple(f"ImageSets/{in_word(word)[0]}" for word in words)
        return lists

    def _placed(self, record: Record) -> tuple[str, str, str]:
        """The root's folder; the image's name below it; and without a split that stands in front of it."""
        name = record.image
        if self.notes.roots:
            root = next((root for root in self.notes.roots if name.startswith(f"{root}/")), None)
            if root is None:
                message = f"the set has the folders {', '.join(self.notes.roots)}, and the image is in none of them"
                hint = "put one of them in front of its name"
                raise InvalidInput("no-root", message, place=Place(image=name), hint=hint)
            bare = name[len(root) + 1 :]
            return root, bare, bare
        if not self.notes.split_folders:
            return "", name, name
        own = name.removeprefix(f"{record.split}/") if self.catalog.split_in_name else name
        return self._split_folder(record.split), name, own

    def _split_folder(self, split: str | None) -> str:
        if split is None:
            return UNSPLIT
        folder = self.notes.split_folders.get(split)
        if folder is None:
            folder = split if split_of_folder(split) == (True, split) else f"split_{split}"
            if split_of_folder(folder) != (True, split) or folder in self.notes.split_folders.values():
                raise _unsafe_split(split)
        return folder

    def _rows(self, record: Record, sets: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
        """Lists the image stands in, and what stands behind its id. Noted ones count while they have its split."""
        split = record.split
        if split is not None and _LIST_NAME.fullmatch(split) is None:
            raise _unsafe_split(split)
        if sets is None or (split is not None and all(in_word(word)[0].rpartition("/")[2] != split for word in sets)):
            sets = () if self.notes.split_folders else usual_sets(split or self.notes.unsplit)
        flags: dict[str, str] = {}
        words = list(map(in_word, sets))
        for name, rest in words:
            if name in self.flags:
                flags[name] = rest
            else:
                yield name, rest
        listed = {name for name, _ in words}
        for name, of_split in self.flags.items():
            if of_split in listed:
                said = flags.get(name)
                yield name, said or flag_of(class_of(name, of_split or ""), record.annotations)


def _clean(path: str) -> str:
    """The path as a listing of folders has it: `./a//b` is `a/b`."""
    *folders, name = path.split("/")
    return "/".join([*(folder for folder in folders if folder not in ("", ".")), name])


def _notes(catalog: Catalog) -> SetNotes:
    """Those of the source. A set of another format without splits gets a list all the same: devkit readers go by it."""
    notes = notes_of(catalog)
    if "voc" in catalog.extras or catalog.splits:
        return notes
    return msgspec.structs.replace(notes, unsplit=UNSPLIT)


def _lists_of(notes: SetNotes) -> list[str]:
    """Lists of splits that lists of classes belong to, by the usual names."""
    tasks = {name.rpartition("/")[0] for name in notes.flags}
    return [f"{task}/{split}" for task in sorted(tasks) for split in ("train", "val", "trainval", "test")]


def _empty_splits(catalog: Catalog, notes: SetNotes, rows: Iterable[str]) -> list[str]:
    """Lists of splits that no image is in."""
    if notes.split_folders:
        return []
    bases = {name.rpartition("/")[2] for name in (*rows, *notes.lists)}
    for split in catalog.splits:
        if _LIST_NAME.fullmatch(split) is None:
            raise _unsafe_split(split)
    return [f"ImageSets/Main/{split}" for split in catalog.splits if split not in bases]


def _same_stem(taken: Set[str], owners: Iterable[Listed]) -> InvalidInput:
    """The first two images that share one of these files, on disks that do not tell upper from lower case also by names
    in another case.
    """
    taken = {file.casefold() for file in taken}
    first: dict[str, str] = {}
    file = image = ""
    for line in lines_in(owners):
        file, _, image = line.partition("\0")
        if file.casefold() in taken and first.setdefault(file.casefold(), image) is not image:
            break
    return InvalidInput(
        "same-stem",
        f"{first.get(file.casefold())} and {image} would share the file {file}",
        place=Place(image=image),
        hint="rename one of the images: VOC knows them by their name without extension",
    )


def _unsafe_split(split: str) -> InvalidInput:
    message = f"the split {split[:80]!r} cannot be the name of a list or folder"
    return InvalidInput("unsafe-split", message, place=Place(file="ImageSets"), hint="give it a plain name")
