"""From the hub to a YOLO data set on disk.

Ultralytics: `data.yaml`, a list of pictures per split, `labels/<split>/`. Lists, because they keep the pictures' names
where the pictures are elsewhere; put them into `images/<split>/`. Darknet: `obj.data`, `obj.names`, a list per split
and `obj_<split>_data/`. Facts that YOLO has no place for ride along under the key `annolake`.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Record
from ...schemas.names import is_safe_name
from ..blocks import Block
from ..files import write_new
from ..format import Context, Written
from ..images import stem
from ..ledger import Decision, Ledger
from ..longlists import Listed, Lists, lines_in, remove, write_list
from ..ringblocks import RingBlock
from .columns import columns_to_write
from .describing import description
from .formatting import RowWriter
from .pairs import label_file

if TYPE_CHECKING:
    from . import Options

USUAL_SPLITS = ("train", "val", "test")
_NOTED = 10_000
"""No more names are noted one by one in the description, which readers take up to 1 MiB of."""


class Part(msgspec.Struct):
    """What one process wrote: pictures as listed by split, the classes, pictures whose label file was taken; how many
    images had their split taken off the front of their name, and which, up to `_NOTED`.
    """

    listed: dict[str | None, Listed]
    names: list[str]
    annotations: int
    taken: list[tuple[str | None, str]]
    taken_off: int = 0
    fronted: list[str] = []


def write(
    path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record | Block | RingBlock]
) -> Written:
    """Write the data set into the new folder `path`. InvalidInput for names that cannot be files of their own.

    A label that the catalogue does not have is appended to it; without any, labels are numbered in A-Z order.
    """
    names = catalog.names()
    if not names:
        records = [
            one
            for item in records
            for one in (item.expanded(Ledger()) if isinstance(item, Block | RingBlock) else [item])
        ]
        names = sorted({annotation.label for record in records for annotation in record.annotations})
    writer = _Writer(path, 0, options, catalog, names, appending=True)
    return join(path, options, context, catalog, [writer.write(records)])


def write_part(
    path: Path,
    part: int,
    options: Options,
    context: Context,
    catalog: Catalog,
    records: Iterable[Record | Block | RingBlock],
) -> Part:
    """Write the label files of a run of images. Here every label must stand in the catalogue."""
    return _Writer(path, part, options, catalog, catalog.names(), appending=False).write(records)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Part]) -> Written:
    """Write what describes the whole data set: lists, names, data.yaml or obj.data."""
    listed: dict[str | None, list[Listed]] = {}
    for part in parts:
        for split, pictures in part.listed.items():
            listed.setdefault(split, []).append(pictures)
    taken = [clash for part in parts for clash in part.taken]
    for split, several in listed.items():
        clashing = {picture for of, picture in taken if of == split}
        if clashing:
            raise _same_stem(lines_in(several), clashing, split, catalog)
    lists = {split: split_folder(split, catalog) for split in listed or [None]}
    if None in lists and "train" in lists:
        lists[None] = "unsplit"
    for split, word in lists.items():
        write_list(f"{path}/{word}.txt", listed.get(split, ()))
    remove(pictures for several in listed.values() for pictures in several)
    names = max((part.names for part in parts), key=len)
    images = sum(pictures.count for several in listed.values() for pictures in several)
    for name, text in description(options, catalog, names, lists, _fronted(parts, images)).items():
        write_new(f"{path}/{name}", text)
    decisions: tuple[Decision, ...] = ()
    if options.layout != "darknet" and "val" not in lists.values() and images:
        text = "there is no split val: data.yaml points to another, by which a model would be judged by what it learnt"
        decisions = (Decision("yolo-val", f"{text}; --split train=0.8,val=0.2 makes one"),)
    return Written(images, sum(part.annotations for part in parts), decisions)


def _fronted(parts: list[Part], images: int) -> bool | tuple[str, ...]:
    """What to note about images whose split was taken off the front of their name. A reader puts it there where several
    splits share a name; but in a part of a data set such a name may be alone, and a video's project has it everywhere.
    """
    taken_off = sum(part.taken_off for part in parts)
    if taken_off in (0, images):
        return taken_off > 0
    names = sorted(name for part in parts for name in part.fronted)
    return tuple(names) if taken_off == len(names) <= _NOTED else False


def split_folder(split: str | None, catalog: Catalog) -> str:
    """The folder of a split: a plain word, as it becomes a key of the data.yaml too."""
    if split is None:
        return "unsplit" if "train" in catalog.splits else "train"
    if split in USUAL_SPLITS:
        return split
    plain = re.fullmatch(r"[\w-]{1,60}", split, re.ASCII)
    return f"split_{split if plain else f'{zlib.crc32(split.encode()):08x}'}"


def picture(options: Options, catalog: Catalog, record: Record) -> str:
    """Where the picture of an image belongs, relative to the data set."""
    folder = split_folder(record.split, catalog)
    return _listed_as(_bare(record, catalog), folder, options.layout == "darknet").removeprefix("./")


def _bare(record: Record, catalog: Catalog) -> str:
    return record.image.removeprefix(f"{record.split}/") if catalog.split_in_name else record.image


class _Writer:
    def __init__(
        self, path: Path, part: int, options: Options, catalog: Catalog, names: list[str], *, appending: bool
    ) -> None:
        self.path = path.as_posix()
        self.catalog = catalog
        self.darknet = options.layout == "darknet"
        self.numbers = {name: index for index, name in enumerate(names)}
        self.appending = appending
        columns = columns_to_write(options, catalog)
        self.rows = RowWriter(columns, self._number, 6 if options.decimals is None else options.decimals)
        self.fronts: dict[str | None, tuple[str, str]] = {}
        self.made: set[str] = set()
        self.lists = Lists[str | None](f"{self.path}.{part}")
        self.part = Part({}, [], 0, [])

    def write(self, records: Iterable[Record | Block | RingBlock]) -> Part:
        os.makedirs(self.path, exist_ok=True)
        for item in records:
            if isinstance(item, Block | RingBlock):
                self._write_block(item)
            else:
                self._write(item)
                self.part.annotations += len(item.annotations)
        self.part.names = list(self.numbers)
        self.part.listed = self.lists.close()
        return self.part

    def _write_block(self, block: Block | RingBlock) -> None:
        texts = self.rows.texts(block, self.numbers)
        for record, text in zip(block.expanded(Ledger()) if None in texts else block.records, texts, strict=True):
            self._write(record, text)
        self.part.annotations += len(block.labels)

    def _write(self, record: Record, text: str | None = None) -> None:
        """One image, with the text of its label file where that is known."""
        name, split = record.image, record.split
        if not is_safe_name(name) or name.endswith("/") or name.splitlines() != [name]:
            message = "this name cannot be written as a file below the data set's folder"
            raise InvalidInput("unsafe-name", message, place=Place(image=name), hint="rename the image")
        fronts = self.fronts.get(split) or self._fronts(split)
        bare = _bare(record, self.catalog)
        if bare != name:
            self.part.taken_off += 1
            if self.part.taken_off <= _NOTED:
                self.part.fronted.append(name)
        listed = fronts[0] + bare
        if "/" not in bare and (own := stem(bare)) != bare:
            below, labels = fronts[1], f"{own}.txt"
        else:
            below, _, labels = _labels_of(listed).rpartition("/")
        if below not in self.made:
            os.makedirs(f"{self.path}/{below}", exist_ok=True)
            self.made.add(below)
        try:
            write_new(f"{self.path}/{below}/{labels}", self.rows.rows(record) if text is None else text)
        except FileExistsError:
            self.part.taken.append((split, listed))
        self.lists.add(split, listed)

    def _fronts(self, split: str | None) -> tuple[str, str]:
        """What stands before the names of a split's pictures in lists, and the folder of their label files."""
        listed = _listed_as("", split_folder(split, self.catalog), self.darknet)
        fronts = self.fronts[split] = listed, _labels_of(f"{listed}.").rpartition("/")[0]
        return fronts

    def _number(self, label: str) -> int:
        number = self.numbers.get(label)
        if number is None:
            if not self.appending:
                message = f"the label {label!r} is not among the labels of the data set"
                raise InvalidInput("unknown-label", message, hint="--jobs 1 appends it")
            number = self.numbers[label] = len(self.numbers)
        return number


