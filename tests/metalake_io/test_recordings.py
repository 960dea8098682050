"""Our client against the recordings: the same requests as the official SDK for the same call.

Compared are method, target, body, and the headers Authorization, Content-Type and Content-Range. What we do otherwise,
on purpose, stands in `recorded_improvements` as a function that rewrites the recording, with its reason; every other
difference fails. Every recording is among the cases, or left out by name.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.connecting import connect
from annolake.metalake_io.errors import NotAuthorised, ServiceRefused

from .clock import FakeClock
from .recorded_cases import CASES, Call
from .recorded_improvements import Exchanges, no_blanks, no_double_slash
from .replay import Player, body_of, recordings, same, sent, settled, unpack
from .wire import Asked

pytestmark = pytest.mark.realdata

HEADERS = ("authorization", "content-type", "content-range")

CONNECTING: list[tuple[str, str, str, type[Exception] | None]] = [
    ("accepted", "secret_dummy", "", None),
    ("wrong secret", "wrong", "", NotAuthorised),
    ("server refuses this SDK version", "secret_dummy", "", ServiceRefused),
    ("base URL with a trailing slash", "secret_dummy", "/", None),
]
"""Case of the client's construction, secret, what follows the address, what is raised."""

LEFT_OUT = {
    ("beta-3.28.14__client_construction", "no request is made"): "3.28.14 asks nothing when it is made; we do always",
}


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    folder = Path(os.environ.get("ANNOLAKE_RECORDINGS", root.parent / "shared" / "metalake-api-recordings"))
    if not folder.is_dir():
        pytest.skip("the recordings are not beside the project")
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what the recordings take for granted: a file of 2000 images, two files downloaded."""
    monkeypatch.chdir(tmp_path)
    many = {"images": [{"image": f"i{number}", "annotations": []} for number in range(2000)]}
    (tmp_path / "many.json").write_text(json.dumps(many), encoding="utf-8")
    return tmp_path


def test_every_recording_is_compared_or_left_out_for_a_reason(folder: Path) -> None:
    recorded = {(path.stem, case) for path in folder.glob("*.json") for case in recordings(folder, path.stem)}
    compared = [(function, case) for function, case, *_ in CASES]
    compared += [("client_construction", case) for case, *_ in CONNECTING]
    assert sorted([*compared, *LEFT_OUT]) == sorted(recorded)


@pytest.mark.parametrize(("function", "case", "call", "improved"), CASES, ids=[f"{f}-{c}" for f, c, _, _ in CASES])
def test_the_same_requests(
    folder: Path,
    place: Path,
    function: str,
    case: str,
    call: Call,
    improved: list[Callable[[Exchanges], Exchanges]],
) -> None:
    cases = recordings(folder, function)
    recorded = cases[case]
    unpack([recorded] if recorded.get("input_files") else cases.values(), place)
    if "existing media" in case:
        for name, size in (("a.png", 73), ("b.JPG", 72)):
            path = place / "out" / "Demo Collection" / "data" / f"Demo Collection_{name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(size))
    prefix = "/api" if function.startswith("beta") else "/datalake/api"
    accepted = recordings(folder, "client_construction")["accepted"]["exchanges"][0]
    accepted["target"] = accepted["target"].replace("/datalake/api", prefix)
    player = Player([accepted, *improvements(recorded["exchanges"], improved)])
    try:
        connection = connect("key_dummy", "secret_dummy", player.wire.url, prefix=prefix, clock=FakeClock())
        with MetaLakeClient.over(connection) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            call(client, str(place), str(place / "out"))
    finally:
        player.wire.close()
    assert list(found_in(player)) == []


@pytest.mark.parametrize(("case", "secret", "after", "error"), CONNECTING)
def test_the_same_first_request(
    folder: Path, case: str, secret: str, after: str, error: type[Exception] | None
) -> None:
    recorded = recordings(folder, "client_construction")[case]["exchanges"]
    player = Player(improvements(recorded, [no_double_slash] if after else []))
    try:
        if error is None:
            MetaLakeClient("key_dummy", secret, player.wire.url + after).close()
        else:
            with pytest.raises(error):
                MetaLakeClient("key_dummy", secret, player.wire.url + after)
    finally:
        player.wire.close()
    assert list(found_in(player)) == []


def improvements(exchanges: Exchanges, improved: list[Callable[[Exchanges], Exchanges]]) -> Exchanges:
    for improve in improved:
        before = json.dumps(exchanges)
        exchanges = improve(exchanges)
        assert json.dumps(exchanges) != before, f"{improve.__name__} changes nothing here"
    return no_blanks(exchanges)


def found_in(player: Player) -> list[str]:
    """All differences, in words."""
    found = [difference for asked, exchange in player.pairs for difference in differences(asked, exchange)]
    found += [f"not recorded: {one.method} {one.target}" for one in player.surplus]
    return found + [f"not sent: {settled(one['target'])} {body_of(one)}" for one in player.left]


def differences(asked: Asked, exchange: dict[str, Any]) -> list[str]:
    found: list[str] = []
    if not same(asked, exchange):
        ours, theirs = f"{settled(asked.target)} {sent(asked)}", f"{settled(exchange['target'])} {body_of(exchange)}"
        found.append(f"{asked.method} {ours}, recorded {theirs}")
    recorded = {name.lower(): value for name, value in exchange["headers"].items()}
    return found + [
        f"{asked.target}, {name}: {asked.headers.get(name)}, recorded {recorded.get(name)}"
        for name in HEADERS
        if asked.headers.get(name) != recorded.get(name)
    ]
