"""The side of the tests: clients in processes of their own, each a fork of one that has loaded everything (`child`)."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import child

LONGEST = 60.0


class Child:
    """A client at work. `returncode` once it has ended, negative for a signal."""

    def __init__(self, nursery: Nursery, job: dict[str, Any]) -> None:
        self._nursery = nursery
        self._paths = Path(job["stdout"]), Path(job["stderr"])
        for path in self._paths:
            path.write_bytes(b"")
        self.began = time.monotonic()
        self.pid = int(nursery.ask(json.dumps(job)))
        self.returncode: int | None = None
        self.ended = 0.0

    def send(self, number: int) -> None:
        """A signal, unless it has just ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, longest: float = LONGEST) -> int:
        if self.returncode is None:
            try:
                self.returncode = int(self._nursery.answer(longest))
            except TimeoutError:
                self.end()
                raise
            self.ended = time.monotonic()
        return self.returncode

    def end(self) -> None:
        """Kill it, if it is still there."""
        if self.returncode is None:
            if not self.ends_within(0):
                os.kill(self.pid, signal.SIGKILL)
            self.returncode = int(self._nursery.answer())

    def ends_within(self, seconds: float) -> bool:
        return self._nursery.has_answer(seconds)

    @property
    def memory(self) -> float:
        """The most that it had, in MB, of what it shares with the nursery too."""
        return float(self._used[0]) / 1024

    @property
    def seconds(self) -> float:
        """Of the processor's time."""
        return float(self._used[1])

    @property
    def _used(self) -> list[str]:
        return self._paths[0].with_name("used").read_text().split()

    @property
    def stdout(self) -> str:
        return self._paths[0].read_text()

    @property
    def stderr(self) -> str:
        return self._paths[1].read_text()


class Nursery:
    """Starts one client after the other; the one before is ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", child.__name__],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._current: Child | None = None
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._process.stdout, selectors.EVENT_READ)

    def start(self, job: dict[str, Any], folder: Path) -> Child:
        """What it says is kept in `folder`."""
        if self._current is not None:
            self._current.end()
        self._current = Child(self, {"stdout": str(folder / "stdout"), "stderr": str(folder / "stderr"), **job})
        return self._current

    def ask(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        return self.answer()

    def has_answer(self, seconds: float) -> bool:
        return bool(self._waiting.select(seconds))

    def answer(self, longest: float = LONGEST) -> str:
        assert self._process.stdout is not None
        if not self.has_answer(longest):
            raise TimeoutError("the client does not end")
        line = self._process.stdout.readline()
        assert line, "the nursery has ended"
        return line.decode()

    def close(self) -> None:
        if self._current is not None:
            self._current.end()
        self._waiting.close()
        self._process.communicate()
