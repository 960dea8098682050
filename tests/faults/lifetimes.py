"""The lifetime of a folder and its collection as a state machine: files come, change and go, runs fail or are killed.

The model is small: a file that has once arrived stays as it was then, whatever becomes of the one here.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from annolake.metalake_io.results import Item

from ..metalake_io.clock import FakeClock
from ..metalake_io.settings import clients
from . import plans
from .children import Nursery
from .faultd import Faultd
from .lake import StorageType
from .oracle import seen
from .plans import Run
from .ventures import Ended, Runner, fetched

SEEDS = st.integers(0, 1 << 30)
PART_SIZES = st.sampled_from((None, 100, 333))
How = Literal["anew", "same size", "longer", "shorter", "touched", "deleted", "renamed"]
HOW = get_args(How)
CHANGED = "changed since it was uploaded"


class Lifetime(RuleBasedStateMachine):
    """`here` are the files of the folder; `sure` those that the journal knows to have arrived, as they are here."""

    nursery: ClassVar[Nursery]

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self.rig = self._open.enter_context(Faultd())
        connect = self._open.enter_context(clients(self.rig.url, clock=FakeClock()))
        self.here: dict[str, bytes] = {}
        self.sure: set[str] = set()
        self._written = self._names = 0
        self._kept: dict[str, list[str]] = {}
        for name in ("pictures", "out"):
            (self.folder / name).mkdir()
        self._up = Runner(self.rig, self.folder, connect, self.nursery, self._job("files", "pictures"))
        self._down = Runner(self.rig, self.folder, connect, self.nursery, self._job("collection", "out"))

    def _job(self, what: plans.What, folder: str) -> dict[str, Any]:
        return {"what": what, "folder": str(self.folder / folder), "journal": str(self._journal), "annotations": ""}

    @property
    def _journal(self) -> Path:
        return self.folder / "state" / "demo.sqlite"

    def teardown(self) -> None:
        self._open.close()

    @initialize(new=st.integers(1, 4), storage=st.sampled_from(get_args(StorageType)), part_size=PART_SIZES)
    def begin(self, new: int, storage: StorageType, part_size: int | None) -> None:
        self._add(new)
        self.switch_storage(storage, part_size)

    @rule(how=st.sampled_from(HOW), number=st.integers(0, 30), other=st.integers(0, 30))
    def change_file(self, how: How, number: int, other: int) -> None:
        """`renamed` is over another file."""
        names = sorted(self.here)
        self._change(names[number % len(names)], how, names[other % len(names)])

    @rule(how=st.sampled_from(HOW))
    def change_all(self, how: How) -> None:
        """`renamed` is to a new name."""
        for name in sorted(self.here):
            self._change(name, how, self._name())

    @rule(seed=SEEDS, new=st.integers(0, 3), at_once=st.sampled_from((1, 4)))
    def run_with_faults(self, seed: int, new: int, at_once: int) -> None:
        self._add(new)
        self._up.job["at_once"] = at_once
        before = self._kept
        self._judge(self._up.run(plans.run(random.Random(seed), "files")), before)

    @rule(
        seed=SEEDS,
        new=st.integers(1, 3),
        operation=st.sampled_from(("finalise", "put-part", "")),
        then=st.sampled_from((None, "same size", "same size", *HOW)),
    )
    def run_and_be_killed(self, seed: int, new: int, operation: str, then: How | None) -> None:
        """With new files; and then all files change, or none."""
        self._add(new)
        before = self._kept
        self._judge(self._up.run(Run(kill=plans.kill(random.Random(seed), operation))), before)
        if then is not None:
            self.change_all(then)

    @rule()
    def run_without_faults(self) -> None:
        """All is there, or told to be another file."""
        before = self._kept
        ended = self._up.run(Run())
        states = self._judge(ended, before)
        assert ended.report is not None, ended.error
        for name in self.here:
            assert self._kept.get(f"Demo_{name}"), f"{name} is not there"
            assert self._is_as_here(name) or _is_conflict(states[name]), states[name]
            assert not self._is_as_here(name) or states[name].state in ("uploaded", "skipped"), states[name]
            if name in self.sure and not self._is_as_here(name):
                assert CHANGED in (states[name].reason or ""), states[name]
        assert ended.complete == all(item.state != "failed" for item in states.values()), ended.report

    @rule(seed=SEEDS)
    def fetch(self, seed: int) -> None:
        """Whatever stands under a name is what the collection has; in the end all of it."""
        for run in (plans.run(random.Random(seed), "collection"), Run()):
            ended = self._down.run(run)
            there = fetched(self.folder / "out").files
            assert all(there[name] == self._kept[name] for name in there), there
            told = {} if ended.report is None else {item.name: item.state for item in ended.report.items}
            done = {name for name, state in told.items() if state in ("downloaded", "skipped")}
            assert done <= set(there), told
        if self._kept:
            assert (set(there), ended.complete) == (set(self._kept), True), (told, ended.error)

    @rule(what=st.sampled_from(("addresses expire", "the server restarts", "the journal is lost")))
    def between_runs(self, what: str) -> None:
        if what == "addresses expire":
            self.rig.lake.expire()
        elif what == "the server restarts":
            self.rig.down()
            self.rig.up()
        else:
            shutil.rmtree(self._journal.parent, ignore_errors=True)
            self.sure.clear()

    @rule(storage=st.sampled_from(get_args(StorageType)), part_size=PART_SIZES)
    def switch_storage(self, storage: StorageType, part_size: int | None) -> None:
        """What was on its way into the old one is gone."""
        self._up.job["part_size"] = part_size
        lake = self.rig.lake
        if storage != lake.storage:
            lake.bucket.parts.clear()
            lake.bucket.digests.clear()
        lake.storage = lake.word = storage

    @invariant()
    def what_has_arrived_stays(self) -> None:
        there = seen(self.rig.lake).files
        assert {name: there.get(name) for name in self._kept} == self._kept
        assert all(len(digests) == 1 for digests in there.values()), there

    def _name(self) -> str:
        """One that no file had before."""
        self._names += 1
        return f"{self._names:03}.png"

    def _add(self, count: int) -> None:
        for _ in range(count):
            self._write(self._name())

    def _change(self, name: str, how: How, other: str) -> None:
        path, before = self.folder / "pictures" / name, self.here[name]
        if how == "deleted":
            path.unlink()
            del self.here[name]
            self._add(not self.here)
        elif how == "renamed":
            path.rename(self.folder / "pictures" / other)
            self.here[other] = self.here.pop(name)
        else:
            changed = {"touched": before, "longer": before + b"more", "shorter": before[:-7], "same size": before[::-1]}
            self._write(name, changed.get(how))

    def _write(self, name: str, content: bytes | None = None) -> None:
        """Something new, by default, at a time that no file had before."""
        self._written += 1
        if content is None:
            content = f"content {self._written} ".encode() * (self._written % 5 * 11 + 1)
        path = self.folder / "pictures" / name
        path.write_bytes(content)
        os.utime(path, ns=(self._written * 10**9, self._written * 10**9))
        self.here[name] = content

    def _is_as_here(self, name: str) -> bool:
        return self._kept.get(f"Demo_{name}") == [hashlib.md5(self.here[name]).hexdigest()]

    def _judge(self, ended: Ended, before: dict[str, list[str]]) -> dict[str, Item]:
        """What has arrived now is what is here, and what is said of it is so; the items by their names."""
        self._kept = seen(self.rig.lake).files
        new = set(self._kept) - set(before)
        assert new <= {f"Demo_{name}" for name in self.here}, new
        assert all(self._is_as_here(name.removeprefix("Demo_")) for name in new), new
        states = {} if ended.report is None else {item.name: item for item in ended.report.items}
        if ended.report is None:
            return states
        assert (set(states), len(ended.report.items)) == (set(self.here), len(self.here)), ended.report.items
        for name, item in states.items():
            unique = f"Demo_{name}"
            is_done = item.state in ("uploaded", "skipped")
            assert not is_done or unique in self._kept, item
            assert is_done or unique not in new or item.state == "uncertain", item
            if is_done and not self._is_as_here(name):
                assert _is_conflict(item), item
            if is_done and item.verified_by != "none":
                self.sure.add(name)
        return states


def _is_conflict(item: Item) -> bool:
    """Whether it is said that the collection has, or may have, another file of this name."""
    return CHANGED in (item.reason or "") or (item.state == "skipped" and item.verified_by == "none")
