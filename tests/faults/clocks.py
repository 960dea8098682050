"""Clocks for tests: one that runs faster than real, beside the one that stands still (`metalake_io.clock`)."""

from __future__ import annotations

import time

from annolake.metalake_io.transfer.clock import WallClock


class FastClock(WallClock):
    """`speed` of its seconds are one real second."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._begin = time.monotonic()
        self._since = time.time()

    def monotonic(self) -> float:
        return (time.monotonic() - self._begin) * self.speed

    def time(self) -> float:
        return self._since + self.monotonic()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / self.speed)
