"""What decoded JSON is, in words the type checker understands."""

from __future__ import annotations

import math
from threading import Lock
from typing import Any, TypeGuard, TypeVar

import msgspec

T = TypeVar("T")


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_number(value: Any) -> TypeGuard[int | float]:
    """A finite number that a float can hold; a truth value is none."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def is_id(value: Any) -> TypeGuard[int | str]:
    return isinstance(value, int | str) and not isinstance(value, bool)


def texts(value: Any) -> int:
    """How many keys and strings a value has, but for those in lists: where there are such, it is too few."""
    if isinstance(value, str):
        return 1
    return len(value) + sum(map(texts, value.values())) if is_object(value) else 0


_READY: set[Any] = set()
_MAKING_READY = Lock()


def ready(kind: type[T]) -> type[T]:
    """`kind`, safe to be decoded by many threads at once: msgspec 0.22 crashes where several are the first to use a
    type with others in it.
    """
    with _MAKING_READY:
        if kind not in _READY:
            msgspec.json.Decoder(kind)
            _READY.add(kind)
    return kind
