"""A rig, clients of it, and after every test a look for secrets in all that was said or left behind."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from annolake.commands.main import annolake

from ..metalake_io.clock import FakeClock
from ..metalake_io.overheard import Heard, listening
from ..metalake_io.settings import Connect, clients, settings
from .children import Nursery
from .desk import Desk
from .faultd import Faultd
from .here import Run, commands
from .lake import KEY, SECRET
from .storage import SIGNED
from .typed import BOX, PICTURES, Typed

SECRETS = (KEY, SECRET, base64.b64encode(f"{KEY}:{SECRET}".encode()).decode(), *SIGNED)


@pytest.fixture(autouse=True)
def heard(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """G1: after every test, whatever was said, logged, raised, reported or left in a file holds no secret. State,
    settings and temporary files of the test lie in its own folder.
    """
    for name, folder in (("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config"), ("TMPDIR", "temporary")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    with listening() as heard:
        yield heard
    heard.say("screen", *capfd.readouterr())
    assert heard.leaks(SECRETS, tmp_path) == []


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
    with clients(rig.url, clock=clock, timeout=5.0, at_once=4) as made:
        yield made


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


@pytest.fixture
def typed(rig: Faultd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A command as typed, in a folder with the picture files `pictures/p0.png` to `p3.png`, a box on each, and the
    annotation file `lake.json`. Key and secret come from the environment.
    """
    settings(monkeypatch, rig.url, tmp_path, timeout="5")
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    for name in PICTURES:
        Image.new("RGB", (8, 8)).save(Path("pictures", name))
    images = [{"image": name, "annotations": [BOX]} for name in PICTURES]
    Path("lake.json").write_text(json.dumps({"images": images}, indent=1))
    return lambda *words: CliRunner().invoke(annolake, [str(word) for word in words])
