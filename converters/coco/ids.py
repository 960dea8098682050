"""Ids that are given out once each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from ...schemas.plain import is_id

_BITS = 8
_MASK = (1 << _BITS) - 1


class Ids:
    """Ids that the source had, once each; fresh ones for the rest, above all of the source's. Whole numbers that lie
    near one another take a bit each.
    """

    def __init__(self, following: int) -> None:
        self.first = self.following = following
        self.doubled = 0
        self._taken = 0
        self._fresh: list[list[int]] = []
        self._refused: dict[int, int | str] = {}
        self._texts: set[str] = set()
        self._pages: dict[int, int] = {}

    def take(self, wanted: Any) -> Any:
        """The id that is wanted, if it is one and was not given out; else a fresh one."""
        if not is_id(wanted) or not self._note(wanted):
            if is_id(wanted):
                self.doubled += 1
                self._refused[self._taken] = wanted
            self._note_fresh(1)
            while not self._note(self.following):
                self.following += 1
            wanted = self.following
            self.following += 1
        self._taken += 1
        return wanted

    def take_each(self, wanted: Iterable[Any]) -> list[Any]:
        """As by `take` one after the other."""
        pages = self._pages
        out: list[Any] = []
        for identity in wanted:
            if type(identity) is int:
                page, bit = identity >> _BITS, 1 << (identity & _MASK)
                used = pages.get(page, 0)
                if not used & bit:
                    pages[page] = used | bit
                    self._taken += 1
                    out.append(identity)
                    continue
            out.append(self.take(identity))
        return out

    def fresh(self, count: int) -> Sequence[int]:
        """So many ids that nobody wants, as by `take` one after the other."""
        run = range(self.following, self.following + count)
        claims = list(_claims(run))
        if any(self._pages.get(page, 0) & bits for page, bits in claims):
            return [self.take(None) for _ in run]
        for page, bits in claims:
            self._pages[page] = self._pages.get(page, 0) | bits
        self._note_fresh(count)
        self._taken += count
        self.following += count
        return run

    def wanted(self, number: int, given: int | str) -> int | str | None:
        """The id that was wanted when the one `given` was taken as number so-and-so, from 0."""
        if number in self._refused:
            return self._refused[number]
        run = bisect_right(self._fresh, number, key=itemgetter(0)) - 1
        return None if run >= 0 and number < self._fresh[run][1] else given

    def apart(self, other: Ids) -> bool:
        """Whether all ids that the other gave out were wanted, and none is among these."""
        return not other._fresh and not self._shares(other)

    def continued_by(self, other: Ids) -> bool:
        """Whether the other gave out those that would be the next fresh ones here, and no others."""
        count = other._taken
        in_a_row = other._fresh == [[0, count]] and other.following == other.first + count and not other._refused
        return in_a_row and other.first == self.following and not self._shares(other)

    def add(self, other: Ids) -> None:
        """Take over ids that are apart from these, or continue them."""
        if self.continued_by(other):
            self.following = other.following
        self._texts |= other._texts
        for page, bits in other._pages.items():
            self._pages[page] = self._pages.get(page, 0) | bits

    def _shares(self, other: Ids) -> bool:
        pages = self._pages
        common = (bits & pages[page] for page, bits in other._pages.items() if page in pages)
        return any(common) or not self._texts.isdisjoint(other._texts)

    def _note_fresh(self, count: int) -> None:
        """So many ids that are taken next are of our own making."""
        if self._fresh and self._fresh[-1][1] == self._taken:
            self._fresh[-1][1] += count
        else:
            self._fresh.append([self._taken, self._taken + count])

    def _note(self, identity: int | str) -> bool:
        """Whether the id is new."""
        if isinstance(identity, str):
            new = identity not in self._texts
            self._texts.add(identity)
            return new
        page, bit = identity >> _BITS, 1 << (identity & _MASK)
        used = self._pages.get(page, 0)
        self._pages[page] = used | bit
        return not used & bit


def _claims(run: range) -> Iterator[tuple[int, int]]:
    """The pages that a run of ids lies on, and its bits there."""
    start = run.start
    while start < run.stop:
        page = start >> _BITS
        end = min(run.stop, (page + 1) << _BITS)
        yield page, ((1 << (end - start)) - 1) << (start & _MASK)
        start = end
