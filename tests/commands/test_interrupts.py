"""Ctrl-C and `kill` in the middle of a conversion: one line, the right exit code, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Desk

# The program with a writer that writes something, says so, and does not end for a minute. It does not wait: a
# signal that comes just before a wait would not be seen until that ends.
PROGRAM = """
import os
import time
import msgspec
from annolake.converters import metalake, parallel

def wait(path, *_):
    path.write_text("half")
    os.write(1, b"writing\\n")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass

def wait_in_part(path, part, *_):
    wait(path.with_name(f"{path.name}.{part}"))

metalake.FORMAT = msgspec.structs.replace(metalake.FORMAT, write=wait, write_part=wait_in_part)
from annolake.commands.main import main
parallel.WORTH_A_PROCESS = 1
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_behind(desk: Desk, number: int, exit_code: int, jobs: int) -> None:
    words = ["convert", "instances.json", "out.json", "--to", "metalake", "--jobs", str(jobs)]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for _ in range(jobs):
            assert process.stdout.readline() == "writing\n"
        assert len(desk.names()) == jobs
        process.send_signal(number)
        _, said = process.communicate(timeout=60)  # ends when the forked processes have ended, too
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert process.returncode == exit_code
    assert said == "error: interrupted; no half-written file is left [interrupted]\n"
    assert desk.names() == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_ignored_signal_stays_ignored() -> None:
    """`nohup annolake ...` outlives its terminal."""
    script = (
        "import os, signal; from annolake.commands import failures; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "failures.raise_on_signals(); os.kill(os.getpid(), signal.SIGHUP); print('alive')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.returncode) == ("alive\n", 0)


EARLY = """
import os, signal, sys
class Stop:
    def find_spec(self, name, *_):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stop())
from annolake.commands.start import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_while_the_program_is_still_loaded() -> None:
    """Without a traceback: it has begun nothing, and has nothing to say."""
    words = [sys.executable, "-c", EARLY, "formats"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")
