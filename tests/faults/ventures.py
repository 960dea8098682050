"""A transfer that things befall: laid out, run here, or by a process that is killed, and judged after each run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec

from annolake.metalake_io.results import Report, UploadReport
from annolake.metalake_io.rows import report_of
from annolake.metalake_io.transfer.policy import Policy
from annolake.schemas.errors import AnnolakeError

from ..metalake_io.wire import Asked
from . import child, plans
from .children import Nursery
from .conftest import Connect
from .faultd import Faultd
from .lake import AUTHORIZATION
from .oracle import Inputs, Seen, Verdict, check, seen
from .plans import Plan, Run

LONGEST = 60.0
"""Real seconds after which a run is said not to end; none takes one."""

SPEED = 1000.0

PAGE = 4
"""Files on a page, of a list or of a collection."""


class Ended(msgspec.Struct, frozen=True):
    """How a run ended: its report, if it has one, and whether it says that all is done."""

    report: Report | None = None
    complete: bool = False
    error: AnnolakeError | None = None


class Runner:
    """Runs the job, here or elsewhere, while that happens which a `Run` says."""

    def __init__(self, rig: Faultd, folder: Path, connect: Connect, nursery: Nursery, job: dict[str, Any]) -> None:
        self.rig, self.folder, self._connect, self._nursery = rig, folder, connect, nursery
        self.job = {"speed": SPEED, "timeout": plans.SILENCE / 2, "url": rig.url, "at_once": 1, **job}

    def run(self, run: Run) -> Ended:
        """With these faults, and no longer; a client without any waits longer for answers."""
        rig = self.rig
        rig.rules[:] = [msgspec.structs.replace(rule) for rule in (*run.rules, *([run.kill] if run.kill else []))]
        rig.weather = self._weather(run)
        timeout = 5.0 if run.is_faultless else self.job["timeout"]
        ended = self._killed() if run.kill else within(LONGEST, lambda: self._here(timeout))
        rig.settle(alone=run.kill is not None)
        rig.rules.clear()
        rig.weather = lambda _: None
        rig.lake.authorization = AUTHORIZATION
        return ended

    def _weather(self, run: Run) -> Callable[[Asked], None]:
        numbers, lake = count(), self.rig.lake
        happens: dict[plans.Incident, Callable[[], None]] = {
            "": lambda: None,
            "expire": lake.expire,
            "hang up": self.rig.hang_up,
            "withdraw": lambda: setattr(lake, "authorization", "nobody's"),
        }

        def weather(_: Asked) -> None:
            if next(numbers) == run.at:
                happens[run.incident]()

        return weather

    def _here(self, timeout: float) -> Ended:
        try:
            with self._connect(self.rig.url, at_once=self.job["at_once"], timeout=timeout, policy=Policy()) as client:
                report = child.run(client, self.job)
        except AnnolakeError as error:
            return Ended(report_of(error), error=error)
        return Ended(report, report.is_success if isinstance(report, UploadReport) else report.complete)

    def _killed(self) -> Ended:
        """It may come to its end before."""
        self.rig.victim = None
        process = self._nursery.start(self.job, self.folder)
        self.rig.victim = process.pid
        process.wait(LONGEST)
        assert process.returncode in (0, -9) or "\nannolake." in process.stderr, process.stderr
        return Ended()


class Venture(Runner):
    """What a plan asks for, in a folder of its own. `rig` is as the plan wants it."""

    def __init__(self, plan: Plan, rig: Faultd, folder: Path, connect: Connect, nursery: Nursery) -> None:
        pictures, self.out = folder / "pictures", folder / "out"
        pictures.mkdir()
        self.out.mkdir()
        job = {
            "folder": str(self.out if plan.what == "collection" else pictures),
            "annotations": str(folder / "annotations.json"),
            "journal": str(folder / "state" / "demo.sqlite"),
            "what": plan.what,
            "part_size": plan.part_size,
            "page": PAGE,
            "at_once": plan.at_once,
        }
        super().__init__(rig, folder, connect, nursery, job)
        rig.lake.storage, rig.lake.word, rig.lake.mode = plan.storage, plan.storage, plan.mode
        self.what = plan.what
        self.files: dict[str, bytes] = {}
        for number in range(plan.count):
            content = f"picture {number} ".encode() * (40 + number)
            (pictures / f"{number:03}.png").write_bytes(content)
            self.files[f"Demo_{number:03}.png"] = content
        if plan.what in ("annotations", "named", "collection"):
            for name, content in self.files.items():
                rig.lake.add(name, content)
        box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
        self.names = {name: name if plan.what in ("named", "collection") else name[5:] for name in self.files}
        images = [{"image": name, "annotations": [box] * (n % 3)} for n, name in enumerate(self.names.values())]
        (folder / "annotations.json").write_text(json.dumps({"images": images}))
        self.shapes = {(name, "op"): number % 3 for number, name in enumerate(self.files)}

    def seen(self) -> Seen:
        """What is where it was to go."""
        return fetched(self.out) if self.what == "collection" else seen(self.rig.lake)

    def verdict(self, ended: Ended, before: Seen) -> Verdict:
        """Of what there is now, and of what a run said of it, before which there was that. A download that was stopped
        need not know what there is.
        """
        there, report = self.seen(), ended.report
        shapes = {} if self.what in ("files", "collection") else self.shapes
        of_files = self.what not in ("annotations", "named")
        verdict = check(there, Inputs(self.files, shapes, self.names), report if of_files else None, before)
        if self.what == "collection" and ended.error is not None:
            verdict.misreported = [one for one in verdict.misreported if not one.endswith(": not told")]
        annotated = report.annotations if isinstance(report, UploadReport) else None if of_files else report
        if annotated is not None:
            verdict.misreported += check(there, Inputs({}, shapes, self.names), annotated, before).misreported
        return verdict


def fetched(folder: Path) -> Seen:
    """The pictures that stand there under their names."""
    found = {path.name: path.read_bytes() for path in folder.rglob("*.png")}
    return Seen({name: [hashlib.md5(content).hexdigest()] for name, content in found.items()}, {})


def within(seconds: float, work: Callable[[], Ended]) -> Ended:
    """What it brings, in time."""
    brought: list[Ended | BaseException] = []

    def one() -> None:
        try:
            brought.append(work())
        except BaseException as error:  # noqa: BLE001  (it belongs to the test)
            brought.append(error)

    thread = Thread(target=one, daemon=True)
    thread.start()
    thread.join(seconds)
    assert brought, "the run does not end"
    if isinstance(brought[0], BaseException):
        raise brought[0]
    return brought[0]
