"""Where the journals of uploads are kept, and the flags that say what to do with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import screen

if TYPE_CHECKING:
    from ..metalake_io.client import MetaLakeClient
    from ..metalake_io.journal import Journal

F = TypeVar("F", bound=Callable[..., Any])

NAMES = ("fresh", "wait")
OPTIONS = (
    click.option("--fresh", is_flag=True, help="Forget what earlier runs sent; ask the service for everything."),
    click.option("--wait", is_flag=True, help="Wait for another run on the same target, instead of giving up."),
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
    import platformdirs

    name = hashlib.sha256(f"{server}\n{what}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Path(platformdirs.user_state_dir("annolake", appauthor=False)) / "journals" / f"{name}.sqlite"
