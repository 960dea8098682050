"""The layer that holds back: so many requests at once to an origin, and none while it has asked us to wait."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock, Semaphore

from .clock import Clock
from .exchange import Layer, Request, Response, origin

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


class Gate:
    """Closed, for all workers, while an origin wants to be left alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._lock = Lock()

    def close_for(self, where: str, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        with self._lock:
            self._until[where] = max(until, self._until.get(where, until))

    def wait(self, where: str) -> None:
        while (left := self._until.get(where, 0.0) - self._clock.monotonic()) > 0:
            self._clock.sleep(left)


class Limited:
    def __init__(self, below: Layer, gate: Gate, at_once: int) -> None:
        self._below = below
        self._gate = gate
        self._at_once = at_once
        self._free: dict[str, Semaphore] = {}
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        where = origin(request.url)
        with self._lock:
            free = self._free.setdefault(where, Semaphore(self._at_once))
        with free:
            self._gate.wait(where)
            return self._below.send(request)
