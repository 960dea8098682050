"""A layer that answers as the test says, and requests to send through those above it."""

from __future__ import annotations

from typing import Any

from annolake.metalake_io.transfer.clock import Clock
from annolake.metalake_io.transfer.exchange import Layer, Request, Response
from annolake.metalake_io.transfer.limit import Limited
from annolake.metalake_io.transfer.pacing import Pacing
from annolake.metalake_io.transfer.policy import Policy
from annolake.metalake_io.transfer.retry import Retried

from .lake import SIGNATURE

URL = "https://api.example.com/x?" + SIGNATURE
NOW = 1795426068.0


class Script:
    """A bottom layer: answers, or raises, one after the other; the last one for ever."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        outcome = self.take()
        if isinstance(outcome, BaseException):
            raise outcome
        status, headers = outcome if isinstance(outcome, tuple) else (outcome, {})
        return Response(status=status, headers=headers)

    def take(self) -> Any:
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


def request(**other: Any) -> Request:
    return Request(**{"method": "GET", "url": URL, "operation": "look", **other})


def retried(bottom: Layer, clock: Clock, policy: Policy | None = None, at_once: int = 4, **options: Any) -> Retried:
    """The layers that hold back and try again, over `bottom`."""
    policy = policy or Policy()
    pacing = Pacing(clock, policy)
    return Retried(Limited(bottom, pacing, at_once), pacing, clock, policy, **options)
