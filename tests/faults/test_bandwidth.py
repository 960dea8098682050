"""F9: a limit of the bandwidth is kept by all connections together, within a tenth, over ten seconds and more."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.metalake_io.transfer.bandwidth import Bandwidth
from annolake.metalake_io.transfer.connections import LEAST, Watched
from annolake.metalake_io.transfer.policy import Policy

from ..metalake_io.clock import FakeClock
from ..metalake_io.test_connections import LIMIT, Line
from .clocks import Simulation
from .conftest import Connect
from .faultd import Faultd
from .here import Run
from .journeys import Journey, What


class Late(Simulation):
    """Sleeping takes up to two milliseconds longer than it should."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds + 0.002 * self.random())


@pytest.mark.parametrize("workers", [1, 32])
@pytest.mark.parametrize("limit", [20_000, 500 << 10, 10 << 20, 100 << 20])
def test_f9_many_connections_keep_to_one_limit(limit: int, workers: int) -> None:
    """They move pieces as sockets do, and have other things to do now and then."""
    clock, moved = Late(), [0]
    bandwidth = Bandwidth(limit, clock)

    def works(number: int) -> Callable[[], None]:
        chance = random.Random(number)

        def work() -> None:
            while clock.now < 10:
                count = chance.randint(1, 1 << 14)
                bandwidth.take(count)
                moved[0] += count
                if workers > 1 and chance.random() < 0.01:
                    clock.sleep(0.05)

        return work

    seconds = clock.run([works(number) for number in range(workers)])
    assert 0.9 * limit <= moved[0] / seconds <= 1.1 * limit


@pytest.mark.parametrize("what", ["files", "annotations", "download"])
def test_f9_whole_transfers(tmp_path: Path, rig: Faultd, connected: Connect, what: What) -> None:
    """One worker, so that the time is exact; heads of requests and answers count, too."""
    clock, limit = FakeClock(), 100_000
    journey = Journey(
        rig,
        tmp_path,
        lambda: connected(clock=clock, at_once=1, policy=Policy(), bwlimit=limit),
        what,
        count=20 if what != "annotations" else 3000,
        size=60_000 if what != "annotations" else 1,
    )
    report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    assert clock.passed >= 10
    moved = 0.9 * limit * clock.passed, 1.1 * limit * clock.passed
    sent = sum(one.size for one in rig.log)
    expected = {"files": sent, "annotations": sent, "download": 20 * 60_000}[what]
    assert moved[0] <= expected <= moved[1]


@pytest.mark.parametrize(("rate", "code", "said"), [
    ("10M", 0, ""), ("1.5 MiB", 0, ""), ("fast", 2, "'fast' is no size"), ("1000", 2, "1,024 bytes a second or more"),
])  # fmt: skip
def test_f9_as_a_command(run: Run, tmp_path: Path, rate: str, code: int, said: str) -> None:
    (tmp_path / "a.png").write_bytes(bytes(1000))
    done = run("upload", "files", str(tmp_path / "a.png"), "--collection", "Demo", "--bwlimit", rate)
    assert done.exit_code == code
    assert said in done.stderr


def test_f9_waiting_for_our_own_limit_is_no_slow_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times slower than what hardly moves, and nobody is given up."""
    line, clock = Line(1 << 20, 0.0, size=100_000), FakeClock()
    monkeypatch.setattr("time.monotonic", lambda: line.now + clock.passed)
    watched = Watched(line, Bandwidth(LEAST / 10, clock))  # type: ignore[arg-type]
    watched.sendall(bytes(100_000))
    assert len(watched.makefile("rb").read()) == 100_000
    assert clock.passed >= 200_000 / (LEAST / 10) - 1 > 100 * LIMIT
