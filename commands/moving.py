"""The progress bar of transfers: files and bytes, rate and time left."""

from __future__ import annotations

import sys
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .screen import PATIENCE, REDRAW, console

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..metalake_io.results import Item


MANY = 1_000
"""Files whose sizes are summed up before the first of them is sent; of more only their number is known."""


class TransferBar:
    """On a terminal only, and only where it takes over a second. `item` hears of items that are done, `moved` of bytes,
    from any thread; it is drawn when it hears of something. Without `size`, in bytes, items are what is counted.
    `after`: the bar that ends where this one begins.
    """

    def __init__(
        self, what: str, total: int | None = None, size: int | None = None, after: TransferBar | None = None
    ) -> None:
        self._what, self._total, self._size, self._after = what, total, size, after
        self._lock = Lock()
        self._begin = self._drawn = monotonic()
        self._items = self._bytes = 0
        self._progress: Progress | None = None

    def expect(self, total: int) -> None:
        """How many items there will be, where that shows later."""
        self._total = total

    def item(self, item: Item) -> None:
        with self._lock:
            self._items += 1
            if item.state == "skipped" and self._size is not None:
                self._bytes += item.size or 0
            self._draw()

    def moved(self, count: int) -> None:
        with self._lock:
            self._bytes += count
            self._draw()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _draw(self) -> None:
        now = monotonic()
        if now - self._begin < PATIENCE or now - self._drawn < REDRAW or not sys.stderr.isatty():
            return
        self._drawn = now
        seconds = now - self._begin
        state: dict[str, Any] = {"items": self._counted(), "rate": f"{_bytes(self._bytes / seconds)}/s"}
        state["bytes"] = _bytes(self._bytes) + (f" of {_bytes(self._size)}" if self._size else "")
        if self._size:
            state |= {"completed": min(self._bytes, self._size), "total": self._size}
        else:
            state |= {"completed": self._items, "total": self._total}
        if self._progress is None:
            if self._after is not None:
                self._after.stop()
            self._progress = _progress()
            self._progress.add_task("", **state)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], **state)
        self._progress.refresh()

    def _counted(self) -> str:
        of = "" if self._total is None else f" of {self._total:,}"
        return f"{self._items:,}{of} {self._what}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" or count >= 10 else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def _progress() -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(),
        TextColumn("{task.fields[items]}"),
        TextColumn("{task.fields[bytes]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console(),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
