"""The flavours of a format: YOLO's tasks. Options choose among them, and each has a fidelity of its own."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

from .format import Format, Options

_FIELD = "task"


def flavours(format_: Format) -> dict[str, Options]:
    """Options of each flavour by its name: the values of the option `task`, where it is one of fixed words. A
    format without flavours has one, without a name.
    """
    kind = get_type_hints(format_.options, include_extras=True).get(_FIELD)
    return {word: format_.options(**{_FIELD: word}) for word in _words(kind)} or {"": format_.options()}


def _words(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    return [word for one in get_args(kind) for word in _words(one)]
