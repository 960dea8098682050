"""The layer that tries again: what can succeed, never what cannot, never for ever.

Tried again are broken connections, time-outs, and answers 408, 425, 429, 500, 502, 503, 504. A request that may be
repeated only while the server cannot have acted on it (`Repeat` is `unsent`) ends, after a lost answer, with an
uncertain NetworkGaveUp, and its caller asks the server. All other answers are the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from threading import Lock

import msgspec

from ..errors import NetworkGaveUp
from .clock import Clock
from .exchange import Fault, Layer, Request, Response, origin
from .limit import Gate
from .logs import logger

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_DONE = frozenset({408, 425, 429, 503})
"""Answers that say that nothing was done."""


class Policy(msgspec.Struct, frozen=True):
    """`most` attempts within `patience` seconds for one request; `base` doubles up to `longest` seconds between
    them, times chance; a server's `Retry-After` counts up to `cap` seconds.
    """

    most: int = 8
    patience: float = 900.0
    base: float = 0.5
    longest: float = 30.0
    cap: float = 300.0


class Budget:
    """What all requests together may spend on retries: a service that is down is not hammered by every worker."""

    def __init__(self, tokens: int = 500) -> None:
        self._most = self._left = tokens
        self._lock = Lock()

    def spend(self, cost: int) -> bool:
        with self._lock:
            if cost > self._left:
                return False
            self._left -= cost
            return True

    def give_back(self, tokens: int) -> None:
        with self._lock:
            self._left = min(self._most, self._left + tokens)


class Retried:
    def __init__(
        self, below: Layer, gate: Gate, clock: Clock, policy: Policy | None = None, budget: Budget | None = None
    ) -> None:
        self._below = below
        self._gate = gate
        self._clock = clock
        self._policy = policy or Policy()
        self._budget = budget or Budget()

    def send(self, request: Request) -> Response:
        begin = self._clock.monotonic()
        attempt, spent, lost = 0, 0, False
        while True:
            attempt += 1
            outcome = self._try(request)
            status = outcome.status if isinstance(outcome, Response) else None
            if isinstance(outcome, Response) and outcome.status not in _TRANSIENT:
                self._budget.give_back(spent or 1)
                return msgspec.structs.replace(outcome, attempts=attempt, lost=lost)
            may_be_done = status not in _NOT_DONE if isinstance(outcome, Response) else outcome.sent
            lost = lost or may_be_done
            wait, why_not = self._wait(request, outcome, attempt, may_be_done)
            cost = 10 if isinstance(outcome, Fault) and outcome.cause == "timeout" else 5
            if why_not is None and self._clock.monotonic() + wait - begin > self._policy.patience:
                why_not = "time is up"
            if why_not is None and not self._budget.spend(cost):
                why_not = "too many requests fail"
            if why_not is not None:
                raise _gave_up(request, outcome, attempt, why_not, uncertain=lost)
            spent += cost
            logger.info("%r: %s, attempt %d follows in %.1f s", request, _said(outcome), attempt + 1, wait)
            self._clock.sleep(wait)

    def _try(self, request: Request) -> Response | Fault:
        try:
            return self._below.send(request)
        except Fault as fault:
            return fault

    def _wait(
        self, request: Request, outcome: Response | Fault, attempt: int, may_be_done: bool
    ) -> tuple[float, str | None]:
        """Seconds until the next attempt; or why there will be none."""
        if isinstance(outcome, Fault) and outcome.lasting:
            return 0.0, "trying again cannot help"
        if request.first and isinstance(outcome, Fault) and not outcome.sent:
            return 0.0, "nothing answers there"
        if request.repeat == "unsent" and may_be_done:
            return 0.0, "it may have been done"
        asked = None
        if isinstance(outcome, Response):
            asked = retry_after(outcome.headers, self._clock.time())
        if asked is not None and asked > self._policy.cap:
            return 0.0, f"the server asks to wait {asked:,.0f} seconds"
        if attempt >= self._policy.most:
            return 0.0, f"{attempt} attempts"
        if asked is not None:
            self._gate.close_for(origin(request.url), asked)
            return asked + self._clock.random() * min(1.0, 0.5 + 0.25 * asked), None
        return self._clock.random() * min(self._policy.longest, self._policy.base * 2.0**attempt), None


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


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _said(outcome: Response | Fault) -> str:
    return outcome.message if isinstance(outcome, Fault) else f"the server answers {outcome.status}"


def _gave_up(request: Request, outcome: Response | Fault, attempts: int, why: str, *, uncertain: bool) -> NetworkGaveUp:
    hint = "check the address and the network, and run it again"
    if isinstance(outcome, Fault) and outcome.cause == "tls":
        hint = "check the server's certificate, or name the file of your own authority"
    error = NetworkGaveUp("network", f"{request.operation}: {_said(outcome)}; given up, {why}", hint=hint)
    error.attempts, error.uncertain = attempts, uncertain
    if isinstance(outcome, Response):
        error.after(outcome, attempts)
    return error
