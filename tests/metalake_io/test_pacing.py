"""What requests know together: pauses that all of them keep, servers that are away, and what it may cost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest

from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.transfer.exchange import Fault, Layer, Request, Response
from annolake.metalake_io.transfer.pacing import Budget
from annolake.metalake_io.transfer.policy import Policy

from .clock import FakeClock
from .script import URL, Script, request, retried

OTHER = "https://other.example.com/"
RESET = Fault("reset", "the connection broke", sent=True)
SILENT = Fault("timeout", "no answer in time", sent=True)
REFUSED = Fault("refused", "no connection to the server", sent=False)
NO_NAME = Fault("name", "the server's name is not known", sent=False)


class Weather:
    """A bottom layer whose answer depends on the time. `times` are those of all requests."""

    def __init__(self, clock: FakeClock, outcome: Callable[[Request, float], Any]) -> None:
        self._clock, self._outcome = clock, outcome
        self.times: list[float] = []

    def send(self, request: Request) -> Response:
        self.times.append(self._clock.passed)
        outcome = self._outcome(request, self._clock.passed)
        if isinstance(outcome, Fault):
            raise outcome
        status, headers = outcome if isinstance(outcome, tuple) else (outcome, {})
        return Response(status=status, headers=headers)


@pytest.mark.parametrize("fault", [429, 502, 503, 504, RESET, SILENT, REFUSED, NO_NAME])
@pytest.mark.parametrize("chance", [0.03, 0.5, 0.999])
def test_an_outage_of_a_minute_is_waited_for(fault: Any, chance: float, caplog: pytest.LogCaptureFixture) -> None:
    """However it shows, it costs nobody's attempts and no tokens, and ten seconds after it the work goes on."""
    clock = FakeClock(chance=chance)
    weather = Weather(clock, lambda _, now: fault if 5 <= now < 65 else 200)
    layer = retried(weather, clock, budget=Budget(40))
    assert layer.send(request()).attempts == 1
    clock.sleep(5)
    with caplog.at_level(logging.WARNING, "annolake"):
        assert layer.send(request()).status == 200
    assert 65 <= clock.passed <= 75
    said, again = (record.getMessage() for record in caplog.records)
    assert "https://api.example.com:443 is away" in said and "waiting for it" in said
    assert "answers again" in again
    assert [layer.send(request()).attempts for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("fault", "seconds", "why"),
    [(503, 120, "the server answers 503"), (RESET, 120, "the connection broke"), (REFUSED, 900, "no connection")],
)
def test_an_outage_that_does_not_end_is_given_up(fault: Any, seconds: float, why: str, clock: FakeClock) -> None:
    script = Script(fault)
    layer = retried(script, clock)
    with pytest.raises(NetworkGaveUp, match=f"{why}.*; given up, nobody has had a proper answer for {seconds}"):
        layer.send(request())
    assert seconds <= clock.passed <= seconds + 10
    sent = len(script.requests)
    for _ in range(100):
        with pytest.raises(NetworkGaveUp, match=why) as caught:
            layer.send(request())
    assert (len(script.requests), caught.value.attempts, caught.value.uncertain) == (sent, 0, False)
    clock.sleep(10)
    script.outcomes = [200]
    assert layer.send(request()).status == 200


def among_others(clock: FakeClock, script: Script) -> Layer:
    """Whenever it has waited, another request is answered."""
    layer = retried(Weather(clock, lambda asked, _: script.take() if asked.url == URL else 200), clock)
    sleep = clock.sleep

    def busy(seconds: float) -> None:
        sleep(seconds)
        clock.sleep = sleep
        layer.send(request(url=URL + "&other"))
        clock.sleep = busy

    clock.sleep = busy
    return layer


@pytest.mark.parametrize("refusal", [503, (429, {"retry-after": "0"}), (500, {"retry-after": "2"})])
def test_a_request_that_alone_fails_has_its_attempts(clock: FakeClock, refusal: Any) -> None:
    """Where others are answered, the server is not away, and it must be the request."""
    with pytest.raises(NetworkGaveUp, match="8 attempts") as caught:
        among_others(clock, Script(refusal)).send(request())
    assert caught.value.attempts == 8


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_told_when_to_come_back_has_time_and_not_attempts(clock: FakeClock, status: int) -> None:
    """A server that lets others pass and puts one off may do so by chance, any number of times."""
    refusal = (status, {"retry-after": "2"})
    assert among_others(clock, Script(*[refusal] * 200, 200)).send(request()).attempts == 201


def test_who_is_put_off_for_ever_gives_up(clock: FakeClock) -> None:
    with pytest.raises(NetworkGaveUp, match="time is up"):
        among_others(clock, Script((429, {"retry-after": "2"}))).send(request())
    assert 890 <= clock.passed <= 900


def test_a_flood_of_refusals_costs_no_request_its_attempts(clock: FakeClock) -> None:
    layer = retried(Script(*[(429, {"retry-after": "2"})] * 50, 200), clock)
    assert layer.send(request()).attempts == 51
    assert 100 <= clock.passed <= 50 * 3.5


def test_all_wait_where_one_was_asked_to(clock: FakeClock) -> None:
    weather = Weather(clock, lambda asked, now: 200 if now or asked.url == OTHER else (429, {"retry-after": "10"}))
    layer = retried(weather, clock)
    sleep = clock.sleep

    def others_meanwhile(seconds: float) -> None:
        clock.sleep = sleep
        layer.send(request(url=OTHER))
        layer.send(request())
        sleep(seconds)

    clock.sleep = others_meanwhile
    layer.send(request())
    assert weather.times[:2] == [0.0, 0.0]
    assert 10 <= weather.times[2] <= 11
    assert len(weather.times) == 4


def test_where_too_long_is_asked_for_nothing_more_is_sent(clock: FakeClock) -> None:
    script = Script((503, {"retry-after": "1000000000"}))
    layer = retried(script, clock)
    for _ in range(3):
        with pytest.raises(NetworkGaveUp, match="asks to wait 1,000,000,000 seconds"):
            layer.send(request())
    assert (len(script.requests), clock.passed) == (1, 0.0)


def test_one_asks_for_all_while_the_server_is_away(clock: FakeClock) -> None:
    """Four workers, and never two requests at once when the first ones have failed."""
    came, go = [Event() for _ in range(40)], [Event() for _ in range(40)]
    number = iter(range(40))

    def outcome(_: Request, __: float) -> Any:
        mine = next(number)
        came[mine].set()
        go[mine].wait(10)
        return 503 if mine < 12 else 200

    layer = retried(Weather(clock, outcome), clock)
    answers: list[int] = []
    threads = [Thread(target=lambda: answers.append(layer.send(request()).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for one in range(8):
        go[one].set()
    for one in range(8, 13):
        assert came[one].wait(10)
        assert not came[one + 1].wait(0.02)
        go[one].set()
    for event in go:
        event.set()
    for thread in threads:
        thread.join(10)
    assert answers == [200] * 4


@pytest.mark.parametrize(
    ("timeout", "patience", "outage", "cap"),
    [(None, 900, 120, 300), (5, 50, 50, 50), (20, 200, 120, 200), (100, 900, 120, 300)],
)
def test_shorter_time_outs_shorten_all_waiting(
    timeout: float | None, patience: float, outage: float, cap: float
) -> None:
    policy = Policy.within(timeout)
    assert (policy.patience, policy.outage, policy.cap) == (patience, outage, cap)
