"""What a YOLO data set says about itself: class names, where its splits are, and facts that ride along.

It says so in `data.yaml` (Ultralytics), in `obj.data` with a names file (Darknet), in a class list, or not at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Category
from ...schemas.plain import ready
from ...schemas.problems import Problem
from ..ledger import Ledger
from ..text import read_lines

Task = Literal["detect", "segment", "obb", "pose"]

SPLIT_KEYS = {"train": "train", "val": "val", "validation": "val", "test": "test"}
OWN_KEYS = frozenset((*SPLIT_KEYS, "path", "names", "nc", "annolake", "download"))
"""Keys of a data.yaml that have a meaning here. `download` may hold code that other tools run: never kept."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What YOLO has no place for: JSON text under the key `annolake`, which other tools ignore.

    `splits` gives the split of a key in the data.yaml where it is not the key itself. `fronted`: the images that have
    their split in front of their name, all of them or these, where the names themselves do not tell.
    """

    task: Task | None = None
    boxes: Literal["four-corners"] | None = None
    confidence: Literal["none", "last"] | None = None
    track: bool | None = None
    splits: dict[str, str | None] = {}
    fronted: bool | tuple[str, ...] = False
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
        facts = facts_in(values["annolake"][0], Place(file=str(path), line=values["annolake"][1]), ledger)
    entries: list[Entry] = []
    usual = {"train": "train", "valid": "val", "test": "test"}
    for key in (*usual, *(key for key in facts.splits if key not in usual)):
        if key in values:
            text, line = values[key]
            split = facts.splits.get(key, usual.get(key))
            entries.append(Entry(key, split, [text], Place(file=str(path), line=line)))
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
    check_unique(names, str(path))
    return names


def check_unique(names: list[str], file: str) -> None:
    """Two classes of one name could no longer be told apart by their label."""
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            message = f"classes {first[name]} and {index} are both called {name!r}"
            raise InvalidInput("duplicate-name", message, place=Place(file=file), hint="give each class its own name")
        first[name] = index


def facts_in(text: str, place: Place, ledger: Ledger) -> Facts:
    """What annolake noted in a description of its own; nothing, with a warning, where that is broken."""
    try:
        return msgspec.json.decode(text, type=ready(Facts))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        message = f"what annolake once noted here cannot be read ({error}); it is passed over"
        ledger.problem(Problem(code="annolake-facts", severity="warning", message=message, place=place))
        return Facts()


def _names_file(path: Path, value: str) -> Path | None:
    """The names file of an `obj.data`: its path is often that of another folder."""
    for candidate in (value, re.sub(r"^data/", "", value), Path(value.replace("\\", "/")).name):
        found = path.parent / candidate
        if not candidate.startswith("/") and ".." not in candidate and found.is_file():
            return found
    return None
