"""The rig as a process of its own, for what is measured: it takes no time and no memory of the client's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import msgspec

from .oracle import Seen

ROOT = Path(__file__).resolve().parents[2]


class Apart:
    """A context manager; `options` are those of `python -m tests.faults.server`."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._open = build_opener(ProxyHandler({})).open
        self.url = self._process.stdout.readline().strip()

    def summary(self) -> dict[str, Any]:
        """As `Faultd.summary`."""
        return json.loads(self._ask("summary"))

    def state(self) -> Seen:
        return msgspec.json.decode(self._ask("state"), type=Seen)

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _ask(self, what: str) -> bytes:
        with self._open(f"{self.url}/__rig__/{what}", timeout=120) as answer:
            return answer.read()
