"""A line of the table of faults."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    what: str
    shown: tuple[str, ...]
    left: str = ""


def fault(what: str, *shown: str, left: str = "") -> Fault:
    return Fault(what, shown, left)