def _listed_as(name: str, folder: str, darknet: bool) -> str:
    return f"data/obj_{folder}_data/{name}" if darknet else f"./images/{folder}/{name}"


def _labels_of(listed: str) -> str:
    """The label file of a listed picture, relative to the data set."""
    return label_file(listed.partition("/")[2])


def _same_stem(pictures: Iterable[str], clashing: set[str], split: str | None, catalog: Catalog) -> InvalidInput:
    """The first two of a split's pictures that share a label file with one of those that clash: on disks that do not
    tell upper from lower case, names in another case do.
    """
    labels = {_labels_of(picture).casefold() for picture in clashing}
    owners: dict[str, str] = {}
    first = second = ""
    for second in pictures:
        if (own := _labels_of(second).casefold()) in labels:
            first = owners.setdefault(own, second)
            if owners[own] is not second:
                break
    one, other = (_image_of(picture, split, catalog) for picture in (first, second))
    return InvalidInput(
        "same-stem",
        f"{one} and {other} would share one label file",
        place=Place(image=other),
        hint="rename one of the images: YOLO knows them by their name without extension",
    )


def _image_of(picture: str, split: str | None, catalog: Catalog) -> str:
    """The name of the image whose picture is listed so."""
    bare = picture.split("/", 3)[3] if picture.startswith("./") else picture.split("/", 2)[2]
    return f"{split}/{bare}" if catalog.split_in_name and split is not None else bare
