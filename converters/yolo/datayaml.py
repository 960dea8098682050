"""An Ultralytics `data.yaml` as a declaration.

Specification: docs.ultralytics.com/datasets, and what Ultralytics' `check_det_dataset` and `check_class_names` accept.
"""

from __future__ import annotations

import re
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...schemas.errors import InvalidInput
from ...schemas.problems import Problem
from ..ledger import Ledger
from . import yamltext
from .declaration import OWN_KEYS, SPLIT_KEYS, Declaration, Entry, Facts, check_unique, facts_in

_MOST_CLASSES = 100_000


def from_yaml(path: Path, ledger: Ledger) -> Declaration:
    """A `data.yaml`. InvalidInput where it is no YAML or its names, `nc` and splits contradict each other."""
    top = yamltext.entries(yamltext.load(path))
    facts = Facts()
    if "annolake" in top:
        facts = facts_in(_text(top["annolake"], path), yamltext.place(top["annolake"], path), ledger)
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
        if yamltext.is_ambiguous(item):
            message = f"the name {text} is read as text; unquoted, other readers see a number, a date or true/false"
            fix = f'write "{text}"'
            where = yamltext.place(item, path)
            ledger.problem(Problem(code="name-unquoted", severity="warning", message=message, place=where, fix=fix))
        names.append(text)
    if count is not None and count != len(names):
        raise _wrong(top["nc"], path, "nc", f"nc is {count}, but there are {len(names)} names")
    check_unique(names, str(path))
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


def _wrong(node: Node, path: Path, code: str, message: str) -> InvalidInput:
    return InvalidInput(code, message, place=yamltext.place(node, path), hint="correct the file there")
