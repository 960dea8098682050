"""What tests of the service need before they begin: a command's settings in the environment, and clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.connecting import connect

from .lake import KEY, SECRET

Connect = Callable[..., MetaLakeClient]


def settings(patch: pytest.MonkeyPatch, url: str, folder: Path, timeout: str | None = None) -> None:
    """Address, key and secret as a user has them; what is kept for the user lies in `folder`."""
    known = {"METALAKE_URL": url, "METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET}
    known |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")}
    for name, value in known.items():
        patch.setenv(name, value)
    if timeout is not None:
        patch.setenv("ANNOLAKE_TIMEOUT", timeout)


@contextmanager
def clients(usual_url: str, **usual: Any) -> Iterator[Connect]:
    """Clients of this address, or of another, with these options, or with others; closed in the end."""
    made: list[MetaLakeClient] = []

    def to(url: str | None = None, **options: Any) -> MetaLakeClient:
        options = {**usual, **options}
        client = MetaLakeClient.over(connect(KEY, SECRET, url or usual_url, **options), timeout=options["timeout"])
        made.append(client)
        return client

    yield to
    for client in made:
        client.close()
