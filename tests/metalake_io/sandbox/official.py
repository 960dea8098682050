"""The unmodified official SDK, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .wire import KEY, SECRET

DRIVER = Path(__file__).with_name("sdk_driver.py")
PYTHONS = {"2.3.4": "ANNOLAKE_LAYERNEXT_PYTHON", "3.28.14": "ANNOLAKE_LAYERNEXT_BETA_PYTHON"}
"""Version of the official SDK -> variable that names a Python which has it. Our own may have the first."""


class OfficialSdk:
    """The unmodified SDK, connected to a sandbox."""

    def __init__(self, python: str, url: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [python, str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
        )
        self.last_printed = ""
        self("connect", KEY, SECRET, url)

    def __call__(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """What the call returns; RuntimeError with what it raises."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, arguments, keywords]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.last_printed = answer["printed"]
        if "raised" in answer:
            raise RuntimeError(answer["raised"])
        return answer["returned"]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def python_with(version: str) -> str:
    """A Python that has this version of the official SDK; skips where none is known."""
    for python in filter(None, (os.environ.get(PYTHONS[version]), sys.executable)):
        asked = subprocess.run([python, str(DRIVER), "--version"], capture_output=True, text=True, check=False)
        if version in asked.stdout.split():
            return python
    pytest.skip(f"the official SDK {version} is not installed; {PYTHONS[version]} may name a Python that has it")
