"""So many bytes a second, of all connections and both directions together."""

from __future__ import annotations

from threading import Lock

from .clock import Clock

LEAST = 1024
"""Bytes a second. With less, the other side gives us up."""

_CREDIT = 0.1
"""Seconds that may be made up for: sleeping takes longer than it should."""

_SHORT = 0.005
"""Seconds that are not worth sleeping; the next one waits for them, too."""


class Bandwidth:
    """Everybody takes the time on the line that his bytes need, one after the other, and waits until it is over."""

    def __init__(self, limit: float, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._free = float("-inf")
        self._lock = Lock()

    def take(self, count: int) -> None:
        """Wait as long as so many bytes need."""
        with self._lock:
            now = self._clock.monotonic()
            self._free = max(self._free, now - _CREDIT) + count / self._limit
            wait = self._free - now
        if wait > _SHORT:
            self._clock.sleep(wait)
