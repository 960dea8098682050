"""Ids that are given out once each."""

from __future__ import annotations

from typing import Any

from ...schemas.plain import is_id

_BITS = 8


class Ids:
    """Ids that the source had, once each; fresh ones for the rest, above all of the source's. Whole numbers that lie
    near one another take a bit each.
    """

    def __init__(self, following: int) -> None:
        self.following = following
        self.doubled = 0
        self._texts: set[str] = set()
        self._pages: dict[int, int] = {}

    def take(self, wanted: Any) -> Any:
        """The id that is wanted, if it is one and was not given out; else a fresh one."""
        if not is_id(wanted) or not self._note(wanted):
            self.doubled += is_id(wanted)
            while not self._note(self.following):
                self.following += 1
            wanted = self.following
            self.following += 1
        return wanted

    def _note(self, identity: int | str) -> bool:
        """Whether the id is new."""
        if isinstance(identity, str):
            new = identity not in self._texts
            self._texts.add(identity)
            return new
        page, bit = identity >> _BITS, 1 << (identity & ((1 << _BITS) - 1))
        used = self._pages.get(page, 0)
        self._pages[page] = used | bit
        return not used & bit
