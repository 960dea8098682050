"""B1: a server that wants to be left alone for a while is left alone, by all workers, and not longer than it wants."""

from __future__ import annotations

import random
import time
from email.utils import formatdate
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.transfer.exchange import Request, Response
from annolake.metalake_io.transfer.policy import Policy
from annolake.metalake_io.transfer.sockets import Sockets

from ..metalake_io.clock import FakeClock
from . import actions as act
from .clocks import FastClock
from .desk import Connect
from .faultd import OPERATIONS, Faultd
from .journeys import PASSED_BY, Journey

ASKED: dict[str, float | None] = {
    "absent": None, "0": 0.0, "2": 2.0, "1.5": 1.5, "date": 2.0, "-5": None, "junk": None, "1000000000": 1e9,
}  # fmt: skip
"""What Retry-After says, and the seconds that are meant by it."""

TRIES = 3

EVERY = [
    (status, how_many, said, operation)
    for operation in OPERATIONS
    for said in ASKED
    for how_many in range(1, 7)
    for status in (429, 503)
]
FEW = [
    (429 + 74 * (number % 2), 1 + number % 6, said, operation)
    for number, (operation, said) in enumerate((operation, said) for operation in OPERATIONS for said in ASKED)
]


def storm(status: int, said: str) -> act.Act:
    headers: dict[str, Any] = {} if said == "absent" else {"Retry_After": said}
    if said == "date":
        now = time.time()
        headers = {"Retry_After": formatdate(now + 2, usegmt=True), "Date": formatdate(now, usegmt=True)}
    return act.answer(status, **headers)


def cases() -> list[Any]:
    return [
        pytest.param(
            *one,
            id=f"B1[{one[3]}, {one[1]} x {one[0]}, {one[2]}]",
            marks=() if one in FEW else pytest.mark.torture,
        )
        for one in EVERY
    ]


@pytest.mark.parametrize(("status", "how_many", "said", "operation"), cases())
def test_b1_a_storm_on_every_operation(
    tmp_path: Path, connected: Connect, status: int, how_many: int, said: str, operation: str
) -> None:
    clock = FakeClock(chance=0.999)
    with Faultd(now=clock.monotonic) as rig:
        journey = Journey(
            rig, tmp_path, lambda: connected(rig.url, clock=clock, at_once=1, policy=Policy()), PASSED_BY[operation]
        )
        rig.rule(operation, storm(status, said), times=how_many)
        seconds = ASKED[said]
        if seconds == 1e9:
            wants_too_much(journey, rig, operation)
            assert clock.passed < 1
            return
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert report.complete
        stormy = [one for one in rig.asked(operation) if one.status == status]
        assert len(stormy) == how_many
        for one in stormy:
            following = next(later for later in rig.log if later.number > one.number)
            wait = following.begin - one.begin  # answering takes none of this time
            least, most = (0.0, 31.0) if seconds is None else (seconds, 1.25 * seconds + 1.0)
            assert least <= wait <= most, f"{wait:.2f} s were waited"


def wants_too_much(journey: Journey, rig: Faultd, operation: str) -> None:
    """It fails at once, the number is told, and the server is left alone."""
    try:
        report = journey.run()
    except NetworkGaveUp as error:
        told = [str(error)]
    else:
        told = [item.reason or "" for item in report.of("failed")] + report.notes
        assert not (report.complete and report.finished)
    assert any("the server asks to wait 1,000,000,000 seconds" in text for text in told), told
    assert [one.number for one in rig.asked(operation)] == [len(rig.log) - 1]


class Watched:
    """The sockets, with the times in which the client sent and was answered, in its own seconds."""

    def __init__(self, clock: FastClock) -> None:
        self._clock, self._sockets, self._lock = clock, Sockets(connections=8), Lock()
        self.times: list[tuple[float, float, int]] = []

    def send(self, request: Request) -> Response:
        begin = self._clock.monotonic()
        response = self._sockets.send(request)
        with self._lock:
            self.times.append((begin, self._clock.monotonic(), response.status))
        return response


@pytest.mark.parametrize(
    ("status", "said"),
    [
        pytest.param(
            status,
            said,
            id=f"B1[four workers, 50 x {status}, {said}]",
            marks=() if (status, said) in ((429, "2"), (503, "1.5")) else pytest.mark.torture,
        )
        for status in (429, 503)
        for said in ("2", "1.5", "date")
    ],
)
def test_b1_fifty_over_the_pool(tmp_path: Path, connected: Connect, status: int, said: str) -> None:
    """Nobody loses a file, however often it is hit. No worker sends within the pause that another was asked for, in one
    of three runs: a computer that does something else makes a run late, not all.
    """
    runs = (_sent_too_early(tmp_path / str(number), connected, status, said) for number in range(TRIES))
    assert any(early == [] for early in runs)


def _sent_too_early(folder: Path, connected: Connect, status: int, said: str) -> list[float]:
    """Seconds after a refusal at which somebody sent within its pause. What was on its way already has 50 ms."""
    clock = FastClock(15)
    watched = Watched(clock)
    folder.mkdir()
    with Faultd() as rig:
        journey = Journey(
            rig,
            folder,
            lambda: connected(rig.url, clock=clock, bottom=watched, policy=Policy()),
            "files",
            count=24,
            size=500,
        )
        stormy = random.Random(1).sample(range(3, 140), 50)
        number = iter(range(1 << 30))
        rig.weather = lambda _: storm(status, said) if next(number) in stormy else None
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert sum(one.status == status for one in rig.log) == 50
    seconds, tolerance = ASKED[said] or 0.0, 0.05 * clock.speed
    return [
        begin - asked
        for _, asked, answer in watched.times
        for begin, _, _ in watched.times
        if answer == status and tolerance < begin - asked < seconds - tolerance
    ]
