"""How many requests a second a server takes, learned from its refusals (429).

Nothing is held back until a server takes some and refuses several in a second. What it took in that second is then the
measure: a little less is sent, evenly, and carefully more and more while nobody is refused. So a limit costs a refusal
now and then, a few among many cost nothing, and what was learned is forgotten when it is not confirmed; also where
sending less did not help, because refusals are chance.
"""

from __future__ import annotations

from collections import deque

_SECOND = 1.0
"""What is taken is counted over this time, and refusals within it are one."""

_FEW = 3
"""Fewer refusals in a second tell of no limit that nobody knew of."""

_PART = 0.03
"""Nor do they, of many requests in a second, up to this part: they may be chance."""

_SHARE = 0.95
"""Of what was taken, this much is sent after a refusal."""

_LEAST_SHARE = 0.7
"""And of what was sent, this much at least: hardly anything may have been asked for just then."""

_DOUBLE = 30.0
"""Seconds without a refusal after which twice as much is sent; slowly at first, with their third power."""

_FORGOTTEN = 60.0
"""Seconds without a refusal after which nothing is held back."""

_CHANCE = 0.25
"""A limit refuses more than this part while more is sent than it allows. What refuses less,"""

_OFTEN = 8
"""so many times in a row,"""

_SOON = 10.0
"""each not later than so many seconds after the one before, although less is sent each time, is chance."""

_BELIEVED = 300.0
"""Seconds for which that is believed: until then a limit is what refuses more than that part."""


class Rate:
    """Of one server. All times are a clock's; who calls holds a lock."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()
        self._since = float("-inf")
        self._refused = 0
        self._before = 0.0
        self._known = 0.0
        self._is_learned = False
        self._last = float("-inf")
        self._between = 0
        self._in_vain = 0
        self._chance_until = float("-inf")

    def note(self, now: float, *, taken: bool) -> bool:
        """What became of a request, and whether that tells of a limit that nobody knew of."""
        known = self._now(now)
        if taken:
            self._taken.append(now)
        while self._taken and self._taken[0] <= now - _SECOND:
            self._taken.popleft()
        if not taken and now - self._since > _SECOND:
            known = 0.0 if self._is_in_vain(now) else known
            self._since, self._refused, self._is_learned = now, 0, False
            self._before = self._known = known
            self._between = 0
        self._between += 1
        self._refused += not taken
        if now - self._since <= _SECOND and (self._is_learned or self._is_limit()):
            learned = max(_SHARE * len(self._taken), _LEAST_SHARE * self._before, 1.0)
            self._known = max(learned, self._known) if self._is_learned else learned
            self._is_learned = True
        return not known and self._known > 0

    def _is_limit(self) -> bool:
        """A server that takes nothing at all is away, and has none."""
        taken = len(self._taken)
        is_told = self._before > 0 or self._refused >= _FEW
        part = _CHANCE if self._since < self._chance_until else _PART
        return is_told and taken > 0 and self._refused > part * (self._refused + taken)

    def _is_in_vain(self, now: float) -> bool:
        """Whether one refusal more, at this time, shows that holding back does not help."""
        is_chance = self._is_learned and now - self._since <= _SOON and self._refused <= _CHANCE * self._between
        self._in_vain = self._in_vain + 1 if is_chance else 0
        if self._in_vain < _OFTEN:
            return False
        self._in_vain, self._chance_until = 0, now + _BELIEVED
        return True

    def turn(self, now: float) -> tuple[bool, float]:
        """Whether the next request has its turn, and the seconds until then, or until it may ask again."""
        rate = self._now(now)
        if not rate:
            return True, 0.0
        turn = max(self._last + 1.0 / rate, now)
        if turn - now > _SECOND:
            return False, _SECOND / 2  # until then more may be known
        self._last = turn
        return True, turn - now

    def _now(self, now: float) -> float:
        """Requests a second; 0 where nothing is known."""
        quiet = now - self._since
        if quiet > _FORGOTTEN:
            self._known = 0.0
        return self._known * (1.0 + (quiet / _DOUBLE) ** 3) if self._known else 0.0
