"""Lists of names, one a line, in UTF-8: label names in the order that numbers them, names of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..schemas.errors import InvalidInput, Place
from ..schemas.jsontext import checked
from .files import read_bytes

_LIMIT = 256 << 20


def read_labels(path: Path) -> tuple[str, ...]:
    """The names of a file; empty lines and blanks at the ends of lines do not count. InvalidInput (`encoding`, `empty`,
    `duplicate-label`) with the line.
    """
    first: dict[str, int] = {}
    for number, name in _lines(path):
        if name in first:
            message = f"this label stands in line {first[name]} already: its number would be ambiguous"
            raise InvalidInput("duplicate-label", message, place=Place(file=str(path), line=number), hint="keep one")
        first[name] = number
    return tuple(first)


def read_image_names(path: Path) -> tuple[str, ...]:
    """The names of a file, each once. InvalidInput (`encoding`, `empty`)."""
    return tuple(dict.fromkeys(name for _, name in _lines(path)))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(checked(read_bytes(path, _LIMIT), str(path)).decode().split("\n"), 1):
        if name := line.strip():
            yield number, name
