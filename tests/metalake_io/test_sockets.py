"""The bottom layer over real sockets, and what the package does to the process it is in."""

from __future__ import annotations

import gzip
import hashlib
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.transfer.bodies import FileSlice
from annolake.metalake_io.transfer.exchange import Fault, Response
from annolake.metalake_io.transfer.sockets import Sockets

from .clock import FakeClock
from .lake import AUTHORIZATION, SIGNATURE
from .script import request, retried
from .wire import Answer, Wire, closed_port


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    layer = Sockets(connections=4, connect=1.0)
    yield layer
    layer.close()


def served(answer: Answer, sockets: Sockets, **other: Any) -> tuple[Response | Fault, Wire]:
    wire = Wire(lambda _: answer)
    try:
        return sockets.send(request(url=f"{wire.url}/x?{SIGNATURE}", idle=1.0, **other)), wire
    except Fault as fault:
        return fault, wire
    finally:
        wire.close()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(drop=True), "reset"),
        (Answer(200, b"x" * 100, cut=10), "truncated"),
        (Answer(200, b"x" * 100, {"Content-Length": "200"}, cut=100), "truncated"),
        (Answer(200, b"no gzip", {"Content-Encoding": "gzip"}), "truncated"),
        (Answer(200, b"zz\r\n", {"Transfer-Encoding": "chunked"}, bare=True), "truncated"),
    ],
)
def test_broken_answers(answer: Answer, cause: str, sockets: Sockets) -> None:
    outcome, _ = served(answer, sockets)
    assert isinstance(outcome, Fault)
    assert (outcome.cause, outcome.sent) == (cause, True)
    assert SIGNATURE not in repr(outcome)
    assert (outcome.__cause__, outcome.__context__) == (None, None)


def test_a_fresh_request_leaves_the_kept_connections_alone(sockets: Sockets) -> None:
    wire = Wire(lambda _: Answer(200, b"yes"))
    connections: list[int] = []
    try:
        for fresh in (False, True, False, True):
            assert sockets.send(request(url=f"{wire.url}/x", fresh=fresh)).content == b"yes"
            connections.append(wire.connections)
    finally:
        wire.close()
    assert connections == [1, 2, 2, 3]


def test_no_answer_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        layer = Sockets(connect=1.0)
        with pytest.raises(Fault) as caught:
            layer.send(request(url=f"http://127.0.0.1:{silent.getsockname()[1]}/", idle=0.05))
        layer.close()
    assert (caught.value.cause, caught.value.sent) == ("timeout", True)


def test_nobody_there_and_no_name(sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **other: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **other)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for url, cause in ((f"http://127.0.0.1:{closed_port()}/", "refused"), ("http://no-such-host.invalid/", "name")):
        with pytest.raises(Fault) as caught:
            sockets.send(request(url=url))
        assert (caught.value.cause, caught.value.sent) == (cause, False)


def test_no_trust_in_a_server_without_tls(sockets: Sockets) -> None:
    wire = Wire(lambda _: Answer())
    with pytest.raises(Fault) as caught:
        sockets.send(request(url=wire.url.replace("http:", "https:")))
    wire.close()
    assert caught.value.cause == "tls"


def test_a_bomb_is_cut_off() -> None:
    layer = Sockets(largest_reply=1 << 20)
    bomb = Answer(200, gzip.compress(bytes(50 << 20)), {"Content-Encoding": "gzip"})
    outcome, _ = served(bomb, layer)
    layer.close()
    assert isinstance(outcome, Fault)
    assert outcome.lasting


def test_nothing_of_the_environment(sockets: Sockets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Defect 42: netrc replaces the credentials, and is sent to the storage."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    headers = {"Authorization": AUTHORIZATION}
    for given, expected in (({}, None), (headers, AUTHORIZATION)):
        outcome, wire = served(Answer(200, b"ok"), sockets, headers=given)
        assert isinstance(outcome, Response)
        assert wire.asked[0].headers.get("authorization") == expected


def test_a_file_is_sent_whole_again_and_in_small_pieces(tmp_path: Path, clock: FakeClock, sockets: Sockets) -> None:
    """After a broken connection the whole part goes again: a generator would send nothing and be thanked for it."""
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * 4000)
    answers = [Answer(drop=True), Answer(200)]
    wire = Wire(lambda _: answers.pop(0))
    pieces: list[int] = []
    body = FileSlice(path, 256, 512_000, pieces.append)
    retried(sockets, clock).send(request(method="PUT", url=wire.url, body=body))
    wire.close()
    assert [one.body == path.read_bytes()[256 : 256 + 512_000] for one in wire.asked] == [True, True]
    assert wire.asked[1].headers["content-length"] == "512000"
    assert max(pieces) <= 1 << 17
    assert body.md5.hex() == hashlib.md5(wire.asked[1].body).hexdigest()


def test_connections_are_used_again(sockets: Sockets) -> None:
    wire = Wire(lambda _: Answer(200, b"{}"))
    for _ in range(20):
        sockets.send(request(url=wire.url))
    wire.close()
    assert wire.connections == 1


def test_a_body_is_streamed_in_bounded_memory(tmp_path: Path) -> None:
    """100 MB up and down, in a process of its own whose memory is measured."""
    script = Path(__file__).with_name("streaming.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True)
    grown = int(done.stdout)
    assert grown < 40 << 20


def test_the_library_logs_nothing_by_itself() -> None:
    """Defect 41."""
    code = (
        "import logging, annolake.metalake_io.client as c\n"
        "assert not logging.getLogger().handlers\n"
        "assert [type(h).__name__ for h in logging.getLogger('annolake.metalake_io').handlers] == ['NullHandler']"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert logging.getLogger("annolake.metalake_io").level == logging.NOTSET


def test_requests_is_loaded_only_when_needed() -> None:
    code = (
        "import sys, annolake.metalake_io, annolake.commands.main\n"
        "assert 'requests' not in sys.modules and 'urllib3' not in sys.modules\n"
        "annolake.metalake_io.MetaLakeClient\n"
        "assert 'requests' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
