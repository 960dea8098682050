"""Ctrl-C and `kill` at any moment of a command: it stops soon, says what is so and how to go on, and that works."""

from __future__ import annotations

import json
import random
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from . import actions as act
from .children import Child, Nursery
from .faultd import Faultd
from .lake import KEY, SECRET
from .oracle import Inputs, check
from .torture import of_all

FILES = 12
REQUESTS = 3 + 4 * FILES


class Shop:
    """A folder of pictures, and commands over it in processes of their own."""

    def __init__(self, folder: Path, rig: Faultd, nursery: Nursery) -> None:
        self.folder, self.rig, self.nursery = folder, rig, nursery
        (folder / "my pictures").mkdir()
        self.files: dict[str, bytes] = {}
        for number in range(FILES):
            path = folder / "my pictures" / f"{number:03}.png"
            Image.new("RGB", (8 + number, 8)).save(path)
            self.files[f"Demo_{path.name}"] = path.read_bytes()

    def start(self, *words: str) -> Child:
        environ = {"METALAKE_URL": self.rig.url, "METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET}
        environ |= {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config")}
        job: dict[str, Any] = {"argv": words, "folder": str(self.folder), "environ": environ}
        self.rig.victim = None
        started = self.nursery.start(job, self.folder)
        self.rig.victim = started.pid
        return started


@pytest.fixture
def shop(tmp_path: Path, rig: Faultd, nursery: Nursery) -> Shop:
    return Shop(tmp_path, rig, nursery)


UPLOAD = ("upload", "files", "my pictures", "--collection", "Demo", "--at-once", "4", "--json")


@pytest.mark.parametrize("seed", of_all(range(10), range(50)))
def test_e4_stopped_at_any_moment(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    number = signal.SIGTERM if seed % 2 else signal.SIGINT
    shop.rig.rule("", act.interrupt(number), skip=chance.randrange(REQUESTS))
    stopped = shop.start(*UPLOAD)
    stopped.wait()
    shop.rig.settle(alone=True)
    assert stopped.returncode == 128 + number, stopped.stderr
    last = shop.rig.log[-1].begin if shop.rig.log else 0.0
    assert stopped.ended - last < 5
    document = json.loads(stopped.stdout)
    assert document["error"]["code"] == "interrupted"
    words = shlex.split(document["resume"]["command"])
    assert words == ["annolake", *UPLOAD]
    assert document["resume"]["command"] in stopped.stderr
    assert "Traceback" not in stopped.stderr
    if "items" in document:
        told = check(shop.rig.lake, Inputs(shop.files), document)
        assert told.harmless, told
        left = sum(item["state"] in ("failed", "uncertain", "not begun") for item in document["items"])
        assert document["resume"]["left"] == {"files": left}
    again = shop.start(*words[1:])
    assert again.wait() == 0, again.stderr
    verdict = check(shop.rig.lake, Inputs(shop.files), json.loads(again.stdout))
    assert verdict.clean, verdict
    assert set(shop.rig.lake.sending.finalised.values()) == {1}


@pytest.mark.parametrize("match", ["create-collection", "init", "put-part", "complete"])
def test_e4_a_server_that_is_silent_does_not_hold_it(shop: Shop, match: str) -> None:
    shop.rig.rule(match, act.interrupt(signal.SIGINT, hang=60))
    stopped = shop.start(*UPLOAD)
    assert stopped.wait() == 130, stopped.stderr
    assert stopped.ended - shop.rig.asked(match)[0].begin < 5


def test_e4_who_asks_again_is_obeyed_at_once(shop: Shop) -> None:
    """Ctrl-C is pressed again and again, for two that come at once are one."""
    shop.rig.rule("put-part", act.interrupt(signal.SIGINT, hang=60))
    stopped = shop.start(*UPLOAD)
    while not shop.rig.killed:
        shop.rig.modes.killed.wait(1)
    again = time.monotonic()
    while not stopped.ends_within(0.05):
        stopped.send(signal.SIGINT)
    assert stopped.wait() == 130
    assert stopped.ended - again <= 0.5
