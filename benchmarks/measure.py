"""Measure the conversions of a COCO file as large as train2017 against a reference, all in one run.

    python benchmarks/measure.py [--input FILE] [--runs N] [--tasks NAME,NAME] [--panlabel PROGRAM]

Every task runs in a process of its own, the tasks take turns, and outputs go to a memory file system where
there is one and are removed between runs. Printed is a Markdown table: the best time of all runs, from start
to end of the process, and the highest resident memory. The reference is the time of `orjson.loads` and
`orjson.dumps` alone, without starting Python and reading the file, so the ratios are stricter than they look.

User and system seconds count the whole process; where system time is a large part, the machine is slow at
handing out memory, which flatters whatever is compared with a program that needs much of it.
Memory is `ru_maxrss` of the process: where a program spreads over processes, that of the largest one.
Unix only. Exit code 1 when a limit is missed or a task fails; a task that cannot run is skipped with the
reason.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEMORY = Path("/dev/shm")
MB = 1_000_000

# `os._exit` because freeing millions of objects at the end is not part of the reference.
REFERENCE = """
import gc, os, sys, time
import orjson
gc.disable()
with open(sys.argv[1], "rb") as stream:
    text = stream.read()
start = time.perf_counter()
orjson.dumps(orjson.loads(text))
print(time.perf_counter() - start, flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class Task:
    """One row: a command that writes into a fresh folder, and its limits.

    `limit` is times the seconds of the task `than`, `memory_limit` times the size of the input; `missing`
    says why the command cannot run here. With `prints_seconds` the command takes its own time.
    """

    name: str
    title: str
    command: Sequence[str]
    missing: str = ""
    limit: float | None = None
    than: str = "reference"
    memory_limit: float | None = None
    prints_seconds: bool = False


@dataclass
class Result:
    """What the runs of one task gave: times of the fastest, memory in bytes of the largest."""

    seconds: float = float("inf")
    user: float = 0
    system: float = 0
    memory: int = 0
    output: str = ""
    failure: str = ""


def tasks(source: Path, out: Path, panlabel: str) -> list[Task]:
    annolake = [sys.executable, "-m", "annolake.commands", "convert", str(source)]
    no_annolake = "" if _importable("annolake.commands.__main__") else "annolake is not installed"
    to_yolo = ["--from", "coco", "--to", "yolo", "--yolo-task", "detect", "--allow-loss"]
    peer = [
        panlabel,
        "convert",
        "-f",
        "coco",
        "-t",
        "yolo",
        "--allow-lossy",
        "-i",
        str(source),
        "-o",
        str(out),
    ]
    return [
        Task(
            name="reference",
            title="orjson.loads + orjson.dumps",
            command=[sys.executable, "-c", REFERENCE, str(source)],
            missing="" if _importable("orjson") else "orjson is not installed",
            prints_seconds=True,
        ),
        Task(
            name="metalake",
            title="annolake, COCO to MetaLake",
            command=[*annolake, f"{out}.json", "--to", "metalake"],
            missing=no_annolake,
            limit=2.5,
            memory_limit=2.5,
        ),
        Task(
            name="yolo",
            title="annolake, COCO to YOLO",
            command=[*annolake, str(out), *to_yolo],
            missing=no_annolake,
            limit=0.5,
            than="panlabel",
            memory_limit=2.5,
        ),
        Task(
            name="panlabel",
            title="panlabel, COCO to YOLO",
            command=peer,
            missing="" if shutil.which(panlabel) else f"{panlabel} not found; pip install panlabel==0.7.0",
        ),
    ]


def measure(chosen: Sequence[Task], out: Path, runs: int, timeout: float) -> dict[str, Result]:
    """Run every task `runs` times by turns; a task that failed once is not run again."""
    results = {task.name: Result() for task in chosen if not task.missing}
    for number in range(1, runs + 1):
        for task in chosen:
            result = results.get(task.name)
            if result is None or result.failure:
                continue
            print(f"run {number} of {runs}: {task.title}", file=sys.stderr, flush=True)
            _run_once(task, out, timeout, result)
            _empty(out.parent)
    return results


def table(chosen: Sequence[Task], results: dict[str, Result], size: int) -> tuple[list[str], bool]:
    """Return the lines of the Markdown table and whether every limit that could be judged is kept."""
    lines = [
        "| task | seconds | user + system | peak MB | ratio to reference | limit | kept | output |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- | --- |",
    ]
    good = True
    reference = _seconds(results, "reference")
    for task in chosen:
        result = results.get(task.name)
        if result is None or result.failure:
            reason = f"skipped: {task.missing}" if result is None else f"failed: {result.failure}"
            good = good and result is None
            lines.append(f"| {task.title} | | | | | {_limit(task)} | {reason} | |")
            continue
        verdict, kept = _verdict(task, result, _seconds(results, task.than), size)
        good = good and kept
        ratio = f"{result.seconds / reference:.2f}" if reference else ""
        peak = f"{result.memory / MB:.0f} ({result.memory / size:.2f} x file)"
        cpu = f"{result.user:.2f} + {result.system:.2f}"
        cells = [task.title, f"{result.seconds:.2f}", cpu, peak, ratio, _limit(task), verdict, result.output]
        lines.append(f"| {' | '.join(cells)} |")
    return lines, good


def _verdict(task: Task, result: Result, than: float | None, size: int) -> tuple[str, bool]:
    if task.limit is None or task.memory_limit is None:
        return "", True
    memory = result.memory <= task.memory_limit * size
    if than is None:
        return f"time not judged, memory {'pass' if memory else 'FAIL'}", memory
    ratio = result.seconds / than
    kept = ratio <= task.limit and memory
    words = "" if task.than == "reference" else f" (time {ratio:.2f} x {task.than})"
    return ("pass" if kept else "FAIL") + words, kept


def _limit(task: Task) -> str:
    if task.limit is None or task.memory_limit is None:
        return ""
    return f"time {task.limit:g} x {task.than}, memory {task.memory_limit:g} x file"


def _seconds(results: dict[str, Result], name: str) -> float | None:
    result = results.get(name)
    return None if result is None or result.failure else result.seconds


def _run_once(task: Task, out: Path, timeout: float, result: Result) -> None:
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        start = time.perf_counter()
        child = subprocess.Popen(
            task.command, stdin=subprocess.DEVNULL, stdout=said, stderr=complained, start_new_session=True
        )
        watch = threading.Timer(timeout, os.killpg, (child.pid, signal.SIGKILL))
        watch.start()
        try:
            # Not child.wait(): only wait4 tells the memory of this one child.
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            watch.cancel()
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            result.failure = _why(child.returncode, seconds >= timeout, _text(complained.fileno()))
            return
        if task.prints_seconds:
            seconds = float(_text(said.fileno()))
    if seconds < result.seconds:
        result.seconds, result.user, result.system = seconds, usage.ru_utime, usage.ru_stime
    result.memory = max(result.memory, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
    result.output = _weigh(out.parent)


def _why(code: int, too_slow: bool, complaint: str) -> str:
    if too_slow:
        return "stopped, took too long"
    last = (complaint.strip().splitlines() or ["no message"])[-1]
    return f"exit code {code}, {last[:200].replace('|', '/')}"


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 1 << 20).decode(errors="replace")


def _weigh(folder: Path) -> str:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return f"{len(sizes):,} files, {sum(sizes) / MB:.0f} MB" if sizes else "nothing"


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return f"{os.uname().sysname} {os.uname().machine}, {cores} cores, Python {sys.version.split()[0]}"


def main() -> int:
    names = [task.name for task in tasks(Path(), Path(), "panlabel")]
    parser = argparse.ArgumentParser(description="Measure conversions of a COCO file against a reference.")
    parser.add_argument("--input", type=Path, help="a COCO file; default: the full one, generated when absent")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tasks", default=",".join(names), help="some of %(default)s")
    parser.add_argument("--panlabel", default="panlabel", help="the panlabel program to compare with")
    parser.add_argument("--timeout", type=float, default=300, help="seconds one process may take")
    given = parser.parse_args()
    wanted = given.tasks.split(",")
    if unknown := set(wanted) - set(names):
        parser.error(f"no such task: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if given.runs < 1:
        parser.error("at least one run")

    base = (MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())) / "annolake-bench"
    base.mkdir(exist_ok=True)
    source: Path = given.input or base / "train.json"
    if given.input is None and not source.exists():
        print(f"writing {source}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, str(HERE / "generate_coco.py"), str(source)], check=True)
    if not source.is_file():
        parser.error(f"no such file: {source}")

    with tempfile.TemporaryDirectory(dir=base) as scratch:
        out = Path(scratch) / "run" / "out"
        out.parent.mkdir()
        chosen = [task for task in tasks(source, out, given.panlabel) if task.name in wanted]
        results = measure(chosen, out, given.runs, given.timeout)
    size = source.stat().st_size
    lines, good = table(chosen, results, size)
    place = "in memory" if base.parent == MEMORY else "on disk, no memory file system here: times are less steady"
    print(f"{source.name}, {size / MB:.0f} MB; best of {given.runs} runs, files {place}; {_machine()}\n")
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
