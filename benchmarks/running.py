"""One program, run to its end: how long it took, what it used, and how much memory it and its children held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_STEP = 0.05
_CACHING = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""What programs are run with: Python keeps what it compiled, as it does for its users, and starts from that."""


@dataclass(frozen=True)
class Run:
    """Seconds from start to end, user and system seconds of all its processes, memory in bytes, what it printed, and
    why it failed.
    """

    seconds: float
    user: float
    system: float
    memory: int
    said: str = ""
    failure: str = ""


def run(
    command: Sequence[str], timeout: float, *, watched: bool = False, step: float = _STEP, data: int | None = None
) -> Run:
    """Memory is the largest that one process held; with `watched` the largest sum over all processes at one moment,
    pages that they share counted once (Linux). To look costs time: a watched run is not one to time, unless the `step`
    between looks is a second. No process gets more than `data` bytes of memory of its own (`RLIMIT_DATA`).
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        start = time.perf_counter()
        child = subprocess.Popen(
            [*_limited(data), *command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            start_new_session=True,
            env=_CACHING,
        )
        guard = threading.Timer(timeout, os.killpg, (child.pid, signal.SIGKILL))
        guard.start()
        watch = _Watch(child.pid, step) if watched else None
        try:
            # Not child.wait(): only wait4 tells what this one child used.
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            guard.cancel()
            together = 0 if watch is None else watch.most()
        seconds = time.perf_counter() - start
        child.returncode = code = os.waitstatus_to_exitcode(status)
        failure = "" if code == 0 else _why(code, seconds >= timeout, _text(complained.fileno()))
        memory = max(together, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
        return Run(seconds, usage.ru_utime, usage.ru_stime, memory, _text(said.fileno()), failure)


def _limited(data: int | None) -> list[str]:
    """What stands in front of a command that the kernel is to hold to a limit."""
    return [] if data is None else ["prlimit", f"--data={data}:{data}"]


class _Watch:
    """Looks at all processes of a session, again and again, in a thread."""

    def __init__(self, leader: int, step: float) -> None:
        self._leader = leader
        self._step = step
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def most(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._over.wait(self._step):
            self._most = max(self._most, sum(map(_share, _session(self._leader))))


def _session(leader: int) -> list[Path]:
    out: list[Path] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name, which may hold anything: state, parent, group, session.
            session = (folder / "stat").read_text().rpartition(")")[2].split()[3]
        except OSError:
            continue
        if session == str(leader):
            out.append(folder)
    return out


def _share(folder: Path) -> int:
    """A process's proportional share of the pages it holds, in bytes."""
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _why(code: int, too_slow: bool, complaint: str) -> str:
    if too_slow:
        return "stopped, took too long"
    last = (complaint.strip().splitlines() or ["no message"])[-1]
    return f"exit code {code}, {last[:200].replace('|', '/')}"


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 1 << 20).decode(errors="replace")
