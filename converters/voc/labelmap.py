"""`labelmap.txt`, as CVAT and Datumaro have it: labels in order, `name:r,g,b:parts:actions`, `#` before comments.

One comment, `# annolake {...}`, holds what annolake notes about the whole set and VOC has no place for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Category
from ...schemas.plain import is_object, ready
from ...schemas.problems import Problem
from ..ledger import Ledger
from ..text import read_lines
from .notes import Convention, SetNotes, as_facts

FILE = "labelmap.txt"
_HEAD = "# label:color_rgb:parts:actions"
_MARK = "# annolake "
_FIELDS = ("color", "parts", "actions")


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`labels`: all of them, where lines cannot say it. `voc`: the notes of the set."""

    convention: Convention
    labels: tuple[Category, ...] = ()
    splits: tuple[str, ...] = ()
    split_in_name: bool = False
    extras: dict[str, Any] = {}
    voc: dict[str, Any] = {}


class LabelMap(msgspec.Struct, frozen=True):
    labels: tuple[Category, ...] = ()
    facts: Facts | None = None


def read_label_map(folder: str, ledger: Ledger) -> LabelMap:
    """The label map in a folder; an empty one where there is none. InvalidInput where it is no text, or a label stands
    in it twice.
    """
    path = Path(folder, FILE)
    if not path.is_file():
        return LabelMap()
    labels: dict[str, Category] = {}
    facts: Facts | None = None
    for number, line in enumerate(read_lines(str(path)), 1):
        place = Place(file=str(path), line=number)
        if line.startswith(_MARK):
            facts = _facts(line[len(_MARK) :], place, ledger)
        elif line.strip() and line.strip()[0] != "#":
            label = _label(line.strip())
            if label.name in labels:
                message = f"the label {label.name!r} stands here twice"
                raise InvalidInput("duplicate-name", message, place=place, hint="take one of the lines out")
            labels[label.name] = label
    if facts is not None and facts.labels:
        known = {label.name for label in facts.labels}
        return LabelMap((*facts.labels, *(label for name, label in labels.items() if name not in known)), facts)
    return LabelMap(tuple(labels.values()), facts)


def label_map(catalog: Catalog, labels: tuple[Category, ...], convention: Convention, notes: SetNotes) -> str:
    """The text of a label map."""
    names = [label.name for label in labels]
    lines = {name: _line(label) for name, label in zip(names, labels, strict=True) if _is_plain(name)}
    sayable = len(lines) == len(labels) and all(_label(_line(label)) == label for label in labels)
    facts = Facts(
        convention=convention,
        labels=() if sayable else labels,
        splits=catalog.splits,
        split_in_name=catalog.split_in_name,
        extras={key: value for key, value in catalog.extras.items() if key != "voc"},
        voc={key: value for key, value in as_facts(notes).items() if key != "convention"},
    )
    text = json.dumps(msgspec.to_builtins(facts), separators=(",", ":"))
    return "\n".join([_HEAD, _MARK + text, *lines.values()]) + "\n"


def _label(line: str) -> Category:
    name, *rest = line.split(":")
    said = {field: text for field, text in zip(_FIELDS, rest, strict=False) if text}
    return Category(name, extras={"voc": said} if said else {})


def _line(label: Category) -> str:
    voc = label.extras.get("voc")
    said = voc if is_object(voc) else {}
    texts = [said.get(field, "") for field in _FIELDS]
    return ":".join([label.name, *(text if isinstance(text, str) and _is_field(text) else "" for text in texts)])


def lineless(labels: tuple[Category, ...]) -> list[str]:
    """Names that no line of a label map can hold, such as those with a colon: they stand in the comment alone."""
    return [label.name for label in labels if not _is_plain(label.name)]


def _is_field(text: str) -> bool:
    return ":" not in text and text.splitlines() in ([text], []) and text == text.strip()


def _is_plain(name: str) -> bool:
    return bool(name) and _is_field(name) and name[0] != "#"


def _facts(text: str, place: Place, ledger: Ledger) -> Facts | None:
    try:
        return msgspec.json.decode(text, type=ready(Facts))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        message = f"what annolake once noted here cannot be read ({error}); it is passed over"
        ledger.problem(Problem(code="annolake-facts", severity="warning", message=message, place=place))
        return None
