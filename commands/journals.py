"""Where the journals of uploads and the locks of folders are kept, and the flags that say what to do with them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..converters.files import local_failure
from . import screen

if TYPE_CHECKING:
    from ..metalake_io.client import MetaLakeClient
    from ..metalake_io.journal import Journal

F = TypeVar("F", bound=Callable[..., Any])

NAMES = ("fresh", "wait")
WAIT = click.option("--wait", is_flag=True, help="Wait for another run on the same target, instead of giving up.")
OPTIONS = (
    click.option("--fresh", is_flag=True, help="Forget what earlier runs sent; ask the service for everything."),
    WAIT,
)


def journal_options(function: F) -> F:
    """The flags of commands that go on where an earlier run was interrupted."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def opened(client: MetaLakeClient, what: str, *, fresh: bool, wait: bool) -> AbstractContextManager[Journal]:
    """The journal of what is sent to `what` on this service, locked for this run (`metalake_io.journal.keeping`)."""
    from ..metalake_io.journal import keeping

    server = client.parts.service.base_url
    return keeping(path(server, what), server, what, fresh=fresh, wait=wait, waiting=screen.say)


def path(server: str, what: str) -> Path:
    """In the user's state folder, one for each target."""
    name = hashlib.sha256(f"{server}\n{what}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return _state() / "journals" / f"{name}.sqlite"


@contextmanager
def only_run(folder: Path, *, wait: bool) -> Generator[None]:
    """The lock of a folder that is written to, whatever names lead there. LockedElsewhere says who has it."""
    from ..metalake_io.locking import locked

    name = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:24]
    place = _state() / "locks" / name
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise local_failure(error, place.parent) from None
    with locked(place, f"the folder {folder}", wait=wait, waiting=screen.say):
        yield


def _state() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("annolake", appauthor=False))
