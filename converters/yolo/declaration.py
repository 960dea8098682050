"""What a YOLO data set says about itself: class names, where its splits are, and facts that ride along.

It says so in `data.yaml` (Ultralytics), in `obj.data` with a names file (Darknet), in a class list, or not at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Category
from ...schemas.problems import Problem
from ..ledger import Ledger
from . import yamltext
from .text import read_lines

Task = Literal["detect", "segment", "obb", "pose"]

SPLIT_KEYS = {"train": "train", "val": "val", "validation": "val", "test": "test"}
OWN_KEYS = frozenset((*SPLIT_KEYS, "path", "names", "nc", "annolake", "download"))
"""Keys of a data.yaml that have a meaning here. `download` may hold code that other tools run: never kept."""

_MOST_CLASSES = 100_000


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What YOLO has no place for: JSON text under the key `annolake`, which other tools ignore.

    `splits` gives the split of a key in the data.yaml where it is not the key itself.
    """

    task: Task | None = None
    boxes: Literal["four-corners"] | None = None
    confidence: Literal["none", "last"] | None = None
    splits: dict[str, str | None] = {}
    labels: tuple[Category, ...] = ()
    extras: dict[str, Any] = {}


class Entry(msgspec.Struct, frozen=True):
    """One split: the key that names it and the folders, lists and pictures it is made of, as written."""

    key: str
    split: str | None
    values: list[str]
    place: Place


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    folder: str
    names: list[str] | None = None
    path: str | None = None
    entries: list[Entry] = []
    keys: dict[str, Any] = {}
    facts: Facts = Facts()


def from_yaml(path: Path, ledger: Ledger) -> Declaration:
    """A `data.yaml`. InvalidInput where it is no YAML or its names, `nc` and splits contradict each other."""
    top = yamltext.entries(yamltext.load(path))
    facts = _facts(_text(top["annolake"], path), yamltext.place(top["annolake"], path), ledger) if "annolake" in top else Facts()
    names = _names(top, path, ledger)
    if "val" in top and "validation" in top:
        raise _wrong(top["validation"], path, "splits", "val and validation are the same: one of them must go")
    entries: list[Entry] = []
    for key in (*SPLIT_KEYS, *(key for key in facts.splits if key not in SPLIT_KEYS)):
        if key in top and (values := _values(top[key], path)):
            split = facts.splits.get(key, SPLIT_KEYS.get(key, key))
            entries.append(Entry(key, split, values, yamltext.place(top[key], path)))
    root = yamltext.plain(top["path"]) if "path" in top else None
    return Declaration(
        file=str(path),
        folder=path.parent.as_posix(),
        names=names,
        path=None if root is None else _text(top["path"], path),
        entries=entries,
        keys={key: yamltext.plain(top[key]) for key in top if key not in OWN_KEYS and key not in facts.splits},
        facts=facts,
    )


def from_obj_data(path: Path, ledger: Ledger) -> Declaration:
    """Darknet's `obj.data`: lines `key = value`. The names file counts, where `classes` disagrees with it."""
    values: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(read_lines(str(path)), 1):
        key, equals, value = line.partition("=")
        if equals and key.strip()[:1] not in ("#", ";"):
            values[key.strip()] = (value.strip(), number)
    names: list[str] | None = None
    if "names" in values and (found := _names_file(path, values["names"][0])):
        names = from_list(found)
    else:
        beside = sorted(path.parent.glob("*.names"))
        names = from_list(beside[0]) if len(beside) == 1 else None
    classes, line = values.get("classes", ("", None))
    if names is not None and classes and classes != str(len(names)):
        ledger.problem(
            Problem(
                code="classes-mismatch",
                severity="warning",
                message=f"classes = {classes}, but the names file has {len(names)} names: the names count",
                place=Place(file=str(path), line=line),
            )
        )
    facts = Facts()
    if "annolake" in values:
        facts = _facts(values["annolake"][0], Place(file=str(path), line=values["annolake"][1]), ledger)
    entries: list[Entry] = []
    for key, split in (("train", "train"), ("valid", "val"), ("test", "test")):
        if key in values:
            text, line = values[key]
            entries.append(Entry(key, facts.splits.get(key, split), [text], Place(file=str(path), line=line)))
    folder = path.parent.as_posix()
    return Declaration(file=str(path), folder=folder, names=names, entries=entries, facts=facts)


