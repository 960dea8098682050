"""Time and chance, in one place so that tests can hold them. Nothing else here sleeps."""

from __future__ import annotations

import random
import time
from contextvars import ContextVar
from threading import Event
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float: ...

    def time(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def random(self) -> float:
        """Anything from 0 up to 1."""
        ...


class Stopped(Exception):
    """The run that this thread works for has been called off."""


current_stop: ContextVar[Event | None] = ContextVar("annolake_stop", default=None)
"""Set in each worker: whoever waits there wakes up when the run is called off."""


def raise_if_stopped() -> None:
    stop = current_stop.get()
    if stop is not None and stop.is_set():
        raise Stopped


class WallClock:
    """The real one."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        stop = current_stop.get()
        if stop is None:
            time.sleep(seconds)
        elif stop.wait(seconds):
            raise Stopped

    def random(self) -> float:
        return random.random()
