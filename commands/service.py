"""What the commands that talk to the service share: how it is reached, and how a transfer is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..schemas.errors import UsageError
from . import screen

if TYPE_CHECKING:
    from ..metalake_io.client import MetaLakeClient
    from ..metalake_io.results import Item, Report

F = TypeVar("F", bound=Callable[..., Any])

URL, KEY, SECRET, TIMEOUT = "METALAKE_URL", "METALAKE_API_KEY", "METALAKE_SECRET", "ANNOLAKE_TIMEOUT"
_PARTLY = 6
_STYLES = {"failed": "bold red", "uncertain": "yellow"}

OPTIONS = (
    click.option("--url", metavar="URL", help=f"Address of the service; else {URL} in the environment."),
    click.option("--prefix", type=click.Choice(("/datalake/api", "/api")), help="Else it is found out."),
    click.option("--at-once", type=click.IntRange(1, 256), default=32, show_default=True, help="Transfers at a time."),
    click.option("--insecure-http", is_flag=True, help="Allow http:// to another computer."),
    click.option("--json", "as_json", is_flag=True, help="Summary and one row an item on standard output."),
)
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "The service": ("url", "prefix", "at_once", "insecure_http"),
    "Output": ("dry_run", "as_json"),
}


def service_options(function: F) -> F:
    """The flags by which every one of these commands finds the service."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def connected(
    *, url: str | None, prefix: str | None, at_once: int, insecure_http: bool, as_json: bool
) -> MetaLakeClient:
    """A client. Key and secret come from the environment only: command lines can be seen by others."""
    from ..metalake_io.client import MetaLakeClient

    _ = as_json
    address = url or os.environ.get(URL)
    if not address:
        raise UsageError("no-service", "which service?", hint=f"give --url, or set {URL}")
    key, secret = os.environ.get(KEY), os.environ.get(SECRET)
    if not key or not secret:
        raise UsageError("no-credentials", "key and secret are not set", hint=f"set {KEY} and {SECRET}")
    return MetaLakeClient(
        key, secret, address, prefix=prefix, at_once=at_once, insecure_http=insecure_http, timeout=_timeout()
    )


class Counter:
    """Moves a progress bar with each item that is done."""

    def __init__(self, progress: screen.ProgressBar, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def __call__(self, item: Item) -> None:
        self._done += 1
        self._progress(self._done, self._total)


def tell(report: Report, *, as_json: bool, complete: bool | None = None) -> int:
    """Show what became of a transfer; the exit code: 0, or 6 where something is missing."""
    if as_json:
        screen.emit(report.as_json())
    summary = {state: count for state, count in report.as_json()["summary"].items() if count}
    screen.table([[state, f"{count:,}"] for state, count in summary.items()] or [["nothing to do", ""]], numbers=1)
    for state, style in _STYLES.items():
        items = [item for item in report.items if item.state == state]
        for item in items[: screen.SHOWN]:
            screen.say(f"{state}  {item.name}: {item.reason}", style)
        screen.show_rest(len(items) - screen.SHOWN)
    for note in report.notes:
        screen.say(note)
    done = report.complete if complete is None else complete
    if not done and any(item.retry_helps for item in report.items):
        screen.say("run the same command again: it sends only what is missing")
    return 0 if done else _PARTLY


def _timeout() -> float | None:
    text = os.environ.get(TIMEOUT)
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError("bad-timeout", f"{TIMEOUT} is not a number of seconds", hint="30, for example")
    return seconds