def from_list(path: Path) -> list[str]:
    """Names of a class list, one per line, the line's number being the class. Blank lines may end it only."""
    names = [line.strip() for line in read_lines(str(path))]
    while names and not names[-1]:
        names.pop()
    if "" in names:
        raise InvalidInput(
            "class-without-name",
            "a blank line among the class names: every name after it would move to another number",
            place=Place(file=str(path), line=names.index("") + 1),
            hint="take the line out, or give the class a name",
        )
    _check_unique(names, str(path))
    return names


def _names_file(path: Path, value: str) -> Path | None:
    """The names file of an `obj.data`: its path is often that of another folder."""
    for candidate in (value, re.sub(r"^data/", "", value), Path(value.replace("\\", "/")).name):
        found = path.parent / candidate
        if not candidate.startswith("/") and ".." not in candidate and found.is_file():
            return found
    return None


def _names(top: dict[str, Node], path: Path, ledger: Ledger) -> list[str] | None:
    count: int | None = None
    if "nc" in top:
        nc = yamltext.plain(top["nc"])
        if not isinstance(nc, int) or isinstance(nc, bool) or not 0 <= nc <= _MOST_CLASSES:
            raise _wrong(top["nc"], path, "nc", f"nc must be the number of classes, not {nc!r}")
        count = nc
    node = top.get("names")
    if node is None or (isinstance(node, ScalarNode) and yamltext.plain(node) is None):
        return None if count is None else [f"class_{index}" for index in range(count)]
    if isinstance(node, SequenceNode):
        items = list(node.value)
    elif isinstance(node, MappingNode):
        items = _in_order(node, path)
    else:
        raise _wrong(node, path, "names", "names must be a list, or number: name")
    names: list[str] = []
    for index, item in enumerate(items):
        text = _text(item, path)
        if not text:
            raise _wrong(item, path, "class-without-name", f"class {index} has no name")
        if item.style is None and yamltext.is_ambiguous(item):
            message = f"the name {text} is read as text; unquoted, other readers see a number, a date or true/false"
            fix = f'write "{text}"'
            where = yamltext.place(item, path)
            ledger.problem(Problem(code="name-unquoted", severity="warning", message=message, place=where, fix=fix))
        names.append(text)
    if count is not None and count != len(names):
        raise _wrong(top["nc"], path, "nc", f"nc is {count}, but there are {len(names)} names")
    _check_unique(names, str(path))
    return names


def _in_order(node: MappingNode, path: Path) -> list[Node]:
    by_index: dict[int, Node] = {}
    for key, value in node.value:
        if not re.fullmatch(r"[0-9]{1,9}", key.value):
            raise _wrong(key, path, "names", f"{key.value!r} is not a class number")
        if int(key.value) in by_index:
            raise _wrong(key, path, "duplicate-key", f"class {int(key.value)} stands here a second time")
        by_index[int(key.value)] = value
    for index, number in enumerate(sorted(by_index)):
        if index != number:
            raise _wrong(node, path, "names-gap", f"class {index} has no name, but class {max(by_index)} has one")
    return [by_index[index] for index in range(len(by_index))]


def _values(node: Node, path: Path) -> list[str]:
    """Paths of a split: one, several, or none where the key is empty."""
    items = node.value if isinstance(node, SequenceNode) else [node]
    return [text for item in items if (text := _text(item, path)) and text not in ("null", "~")]


def _text(node: Node, path: Path) -> str:
    if not isinstance(node, ScalarNode):
        raise _wrong(node, path, "not-text", "here must stand a text")
    return str(node.value)


def _check_unique(names: list[str], file: str) -> None:
    """Two classes of one name could no longer be told apart by their label."""
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            message = f"classes {first[name]} and {index} are both called {name!r}"
            raise InvalidInput("duplicate-name", message, place=Place(file=file), hint="give each class its own name")
        first[name] = index


def _facts(text: str, place: Place, ledger: Ledger) -> Facts:
    try:
        return msgspec.json.decode(text, type=Facts)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        message = f"what annolake once noted here cannot be read ({error}); it is passed over"
        ledger.problem(Problem(code="annolake-facts", severity="warning", message=message, place=place))
        return Facts()


def _wrong(node: Node, path: Path, code: str, message: str) -> InvalidInput:
    return InvalidInput(code, message, place=yamltext.place(node, path), hint="correct the file there")
