"""The progress bar of transfers, on a terminal and on none."""

from __future__ import annotations

import io
import sys

import pytest

from annolake.commands import moving
from annolake.commands.moving import TransferBar
from annolake.metalake_io.results import Item


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the bar: its one element is now."""
    now = [100.0]
    monkeypatch.setattr(moving, "monotonic", lambda: now[0])
    return now


def test_files_and_bytes_and_rate(seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with TransferBar("files", 3, 10_000_000) as bar:
        seconds[0] += 2
        bar.item(Item(name="a.png", state="skipped", size=1_000_000))
        bar.moved(3_000_000)
        seconds[0] += 2
        bar.item(Item(name="b.png", state="uploaded", size=3_000_000))
    for words in ("2 of 3 files", "4.0 MB of 10 MB", "1.0 MB/s"):
        assert words in terminal.getvalue()


def test_nothing_is_drawn_in_the_first_second_or_on_no_terminal(
    seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for output, later in ((Terminal(), 0.5), (io.StringIO(), 5.0)):
        monkeypatch.setattr(sys, "stderr", output)
        with TransferBar("files") as bar:
            seconds[0] += later
            bar.moved(5)
        assert output.getvalue() == ""
