"""F7: where nothing goes wrong, nobody waits for anything but answers and the disk."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.transfer.policy import Policy

from ..metalake_io.clock import FakeClock
from .conftest import Connect
from .faultd import Faultd
from .here import ANNOTATE, PUSH, UPLOAD, Run
from .journeys import Journey, What


@pytest.fixture
def vain(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Waits of the main thread and of the workers that ended because their time was over: all of Python's waiting
    for other threads, with events, queues and the like, goes this way.
    """
    noted: list[tuple[str, float]] = []
    usual = threading.Condition.wait

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        came = usual(self, timeout)
        name = threading.current_thread().name
        if timeout and not came and name.startswith(("MainThread", "annolake_")):
            noted.append((name, timeout))
        return came

    monkeypatch.setattr(threading.Condition, "wait", wait)
    return noted


@pytest.mark.parametrize("what", ["files", "annotations", "both", "download"])
def test_f7_no_transfer_waits_without_a_fault(
    tmp_path: Path, rig: Faultd, connected: Connect, vain: list[Any], what: What
) -> None:
    clock = FakeClock()
    journey = Journey(
        rig, tmp_path, lambda: connected(clock=clock, policy=Policy()), what, count=40, size=5000, journal=True
    )
    report = journey.run()
    assert journey.verdict(report).clean
    assert report.complete
    assert (clock.sleeps, vain) == ([], [])


def test_f7_no_command_waits_without_a_fault(
    run: Run, tmp_path: Path, vain: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(FakeClock, "sleep", lambda _, seconds: slept.append(seconds))
    for words in (UPLOAD, ANNOTATE, PUSH, ("export", "c1", str(tmp_path / "out"), "--to", "coco")):
        done = run(*words)
        assert done.exit_code == 0, done.stderr
    assert (slept, vain) == ([], [])


def test_f7_a_wait_in_vain_is_seen(vain: list[Any]) -> None:
    threading.Event().wait(0.001)
    assert vain == [("MainThread", 0.001)]
