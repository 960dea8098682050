"""A list of label names, one a line, in the order that numbers them: what `--labels FILE` names."""

from __future__ import annotations

from pathlib import Path

from ..schemas.errors import InvalidInput, Place
from ..schemas.jsontext import checked
from .files import read_bytes

_LIMIT = 16 << 20


def read_labels(path: Path) -> tuple[str, ...]:
    """The names of a UTF-8 file; empty lines and blanks at the ends of lines do not count. InvalidInput
    (`encoding`, `empty`, `duplicate-label`) with the line.
    """
    file = str(path)
    first: dict[str, int] = {}
    for number, line in enumerate(checked(read_bytes(path, _LIMIT), file).decode().split("\n"), 1):
        name = line.strip()
        if name in first:
            message = f"this label stands in line {first[name]} already: its number would be ambiguous"
            raise InvalidInput("duplicate-label", message, place=Place(file=file, line=number), hint="keep one")
        if name:
            first[name] = number
    return tuple(first)
