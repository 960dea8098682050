"""What is wrong with the texts and the free facts of an annotation."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

from .errors import printable
from .jsontext import as_list, as_object
from .shapes import Mistake, is_finite

LONGEST_KEY = 255
_BEYOND = 1 << 63


def text_mistakes(text: str, code: str, subject: str) -> Iterator[Mistake]:
    """Control characters in a name that people and file systems are to read; `code` begins the problem's code."""
    if not text.isprintable() and any(unicodedata.category(character) == "Cc" for character in text):
        message = f"{subject} has control characters: {printable(text)}"
        yield Mistake(f"{code}-characters", "warning", message, "use visible characters only")


def metadata_mistakes(metadata: Mapping[str, Any]) -> Iterator[Mistake]:
    """Keys and values that the service's database does not keep as they are."""
    for key, value in metadata.items():
        if _is_plain(value) and _is_fine(key):
            continue
        yield from _key_mistakes(key)
        if as_object(value) is not None or as_list(value) is not None:
            message = f'the metadata value of "{printable(key)}" is a structure, not a text, number or boolean'
            yield Mistake("nested-metadata", "warning", message, "write it as JSON text")
        yield from _value_mistakes(key, value)


def _is_plain(value: Any) -> bool:
    """Whether a value is surely one that the service's database keeps: no structure, no integer beyond 64 bits."""
    if isinstance(value, int):
        return -_BEYOND < value < _BEYOND
    return value is None or isinstance(value, str) or (isinstance(value, float) and isfinite(value))


@lru_cache(1024)
def _is_fine(key: str) -> bool:
    return not any(_key_mistakes(key))


def is_good_key(key: str) -> bool:
    """Whether the service's database takes a metadata key: not empty, no `.`, no NUL, no `$` at its beginning."""
    return bool(key) and not key.startswith("$") and "." not in key and "\0" not in key


def good_key(key: str) -> str:
    """The nearest key that the database takes."""
    key = key.replace(".", "_").replace("\0", "_")
    return "_" + key[1:] if key.startswith("$") else key or "_"


def _key_mistakes(key: str) -> Iterator[Mistake]:
    if not is_good_key(key):
        message = f'the metadata key "{printable(key)}" is empty, holds a . or begins with $'
        yield Mistake("metadata-key", "error", message, f'call it "{printable(good_key(key))}"')
    if len(key.encode("utf-8", "replace")) > LONGEST_KEY:
        yield Mistake("long-key", "warning", f"a metadata key has over {LONGEST_KEY} bytes", "shorten it")


def _value_mistakes(key: str, value: Any) -> Iterator[Mistake]:
    if isinstance(value, int | float) and not is_finite(value):
        message = f'the metadata value of "{printable(key)}" is not a finite number'
        yield Mistake("not-finite", "error", message, "leave it out")
    elif (items := as_list(value)) is not None:
        for item in items:
            yield from _value_mistakes(key, item)
    elif (members := as_object(value)) is not None:
        for inner, item in members.items():
            yield from _key_mistakes(inner)
            yield from _value_mistakes(inner, item)
