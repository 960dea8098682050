"""B8: servers that are silent or slow hold one worker for one time-out, and nobody else at all."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from annolake.metalake_io.transfer.exchange import Fault
from annolake.metalake_io.transfer.policy import Policy
from annolake.metalake_io.transfer.sockets import Sockets

from ..metalake_io.script import request
from . import actions as act
from .conftest import Connect
from .faultd import OPERATIONS, Faultd
from .journeys import Journey

LIMIT = 1.0
"""The time-out, in seconds."""

TRIES = 3
"""Runs of which one must keep the limits of time: a computer that does something else makes a run late, not all."""

SLOW = {
    "accept and silent": ("init", act.hang(30)),
    "silent after the body": ("put-part", act.hang(30)),
    "the answer byte by byte": ("init", act.drip(0.02)),
    "the body is read byte by byte": ("put-part", act.slow_read(0.02)),
    "a download byte by byte": ("get-file", act.drip(0.02)),
}


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port whose queue is full: nobody is refused, nobody is let in."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_b8_a_black_hole(black_hole: int) -> None:
    def seconds() -> float:
        sockets = Sockets(connect=LIMIT)
        begin = time.monotonic()
        with pytest.raises(Fault) as caught:
            sockets.send(request(url=f"http://127.0.0.1:{black_hole}/", idle=30.0))
        assert (caught.value.cause, caught.value.sent) == ("timeout", False)
        return time.monotonic() - begin

    assert any(LIMIT <= seconds() <= 1.5 * LIMIT for _ in range(TRIES))


@pytest.mark.parametrize("slow", [pytest.param(one, id=f"B8[{one}]") for one in SLOW])
def test_b8_a_slow_server_holds_one_worker(tmp_path: Path, connected: Connect, slow: str) -> None:
    """It is cut off in time, and most other files are done by then."""
    runs: list[tuple[float, int]] = []
    for number in range(TRIES):
        with Faultd() as rig:
            runs.append(_slowed(tmp_path / str(number), rig, connected, slow))
        seconds, others = runs[-1]
        if 0.9 * LIMIT <= seconds <= 1.5 * LIMIT and others >= 0.8 * 15:
            return
    pytest.fail(f"seconds until it was cut off, and other files that were done by then: {runs}")


def _slowed(folder: Path, rig: Faultd, connected: Connect, slow: str) -> tuple[float, int]:
    """Seconds until the slow request was cut off, and how many others were done by then."""
    operation, fault = SLOW[slow]
    folder.mkdir()
    journey = Journey(
        rig,
        folder,
        lambda: connected(rig.url, timeout=LIMIT, at_once=4, policy=Policy()),
        "download" if operation == "get-file" else "files",
        count=16,
        size=2000,
        large=12_000_000 if fault.slow_read else 0,
    )
    rig.rule(
        operation if operation == "init" else f"{OPERATIONS[operation]}.*0002.png",
        fault,
        skip=2 * (operation == "init"),
    )
    report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    all_of_them = rig.asked(operation)
    slowed = all_of_them[2] if operation == "init" else next(one for one in all_of_them if "0002.png" in one.target)
    again = next(
        one
        for one in all_of_them
        if one.number > slowed.number and one.kept == slowed.kept and ("0002.png" in one.target or one.kept)
    )
    others = [one for one in rig.asked(operation) if one is not slowed and one.begin < again.begin and one.done]
    return again.begin - slowed.begin, len(others)
