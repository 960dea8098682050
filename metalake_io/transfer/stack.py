"""How the layers lie on each other; nothing else in the house knows that there are layers.

    retry -> redirects -> limit -> authorise -> log -> sockets

Retries stand on top, so that a waiting request holds no place in the limit; the log lies below the credentials' layer,
and sees every attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .authorise import Authorised
from .bandwidth import Bandwidth
from .clock import Clock, WallClock
from .exchange import Layer
from .limit import Limited
from .logs import Logged
from .pacing import Pacing
from .policy import Policy
from .redirects import Redirected
from .retry import Retried
from .sockets import LARGEST_REPLY, Sockets

CONNECT = 10.0
API_IDLE = 100.0
"""Longer than the 90 s after which the service's own proxy answers 504, which a shorter time would hide."""

STORAGE_IDLE = 60.0


class Timeouts:
    """Seconds: to connect, and without a byte of an answer; `timeout` shortens all of them, and ten times as long is
    then as long as anything is tried again.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.most = timeout
        most = float("inf") if timeout is None else timeout
        self.connect = min(CONNECT, most)
        self.api = min(API_IDLE, most)
        self.storage = min(STORAGE_IDLE, most)


class Stack:
    """The layers, ready to send. `bottom` takes the place of the sockets, for tests."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        secret: str,
        *,
        at_once: int = 32,
        timeouts: Timeouts | None = None,
        clock: Clock | None = None,
        policy: Policy | None = None,
        proxies: Mapping[str, str] | None = None,
        ca: str | None = None,
        insecure_tls: bool = False,
        largest_reply: int = LARGEST_REPLY,
        bwlimit: float | None = None,
        bottom: Layer | None = None,
    ) -> None:
        clock = clock or WallClock()
        timeouts = timeouts or Timeouts()
        self._close: Callable[[], None] = lambda: None
        if bottom is None:
            bottom = sockets = Sockets(
                connections=at_once,
                connect=timeouts.connect,
                proxies=proxies,
                ca=ca,
                insecure_tls=insecure_tls,
                largest_reply=largest_reply,
                bandwidth=None if bwlimit is None else Bandwidth(bwlimit, clock),
            )
            self._close = sockets.close
        policy = policy or Policy.within(timeouts.most)
        pacing = Pacing(clock, policy)
        logged = Logged(bottom, clock)
        authorised = Authorised(logged, base_url, api_key, secret)
        limited = Limited(authorised, pacing, at_once)
        self.send = Retried(Redirected(limited), pacing, clock, policy).send

    def close(self) -> None:
        self._close()
