"""Sockets on which too little moves: how long they are waited for, in a time of their own."""

from __future__ import annotations

import time
from typing import Any

import pytest

from annolake.metalake_io.transfer.connections import LEAST, Watched

LIMIT = 10.0


class Line:
    """A socket that moves so many bytes at a time, and takes so many seconds for it; `first` for the first."""

    def __init__(self, piece: int, seconds: float, first: float | None = None, size: int = 1 << 20) -> None:
        self._piece, self._seconds, self._left = piece, seconds, size
        self._first = seconds if first is None else first
        self._timeout = LIMIT
        self._under_way = 0.0
        self._here = 0
        self.now = 0.0

    def gettimeout(self) -> float:
        return LIMIT

    def settimeout(self, seconds: float) -> None:
        self._timeout = seconds

    def makefile(self, *_: Any, **__: Any) -> Line:
        return self

    def close(self) -> None:
        pass

    def send(self, data: memoryview) -> int:
        self._wait()
        return min(len(data), self._piece)

    def recv_into(self, buffer: memoryview) -> int:
        if not self._here and self._left:
            self._wait()
            self._here = min(self._piece, self._left)
            self._left -= self._here
        count = min(len(buffer), self._here)
        buffer[:count] = bytes(count)
        self._here -= count
        return count

    def _wait(self) -> None:
        needed = self._first - self._under_way
        if needed > self._timeout:
            self.now += self._timeout
            self._under_way += self._timeout
            raise TimeoutError("timed out")
        self.now += needed
        self._under_way, self._first = 0.0, self._seconds


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Any:
    def on(line: Line) -> Any:
        monkeypatch.setattr(time, "monotonic", lambda: line.now)
        return Watched(line)  # type: ignore[arg-type]

    return on


@pytest.mark.parametrize(("piece", "seconds"), [(LEAST, 0.9), (16 * LEAST, 7.0), (12 * LEAST, 9.0), (1 << 16, 0.0)])
def test_what_moves_has_all_the_time_it_needs(watched: Any, piece: int, seconds: float) -> None:
    """A body is larger than anything that could be sent within one time-out, and a pause is no end."""
    line = Line(piece, seconds)
    watched(line).sendall(bytes(300_000))
    assert line.now >= 300_000 // piece * seconds * 0.9
    line = Line(piece, seconds, size=300_000)
    assert len(watched(line).makefile("rb").read()) == 300_000


@pytest.mark.parametrize(("piece", "seconds"), [(1, 0.02), (1, 1.0), (LEAST, 1.2), (100, 9.0), (1 << 16, 100.0)])
def test_what_hardly_moves_is_cut_off_in_time(watched: Any, piece: int, seconds: float) -> None:
    for use in (lambda one: one.sendall(bytes(300_000)), lambda one: one.makefile("rb").read()):
        line = Line(piece, seconds)
        with pytest.raises(TimeoutError):
            use(watched(line))
        assert line.now <= LIMIT + min(seconds, LIMIT) + 0.1, "the first byte, and one time-out from there"


def test_the_first_byte_has_the_whole_time(watched: Any) -> None:
    """A server may think as long as the time-out, and then tell what it has to tell slowly."""
    line = Line(LEAST, 0.9, first=9.9, size=50_000)
    assert len(watched(line).makefile("rb").read()) == 50_000
    line = Line(1 << 20, 0.0, first=10.1, size=50_000)
    with pytest.raises(TimeoutError):
        watched(line).makefile("rb").read()
    assert line.now == LIMIT
