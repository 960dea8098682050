"""One case with one client: run it, look at what is there, say what is wrong."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Literal

from ..faultd import Faultd
from ..lake import KEY, SECRET
from ..oracle import Inputs, check
from .cases import Case

Name = Literal["annolake", "layernext"]

CLIENT = Path(__file__).with_name("client.py")
FASTER = 30
MOST_SECONDS = 45.0
"""For one run. The official SDK's ten minutes of retrying are over before that, see `client.py`."""

_SECRETS = (SECRET, base64.b64encode(f"{KEY}:{SECRET}".encode()).decode(), "X-Amz-Signature", "X-Goog-Signature")


@dataclass
class Run:
    """`code` is None where it had to be ended."""

    code: int | None
    said: str
    seconds: float


@dataclass
class Outcome:
    """`wrong`: everything that is; empty if the fault was survived. `leaked`: a secret was printed."""

    wrong: list[str]
    leaked: bool


class Trial:
    """`python` has the client installed."""

    def __init__(self, case: Case, name: Name, python: str, folder: Path, rig: Faultd) -> None:
        self.case, self.name, self.python, self.folder, self.rig = case, name, python, folder, rig
        self.files = {f"Demo_{n:04}.png": f"picture {n} ".encode() * (150 + n % 90) for n in range(case.count)}
        (folder / "pictures").mkdir()
        (folder / "in" / "side" / "out").mkdir(parents=True)
        if case.job == "files":
            for unique, content in self.files.items():
                (folder / "pictures" / unique.removeprefix("Demo_")).write_bytes(content)
        else:
            for unique, content in self.files.items():
                rig.lake.add(unique, content)
        box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
        images = [{"image": unique.removeprefix("Demo_"), "annotations": [box]} for unique in self.files]
        (folder / "annotations.json").write_text(json.dumps({"images": images}))
        self.job = {
            "what": case.job,
            "faster": FASTER,
            "file_limit": case.file_limit,
            "url": rig.url,
            "folder": str(folder / "pictures"),
            "annotations": str(folder / "annotations.json"),
            "out": str(folder / "in" / "side" / "out"),
        }
        (folder / "job.json").write_text(json.dumps(self.job))
        if case.spoil is not None:
            case.spoil(rig, folder)
        rig.rules += [type(rule)(rule.match, rule.act, rule.times, rule.skip) for rule in case.rules]

    def outcome(self) -> Outcome:
        """What came of it."""
        case = self.case
        if case.at_once:
            runs = self._together()
        else:
            runs = []
            for _ in range(case.runs):
                before = len(self.rig.log)
                runs.append(self._run())
        self._settle()
        wrong = [f"did not end within {MOST_SECONDS:.0f} s" for run in runs if run.code is None]
        asked = len(self.rig.log) - (before if not case.at_once else 0)
        if asked > case.most:
            wrong.append(f"{asked} requests, where {case.most} would do")
        said = "".join(run.said for run in runs)
        told = any(run.code == 0 for run in runs) if case.at_once else runs[-1].code == 0
        if case.end == "whole" and not told and runs[-1].code is not None:
            wrong.append(f"tells failure ({said.strip().splitlines()[-1] if said.strip() else 'in silence'})")
        if case.end == "told" and told:
            wrong.append("tells success")
        wrong += self._of_folder() if case.job == "download" else self._of_lake()
        return Outcome(wrong, any(secret in said for secret in _SECRETS))

    def _of_lake(self) -> list[str]:
        shapes = {(unique, "op"): 1 for unique in self.files} if self.case.job == "annotations" else {}
        verdict = check(self.rig.lake, Inputs(self.files, shapes))
        wrong = [
            f"{len(found)} {what}, such as {found[0]}"
            for what, found in (
                ("duplicated", verdict.duplicated),
                ("corrupted", verdict.corrupted),
                ("unexpected", verdict.unexpected),
            )
            if found
        ]
        many = {unique: times for unique, times in self.rig.lake.sending.finalised.items() if times > 1}
        if many and self.case.at_once:
            wrong.append(f"{len(many)} files finalised more than once")
        may = self.case.missing if self.case.job == "files" else len(shapes) if self.case.end == "told" else 0
        if len(verdict.lost) > may:
            wrong.append(f"{len(verdict.lost)} lost, such as {verdict.lost[0]}")
        return wrong

    def _of_folder(self) -> list[str]:
        inside = self.folder / "in" / "side" / "out"
        found = {path.name: path for path in inside.rglob("*.png")}
        wrong = [
            f"{name} holds other bytes"
            for name, path in found.items()
            if name in self.files and path.read_bytes() != self.files[name]
        ]
        evil = [str(path.relative_to(self.folder)) for path in self.folder.rglob("evil*") if inside not in path.parents]
        wrong += [f"written outside: {path}" for path in evil]
        lost = set(self.files) - set(found)
        if len(lost) > self.case.missing:
            wrong.append(f"{len(lost)} lost")
        return wrong

    def _run(self) -> Run:
        begin = time.monotonic()
        process = self._start()
        self.rig.victim = process.pid
        try:
            said, _ = process.communicate(timeout=MOST_SECONDS)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            code = None
        self._settle()
        return Run(code, said, time.monotonic() - begin)

    def _settle(self) -> None:
        if not self._is_silent:
            self.rig.settle()

    @property
    def _is_silent(self) -> bool:
        """Whether a request is never answered: the rig does not settle then, nor is a minute to be waited for it."""
        return any(rule.act.kind == "hang" for rule in self.case.rules)

    def _together(self) -> list[Run]:
        runs: list[Run] = []
        ready = Event()

        def one() -> None:
            ready.wait()
            runs.append(self._run())

        threads = [Thread(target=one) for _ in range(self.case.runs)]
        for thread in threads:
            thread.start()
        ready.set()
        for thread in threads:
            thread.join()
        return runs

    def _start(self) -> subprocess.Popen[str]:
        state = self.folder / "state"
        environment = {
            **os.environ,
            "METALAKE_API_KEY": KEY,
            "METALAKE_SECRET": SECRET,
            "XDG_STATE_HOME": str(state),
            "XDG_CACHE_HOME": str(state),
            "XDG_DATA_HOME": str(state),
            "XDG_CONFIG_HOME": str(state),
        }
        if self._is_silent:
            environment["ANNOLAKE_TIMEOUT"] = "3"
        return subprocess.Popen(
            [self.python, str(CLIENT), self.name, str(self.folder / "job.json")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self.folder / "in" / "side",
            env=environment,
        )


def tried(case: Case, name: Name, python: str) -> Outcome:
    """This client in this case."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Faultd(case.storage, case.annotations, close_after=case.close_after) as rig,
    ):
        return Trial(case, name, python, Path(folder), rig).outcome()
