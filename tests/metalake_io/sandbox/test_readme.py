"""The README's quick start is run as it is written, and leaves the fixtures as they are."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PORT = "8700"


def lines(root: Path) -> list[str]:
    """What is typed, from the first block of the README's chapter on the MetaLake."""
    text = (root / "README.md").read_text(encoding="utf-8").partition("\n## The MetaLake\n")[2]
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [line.removeprefix("$ ") for line in block[1].splitlines()]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the quick start is written for a POSIX shell")
def test_the_quick_start(root: Path, tmp_path: Path) -> None:
    """In a copy of the project that has nothing but its fixtures, with a free port in the place of the usual one."""
    assert len(lines(root)) == 10
    shutil.copytree(root / "fixtures", tmp_path / "fixtures")
    before = sorted(path for path in (tmp_path / "fixtures").rglob("*"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    typed = [
        line.replace(PORT, port).replace("annolake sandbox", f"annolake sandbox --port {port}") for line in lines(root)
    ]
    script = "\n".join(["set -e", "trap 'kill $!' EXIT", *typed])
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    words = ["bash", "-c", script]
    ended = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, timeout=240
    )
    assert ended.returncode == 0, ended.stderr
    assert "equal: yolo and birds mean the same" in ended.stderr
    assert (tmp_path / "build" / "birds-coco" / "annotations.json").is_file()
    assert sorted(path for path in (tmp_path / "fixtures").rglob("*")) == before
