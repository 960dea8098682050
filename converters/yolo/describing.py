"""The files that describe a data set of ours: `data.yaml`, or `obj.data` and `obj.names`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from ...schemas.errors import InvalidInput
from ...schemas.model import Catalog, Category
from .columns import Columns, columns_to_write
from .declaration import OWN_KEYS, Facts
from .keypointnames import keys_to_write
from .notes import noted_keys
from .yamltext import LIMIT, flow, quoted

if TYPE_CHECKING:
    from . import Options

_POSE_KEYS = frozenset(("kpt_shape", "flip_idx", "kpt_names"))
_DARKNET_KEYS = {"val": "valid"}
_WORD = re.compile(r"[a-z][a-z_]{3,}")


def description(
    options: Options,
    catalog: Catalog,
    names: list[str],
    lists: dict[str | None, str],
    fronted: bool | tuple[str, ...],
) -> dict[str, str]:
    """Texts by file name. `lists` gives each split the name of its list, which is also its key; `fronted` is noted.

    Ultralytics wants `train` and `val`: where the set has no such split, they point to what there is.
    """
    order = sorted(lists, key=lambda split: (lists[split].startswith("split_"), str(split)))
    train = next((split for split in order if lists[split] == "train"), order[0])
    val = next((split for split in order if lists[split] == "val"), train)
    meant = {"train": train, "val": val, **{lists[split]: split for split in order}}
    columns = columns_to_write(options, catalog)
    if "" in names:
        hint = "give the label a name"
        raise InvalidInput("class-without-name", f"class {names.index('')} has no name", hint=hint)
    if options.layout == "darknet":
        meant = {_DARKNET_KEYS.get(key, key): split for key, split in meant.items()}
        usual = {"train": "train", "valid": "val", "test": "test"}
        renamed = {key: split for key, split in meant.items() if usual.get(key, ...) != split}
        lines = [f"{key} = data/{lists[split]}.txt" for key, split in meant.items()]
        facts = _facts(columns, catalog, renamed, fronted)
        return {"obj.data": _obj_data(lines, len(names), facts), "obj.names": "".join(map(_line, names))}
    renamed = {key: split for key, split in meant.items() if key != split}
    lines = [f"{key}: {lists[split]}.txt" for key, split in meant.items()]
    facts = _facts(columns, catalog, renamed, fronted)
    return {"data.yaml": _data_yaml(lines, names, _extras(catalog, columns, names), facts)}


def _data_yaml(lines: list[str], names: list[str], extras: dict[str, Any], facts: str) -> str:
    lines = [*lines, f"nc: {len(names)}", "names:" if names else "names: {}"]
    lines += [f"  {index}: {quoted(name)}" for index, name in enumerate(names)]
    lines += [f"{key if _WORD.fullmatch(key) else quoted(key)}: {flow(value)}" for key, value in extras.items()]
    text = "\n".join([*lines, f"annolake: {quoted(facts)}"]) + "\n"
    if len(text.encode()) > LIMIT:
        message = f"the data.yaml would be larger than {LIMIT:,} bytes, which no reader takes"
        raise InvalidInput("too-large", message, hint="the set has too many classes, or too much is said about it")
    return text


def _obj_data(lines: list[str], classes: int, facts: str) -> str:
    lines = [f"classes = {classes}", *lines, "names = data/obj.names", "backup = backup/", f"annolake = {facts}"]
    return "\n".join(lines) + "\n"


def _extras(catalog: Catalog, columns: Columns, names: list[str]) -> dict[str, Any]:
    """Keys of the data.yaml that the set was read from, and kpt_shape of a pose set."""
    yolo = noted_keys(catalog)
    own = {*OWN_KEYS, *_POSE_KEYS, "task"}
    extras = {key: value for key, value in yolo.items() if key not in own}
    if columns.task == "pose":
        classes = {name: number for number, name in enumerate(names)}
        extras |= keys_to_write(catalog, classes, yolo, columns.keypoints[0])
        extras["kpt_shape"] = list(columns.keypoints)
    return extras


def _facts(columns: Columns, catalog: Catalog, renamed: dict[str, str | None], fronted: bool | tuple[str, ...]) -> str:
    labels = catalog.labels
    bare = all(label == Category(label.name) for label in labels) and len(labels) == len(catalog.names())
    facts = Facts(
        task=columns.task,
        boxes="four-corners" if columns.boxes else None,
        confidence="last" if columns.confidence == "last" else None,
        track=True if columns.track else None,
        splits=renamed,
        fronted=fronted,
        labels=() if bare else labels,
        extras={key: value for key, value in catalog.extras.items() if key != "yolo"},
    )
    return json.dumps(msgspec.to_builtins(facts), ensure_ascii=False, separators=(",", ":"))


def _line(name: str) -> str:
    if not name or name != name.strip() or name.splitlines() != [name]:
        hint = "rename the label, or leave --yolo-layout darknet out"
        raise InvalidInput("class-without-name", f"{name!r} cannot be a line of obj.names", hint=hint)
    return f"{name}\n"
