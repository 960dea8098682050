"""From errors and signals to a few calm words and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from threading import Timer
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

import click

from ..schemas.errors import AnnolakeError, LocalFailure, LossRefused, Place, UsageError
from . import screen, telling

if TYPE_CHECKING:
    from ..metalake_io.results import Report as TransferReport

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_INTERRUPTED = (129, 130, 143)
_BROKEN_PIPE = 141
_DEBUG = "ANNOLAKE_DEBUG"
_ANSWER = ("status", "request_id", "attempts")
_MOMENT = 0.3
"""Seconds for tidying up when somebody insists."""

_PATIENCE = 1.0
"""Seconds for what was under way when the run was called off; it removes its temporary files."""


class Interrupted(KeyboardInterrupt):
    """A signal asks the program to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def raise_on_signals() -> None:
    """Let Ctrl-C, `kill` and a closed terminal raise Interrupted in the main thread, so that temporary files
    vanish.

    Whoever asks again gets what can be tidied up within `_MOMENT`. Forked processes end at once, without a word: what
    they wrote is removed by the first. A signal that the caller had us ignore (`nohup`) stays ignored.
    """
    first = os.getpid()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]

    def stop(number: int, _: FrameType | None) -> None:
        if os.getpid() != first:
            os._exit(128 + number)
        for each in numbers:
            signal.signal(each, insist)
        raise Interrupted(number)

    def insist(number: int, _: FrameType | None) -> None:
        if os.getpid() != first:
            os._exit(128 + number)
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        last = Timer(_MOMENT, os._exit, (128 + number,))
        last.daemon = True
        last.start()

    for number in numbers:
        signal.signal(number, stop)


def leave(code: object) -> None:
    """The end of the program. After an interruption it does not wait long for what is still on its way to the network:
    threads that read a silent server would hold it for a minute.
    """
    if code not in _INTERRUPTED:
        return
    end = monotonic() + _PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, end - monotonic()))
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(int(str(code)))


def tell(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong; the exit code that stands for it."""
    if isinstance(error, BrokenPipeError):
        screen.look_away(sys.stdout, sys.stderr)
        return _BROKEN_PIPE
    if isinstance(error, KeyboardInterrupt):
        code = getattr(error, "exit_code", 128 + signal.SIGINT)
        said = AnnolakeError("interrupted", "interrupted; no half-written file is left")
        return _say(said, code, as_json, getattr(error, "report", None))
    if isinstance(error.__cause__, KeyboardInterrupt):  # while a class was being made
        return tell(error.__cause__, as_json=as_json)
    known = _known(error)
    if os.environ.get(_DEBUG) == "1" and known.exit_code == 1:
        traceback.print_exception(error)
    if isinstance(error, LossRefused):  # its report is on standard output already
        return _say(known, known.exit_code, as_json=False)
    return _say(known, known.exit_code, as_json, getattr(error, "report", None))


def tell_usage(error: click.ClickException, *, as_json: bool) -> None:
    """Say on standard output, too, what click is going to say on standard error."""
    if as_json:
        screen.emit(_as_json(UsageError("usage", error.format_message()), error.exit_code))


def _known(error: BaseException) -> AnnolakeError:
    if isinstance(error, AnnolakeError):
        return error
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return LocalFailure("out-of-memory", "this computer's memory is full", hint="--jobs 1 needs the least")
    if isinstance(error, OSError):
        place = Place(file=error.filename) if isinstance(error.filename, str) else None
        return LocalFailure("local-file", error.strerror or str(error), place=place, hint="check the disk and the path")
    return AnnolakeError(
        "unexpected",
        f"this is a defect of annolake, not of your files: {type(error).__name__}: {error}",
        hint=f"please report it with the command you gave; {_DEBUG}=1 shows where it happened",
    )


def _say(error: AnnolakeError, exit_code: int, as_json: bool, report: TransferReport | None = None) -> int:
    """`as_json`: on standard output too. `report`: of the transfer that the error has stopped, told in full."""
    problems = [problem.as_json() for problem in getattr(error, "problems", ())]
    if as_json:
        rows = telling.document(report, exit_code)
        screen.emit(_as_json(error, exit_code) | ({"problems": problems} if problems else {}) | rows)
    screen.show_problems(problems)
    if report is not None:
        telling.show(report)
    screen.show_error(error)
    telling.show_resume(report, exit_code)
    return exit_code


def _as_json(error: AnnolakeError, exit_code: int) -> dict[str, object]:
    out: dict[str, object] = {"code": error.code, "message": error.message}
    out["where"] = screen.place_json(error.place)
    out["hint"] = error.hint
    out |= {name: value for name in _ANSWER if (value := getattr(error, name, None)) is not None}
    return {"error": {**out, "exit_code": exit_code}}
