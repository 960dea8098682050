"""A download killed without warning; what stands there is right at that moment, and the next run completes it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from annolake.metalake_io import collection_pages, listing

from ..metalake_io.trees import tree
from . import actions as act
from . import child
from .children import Child, Nursery
from .desk import Connect
from .faultd import Faultd
from .torture import of_all

WORKERS = 4
EVERY = [(what, seed, 300) for seed in range(50) for what in ("collection", "list")]
FEW = [(what, seed, 60) for what, seed, _ in EVERY[:15]]


class Desk:
    """A lake with pictures on three pages, and downloads of them in a process of its own, or here."""

    def __init__(self, folder: Path, rig: Faultd, connected: Connect, nursery: Nursery, what: str, many: int) -> None:
        self.rig, self.folder, self.out = rig, folder, folder / "out"
        self._connected, self._nursery = connected, nursery
        self.out.mkdir()
        self.job: dict[str, Any] = {"what": what, "url": rig.url, "folder": str(self.out), "page": -(-many // 3)}
        chance = random.Random(many)
        for number in range(many):
            rig.lake.add(f"Demo_{number:03}.png", chance.randbytes(200_000 if number % 20 == 0 else 3000))
        self.wanted = {one.name: one.content for one in rig.lake.objects}

    def start(self) -> Child:
        return self._nursery.start(self.job, self.folder)

    def killed(self, kill: act.Act, skip: int) -> None:
        rule = self.rig.rule("", kill, skip=skip)
        self.rig.victim = None
        process = self.start()
        self.rig.victim = process.pid
        assert process.wait() == -9, process.stderr
        self.rig.settle(alone=True)
        rule.times = 0

    def complete(self, workers: int) -> None:
        """Nothing wrong stands there now; the same again, and all is there, and little was fetched twice."""
        here = self._pictures()
        assert [name for name, content in here.items() if self.wanted[name] != content] == []
        before = len(self.rig.log)
        report = child.run(self._connected(self.rig.url, at_once=workers), self.job)
        assert (report.complete, len(report.items)) == (True, len(self.wanted))
        assert self._pictures() == self.wanted
        assert [path for path in tree(self.out) if not path.endswith(".png")] in (["Demo/Demo.json"], [])
        again = [entry for entry in self.rig.log[before:] if "/bucket/" in entry.target and entry.status != 304]
        assert len(again) == len(self.wanted) - len(here), "only what was not there is fetched"
        whole = [entry for entry in self.rig.log if "/bucket/" in entry.target and entry.status == 200]
        assert len(whole) <= len(self.wanted) + workers

    def _pictures(self) -> dict[str, bytes]:
        """What stands under final names."""
        found = {Path(path).name: content for path, content in tree(self.out).items()}
        return {name: content for name, content in found.items() if name.endswith(".png")}


def pages_of(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection_pages, "PAGE_SIZE", desk.job["page"])
    monkeypatch.setattr(listing, "LARGEST_PAGE", desk.job["page"])


@pytest.mark.parametrize(("what", "seed", "many"), of_all(FEW, EVERY))
def test_a3_killed_at_any_time(
    tmp_path: Path,
    rig: Faultd,
    connected: Connect,
    nursery: Nursery,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    seed: int,
    many: int,
) -> None:
    chance = random.Random(seed)
    desk = Desk(tmp_path, rig, connected, nursery, what, many)
    desk.job["at_once"] = WORKERS
    pages_of(desk, monkeypatch)
    desk.killed(act.kill(chance.choice(get_args(act.Moment))), chance.randrange(4, many))
    desk.complete(WORKERS)


CALLS = [
    (call, number)
    for call, most in {"fsync": 25, "/^rename": 22, "/^unlink": 22, "/^open": 80, "/^write": 80}.items()
    for number in range(1, most + 1)
]


def open_gate(gate: Path, process: Child) -> None:
    """Unless it is dead before it gets there: the first call that is counted may be the one that opens it."""
    while not process.ends_within(0.01):
        try:
            file = os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody is there yet
            continue
        os.write(file, b"go")
        os.close(file)
        return


@pytest.mark.torture
@pytest.mark.parametrize(("call", "number"), CALLS)
def test_a5_killed_at_a_call_of_the_system(
    tmp_path: Path,
    rig: Faultd,
    connected: Connect,
    nursery: Nursery,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
) -> None:
    """One transfer at a time, so that its thread makes all the calls; strace counts them by thread."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    desk = Desk(tmp_path, rig, connected, nursery, "collection", 20)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    desk.job |= {"at_once": 1, "gate": str(gate)}
    pages_of(desk, monkeypatch)
    process = desk.start()
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    command = [strace, "-f", "-p", str(process.pid), "-o", str(tmp_path / "trace"), "-e", inject]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        assert b"attached" in (said := tracer.stderr.readline()), said
        open_gate(gate, process)
        assert process.wait() in (0, -9), process.stderr
        tracer.communicate(timeout=60)
    rig.settle(alone=True)
    desk.complete(1)
