"""Clocks for tests: one that runs faster than real, and one that only waiting moves, for many threads, beside the one
that stands still (`metalake_io.clock`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from threading import Event, Thread
from types import TracebackType

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


class Simulation:
    """A clock for threads of which one runs at a time: when it sleeps, the time comes of who is to wake up first. So
    nothing but sleeping takes time, and everything happens in the same order each time.

    It is the condition variable of its threads, too, in the place of one that would hold them all up.
    """

    def __init__(self, seed: int = 0) -> None:
        self.now = 0.0
        self._chance = random.Random(seed)
        self._number = count()
        self._asleep: list[tuple[float, int, Event]] = []
        self._errors: list[Exception] = []
        self._done = Event()

    def run(self, works: list[Callable[[], object]]) -> float:
        """All of them at once; the seconds that it took."""
        began = self.now
        for work in works:
            Thread(target=self._work, args=[work, self._lay_down(0.0)], daemon=True).start()
        self._wake_next()
        assert self._done.wait(60), "somebody waits for what is not the clock"
        if self._errors:
            raise self._errors[0]
        return self.now - began

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1795426068.0 + self.now

    def sleep(self, seconds: float) -> None:
        mine = self._lay_down(seconds)
        self._wake_next()
        mine.wait()

    def random(self) -> float:
        return self._chance.random()

    def wait(self, timeout: float) -> None:
        self.sleep(timeout)

    def notify_all(self) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def _lay_down(self, seconds: float) -> Event:
        mine = Event()
        heappush(self._asleep, (self.now + seconds, next(self._number), mine))
        return mine

    def _wake_next(self) -> None:
        if self._asleep:
            self.now, _, event = heappop(self._asleep)
            event.set()
        else:
            self._done.set()

    def _work(self, work: Callable[[], object], mine: Event) -> None:
        mine.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001  it is raised where the run was begun
            self._errors.append(error)
        finally:
            self._wake_next()
