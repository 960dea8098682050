"""Measure transfers against the official SDK, on a service of one's own that answers late: one run, both sides.

    python benchmarks/transfers.py --official PYTHON [--tasks NAME,NAME] [--write README.md]

PYTHON has `layernext` 2.3.4. Each side runs as a process of its own, from start to end, both from the same folder
against the same rig (`tests/faults`) that starts empty each time. Latency is waited before each answer; a handshake is
waited before the first answer of each connection, as TCP and TLS would. Both sides' transfers are looked at
afterwards: what did not arrive whole has no time. The targets are ratios. Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from annolake.converters.testing.marked import with_marked

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "tests" / "faults" / "survival" / "client.py"
MB = 1_000_000

Side = Literal["annolake", "layernext"]


@dataclass(frozen=True)
class Task:
    """`ratio`: at least so many times faster than the official SDK. `seconds`, `memory` in bytes: at most. `alone`: one
    run of annolake only.
    """

    name: str
    title: str
    job: Literal["files", "annotations", "download"]
    count: int
    latency: float
    handshake: float = 0.0
    ratio: float | None = None
    seconds: float | None = None
    memory: float | None = None
    alone: bool = False


TASKS = (
    Task("upload-100", "upload 100 files, 50 ms", "files", 100, 0.05, ratio=12),
    Task("upload-100-100ms", "upload 100 files, 100 ms", "files", 100, 0.1, ratio=12),
    Task("upload-1000", "upload 1,000 files, 50 ms", "files", 1_000, 0.05, ratio=2.5),
    Task("upload-1000-tls", "upload 1,000 files, 50 ms and handshakes", "files", 1_000, 0.05, 0.1, ratio=7),
    Task("download-300", "download 300 images, 50 ms", "download", 300, 0.05, ratio=12),
    Task("annotations-20000", "annotations of 20,000 images, 50 ms", "annotations", 20_000, 0.05, seconds=6),
    Task("upload-100000", "upload 100,000 files of 1 kB, 0 ms", "files", 100_000, 0.0, memory=150 * MB, alone=True),
)


@dataclass(frozen=True)
class Measured:
    """`seconds` is infinite where not everything arrived."""

    seconds: float
    memory: int
    requests: int
    connections: int


class Rig:
    """The service in a process of its own."""

    def __init__(self, task: Task) -> None:
        words = ["--latency", str(task.latency), "--handshake", str(task.handshake)]
        if task.job != "files":
            words += ["--files", str(task.count)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/__rig__/{what}") as answer:
            return json.load(answer)

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def measured(task: Task, side: Side, python: str, folder: Path) -> Measured:
    """One run of one side."""
    with Rig(task) as rig, tempfile.TemporaryDirectory(dir=folder) as own:
        job = {"what": task.job, "url": rig.url, "folder": str(folder / "pictures"), "out": own, "faster": 1}
        job |= {"annotations": str(folder / "annotations.json"), "file_limit": None}
        written = Path(own, "job.json")
        written.write_text(json.dumps(job))
        environment = {**os.environ, "METALAKE_API_KEY": "key_dummy", "METALAKE_SECRET": "secret_dummy"}
        environment |= dict.fromkeys(("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), own)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installed program starts: compiled once
        begin = time.monotonic()
        process = subprocess.Popen(
            [python, str(CLIENT), side, str(written)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=own,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        seen = rig.ask("state")
        arrived = {
            "files": len(seen["files"]),
            "annotations": sum(bool(shapes) for shapes in seen["annotations"].values()),
            "download": sum(path.stat().st_size > 0 for path in Path(own).rglob("*.png")),
        }[task.job]
        log = rig.ask("log") if task.count <= 1_000 else []  # a large one makes this process, and so its next, large
        if arrived != task.count or os.waitstatus_to_exitcode(status):
            print(f"{side}: {task.title}: {arrived} of {task.count} arrived", file=sys.stderr)
            seconds = float("inf")
        return Measured(seconds, usage.ru_maxrss * 1024, len(log), len({one["connection"] for one in log}))


def prepared(task: Task, folder: Path) -> None:
    """The pictures and annotations that the task sends."""
    pictures = folder / "pictures"
    pictures.mkdir()
    if task.job == "files":
        for number in range(task.count):
            (pictures / f"{number:06}.png").write_bytes(number.to_bytes(4, "big") * 256)
    boxes = [{"type": "rectangle", "bbox": [20 * n + 1.5, 2.25, 30, 40], "label": "Car"} for n in range(7)]
    with (folder / "annotations.json").open("w") as file:  # not held: a process begun by a large one counts as large
        for number in range(task.count):
            image = {"image": f"{number:06}.png", "annotations": boxes}
            file.write(("," if number else '{"images": [') + json.dumps(image))
        file.write("]}")


def row(task: Task, ours: Measured, theirs: Measured | None) -> tuple[str, bool]:
    """A line of the table, and whether the target was met."""
    ratio = None if theirs is None else theirs.seconds / ours.seconds
    goals: list[tuple[str, bool]] = []
    if task.ratio is not None:
        goals.append((f"{task.ratio:g} x", ratio is None or ratio >= task.ratio))
    if task.seconds is not None:
        goals.append((f"{task.seconds:g} s", ours.seconds <= task.seconds))
    if task.memory is not None:
        goals.append((f"{task.memory / MB:.0f} MB", ours.memory <= task.memory))
    met = all(good for _, good in goals)
    cells = [
        task.title,
        _seconds(ours),
        "" if theirs is None else _seconds(theirs),
        "" if ratio is None else f"{ratio:.1f} x",
        ", ".join(text for text, _ in goals) + ("" if met else " (missed)"),
        f"{ours.memory / MB:.0f} MB",
        "" if theirs is None else f"{theirs.memory / MB:.0f} MB",
        "" if not ours.requests or theirs is None else f"{ours.connections} / {theirs.connections}",
    ]
    return f"| {' | '.join(cells)} |", met


def _seconds(one: Measured) -> str:
    return "not all arrived" if one.seconds == float("inf") else f"{one.seconds:.2f} s"


def table(rows: Sequence[str]) -> str:
    head = "| | annolake | official SDK 2.3.4 | ratio | target | memory | its memory | connections |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- | --- | --- |", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--official", metavar="PYTHON", help="a Python that has layernext 2.3.4")
    parser.add_argument("--tasks", default=",".join(task.name for task in TASKS))
    parser.add_argument("--runs", type=int, default=3, help="of annolake; the fastest counts, and the highest memory")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its marks in this file")
    given = parser.parse_args()
    wanted = given.tasks.split(",")
    rows: list[str] = []
    all_met = True
    for task in TASKS:
        if task.name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            prepared(task, folder)
            runs = [measured(task, "annolake", sys.executable, folder) for _ in range(1 if task.alone else given.runs)]
            best = min(runs, key=lambda one: one.seconds)
            ours = Measured(best.seconds, max(one.memory for one in runs), best.requests, best.connections)
            theirs = None
            if given.official and not task.alone:
                theirs = measured(task, "layernext", os.path.abspath(given.official), folder)
        line, met = row(task, ours, theirs)
        print(line, flush=True)
        rows.append(line)
        all_met &= met
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        given.write.write_text(with_marked(text, "transfers", f"{table(rows)}\n"), encoding="utf-8")
    sys.exit(0 if all_met else 1)


if __name__ == "__main__":
    main()
