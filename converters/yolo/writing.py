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
from ..files import write_new
from ..format import Context, Written
from ..ledger import Decision
from .columns import columns_to_write
from .describing import description
from .formatting import RowWriter
from .pairs import Pair, label_file, sharing_names

if TYPE_CHECKING:
    from . import Options

USUAL_SPLITS = ("train", "val", "test")


class Part(msgspec.Struct):
    """What one process wrote: pictures as listed by split, the classes, pictures whose label file was taken, and images
    whose split was taken off the front of their name.
    """

    listed: dict[str | None, list[str]]
    names: list[str]
    annotations: int
    taken: list[tuple[str | None, str]]
    fronted: list[str]


def write(path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    """Write the data set into the new folder `path`. InvalidInput for names that cannot be files of their own.

    A label that the catalogue does not have is appended to it; without any, labels are numbered in A-Z order.
    """
    names = catalog.names()
    if not names:
        records = list(records)
        names = sorted({annotation.label for record in records for annotation in record.annotations})
    writer = _Writer(path, options, catalog, names, appending=True)
    return join(path, options, context, catalog, [writer.write(records)])


def write_part(
    path: Path, part: int, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]
) -> Part:
    """Write the label files of a run of images. Here every label must stand in the catalogue."""
    return _Writer(path, options, catalog, catalog.names(), appending=False).write(records)


def join(path: Path, options: Options, context: Context, catalog: Catalog, parts: list[Part]) -> Written:
    """Write what describes the whole data set: lists, names, data.yaml or obj.data."""
    darknet = options.layout == "darknet"
    listed: dict[str | None, list[str]] = {}
    for part in parts:
        for split, pictures in part.listed.items():
            listed.setdefault(split, []).extend(pictures)
    taken = [clash for part in parts for clash in part.taken]
    if taken:
        split, name = taken[0]
        raise _same_stem(_twin(listed[split], _listed_as(name, split_folder(split, catalog), darknet)), name)
    lists = {split: split_folder(split, catalog) for split in listed or [None]}
    if None in lists and "train" in lists:
        lists[None] = "unsplit"
    for split, word in lists.items():
        write_new(f"{path}/{word}.txt", "".join(f"{picture}\n" for picture in listed.get(split, ())))
    names = max((part.names for part in parts), key=len)
    fronted = _fronted([name for part in parts for name in part.fronted], listed)
    for name, text in description(options, catalog, names, lists, fronted).items():
        write_new(f"{path}/{name}", text)
    decisions: tuple[Decision, ...] = ()
    if not darknet and "val" not in lists.values() and any(listed.values()):
        text = "there is no split val: data.yaml points to another, by which a model would be judged by what it learnt"
        decisions = (Decision("yolo-val", f"{text}; --split train=0.8,val=0.2 makes one"),)
    return Written(sum(map(len, listed.values())), sum(part.annotations for part in parts), decisions)


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


def _fronted(taken_off: list[str], listed: dict[str | None, list[str]]) -> bool | tuple[str, ...]:
    """The images whose split was taken off the front of their name, as far as a reader would not see it: in a part of a
    data set, names that several splits shared may be alone.
    """
    if not taken_off:
        return False
    pairs = [Pair(_name_in(picture), None, None, split) for split in listed for picture in listed[split]]
    if {f"{pair.split}/{pair.image}" for pair in sharing_names(pairs)} == set(taken_off):
        return False
    return True if len(taken_off) == len(pairs) else tuple(sorted(taken_off))


def _bare(record: Record, catalog: Catalog) -> str:
    return record.image.removeprefix(f"{record.split}/") if catalog.split_in_name else record.image


class _Writer:
    def __init__(self, path: Path, options: Options, catalog: Catalog, names: list[str], *, appending: bool) -> None:
        self.path = path.as_posix()
        self.catalog = catalog
        self.darknet = options.layout == "darknet"
        self.numbers = {name: index for index, name in enumerate(names)}
        self.appending = appending
        columns = columns_to_write(options, catalog)
        self.rows = RowWriter(columns, self._number, 6 if options.decimals is None else options.decimals)
        self.folders: dict[str | None, str] = {}
        self.owners: dict[str, str] = {}
        self.made: set[str] = set()
        self.part = Part({}, [], 0, [], [])

    def write(self, records: Iterable[Record]) -> Part:
        os.makedirs(self.path, exist_ok=True)
        for record in records:
            self._write(record)
            self.part.annotations += len(record.annotations)
        self.part.names = list(self.numbers)
        return self.part

    def _write(self, record: Record) -> None:
        name, split = record.image, record.split
        if not is_safe_name(name) or name.endswith("/") or name.splitlines() != [name]:
            message = "this name cannot be written as a file below the data set's folder"
            raise InvalidInput("unsafe-name", message, place=Place(image=name), hint="rename the image")
        folder = self.folders.get(split)
        if folder is None:
            folder = self.folders[split] = split_folder(split, self.catalog)
            self.part.listed[split] = []
        bare = _bare(record, self.catalog)
        if bare is not name and bare != name:
            self.part.fronted.append(name)
        listed = _listed_as(bare, folder, self.darknet)
        labels = _labels_of(listed)
        owner = self.owners.setdefault(labels, name)
        if owner is not name:
            raise _same_stem(owner, name)
        below = labels.rpartition("/")[0]
        if below not in self.made:
            os.makedirs(f"{self.path}/{below}", exist_ok=True)
            self.made.add(below)
        try:
            write_new(f"{self.path}/{labels}", self.rows.rows(record))
        except FileExistsError:
            self.part.taken.append((split, name))
        self.part.listed[split].append(listed)

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


def _twin(listed: list[str], picture: str) -> str:
    """The other picture with the same label file, on disks that may not tell upper from lower case."""
    labels = _labels_of(picture).casefold()
    others = (other for other in listed if other != picture and _labels_of(other).casefold() == labels)
    return _name_in(next(others, picture))  # else the same picture twice


def _name_in(listed: str) -> str:
    """The image's name in its line of a list: the way back of `_listed_as`."""
    return listed.split("/", 3)[3] if listed.startswith("./") else listed.split("/", 2)[2]


def _same_stem(first: str, second: str) -> InvalidInput:
    return InvalidInput(
        "same-stem",
        f"{first} and {second} would share one label file",
        place=Place(image=second),
        hint="rename one of the images: YOLO knows them by their name without extension",
    )
