"""Cases of which a few are run always, and all by those who have the time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def of_all(few: Iterable[Any], every: Iterable[Any]) -> list[Any]:
    """The few cases of every run, and the rest marked `torture`. A case of several values is a tuple."""
    first = list(few)
    return [*first, *(pytest.param(*_tuple(one), marks=pytest.mark.torture) for one in every if one not in first)]


def _tuple(one: Any) -> tuple[Any, ...]:
    return one if isinstance(one, tuple) else (one,)
