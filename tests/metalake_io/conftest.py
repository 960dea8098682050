"""A lake, a client of it, and after every test a look for secrets in all that was said."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient

from .clock import FakeClock
from .lake import KEY, SECRET, SIGNATURE, Lake
from .overheard import Heard, listening
from .settings import Connect, clients

SECRETS = (SECRET, base64.b64encode(f"{KEY}:{SECRET}".encode()).decode(), SIGNATURE.partition("=")[2])


@pytest.fixture(autouse=True)
def own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lake() -> Iterator[Lake]:
    lake = Lake()
    yield lake
    lake.close()


@pytest.fixture
def connected(lake: Lake, clock: FakeClock) -> Iterator[Connect]:
    """Clients of the lake, or of another address, with other options."""
    with clients(lake.url, clock=clock, timeout=5.0) as made:
        yield made


@pytest.fixture
def client(connected: Connect) -> MetaLakeClient:
    return connected()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two pictures, as far as anybody looks."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"picture a")
    (folder / "b.JPG").write_bytes(b"picture b, longer")
    return folder


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, Any], str]:
    """Write a JSON file; its path."""

    def write(name: str, content: Any) -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture(autouse=True)
def no_secret_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Heard]:
    """Nothing that was said, logged, raised, reported or kept holds a secret or a signature; nothing was printed."""
    with listening() as heard:
        yield heard
    printed = capsys.readouterr()
    heard.say("screen", *printed)
    assert heard.leaks(SECRETS, tmp_path) == []
    assert (printed.out, printed.err) == ("", "")
