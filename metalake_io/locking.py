"""One run at a time on one target: a lock of the operating system, which dies with its process.

Who holds it stands in a file beside it, for people only: whether it is held, the operating system alone says.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from ..schemas.errors import LocalFailure, Place
from ..schemas.plain import is_object
from .errors import LockedElsewhere

Waiting = Callable[[str], None]
"""Told, once, for whom is waited."""

CHECK_STATE = "journals and locks are kept there: check the folder, its permissions and the space on the disk"
"""What to do where the state folder fails us."""

_POLL = 0.2
_MOMENT = 1.0
"""Seconds: a run that is just ending is not worth an error."""


@contextmanager
def locked(path: Path, what: str, *, wait: bool = False, waiting: Waiting | None = None) -> Generator[None]:
    """Hold the lock of the file at `path`, which need not exist. LockedElsewhere names who has it."""
    from filelock import FileLock, Timeout

    lock, holder = FileLock(f"{path}.lock", mode=0o600), Path(f"{path}.holder")
    try:
        try:
            lock.acquire(timeout=_MOMENT, poll_interval=_POLL)
        except Timeout:
            if not wait:
                raise _elsewhere(what, holder) from None
            if waiting is not None:
                waiting(f"waiting for {_who(holder)}, which works on {what}")
            lock.acquire(poll_interval=_POLL)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise LocalFailure(
            "lock",
            f"{what} cannot be locked: {reason}",
            place=Place(file=f"{path}.lock"),
            hint=CHECK_STATE,
        ) from None
    try:
        _tell(holder)
        yield
    finally:
        lock.release()


def _elsewhere(what: str, holder: Path) -> LockedElsewhere:
    return LockedElsewhere(
        "locked", f"{_who(holder)} works on {what} already", hint="wait for it with --wait, or end it first"
    )


def _tell(holder: Path) -> None:
    told = {"pid": os.getpid(), "host": socket.gethostname(), "start": datetime.now().isoformat(timespec="seconds")}
    temporary = Path(f"{holder}.{os.getpid()}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(told, file)
        temporary.replace(holder)
    except OSError as error:
        raise LocalFailure(
            "lock", error.strerror or str(error), place=Place(file=str(holder)), hint=CHECK_STATE
        ) from None


def _who(holder: Path) -> str:
    try:
        told: Any = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    if not is_object(told):
        return "another run"
    return f"another run (process {told.get('pid')} on {told.get('host')}, since {told.get('start')})"
