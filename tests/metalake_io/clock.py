"""A clock that stands still until somebody sleeps."""

from __future__ import annotations

from threading import Lock


class FakeClock:
    """Sleeping takes no time but moves the clock. Chance is always `chance`."""

    def __init__(self, now: float = 1795426068.5, chance: float = 0.5) -> None:
        self.now = now
        self.passed = 0.0
        self.chance = chance
        self.sleeps: list[float] = []
        self._lock = Lock()

    def monotonic(self) -> float:
        return self.passed

    def time(self) -> float:
        return self.now + self.passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.passed += seconds

    def random(self) -> float:
        return self.chance
