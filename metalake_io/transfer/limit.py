"""The layer that holds back: so many requests at once to an origin, and none while it has asked us to wait."""

from __future__ import annotations

from threading import Lock, Semaphore

from .exchange import Fault, Layer, Request, Response, origin
from .pacing import Pacing


class Limited:
    def __init__(self, below: Layer, pacing: Pacing, at_once: int) -> None:
        self._below = below
        self._pacing = pacing
        self._at_once = at_once
        self._free: dict[str, Semaphore] = {}
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        where = origin(request.url)
        with self._lock:
            free = self._free.setdefault(where, Semaphore(self._at_once))
        with free:
            asks = self._pacing.enter(where)
            outcome: Response | Fault | None = None
            try:
                outcome = self._below.send(request)
                return outcome
            except Fault as fault:
                outcome = fault
                raise
            finally:
                self._pacing.leave(where, outcome, asked=asks)
