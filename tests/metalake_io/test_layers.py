"""The transfer layers: each alone, over a layer that does what the test says; and all together, over real sockets."""

from __future__ import annotations

import gzip
import logging
import pickle
import socket
import ssl
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.transfer.bodies import Bytes, FileSlice
from annolake.metalake_io.transfer.exchange import Fault, Request, Response, origin
from annolake.metalake_io.transfer.limit import Gate, Limited
from annolake.metalake_io.transfer.redaction import Redactor, without_query
from annolake.metalake_io.transfer.redirects import Redirected
from annolake.metalake_io.transfer.retry import Budget, Policy, Retried, retry_after
from annolake.metalake_io.transfer.sockets import Sockets
from annolake.metalake_io.transfer.workers import in_parallel

from .clock import FakeClock
from .lake import AUTHORIZATION, KEY, SECRET, SIGNATURE
from .wire import Answer, Asked, Wire, closed_port

URL = "https://api.example.com/x?" + SIGNATURE
NOW = 1795426068.0


class Script:
    """A bottom layer: answers, or raises, one after the other; the last one for ever."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        status, headers = outcome if isinstance(outcome, tuple) else (outcome, {})
        return Response(status=status, headers=headers)


def request(**other: Any) -> Request:
    return Request(**{"method": "GET", "url": URL, "operation": "look", **other})


def retried(script: Script, clock: FakeClock, **options: Any) -> Retried:
    return Retried(script, Gate(clock), clock, **options)


RESET = Fault("reset", "the connection broke", sent=True)
REFUSED = Fault("refused", "no connection to the server", sent=False)


@pytest.mark.parametrize("fault", [408, 425, 429, 500, 502, 503, 504, RESET, REFUSED])
def test_what_can_succeed_is_tried_again(fault: Any, clock: FakeClock) -> None:
    response = retried(Script(fault, fault, 200), clock).send(request())
    assert (response.status, response.attempts) == (200, 3)
    assert clock.sleeps == [0.5, 1.0]


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 406, 409, 413, 422, 501])
def test_what_cannot_is_asked_once(status: int, clock: FakeClock) -> None:
    script = Script(status)
    assert retried(script, clock).send(request()).status == status
    assert (len(script.requests), clock.sleeps) == (1, [])


@pytest.mark.parametrize(
    "fault", [Fault("tls", "no trusted connection", sent=False), Fault("request", "x", sent=False)]
)
def test_lasting_faults_are_not_tried_again(fault: Fault, clock: FakeClock) -> None:
    script = Script(fault)
    with pytest.raises(NetworkGaveUp, match="trying again cannot help"):
        retried(script, clock).send(request())
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("fault", "attempts", "uncertain"),
    [(RESET, 1, True), (500, 1, True), (504, 1, True), (429, 8, False), (503, 8, False), (REFUSED, 8, False)],
)
def test_what_may_have_been_done_is_not_done_twice(
    fault: Any, attempts: int, uncertain: bool, clock: FakeClock
) -> None:
    script = Script(fault)
    with pytest.raises(NetworkGaveUp) as caught:
        retried(script, clock).send(request(repeat="unsent"))
    assert (len(script.requests), caught.value.uncertain) == (attempts, uncertain)


def test_it_ends(clock: FakeClock) -> None:
    with pytest.raises(NetworkGaveUp, match="8 attempts") as caught:
        retried(Script(503), clock).send(request())
    assert (caught.value.exit_code, caught.value.attempts, caught.value.status) == (8, 8, 503)
    assert clock.sleeps == [0.5, 1, 2, 4, 8, 15, 15]
    with pytest.raises(NetworkGaveUp, match="time is up"):
        retried(Script(503), clock, policy=Policy(patience=3)).send(request())
    with pytest.raises(NetworkGaveUp, match="too many requests fail"):
        retried(Script(503), clock, budget=Budget(12)).send(request())


def test_success_fills_the_budget(clock: FakeClock) -> None:
    budget = Budget(12)
    layer = retried(Script(503, 503, 200, 503, 503, 200), clock, budget=budget)
    assert [layer.send(request()).attempts for _ in range(2)] == [3, 3]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0), ("0", 0.0), ("1.5", 1.5), (" 7 ", 7.0), ("1000000000", 1e9),
        (formatdate(NOW + 30, usegmt=True), 30.0), (formatdate(NOW - 30, usegmt=True), 0.0), ("-5", None), ("soon", None), ("", None), ("1e", None), ("٣", None),
        ("nan", None), ("inf", None), ("Mon, 99 Foo 2026", None),
    ],
)  # fmt: skip
def test_every_form_of_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


def test_a_date_is_measured_by_the_servers_clock() -> None:
    headers = {"retry-after": formatdate(NOW + 86430, usegmt=True), "date": formatdate(NOW + 86400, usegmt=True)}
    assert retry_after(headers, NOW) == 30.0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_and_capped(status: int, clock: FakeClock) -> None:
    assert retried(Script((status, {"retry-after": "20"}), 200), clock).send(request()).attempts == 2
    assert 20 <= clock.passed <= 20 * 1.25 + 1
    with pytest.raises(NetworkGaveUp, match="1,000,000 seconds"):
        retried(Script((status, {"retry-after": "1000000"})), clock).send(request())


def test_all_workers_wait_where_one_was_asked_to(clock: FakeClock) -> None:
    gate = Gate(clock)
    times: list[float] = []

    class Timed(Script):
        def send(self, request: Request) -> Response:
            times.append(clock.monotonic())
            return super().send(request)

    layer = Retried(Limited(Timed(200), gate, 4), gate, clock)
    gate.close_for(origin(URL), 10)
    layer.send(request(url="https://other.example.com/"))
    layer.send(request())
    assert times == [0.0, 10.0]


def test_not_more_at_once_than_allowed(clock: FakeClock) -> None:
    both, most, now = Barrier(2), [0], [0]

    class Counting(Script):
        def send(self, request: Request) -> Response:
            now[0] += 1
            most[0] = max(most[0], now[0])
            both.wait(5)
            now[0] -= 1
            return super().send(request)

    layer = Limited(Counting(200), Gate(clock), 2)
    threads = [Thread(target=layer.send, args=[request()]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2]


def test_redirects() -> None:
    script = Script((302, {"location": "https://cdn.example.com/y"}), 200)
    assert Redirected(script).send(request(authorised=True)).status == 200
    assert [(one.url, one.authorised) for one in script.requests] == [
        (URL, True), ("https://cdn.example.com/y", False),
    ]  # fmt: skip
    script = Script((307, {"location": "/y"}), 200)
    body = Bytes(b"{}")
    Redirected(script).send(request(method="POST", authorised=True, body=body))
    assert (script.requests[1].url, script.requests[1].body) == ("https://api.example.com/y", body)


@pytest.mark.parametrize(
    ("method", "authorised", "status", "target"),
    [
        ("GET", True, 302, "http://api.example.com/x"),
        ("GET", True, 302, "file:///etc/passwd"),
        ("POST", True, 307, "https://other.example.com/"),
        ("GET", False, 302, URL),
    ],
)
def test_redirects_that_are_not_followed(method: str, authorised: bool, status: int, target: str) -> None:
    script = Script((status, {"location": target}))
    with pytest.raises(Fault) as caught:
        Redirected(script).send(request(method=method, authorised=authorised))
    assert caught.value.lasting
    assert len(script.requests) <= 6


@pytest.mark.parametrize(("method", "authorised"), [("PUT", False), ("POST", True)])
def test_redirects_that_are_the_callers_business(method: str, authorised: bool) -> None:
    script = Script((302, {"location": "https://other.example.com/"}))
    assert Redirected(script).send(request(method=method, authorised=authorised)).status == 302


def test_results_come_as_they_are_done_and_a_fatal_error_stops() -> None:
    assert sorted(in_parallel(range(100), lambda n: n * 2, 8)) == [n * 2 for n in range(100)]
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 10:
            raise ValueError("fatal")
        return number

    done: list[int] = []
    with pytest.raises(ValueError, match="fatal"):
        done.extend(in_parallel(range(10_000), work, 4))
    assert len(begun) < 100


def test_the_work_list_is_read_as_fast_as_it_is_worked_on() -> None:
    read = 0

    def items():
        nonlocal read
        for number in range(1000):
            read += 1
            yield number

    results = in_parallel(items(), lambda n: n, 4)
    next(results)
    assert read <= 16
    results.close()  # type: ignore[attr-defined]


@pytest.fixture
def sockets():
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
    assert ssl.OPENSSL_VERSION


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
    Retried(sockets, Gate(clock), clock).send(request(method="PUT", url=wire.url, body=body))
    wire.close()
    assert [one.body == path.read_bytes()[256 : 256 + 512_000] for one in wire.asked] == [True, True]
    assert wire.asked[1].headers["content-length"] == "512000"
    assert max(pieces) <= 1 << 17
    assert body.md5.hex() == __import__("hashlib").md5(wire.asked[1].body).hexdigest()


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


@pytest.mark.parametrize("text", [
    f"GET {URL} failed", f"secret is {SECRET}", f"Authorization: {AUTHORIZATION}", "?sig=abc%2Bdef&se=2026",
    "http://h/p?X-Goog-Signature=abcdef", f"{KEY}:{SECRET}",
])  # fmt: skip
def test_redaction(text: str) -> None:
    clean = Redactor(SECRET, KEY, AUTHORIZATION.removeprefix("Basic ")).clean(text)
    for secret in (SIGNATURE, SECRET, AUTHORIZATION, "abc%2Bdef", "abcdef", "5161676e"):
        assert secret not in clean


def test_texts_of_servers_are_harmless() -> None:
    clean = Redactor().clean("\x1b[31mred\x1b]0;title\x07\r\nnew line" + "x" * 10_000)
    assert clean.isprintable()
    assert len(clean) <= 500
    assert without_query("https://h/p?a=b") == "https://h/p?..."


def test_errors_and_faults_survive_a_process_border() -> None:
    error = NetworkGaveUp("network", "x")
    error.status, error.attempts, error.uncertain = 503, 8, True
    again = pickle.loads(pickle.dumps(error))
    assert (again.status, again.attempts, again.uncertain, str(again)) == (503, 8, True, str(error))
    fault = pickle.loads(pickle.dumps(RESET))
    assert (fault.cause, fault.message, fault.sent) == (RESET.cause, RESET.message, RESET.sent)


def test_requests_do_not_tell_secrets() -> None:
    told = repr(request(headers={"Authorization": AUTHORIZATION}))
    assert told == "<look: GET https://api.example.com/x?...>"
    assert repr(Response(status=200, headers={}, content=SECRET.encode())) == "<200, 12 bytes>"


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


def test_asked_is_decoded() -> None:
    assert Asked("GET", "/a%2Fb?x=1", {}, b"").path == "/a/b"
