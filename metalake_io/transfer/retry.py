"""The layer that tries again: what can succeed, never what cannot, never for ever.

Tried again are broken connections, time-outs, and answers 408, 425, 429, 500, 502, 503, 504. Which requests, is their
class (`Repeat`): `always`, or `unsent`: only while the server cannot have acted on it; after a lost answer it ends with
an uncertain NetworkGaveUp, and its caller asks the server. All other answers, and whoever must not be asked twice, are
the caller's business. While the server is away (`pacing`), attempts are neither counted nor paid for. Nor is one that
is refused with a time to come back at: who keeps it hammers nobody, and time alone ends it.
"""

from __future__ import annotations

import msgspec

from ..errors import NetworkGaveUp
from .clock import Clock
from .exchange import Fault, Layer, Request, Response, origin, outcome_text
from .logs import logger
from .pacing import Budget, Pacing
from .policy import NOT_DONE, TRANSIENT, Policy, asked_to_come_back, asked_to_wait, spread


class Retried:
    def __init__(
        self, below: Layer, pacing: Pacing, clock: Clock, policy: Policy | None = None, budget: Budget | None = None
    ) -> None:
        self._below = below
        self._pacing = pacing
        self._clock = clock
        self._policy = policy or Policy()
        self._budget = budget or Budget()

    def send(self, request: Request) -> Response:
        begin = self._clock.monotonic()
        attempt, counted, spent, lost = 0, 0, 0, False
        while True:
            attempt += 1
            outcome = self._try(request)
            if isinstance(outcome, Response) and outcome.status not in TRANSIENT:
                self._budget.give_back(spent or 1)
                return msgspec.structs.replace(outcome, attempts=attempt, lost=lost)
            may_be_done = outcome.status not in NOT_DONE if isinstance(outcome, Response) else outcome.sent
            lost = lost or may_be_done
            is_away = not request.first and self._pacing.is_away(origin(request.url))
            is_free = is_away or asked_to_come_back(outcome, self._clock.time())
            counted += not is_free
            why_not = self._why_not(request, outcome, counted, may_be_done)
            wait = self._wait(outcome, counted, is_away=is_away)
            if not why_not and self._clock.monotonic() + wait - begin > self._policy.patience:
                why_not = "time is up"
            cost = 10 if isinstance(outcome, Fault) and outcome.cause == "timeout" else 5
            if not why_not and not is_free and not self._budget.spend(cost):
                why_not = "too many requests fail"
            if why_not:
                raise _gave_up(request, outcome, attempt, why_not, uncertain=lost)
            spent += 0 if is_free else cost
            logger.info("%r: %s, attempt %d follows in %.1f s", request, outcome_text(outcome), attempt + 1, wait)
            self._clock.sleep(wait)
            if isinstance(outcome, Fault) and outcome.cause == "reset":
                request = msgspec.structs.replace(request, fresh=True)

    def _try(self, request: Request) -> Response | Fault:
        try:
            return self._below.send(request)
        except Fault as fault:
            return fault

    def _why_not(self, request: Request, outcome: Response | Fault, counted: int, may_be_done: bool) -> str:
        """Why there will be no other attempt; empty where there will be."""
        if isinstance(outcome, Fault) and outcome.cause == "away":
            return "nothing is sent there for now"
        if isinstance(outcome, Fault) and outcome.lasting:
            return "trying again cannot help"
        if request.first and isinstance(outcome, Fault) and not outcome.sent:
            return "nothing answers there"
        if request.repeat == "unsent" and may_be_done:
            return "it may have been done"
        if counted >= self._policy.most:
            return f"{counted} attempts"
        return self._pacing.given_up(origin(request.url))

    def _wait(self, outcome: Response | Fault, counted: int, *, is_away: bool) -> float:
        """Seconds until the next attempt; a server that is away is waited for below, by all together."""
        asked = asked_to_wait(outcome, self._clock.time())
        if asked is not None:
            return asked + spread(asked, self._clock.random())
        return 0.0 if is_away else self._policy.delay(counted, self._clock.random())


def _gave_up(request: Request, outcome: Response | Fault, attempts: int, why: str, *, uncertain: bool) -> NetworkGaveUp:
    hint = "check the address and the network, and run it again"
    if isinstance(outcome, Fault) and outcome.cause == "tls":
        hint = "check the server's certificate, or name the file of your own authority"
    if isinstance(outcome, Fault) and outcome.cause == "proxy":
        hint = "check the proxy's address, and the name and the password in it"
    tries = attempts - (isinstance(outcome, Fault) and outcome.cause == "away")
    error = NetworkGaveUp("network", f"{request.operation}: {outcome_text(outcome)}; given up, {why}", hint=hint)
    error.attempts, error.uncertain = tries, uncertain
    if isinstance(outcome, Response):
        error.after(outcome, tries)
    return error
