"""How often, how long, and after which pauses something is tried again: the numbers, and what servers ask for."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from .exchange import Fault, Response

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""

NOT_DONE = frozenset({408, 425, 429, 503})
"""Those of them that say that nothing was done."""

AWAY = frozenset({429, 502, 503, 504})
"""Those of them that a server, or the proxy before it, gives to everybody while it is not really there."""

TOO_MANY = 429
"""That of them with which a server that is well says that we are too fast."""

_LATER = frozenset({429, 503})
"""Those of them with which a server may say when to come back."""

_SOON = 1.0
"""Seconds: who is asked back sooner has not been told to wait."""

_TIMEOUTS = 10
"""So many time-outs in a row are as much as anybody who has shortened them wants to wait."""


class Policy(msgspec.Struct, frozen=True):
    """All in seconds, but for counts.

    `most` attempts of one request within `patience`, refusals with a time to come back at not counted; between them
    chance times `base`, doubled with each, `longest` at most. What a server asks for (`Retry-After`) counts up to
    `cap`. After `failures` failures in a row, whosever, the server is taken to be away: attempts are not counted, one
    request asks for all, every `probe` at most; where there is somebody, but without a proper answer for anybody, for
    `outage` at most, where there is nobody, for `patience`.
    """

    most: int = 8
    patience: float = 900.0
    base: float = 0.5
    longest: float = 30.0
    cap: float = 300.0
    failures: int = 4
    probe: float = 8.0
    outage: float = 120.0

    @classmethod
    def within(cls, timeout: float | None) -> Policy:
        """The usual one; where time-outs were shortened, nothing is waited for longer than ten of them."""
        usual, most = cls(), float("inf") if timeout is None else _TIMEOUTS * timeout
        return cls(patience=min(usual.patience, most), cap=min(usual.cap, most), outage=min(usual.outage, most))

    def delay(self, failed: int, chance: float) -> float:
        """The pause after so many failures. `chance` is anything from 0 to 1."""
        return chance * self._step(failed, self.longest)

    def probe_delay(self, failed: int, chance: float) -> float:
        """The pause before a server that is away is asked again."""
        return chance * self._step(max(1, failed - self.failures + 1), self.probe)

    def _step(self, failed: int, most: float) -> float:
        return min(most, self.base * 2.0 ** min(failed, 32))


def spread(pause: float, chance: float) -> float:
    """What is added to a pause that was asked for, so that not everybody comes back in the same moment: a quarter of
    it and half a second, but never more than one second.
    """
    return chance * min(1.0, 0.5 + 0.25 * pause)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After` asks for: a number, a decimal number, or a date, which is measured by the server's own
    `Date` where it tells it. None without one, or where it makes no sense.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if text[0].isdigit() and text.isascii() else None
    except ValueError:
        seconds = None
    if seconds is None:
        date = _seconds(text)
        here = _seconds(headers.get("date", ""))
        seconds = None if date is None else max(0.0, date - (now if here is None else here))
    return seconds


def asked_to_wait(outcome: Response | Fault, now: float) -> float | None:
    """The same of what became of an attempt."""
    return retry_after(outcome.headers, now) if isinstance(outcome, Response) else None


def asked_to_come_back(outcome: Response | Fault, now: float) -> bool:
    """Whether a server that may be quite well does not want this now, and says when: in a second, or later."""
    later = isinstance(outcome, Response) and outcome.status in _LATER
    return later and (asked_to_wait(outcome, now) or 0.0) >= _SOON


def clock_error(headers: Mapping[str, str], now: float) -> float | None:
    """By how many seconds our clock is ahead of the server's; None where it does not tell its time."""
    there = _seconds(headers.get("date", ""))
    return None if there is None else now - there


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
