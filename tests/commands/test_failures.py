"""Whatever happens: a few words, an exit code, no traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from annolake.commands import screen, stats

if TYPE_CHECKING:
    from .conftest import Desk


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `annolake stats` raise that."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(stats, "statistics", fail)


def test_a_defect_asks_to_be_reported(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, RuntimeError("boom"))
    done = desk.run("stats", "lake.json", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "unexpected"
    assert "boom" in done.stderr and "please report it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_traceback_on_request(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, RuntimeError("boom"))
    monkeypatch.setenv("ANNOLAKE_DEBUG", "1")
    assert "Traceback" in desk.run("stats", "lake.json").stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "word"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 9, "memory"),
        (PermissionError(13, "Permission denied", "secret.json"), 9, "secret.json"),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
    ],
)
def test_other_endings(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: BaseException, exit_code: int, word: str
) -> None:
    failing(monkeypatch, error)
    done = desk.run("stats", "lake.json")
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert word in done.stderr
    assert bool(done.stderr) == bool(word)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["stats", "validate"])
def test_no_permission_to_read(desk: Desk, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Refused by `access`, because the tests may run as the one user whom nothing is refused to."""
    monkeypatch.setattr(os, "access", lambda path, *_: Path(path).name != "lake.json")
    done = desk.run(command, "lake.json", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["where"]) == (9, {"file": "lake.json"})


def test_a_reader_that_goes_away_is_no_complaint(desk: Desk) -> None:
    words = [sys.executable, "-m", "annolake.commands", "formats", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_usage_errors_of_the_command_line_itself(desk: Desk) -> None:
    done = desk.run("stats", "lake.json", "--nonsense", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["exit_code"]) == (2, 2)
    assert "--nonsense" in done.stderr
    assert desk.run("dance").exit_code == 2


def test_no_progress_bar_where_there_is_no_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PATIENCE", 0)
    monkeypatch.setattr(screen, "REDRAW", 0)
    assert desk.run("stats", "lake.json", "--json").stderr == ""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_waits_a_second_and_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, now = _Terminal(), [100.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(screen, "monotonic", lambda: now[0])
    threads = threading.active_count()
    with screen.ProgressBar() as bar:
        now[0] += 0.9
        bar(900, 4000)
        assert terminal.getvalue() == ""
        now[0] += 1.1
        bar(2000, 4000)
        assert "2000/4000 images 1,000/s" in terminal.getvalue()
        assert threading.active_count() == threads
