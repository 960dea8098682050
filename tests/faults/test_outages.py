"""B10, B13 and B14: connections that end, servers that go away and come back, and all faults together."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest

from annolake.metalake_io import batches
from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.transfer.policy import Policy

from ..metalake_io.clock import FakeClock
from ..metalake_io.wire import Asked
from . import actions as act
from .clocks import FastClock
from .conftest import Connect
from .faultd import Faultd
from .journeys import Journey, What

WHOLE: list[What] = ["both", "download"]


@pytest.mark.parametrize(
    ("what", "after"),
    [pytest.param(what, after, id=f"B10[{what}, each after {after}]") for what in WHOLE for after in (1, 2)],
)
def test_b10_closed_after_each_answer(tmp_path: Path, connected: Connect, what: What, after: int) -> None:
    with Faultd(close_after=after) as rig:
        journey = Journey(rig, tmp_path, lambda: connected(rig.url, policy=Policy()), what, count=20, size=5000)
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert report.complete


@pytest.mark.parametrize("what", [pytest.param(what, id=f"B10[{what}]") for what in WHOLE])
def test_b10_closed_before_the_client_can_see_it(tmp_path: Path, connected: Connect, what: What) -> None:
    """Each request over a connection that was used before is lost: what may not be repeated needs one of its own."""
    with Faultd(close_after=1, unseen=True) as rig:
        journey = Journey(rig, tmp_path, lambda: connected(rig.url, policy=Policy()), what, count=20, size=5000)
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert report.complete


@pytest.mark.parametrize("what", [pytest.param(what, id=f"B10[{what}]") for what in WHOLE])
def test_b10_closed_while_nobody_used_them(tmp_path: Path, rig: Faultd, connected: Connect, what: What) -> None:
    """One after the other, between any two requests."""
    number = iter(range(1 << 30))

    def hang_up_others(_: Asked) -> None:
        if next(number) % 5 == 4:
            rig.hang_up()

    journey = Journey(rig, tmp_path, lambda: connected(policy=Policy()), what, count=20, size=5000)
    rig.weather = hang_up_others
    report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    assert report.complete


class Outage:
    """From the request with this number on, for a minute of the clock."""

    def __init__(self, rig: Faultd, clock: Any, begin: int, kind: str) -> None:
        self._rig, self._clock, self._kind = rig, clock, kind
        self._left = begin
        self.ends: float | None = None
        self.over = False
        rig.weather = self.act

    def act(self, _: Asked) -> act.Act | None:
        self._left -= 1
        if self._left == 0:
            self.ends = self._clock.monotonic() + 60
        if self.ends is None or self._clock.monotonic() >= self.ends:
            return None
        return {"502": act.answer(502), "503": act.answer(503), "504": act.answer(504), "429": act.answer(429)}.get(
            self._kind, act.reset()
        )


KINDS = ["502", "503", "504", "429", "reset"]


@pytest.mark.parametrize(
    ("kind", "begin"),
    [pytest.param(kind, begin, id=f"B13[{kind} from request {begin}]") for kind in KINDS for begin in range(2, 18, 3)],
)
def test_b13_an_outage_of_a_minute(tmp_path: Path, connected: Connect, kind: str, begin: int) -> None:
    """One worker, so that the time is exact: ten seconds after the end, at most, the work goes on."""
    clock = FakeClock(chance=0.999)
    with Faultd(now=clock.monotonic) as rig:
        outage = Outage(rig, clock, begin, kind)
        journey = Journey(
            rig, tmp_path, lambda: connected(rig.url, clock=clock, at_once=1, policy=Policy()), "both", count=3
        )
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert report.complete
        assert outage.ends is not None
        back = next(one.begin for one in rig.log if one.begin >= outage.ends)
        assert back - outage.ends <= 10


@pytest.mark.parametrize("kind", [pytest.param(one, id=f"B13[{one}, four workers]") for one in ("refused", "503")])
def test_b13_an_outage_for_four_workers(
    tmp_path: Path, rig: Faultd, connected: Connect, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All files arrive, nobody's attempts are used up, and it is said that we wait."""
    clock = FastClock(40)
    journey = Journey(rig, tmp_path, lambda: connected(clock=clock, policy=Policy()), "both", count=30, size=5000)
    if kind == "refused":
        number, minute = iter(range(1 << 30)), Timer(60 / clock.speed, rig.up)

        def goes_down(_: Asked) -> None:
            if next(number) == 50:
                Thread(target=rig.down).start()
                minute.start()

        rig.weather = goes_down
    else:
        Outage(rig, clock, 50, kind)
    with caplog.at_level(logging.WARNING, "annolake"):
        report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    assert report.complete
    told = [record.getMessage() for record in caplog.records]
    assert any("waiting for it" in text for text in told) and any("answers again" in text for text in told)


MIX = [
    act.answer(500), act.answer(502), act.answer(503), act.answer(504), act.answer(429, Retry_After="1"),
    act.answer(408), act.reset("before"), act.reset("mid", at=0.5), act.reset("after"), act.drop(),
    act.cut(0.5), act.closing(),
]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "seed"),
    [
        pytest.param(300, 0, id="B14[300 files, seed 0]"),
        *(pytest.param(2000, seed, id=f"B14[2000 files, seed {seed}]", marks=pytest.mark.torture) for seed in range(5)),
    ],
)
def test_b14_a_fifth_of_all_requests_fails(
    tmp_path: Path, connected: Connect, monkeypatch: pytest.MonkeyPatch, count: int, seed: int
) -> None:
    """Nothing is lost or there twice after another run at most, and it costs less than twice the requests."""
    monkeypatch.setattr(batches.batches, "__defaults__", (count // 20, batches.MOST_BYTES))
    chance = random.Random(seed)
    with Faultd(annotations="append") as rig:
        journey = Journey(
            rig, tmp_path, lambda: connected(rig.url, policy=Policy()), "both", count=count, size=2000, journal=True
        )
        rig.weather = lambda _: chance.choice(MIX) if chance.random() < 0.2 else None
        report, runs = None, 0
        while runs < 2 and (report is None or not report.complete):
            runs += 1
            try:
                report = journey.run()
            except NetworkGaveUp:
                report = None
        verdict = journey.verdict(report)
        assert verdict.clean, f"{verdict}, after {runs} runs, seed {seed}"
        faultless = 5 + 4 * count + 20
        assert len(rig.log) <= 2 * faultless
