"""The transfer layers, each alone, over a layer that does what the test says."""

from __future__ import annotations

import pickle
from email.utils import formatdate
from threading import Barrier, Thread
from typing import Any

import pytest

from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.transfer.bodies import Bytes
from annolake.metalake_io.transfer.exchange import Fault, Request, Response
from annolake.metalake_io.transfer.limit import Limited
from annolake.metalake_io.transfer.pacing import Budget, Pacing
from annolake.metalake_io.transfer.policy import Policy, retry_after
from annolake.metalake_io.transfer.redaction import Redactor, without_query
from annolake.metalake_io.transfer.redirects import Redirected
from annolake.metalake_io.transfer.workers import in_parallel

from .clock import FakeClock
from .lake import AUTHORIZATION, KEY, SECRET, SIGNATURE
from .script import NOW, URL, Script, request, retried
from .wire import Asked

RESET = Fault("reset", "the connection broke", sent=True)
REFUSED = Fault("refused", "no connection to the server", sent=False)


@pytest.mark.parametrize("fault", [408, 425, 429, 500, 502, 503, 504, RESET, REFUSED])
def test_what_can_succeed_is_tried_again(fault: Any, clock: FakeClock) -> None:
    response = retried(Script(fault, fault, 200), clock).send(request())
    assert (response.status, response.attempts) == (200, 3)
    assert clock.sleeps == [0.5, 1.0]


@pytest.mark.parametrize(("outcome", "fresh"), [(RESET, True), (503, False), (REFUSED, False)])
def test_after_a_broken_connection_a_new_one_is_opened(outcome: Any, fresh: bool, clock: FakeClock) -> None:
    script = Script(outcome, 200)
    retried(script, clock).send(request())
    assert [one.fresh for one in script.requests] == [False, fresh]


def test_a_connection_of_its_own_is_asked_for_until_the_end(clock: FakeClock) -> None:
    script = Script(408, RESET, 503, 200)
    retried(script, clock).send(request(fresh=True))
    assert [one.fresh for one in script.requests] == [True] * 4


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
    [(RESET, 1, True), (500, 1, True), (504, 1, True), (408, 8, False), (425, 8, False)],
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
        retried(Script(500), clock).send(request())
    assert (caught.value.exit_code, caught.value.attempts, caught.value.status) == (8, 8, 500)
    assert clock.sleeps == [0.5, 1, 2, 4, 8, 15, 15]
    with pytest.raises(NetworkGaveUp, match="time is up"):
        retried(Script(500), clock, Policy(patience=3)).send(request())
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
        (formatdate(NOW + 30, usegmt=True), 30.0), (formatdate(NOW - 30, usegmt=True), 0.0), ("-5", None),
        ("soon", None), ("", None), ("1e", None), ("٣", None),
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


def test_not_more_at_once_than_allowed(clock: FakeClock) -> None:
    both, most, now = Barrier(2), [0], [0]

    class Counting(Script):
        def send(self, request: Request) -> Response:
            now[0] += 1
            most[0] = max(most[0], now[0])
            both.wait(5)
            now[0] -= 1
            return super().send(request)

    layer = Limited(Counting(200), Pacing(clock, Policy()), 2)
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


def test_asked_is_decoded() -> None:
    assert Asked("GET", "/a%2Fb?x=1", {}, b"").path == "/a/b"
