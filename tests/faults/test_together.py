"""Several runs at the same time, of one computer and of two, and one client in many threads."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import actions as act
from . import child
from .children import Nursery
from .desk import FAULTLESS, UPLOAD, Connect, Desk
from .faultd import Faultd
from .oracle import Inputs, check


@pytest.fixture
def other_nursery() -> Iterator[Nursery]:
    """For a second client beside the first."""
    made = Nursery()
    yield made
    made.close()


class Held:
    """A call of the lake that waits, the first time, until it is let go."""

    def __init__(self, rig: Faultd, match: str) -> None:
        self.come, self.free = threading.Event(), threading.Event()
        process = rig._httpd.process

        def held(asked: Any) -> Any:
            if re.search(match, asked.target) and not self.come.is_set():
                self.come.set()
                assert self.free.wait(60)
            return process(asked)

        rig._httpd.process = held


@pytest.mark.parametrize("waits", [False, True])
def test_e1_two_runs_on_one_computer(desk: Desk, other_nursery: Nursery, waits: bool) -> None:
    held = Held(desk.rig, "finalizeMultipartUpload")
    first = desk.typed(*UPLOAD)
    assert held.come.wait(60)
    (desk.folder / "second").mkdir()
    job = {**desk.typing(*UPLOAD, *(["--wait"] if waits else []))}
    second = other_nursery.start(job, desk.folder / "second")
    if waits:
        while "waiting for" not in second.stderr:
            assert not second.ends_within(0.05)
    else:
        assert second.wait() == 10
        assert second.ended - second.began <= 10, "the bar is 2 s, on a computer that does nothing else"
        assert re.search(rf"process {first.pid} on \S+, since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", second.stderr)
    held.free.set()
    assert first.wait() == 0, first.stderr
    assert second.wait() == (0 if waits else 10), second.stderr
    assert check(desk.rig.lake, Inputs(desk.files)).clean
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


def test_e2_the_next_run_takes_the_lock_of_one_that_was_killed(desk: Desk) -> None:
    """Twenty times in a row, without waiting for it."""
    chance = random.Random(2)
    for _ in range(20):
        rule = desk.rig.rule("", act.kill("before"), skip=chance.randrange(2, 9))
        killed = desk.typed(*UPLOAD)
        assert killed.wait() in (-9, 0), killed.stderr
        desk.rig.settle(alone=True)
        rule.times = 0
    assert desk.typed(*UPLOAD).wait() == 0
    assert check(desk.rig.lake, Inputs(desk.files)).clean
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


def test_e3_two_computers_bring_the_same_files(desk: Desk, connected: Connect) -> None:
    """No lock keeps them apart: what is there twice then is told, by whom it came second at the latest."""
    held = Held(desk.rig, "finalizeMultipartUpload")
    other = {**desk.job, "journal": str(desk.folder / "other" / "demo.sqlite")}
    reports: list[Any] = []
    first = threading.Thread(target=lambda: reports.append(desk.again()))
    first.start()
    assert held.come.wait(60)
    reports.append(child.run(connected(desk.rig.url), other))
    held.free.set()
    first.join()
    verdict = check(desk.rig.lake, Inputs(desk.files))
    assert (verdict.lost, verdict.corrupted) == ([], [])
    assert verdict.duplicated
    told = {f"Demo_{name}" for report in reports for name in report.doubled}
    assert told == {*verdict.duplicated}
    assert [report.is_success for report in reports].count(False) >= 1
    again = desk.again()
    assert [f"Demo_{name}" for name in again.doubled] == verdict.duplicated
    assert not again.is_success
    assert again.as_json()["doubled"] == again.doubled


def test_e6_one_client_in_many_threads(tmp_path: Path, rig: Faultd, connected: Connect) -> None:
    """Each thread uploads a folder of its own into a collection of its own, and hears of nothing else."""
    client, reports, files = connected(at_once=8), dict[int, Any](), dict[int, dict[str, bytes]]()
    for thread in range(8):
        folder = tmp_path / str(thread)
        folder.mkdir()
        files[thread] = {f"{number}.png": f"{thread} {number}".encode() * 50 for number in range(5 + thread)}
        for name, content in files[thread].items():
            (folder / name).write_bytes(content)

    def upload(thread: int) -> None:
        reports[thread] = client.files.run(tmp_path / str(thread), "image", f"Set {thread}")

    threads = [threading.Thread(target=upload, args=(thread,)) for thread in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for thread, report in reports.items():
        assert report.is_success
        assert [item.name for item in report.of("uploaded")] == sorted(files[thread])
    wanted = {f"Set {thread}_{name}": content for thread in files for name, content in files[thread].items()}
    assert check(rig.lake, Inputs(wanted)).clean
    assert set(rig.lake.sending.finalised.values()) == {1}


def test_the_numbers_of_a_run(desk: Desk) -> None:
    """What the tests take for granted."""
    assert desk.typed(*UPLOAD).wait() == 0
    assert len(desk.rig.log) == FAULTLESS + 2, "two more look for files that are there twice"
