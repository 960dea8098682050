"""From the hub to a YOLO data set on disk.

Ultralytics: `data.yaml`, a list of pictures per split, `labels/<split>/`. Lists, because they keep the pictures' names
where the pictures are elsewhere; put them into `images/<split>/`. Darknet: `obj.data`, `obj.names`, a list per split and
`obj_<split>_data/`. Facts that YOLO has no place for ride along under the key `annolake`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Category, Record
from ..files import is_safe_name
from ..format import Context, Written
from .columns import Columns, parsed_keypoints
from .declaration import OWN_KEYS, Facts
from .formatting import RowWriter
from .pairs import label_file
from .yamltext import LIMIT, flow, quoted

if TYPE_CHECKING:
    from . import Options

_POSE_KEYS = frozenset(("kpt_shape", "flip_idx", "kpt_names"))
_USUAL_SPLITS = ("train", "val", "test")
_DARKNET_KEYS = {"train": "train", "val": "valid", "test": "test"}
_WORD = re.compile(r"[a-z][a-z_]{3,}")


def write(path: Path, options: Options, context: Context, catalog: Catalog, records: Iterable[Record]) -> Written:
    """Write the data set into the new folder `path`. InvalidInput for names that cannot be files of their own."""
    names = catalog.names()
    if not names:
        records = list(records)
        names = sorted({annotation.label for record in records for annotation in record.annotations})
    return _Writer(path, options, catalog, names).write(records)


class _Split:
    """One split while it is written: its folder, the pictures it lists, and who has which label file."""

    def __init__(self, name: str | None, folder: str) -> None:
        self.name = name
        self.folder = folder
        self.listed: list[str] = []
        self.owners: dict[str, str] = {}


class _Writer:
    def __init__(self, path: Path, options: Options, catalog: Catalog, names: list[str]) -> None:
        self.path = path.as_posix()
        self.catalog = catalog
        self.darknet = options.layout == "darknet"
        self.columns = columns_to_write(options, catalog)
        self.numbers = {name: index for index, name in enumerate(names)}
        self.rows = RowWriter(self.columns, self._number, 6 if options.decimals is None else options.decimals)
        self.splits: dict[str | None, _Split] = {}
        self.folders: set[str] = set()
        for name in catalog.splits:
            self._split(name)

    def write(self, records: Iterable[Record]) -> Written:
        os.mkdir(self.path)
        images = annotations = 0
        for record in records:
            self._write(record)
            images += 1
            annotations += len(record.annotations)
        splits = [split for split in self.splits.values() if split.listed] or [self._split(None)]
        for split in splits:
            self._file(f"{split.folder}.txt", "".join(f"{name}\n" for name in split.listed))
        if self.darknet:
            self._file("obj.names", "".join(f"{self._line(name)}\n" for name in self.numbers))
            self._file("obj.data", self._obj_data(splits))
        else:
            self._file("data.yaml", self._data_yaml(splits))
        return Written(images, annotations)

    def _number(self, label: str) -> int:
        """The class of a label; one that the catalogue does not know is appended."""
        return self.numbers.setdefault(label, len(self.numbers))

    def _split(self, name: str | None) -> _Split:
        """The split of that name, with a folder of its own: a plain word, as it becomes a key of the data.yaml."""
        split = self.splits.get(name)
        if split is None:
            taken = {other.folder for other in self.splits.values()}
            wishes = ["train" if name is None else name if name in _USUAL_SPLITS else f"split_{name}"]
            wishes += [f"split_{number}" for number in range(len(taken) + 1)]
            folder = next(wish for wish in wishes if wish not in taken and re.fullmatch(r"[\w-]+", wish, re.ASCII))
            split = self.splits[name] = _Split(name, folder)
        return split

    def _write(self, record: Record) -> None:
        split = self._split(record.split)
        name = record.image
        if not is_safe_name(name) or any(c in name for c in "\n\r") or name.endswith("/"):
            message = "this name cannot be written as a file below the data set's folder"
            raise InvalidInput("unsafe-name", message, place=Place(image=name), hint="rename the image")
        if self.darknet:
            picture, listed = f"/obj_{split.folder}_data/{name}", f"data/obj_{split.folder}_data/{name}"
        else:
            picture, listed = f"/images/{split.folder}/{name}", f"./images/{split.folder}/{name}"
        labels = label_file(picture)
        owner = split.owners.setdefault(labels, name)
        if len(split.owners) == len(split.listed):
            raise _same_stem(owner, name)
        split.listed.append(listed)
        folder = labels.rpartition("/")[0]
        if folder not in self.folders:
            os.makedirs(self.path + folder, exist_ok=True)
            self.folders.add(folder)
        try:
            self._file(labels[1:], self.rows.rows(record))
        except FileExistsError:
            # Another spelling of the same name, where the disk does not tell upper from lower case.
            twin = next(other for text, other in split.owners.items() if text.casefold() == labels.casefold())
            raise _same_stem(twin, name) from None

    def _file(self, name: str, text: str) -> None:
        descriptor = os.open(f"{self.path}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            data = memoryview(text.encode())
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)

    def _data_yaml(self, splits: list[_Split]) -> str:
        keys, renamed = _keys(splits)
        yolo: dict[str, Any] = self.catalog.extras.get("yolo", {})
        extras = {
            key: value
            for key, value in yolo.items()
            if key not in OWN_KEYS and key != "task" and key not in keys and key not in _POSE_KEYS
        }
        if self.columns.task == "pose":
            extras |= {key: yolo[key] for key in sorted(_POSE_KEYS & yolo.keys())}
            extras["kpt_shape"] = list(self.columns.keypoints)
        lines = [f"{key}: {value}" for key, value in keys.items()]
        lines.append(f"nc: {len(self.numbers)}")
        lines.append("names:" if self.numbers else "names: {}")
        lines += [f"  {index}: {quoted(name)}" for name, index in self.numbers.items()]
        lines += [f"{key if _WORD.fullmatch(key) else quoted(key)}: {flow(value)}" for key, value in extras.items()]
        lines.append(f"annolake: {quoted(self._facts(renamed))}")
        text = "\n".join(lines) + "\n"
        if len(text.encode()) > LIMIT:
            message = f"the data.yaml would be larger than {LIMIT:,} bytes, which no reader takes"
            raise InvalidInput("too-large", message, hint="the set has too many classes, or too much about itself")
        return text

    def _obj_data(self, splits: list[_Split]) -> str:
        keys, renamed = _keys(splits)
        lines = [f"classes = {len(self.numbers)}"]
        lines += [f"{_DARKNET_KEYS.get(key, key)} = data/{value}" for key, value in keys.items()]
        renamed = {_DARKNET_KEYS.get(key, key): split for key, split in renamed.items()}
        lines += ["names = data/obj.names", "backup = backup/", f"annolake = {self._facts(renamed)}"]
        return "\n".join(lines) + "\n"

    def _facts(self, renamed: dict[str, str | None]) -> str:
        labels = self.catalog.labels
        bare = all(label == Category(label.name) for label in labels) and len(labels) == len(self.catalog.names())
        facts = Facts(
            task=self.columns.task,
            boxes="four-corners" if self.columns.boxes else None,
            confidence="last" if self.columns.confidence == "last" else None,
            splits=renamed,
            labels=() if bare else labels,
            extras={key: value for key, value in self.catalog.extras.items() if key != "yolo"},
        )
        return json.dumps(msgspec.to_builtins(facts), ensure_ascii=False, separators=(",", ":"))

    def _line(self, name: str) -> str:
        if not name or name != name.strip() or name.splitlines() != [name]:
            hint = "rename the label, or leave --yolo-layout darknet out"
            raise InvalidInput("class-without-name", f"{name!r} cannot be a line of obj.names", hint=hint)
        return name


def columns_to_write(options: Options, catalog: Catalog) -> Columns:
    """The columns that settled options ask for."""
    task = options.task or "detect"
    keypoints = parsed_keypoints(options.kpt_shape) or catalog_keypoints(catalog)
    return Columns(
        task=task,
        confidence="last" if options.save_conf else "none",
        keypoints=keypoints or (0, 3),
        boxes=task in ("segment", "obb"),
    )


def catalog_keypoints(catalog: Catalog) -> tuple[int, int] | None:
    """The shape of key points that the data set declares: YOLO's own, or its largest skeleton with visibility."""
    shape = catalog.extras.get("yolo", {}).get("kpt_shape")
    if isinstance(shape, list) and len(shape) == 2:  # type: ignore[reportUnknownArgumentType]
        return msgspec.convert(shape, tuple[int, int])
    most = max((len(category.keypoints or ()) for category in catalog.labels), default=0)
    return (most, 3) if most else None


def _keys(splits: list[_Split]) -> tuple[dict[str, str], dict[str, str | None]]:
    """(key: list file) for the description, and the split that a key means where it is not its name.

    Ultralytics wants `train` and `val`: where the set has no such split, they point to what there is.
    """
    by_folder = {split.folder: split for split in splits}
    train = by_folder.get("train", splits[0])
    meant = {"train": train, "val": by_folder.get("val", train), **by_folder}
    keys = {key: f"{split.folder}.txt" for key, split in meant.items()}
    return keys, {key: split.name for key, split in meant.items() if split.name != key}


def _same_stem(first: str, second: str) -> InvalidInput:
    return InvalidInput(
        "same-stem",
        f"{first} and {second} would share one label file",
        place=Place(image=second),
        hint="rename one of the images: YOLO knows them by their name without extension",
    )
