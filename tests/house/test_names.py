"""Nothing in the packages is left for later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Module

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")


def test_no_unfinished_marks(modules: list[Module]) -> None:
    marks = [
        f"{module.path}:{number} {line.strip()}"
        for module in modules
        for number, line in enumerate(module.path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert marks == []
