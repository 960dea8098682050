"""F10: a server that takes so many requests a second gets about so many. Time is simulated, and passes in no time.

Refusals and answers are counted from the fourth second on: until then nobody can know that there is a limit.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.transfer.exchange import Request, Response
from annolake.metalake_io.transfer.policy import Policy

from ..metalake_io.script import request, retried
from .clocks import FastClock, Simulation
from .conftest import Connect
from .faultd import Faultd
from .journeys import Journey
from .test_pauses import storm

LIMIT = 20
FIRST, LAST = 3.0, 63.0
WORKERS = 32

Takes = Callable[[float], bool]
"""Whether a server takes a request at this time."""


def sliding(limit: int) -> Takes:
    """No more than so many in any second."""
    taken: list[float] = []

    def takes(now: float) -> bool:
        if len(taken) >= limit and taken[-limit] > now - 1.0:
            return False
        taken.append(now)
        return True

    return takes


def fixed(limit: int) -> Takes:
    """No more than so many in each second of its clock."""
    taken: dict[int, int] = {}

    def takes(now: float) -> bool:
        taken[int(now)] = taken.get(int(now), 0) + 1
        return taken[int(now)] <= limit

    return takes


def bucket(limit: int) -> Takes:
    """A store of a second's worth, filled evenly."""
    store, since = float(limit), 0.0

    def takes(now: float) -> bool:
        nonlocal store, since
        store, since = min(float(limit), store + (now - since) * limit), now
        if store < 1.0:
            return False
        store -= 1.0
        return True

    return takes


SERVERS: dict[str, Callable[[int], Takes]] = {"sliding": sliding, "fixed": fixed, "bucket": bucket}


class Server:
    """A bottom layer: it answers after `latency`; where it takes no more, with 429. `answers`: time and status."""

    def __init__(self, clock: Simulation, takes: Takes, latency: float, said: str | None = None) -> None:
        self._clock, self._takes, self._latency = clock, takes, latency
        self._headers = {} if said is None else {"retry-after": said}
        self.answers: list[tuple[float, int]] = []

    def send(self, request: Request) -> Response:
        _ = request
        taken = self._takes(self._clock.now)
        self.answers.append((self._clock.now, 200 if taken else 429))
        self._clock.sleep(self._latency)
        return Response(status=200 if taken else 429, headers={} if taken else self._headers)

    def counted(self, status: int) -> int:
        return sum(FIRST <= now < LAST for now, answer in self.answers if answer == status)


def busy(clock: Simulation, server: Server, workers: int, until: float = LAST) -> None:
    """So many workers ask, each again as soon as it is answered."""
    layer: Any = retried(server, clock, at_once=workers)
    layer._pacing._changed = clock

    def work() -> None:
        while clock.now < until:
            layer.send(request())

    clock.run([work] * workers)


@pytest.mark.parametrize("said", [None, "1"])
@pytest.mark.parametrize("latency", [0.005, 0.05, 0.5])
@pytest.mark.parametrize("kind", SERVERS)
def test_f10_a_server_that_takes_20_a_second(kind: str, latency: float, said: str | None) -> None:
    clock = Simulation()
    server = Server(clock, SERVERS[kind](LIMIT), latency, said)
    busy(clock, server, WORKERS)
    taken, refused = server.counted(200), server.counted(429)
    assert taken >= 0.8 * LIMIT * (LAST - FIRST)
    assert refused <= 0.05 * (taken + refused)


@pytest.mark.parametrize(("limit", "workers"), [(2, 4), (5, 32), (100, 32), (400, 64)])
def test_f10_other_limits(limit: int, workers: int) -> None:
    clock = Simulation()
    server = Server(clock, sliding(limit), 0.05)
    busy(clock, server, workers)
    taken, refused = server.counted(200), server.counted(429)
    assert taken >= 0.8 * limit * (LAST - FIRST)
    assert refused <= 0.05 * (taken + refused)


def test_f10_a_server_without_a_limit_is_asked_without_a_pause() -> None:
    clock = Simulation()
    server = Server(clock, lambda _: True, 0.05)
    busy(clock, server, WORKERS, until=10.0)
    assert len(server.answers) == WORKERS * 200


def test_f10_refusals_that_are_chance_slow_nobody_down() -> None:
    """One in a hundred: a minute later as many are sent as in the beginning, but for the pauses of who was refused."""
    clock, chance = Simulation(), random.Random(1)
    server = Server(clock, lambda _: chance.random() >= 0.01, 0.05)
    busy(clock, server, WORKERS)
    assert sum(LAST - 10 <= now < LAST for now, _ in server.answers) >= 0.85 * 10 * WORKERS / 0.05


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_f10_more_refusals_that_are_chance_are_found_out(share: float) -> None:
    """Sending less does not help against them. Who is refused waits by himself, half a second and more."""
    clock, chance = Simulation(), random.Random(1)
    server = Server(clock, lambda _: chance.random() >= share, 0.05)
    busy(clock, server, WORKERS)
    alone = 1 / (0.05 + share * 1.0)
    assert sum(LAST - 20 <= now < LAST for now, _ in server.answers) >= 0.5 * 20 * WORKERS * alone


def test_f10_a_limit_that_comes_after_chance_is_kept() -> None:
    clock, chance, limited = Simulation(), random.Random(1), sliding(LIMIT)
    server = Server(clock, lambda now: limited(now) if now >= 60.0 else chance.random() >= 0.1, 0.05)
    busy(clock, server, WORKERS, until=100.0)
    late = [answer for now, answer in server.answers if now >= 70.0]
    assert late.count(200) >= 0.8 * LIMIT * 30
    assert late.count(429) <= 0.05 * len(late)


def test_f10_a_limit_that_is_no_more_is_forgotten() -> None:
    clock = Simulation()
    limited = sliding(LIMIT)
    server = Server(clock, lambda now: now >= 10.0 or limited(now), 0.05)
    busy(clock, server, WORKERS, until=80.0)
    assert sum(75.0 <= now < 80.0 for now, _ in server.answers) == WORKERS * 100


@pytest.mark.parametrize("said", ["absent", "1"])
def test_f10_no_file_is_lost_to_a_limit(tmp_path: Path, rig: Faultd, connected: Connect, said: str) -> None:
    """Sixty files at 20 requests a second, all four of their requests refused at times."""
    clock, takes = FastClock(20), sliding(LIMIT)
    journey = Journey(
        rig, tmp_path, lambda: connected(clock=clock, at_once=16, policy=Policy()), "files", count=60, size=500
    )
    rig.weather = lambda _: None if takes(clock.monotonic()) else storm(429, said)
    report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    assert report.complete
    assert any(one.status == 429 for one in rig.log)
