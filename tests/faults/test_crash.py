"""A client killed without warning, at any point; then the same again: everything is there, and nothing twice."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from . import actions as act
from .children import Nursery
from .desk import FAULTLESS, FILES, Connect, Desk
from .faultd import Faultd
from .oracle import Inputs, check
from .torture import of_all

POINTS = [(moment, number) for number in range(FAULTLESS) for moment in get_args(act.Moment)]
FEW = random.Random(1).sample(POINTS, 30)


@pytest.mark.parametrize(("moment", "number"), of_all(FEW, POINTS))
def test_a1_killed_at_every_request(desk: Desk, moment: act.Moment, number: int) -> None:
    assert desk.killed(act.kill(moment), number)
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(desk.files), report)
    assert verdict.clean, verdict
    assert report.is_success
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


@pytest.mark.parametrize(
    ("seed", "count", "latency", "workers"),
    of_all(((seed, 40, 0.01, 4) for seed in range(15)), ((seed, 300, 0.05, 16) for seed in range(100))),
)
def test_a2_killed_at_any_time(
    tmp_path: Path, connected: Connect, nursery: Nursery, seed: int, count: int, latency: float, workers: int
) -> None:
    """Not at a request, but at any time between two of them. Sent again is no more than was under way."""
    chance = random.Random(seed)
    with Faultd(latency=latency) as rig:
        desk = Desk(tmp_path, rig, connected, nursery, count)
        desk.job["at_once"] = workers
        process, number = desk.begun(), chance.randrange(3 + 4 * count)
        while len(rig.log) < number and not process.ends_within(0.001):
            pass
        if not process.ends_within(chance.random() * 2 * latency):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        rig.settle(alone=True)
        report = desk.again()
        verdict = check(rig.lake, Inputs(desk.files), report)
        assert verdict.clean, verdict
        assert report.is_success
        assert set(rig.lake.sending.finalised.values()) == {1}
        sent = sum(one.size for one in rig.asked("PUT ") if one.done)
        sizes = sorted(map(len, desk.files.values()))
        assert sent - sum(sizes) <= sum(sizes[-workers:])


@pytest.mark.parametrize("seed", of_all(range(5), range(50)))
def test_a6_the_recovery_is_killed_too(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        desk.killed(act.kill(chance.choice(get_args(act.Moment))), chance.randrange(FAULTLESS))
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(desk.files), report)
    assert verdict.clean, verdict
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


def test_a10_a_finished_job_again(desk: Desk) -> None:
    desk.again()
    before = len(desk.rig.log)
    report = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files), report).clean
    assert [item.state for item in report.items] == ["skipped"] * FILES
    assert {item.verified_by for item in report.items} == {"md5"}
    asked = [one.target.rpartition("/")[2] for one in desk.rig.log[before:]]
    assert asked == ["2.3.4", "getCollectionDetails", "list", "list"]


def test_a_file_that_has_gone_from_the_service_is_sent_again(desk: Desk) -> None:
    """The journal is believed only as far as the service confirms it."""
    desk.again()
    desk.rig.lake.lose("Demo_005.png")
    report = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files), report).clean
    assert len(report.of("uploaded")) == 1


def test_parts_that_the_storage_has_are_not_sent_again(desk: Desk) -> None:
    desk.job |= {"part_size": 100, "at_once": 1}
    assert desk.killed(act.kill("before"), skip=FILES * 4, match="PUT ")
    sent = Counter(one.md5 for one in desk.rig.asked("PUT ") if one.done)
    report = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files), report).clean
    again = Counter(one.md5 for one in desk.rig.asked("PUT ") if one.done) - sent
    lost = sum((again & sent).values())
    assert lost <= 50, "more than a transaction of the journal was lost"
