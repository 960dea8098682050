"""The part of YAML that a `data.yaml` needs, read without ever building an object, and written as JSON inside YAML.

Scalars keep their text: a class called `no`, `on`, `1:30` or `010` stays what the author wrote, where YAML 1.1 makes
False, True, 90 and 8 of them. Foreign files go through PyYAML's pure Python scanner only (the C one dies of a few
kilobytes of brackets), up to 1 MiB, 32 levels deep, with unique keys, 100,000 values and no aliases.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...schemas.errors import InvalidInput, Place
from ..files import read_bytes
from ..text import decoded

LIMIT = 1 << 20
_DEPTH = 32
_VALUES = 100_000
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_TEXT = "tag:yaml.org,2002:str"
_PLAIN_TAG = re.compile(r"!|tag:yaml\.org,2002:[a-z]+")


def load(path: Path) -> MappingNode:
    """The nodes of the one mapping in a YAML file. InvalidInput with line and column for anything else."""
    text = decoded(read_bytes(path, LIMIT), str(path))
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise _refused(path, *where, error.problem or "not YAML") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        message = f"the character {error.character!r} does not belong into YAML"
        raise _refused(path, before.count("\n") + 1, column, message) from None
    if not isinstance(node, MappingNode):
        raise _refused(path, 1, 1, "not a list of keys and values")
    _check_keys(node, path)
    return node


def entries(node: Node) -> dict[str, Node]:
    """Keys and value nodes of a mapping; empty for any other node."""
    if not isinstance(node, MappingNode):
        return {}
    return {str(key.value): value for key, value in node.value}


def plain(node: Node) -> Any:
    """A node as dicts, lists, text, and numbers, true, false and null in their JSON spelling."""
    if isinstance(node, MappingNode):
        return {key: plain(value) for key, value in entries(node).items()}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.value]
    text = str(node.value)
    if not _is_plain(node):
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def is_ambiguous(node: Node) -> bool:
    """Whether readers of YAML 1.1 see something else than the text that stands there."""
    return _is_plain(node) and node.tag != _TEXT and not _INTEGER.fullmatch(str(node.value))


def _is_plain(node: Node) -> bool:
    """Whether a scalar stands there without quotes."""
    return isinstance(node, ScalarNode) and node.style is None


def place(node: Node, path: Path | str) -> Place:
    return Place(file=str(path), line=node.start_mark.line + 1, column=node.start_mark.column + 1)


def flow(value: Any) -> str:
    """A plain value in JSON's spelling, which is YAML on one line; keys that are numbers stay so. Undoes `plain`."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        mapping = cast("dict[Any, Any]", value)
        return (
            "{"
            + ", ".join(
                f"{key if isinstance(key, int) else quoted(str(key))}: {flow(item)}" for key, item in mapping.items()
            )
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, cast("list[Any]", value))) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


def quoted(text: str) -> str:
    """`text` in double quotes, whatever is in it."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else _escape(c) for c in text) + '"'


class _Loader(yaml.SafeLoader):
    """Composes nodes and never constructs. Limits apply while composing, which is where PyYAML recurses."""

    depth = 0
    values = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = cast(Any, self.peek_event())  # pyright: ignore[reportUnknownMemberType]
        if isinstance(event, AliasEvent):
            raise _stop("aliases (*name) are not accepted: write the value out", event)
        if getattr(event, "tag", None) is not None and not _PLAIN_TAG.fullmatch(event.tag):
            raise _stop(f"the tag {event.tag} is not accepted", event)
        if self.depth >= _DEPTH:
            raise _stop(f"more than {_DEPTH} levels deep", event)
        if self.values >= _VALUES:
            raise _stop(f"more than {_VALUES:,} keys and values", event)
        self.values += 1
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _stop(message: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=event.start_mark)


def _check_keys(node: Node, path: Path) -> None:
    if isinstance(node, SequenceNode):
        for item in node.value:
            _check_keys(item, path)
    if not isinstance(node, MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise _refused(path, *_position(key), "a key must be a word, not a list")
        if key.value in seen:
            raise _refused(path, *_position(key), f"the key {key.value!r} stands here a second time", "duplicate-key")
        seen.add(key.value)
        _check_keys(value, path)


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _refused(path: Path, line: int | None, column: int | None, message: str, code: str = "not-yaml") -> InvalidInput:
    place = Place(file=str(path), line=line, column=column)
    return InvalidInput(code, message, place=place, hint="correct the file there")


def _escape(character: str) -> str:
    code = ord(character)
    if character in '"\\':
        return "\\" + character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
