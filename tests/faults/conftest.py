"""A rig, clients of it, and after every test a look for secrets in all that was said or left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.connecting import connect

from ..metalake_io.clock import FakeClock
from .children import Nursery
from .desk import Connect, Desk
from .faultd import Faultd
from .lake import KEY, SECRET
from .typed import Run, commands


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def rig() -> Iterator[Faultd]:
    with Faultd() as made:
        yield made


@pytest.fixture
def connected(rig: Faultd, clock: FakeClock) -> Iterator[Connect]:
    """Clients of the rig, or of another address, with other options."""
    clients: list[MetaLakeClient] = []

    def to(url: str | None = None, **options: Any) -> MetaLakeClient:
        options = {"clock": clock, "timeout": 5.0, "at_once": 4, **options}
        client = MetaLakeClient.over(connect(KEY, SECRET, url or rig.url, **options), timeout=options["timeout"])
        clients.append(client)
        return client

    yield to
    for client in clients:
        client.close()


@pytest.fixture
def desk(tmp_path: Path, rig: Faultd, connected: Connect, nursery: Nursery) -> Desk:
    return Desk(tmp_path, rig, connected, nursery)


@pytest.fixture
def run(tmp_path: Path, rig: Faultd, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands(tmp_path, rig, monkeypatch)


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, bytes]:
    """Four pictures in the folder `pictures`, as far as anybody looks; their bytes by the lake's name for them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    contents = {f"p{number}.png": f"picture {number} ".encode() * (100 * number + 1) for number in range(4)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {f"Demo_{name}": content for name, content in contents.items()}
