"""Where nobody looks, nothing is drawn and nothing breaks: closed pipes, no terminal, old terminals, no locale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from .desk import UPLOAD, Desk
from .lake import KEY, SECRET
from .oracle import Inputs, check


def run(desk: Desk, *words: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    environ = {
        "PATH": os.environ["PATH"], "METALAKE_URL": desk.rig.url, "METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET,
        "XDG_STATE_HOME": str(desk.folder / "state"), "XDG_CONFIG_HOME": str(desk.folder / "config"),
        **how.pop("environ", {}),
    }  # fmt: skip
    command = [sys.executable, "-m", "annolake.commands", *words]
    return subprocess.run(command, cwd=desk.folder, env=environ, check=False, **how)


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_e5_nobody_reads_what_is_said(desk: Desk, closed: str) -> None:
    """As `annolake upload ... | head -1`: the work is done, and nobody complains."""
    reader, writer = os.pipe()
    os.close(reader)
    other = "stderr" if closed == "stdout" else "stdout"
    done = run(desk, *UPLOAD, **{closed: writer, other: subprocess.PIPE})
    os.close(writer)
    assert done.returncode == (141 if closed == "stdout" else 0)
    assert check(desk.rig.lake, Inputs(desk.files)).clean
    assert b"Traceback" not in (done.stderr or b"")
    if closed == "stderr":
        assert json.loads(done.stdout)["summary"]["uploaded"] == len(desk.files)


def test_e5_no_streams_at_all(desk: Desk) -> None:
    """As a program that is started by another one may find it."""
    shell = f'exec "{sys.executable}" -m annolake.commands {" ".join(UPLOAD)} <&- >&- 2>&-'
    environ = {**os.environ, "METALAKE_URL": desk.rig.url, "METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET}
    environ |= {"XDG_STATE_HOME": str(desk.folder / "state"), "XDG_CONFIG_HOME": str(desk.folder / "config")}
    done = subprocess.run(["sh", "-c", shell], cwd=desk.folder, env=environ, check=False)
    assert done.returncode == 0
    assert check(desk.rig.lake, Inputs(desk.files)).clean


@pytest.mark.parametrize(
    "environ",
    [
        {"TERM": "dumb"},
        {"LANG": "C", "LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_e5_simple_terminals(desk: Desk, environ: dict[str, str]) -> None:
    """Names of any letters, sent and told; no control codes in what is not a terminal."""
    name = "größe 図.png"
    (desk.folder / "pictures" / name).write_bytes(b"letters")
    desk.files[f"Demo_{name}"] = b"letters"
    (desk.folder / "pictures" / "ﬁle 図.txt").write_bytes(b"no picture")
    done = run(desk, *UPLOAD, environ=environ, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    document = json.loads(done.stdout.decode())
    items = [item for item in document["items"] if item["state"] != "skipped"]
    verdict = check(desk.rig.lake, Inputs(desk.files), {"items": items})
    assert verdict.clean, verdict
