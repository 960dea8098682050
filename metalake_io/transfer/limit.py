"""The layer that holds back: so many requests at once to an origin, none while it has asked us to wait, and no more a
second than it takes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock, Semaphore

from .exchange import Fault, Layer, Request, Response, origin
from .pacing import Pacing

_EACH = 3
"""Open files that a transfer may need: connections to the service and to the storage, and its own file."""

_OTHERS = 16
"""Open files that are left for everything else: a journal, a lock, certificates."""


def affordable(at_once: int) -> int:
    """So many transfers at once, or fewer where this process may not have so many files open; at least one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return at_once
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return at_once
    used = 8
    with suppress(OSError):
        used = len(os.listdir("/dev/fd"))
    return max(1, min(at_once, (most - used - _OTHERS) // _EACH))


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
