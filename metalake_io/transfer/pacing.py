"""What all requests know together: the pause that a server wants, how many a second it takes (`rate`), whether it is
away, and what retries may cost.

A server is away after several failures in a row, whosever they were, without a proper answer to anybody. From then on
one request at a time asks for all; the first proper answer lets everybody go on. So an outage costs no request its
attempts, and a server that comes back is not run down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Condition, Lock

from .clock import Clock, raise_if_stopped
from .exchange import Fault, Response, outcome_text
from .logs import logger
from .policy import AWAY, TOO_MANY, TRANSIENT, Policy, asked_to_wait, spread
from .rate import Rate

_AWAY_CAUSES = ("refused", "name", "timeout", "reset")


@dataclass
class _Origin:
    """`until`: nobody asks before. `failures` in a row since `since`; those since `met` met somebody. `asking`: one
    request is out to see whether the server is back.
    """

    until: float = 0.0
    pause: float = 0.0
    failures: int = 0
    since: float = 0.0
    met: float | None = None
    asking: bool = False
    last: str = ""
    rate: Rate = field(default_factory=Rate)


class Pacing:
    """One for all requests of a client."""

    def __init__(self, clock: Clock, policy: Policy) -> None:
        self._clock = clock
        self._policy = policy
        self._origins: dict[str, _Origin] = {}
        self._changed = Condition()

    def enter(self, where: str) -> bool:
        """Wait until a request may go to this origin; whether it asks for all, then. A Fault where none goes for now.
        `leave` must follow.
        """
        has_turn = False
        while True:
            asks, left, has_turn = self._claim(where, has_turn=has_turn)
            if left <= 0:
                return asks
            self._clock.sleep(left)

    def leave(self, where: str, outcome: Response | Fault | None, *, asked: bool) -> None:
        """`outcome` is None where it was called off."""
        with self._changed:
            origin = self._origins[where]
            origin.asking = origin.asking and not asked
            if outcome is not None:
                self._note(where, origin, outcome)
            self._changed.notify_all()

    def is_away(self, where: str) -> bool:
        with self._changed:
            return self._is_away(self._origins.get(where, _Origin()))

    def given_up(self, where: str) -> str:
        """Why nothing is asked of an origin any more for now; empty where it is."""
        with self._changed:
            return self._given_up(self._origins.get(where, _Origin()))

    def _claim(self, where: str, *, has_turn: bool) -> tuple[bool, float, bool]:
        """Whether it asks for all, the seconds to wait before, and whether its turn is then; a pause takes it away."""
        with self._changed:
            origin = self._origins.setdefault(where, _Origin())
            while origin.asking:
                self._changed.wait(0.1)
                raise_if_stopped()
            left = origin.until - self._clock.monotonic()
            if left > 0 and (why := self._given_up(origin)):
                raise Fault("away", f"{origin.last}: {why}", sent=False)
            if left > 0:
                return False, left + (spread(origin.pause, self._clock.random()) if origin.pause else 0.0), False
            has_turn, left = (True, 0.0) if has_turn else origin.rate.turn(self._clock.monotonic())
            if left > 0:
                return False, left, has_turn
            origin.asking = self._is_away(origin)
            return origin.asking, 0.0, True

    def _is_away(self, origin: _Origin) -> bool:
        return origin.failures >= self._policy.failures

    def _given_up(self, origin: _Origin) -> str:
        now, policy = self._clock.monotonic(), self._policy
        if origin.until - now > policy.cap:
            return f"the server asks to wait {origin.pause:,.0f} seconds"
        if not self._is_away(origin):
            return ""
        most = policy.patience if origin.met is None else policy.outage
        if now - (origin.since if origin.met is None else origin.met) < most:
            return ""
        return f"nobody has had a proper answer for {most:,.0f} seconds"

    def _note(self, where: str, origin: _Origin, outcome: Response | Fault) -> None:
        now, policy = self._clock.monotonic(), self._policy
        status = outcome.status if isinstance(outcome, Response) else None
        if status is not None and status not in TRANSIENT:
            if self._is_away(origin):
                logger.warning("%s answers again, after %.0f s", where, now - origin.since)
            origin.failures, origin.pause, origin.met = 0, 0.0, None
            self._note_rate(where, origin, taken=True)
            return
        if status == TOO_MANY:
            self._note_rate(where, origin, taken=False)
        asked = asked_to_wait(outcome, self._clock.time())
        origin.last = outcome_text(outcome)
        if asked is not None:
            until = now + min(asked, max(policy.patience, 2 * policy.cap))
            if until > origin.until:
                origin.until, origin.pause = until, asked
        if status in AWAY or (isinstance(outcome, Fault) and outcome.cause in _AWAY_CAUSES):
            self._note_failure(where, origin, outcome, asked)

    def _note_rate(self, where: str, origin: _Origin, *, taken: bool) -> None:
        if origin.rate.note(self._clock.monotonic(), taken=taken):
            logger.warning("%s takes no more requests in this time: fewer are sent", where)

    def _note_failure(self, where: str, origin: _Origin, outcome: Response | Fault, asked: float | None) -> None:
        now, policy = self._clock.monotonic(), self._policy
        origin.failures += 1
        if origin.failures == 1:
            origin.since = now
        met = isinstance(outcome, Response) or outcome.sent
        origin.met = (now if origin.met is None else origin.met) + (asked or 0.0) if met else None
        if self._is_away(origin) and asked is None:
            origin.until = max(origin.until, now + policy.probe_delay(origin.failures, self._clock.random()))
        if origin.failures == policy.failures:
            most = policy.outage if met else policy.patience
            logger.warning("%s is away (%s): waiting for it, up to %.0f s", where, origin.last, most)


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
