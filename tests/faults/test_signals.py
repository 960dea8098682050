"""Ctrl-C and `kill` at any moment of a command: it stops soon, says what is so and how to go on, and that works."""

from __future__ import annotations

import json
import random
import shlex
import signal
import time

import pytest

from . import actions as act
from .desk import FAULTLESS, UPLOAD, Desk
from .oracle import Inputs, check
from .torture import of_all


@pytest.mark.parametrize("seed", of_all(range(10), range(50)))
def test_e4_stopped_at_any_moment(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    number = signal.SIGTERM if seed % 2 else signal.SIGINT
    desk.rig.rule("", act.interrupt(number), skip=chance.randrange(FAULTLESS))
    stopped = desk.typed(*UPLOAD)
    stopped.wait()
    desk.rig.settle(alone=True)
    assert stopped.returncode == 128 + number, stopped.stderr
    last = desk.rig.log[-1].begin if desk.rig.log else 0.0
    assert stopped.ended - last < 5
    document = json.loads(stopped.stdout)
    assert document["error"]["code"] == "interrupted"
    words = shlex.split(document["resume"]["command"])
    assert words == ["annolake", *UPLOAD]
    assert document["resume"]["command"] in stopped.stderr
    assert "Traceback" not in stopped.stderr
    if "items" in document:
        told = check(desk.rig.lake, Inputs(desk.files), document)
        assert told.harmless, told
        left = sum(item["state"] in ("failed", "uncertain", "not begun") for item in document["items"])
        assert document["resume"]["left"] == {"files": left}
    again = desk.typed(*words[1:])
    assert again.wait() == 0, again.stderr
    verdict = check(desk.rig.lake, Inputs(desk.files), json.loads(again.stdout))
    assert verdict.clean, verdict
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


@pytest.mark.parametrize("match", ["create-collection", "init", "put-part", "complete"])
def test_e4_a_server_that_is_silent_does_not_hold_it(desk: Desk, match: str) -> None:
    desk.rig.rule(match, act.interrupt(signal.SIGINT, hang=60))
    stopped = desk.typed(*UPLOAD)
    assert stopped.wait() == 130, stopped.stderr
    assert stopped.ended - desk.rig.asked(match)[0].begin < 5


def test_e4_who_asks_again_is_obeyed_at_once(desk: Desk) -> None:
    """Ctrl-C is pressed again and again, for two that come at once are one."""
    desk.rig.rule("put-part", act.interrupt(signal.SIGINT, hang=60))
    stopped = desk.typed(*UPLOAD)
    while not desk.rig.killed:
        desk.rig.modes.killed.wait(1)
    again = time.monotonic()
    while not stopped.ends_within(0.05):
        stopped.send(signal.SIGINT)
    assert stopped.wait() == 130
    assert stopped.ended - again <= 0.5
