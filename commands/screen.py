"""What people and programs see: words for people on standard error, one JSON document on standard output.

Texts from files are shown as they are: never as markup, control characters escaped. rich is loaded when
something is shown.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

import click
import msgspec

from ..schemas.errors import AnnolakeError, Place, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

SHOWN = 5
"""Examples of each loss and each problem that are shown; the JSON has all."""

STYLES = {
    "error": "bold red",
    "dropped": "bold red",
    "warning": "yellow",
    "approximated": "yellow",
    "carried": "green",
    "mended": "green",
}
_WIDTH = 160  # of what is no terminal: no table needs more
_OBEYED = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""What is not printable although JSON lets it stand: control characters, turns of direction, what is not seen."""

_WORDS = 10_000  # of JSON, in one piece
PATIENCE = 1.0
REDRAW = 0.1


def emit(document: Any) -> None:
    """One JSON document on standard output, piece by piece, for it may be large. What is not plain data is asked for
    its `as_json()`.
    """
    for piece in _json_pieces(document):
        click.echo(piece, nl=False)


def json_bytes(document: Any) -> bytes:
    """The document as UTF-8. Bytes of a file's name that are no text become lone surrogates, escaped; so is all that a
    terminal might obey.
    """
    return b"".join(_json_pieces(document))


def _json_pieces(document: Any) -> Iterator[bytes]:
    words = iter(json.JSONEncoder(ensure_ascii=False, indent=2, default=_as_json).iterencode(document))
    while some := "".join(islice(words, _WORDS)):
        yield _OBEYED.sub(_escaped, some).encode("utf-8", "backslashreplace")
    yield b"\n"


def _as_json(one: Any) -> Any:
    return one.as_json()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def place_json(place: Place) -> dict[str, Any]:
    return msgspec.to_builtins(place)


def streams() -> None:
    """Where the caller has closed one of the three streams there is one now, to nowhere; before any file takes its
    number.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def look_away(*streams: TextIO) -> None:
    """Nobody reads on: what is still buffered would be one more complaint when the program ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


def console() -> Console:
    """Standard error as it is now. Where nobody reads it, the work goes on without a word."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            look_away(sys.stderr)

    width = None if sys.stderr.isatty() else _WIDTH
    return Plain(stderr=True, width=width, markup=False, highlight=False, emoji=False)


def say(text: str = "", style: str = "", *, indent: int = 0) -> None:
    """A line for people."""
    from rich.text import Text

    console().print(Text(" " * indent + printable(text), style=style), soft_wrap=True)


def table(
    rows: Iterable[Sequence[str]], *, header: Sequence[str] = (), indent: int = 2, numbers: int | None = None
) -> None:
    """Rows in columns, the column with the number `numbers` (from 0) flush right."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    rows = [list(row) for row in rows]
    for number in range(max(map(len, [*rows, header]))):
        title = Text(header[number]) if header else ""
        drawn.add_column(title, justify="right" if number == numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    console().print(Padding(drawn, (0, 0, 0, indent), expand=False))


def show_error(error: AnnolakeError) -> None:
    say(f"error: {error.message} [{error.code}]", STYLES["error"])
    if where := str(error.place):
        say(f"at: {where}", indent=2)
    if answer := answered(error):
        say(f"answer: {answer}", indent=2)
    if error.hint:
        say(f"hint: {error.hint}", indent=2)


def answered(asked: Any) -> str:
    """How the service answered an error or an item, and how often it was asked: what those who run it look for in their
    logs.
    """
    status, attempts, request_id = (getattr(asked, name, None) for name in ("status", "attempts", "request_id"))
    said = [] if status is None else [f"status {status}"]
    said += [f"{attempts} attempts"] if attempts and attempts > 1 else []
    said += [f"request {request_id}"] if request_id else []
    return ", ".join(said)


def show_problems(problems: Iterable[Mapping[str, Any]]) -> None:
    """Problems in their JSON form: the worst first, those with one code together, the first examples of
    each."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for problem in problems:
        groups.setdefault((problem["severity"], problem["code"]), []).append(problem)
    rank = {"error": 0, "warning": 1, "notice": 2}
    for (severity, code), group in sorted(groups.items(), key=lambda item: rank[item[0][0]]):
        say(f"{severity}  {code}  {len(group):,}", STYLES.get(severity, ""))
        for problem in group[:SHOWN]:
            say(str(msgspec.convert(problem["where"], Place)) or "the data set", indent=2)
            say(problem["message"], indent=6)
            if problem.get("fix"):
                say(f"fix: {problem['fix']}", indent=6)
        show_rest(len(group) - SHOWN)


def show_rest(count: int, *, indent: int = 2) -> None:
    if count > 0:
        say(f"and {count:,} more", indent=indent)


def counted(count: int, word: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


class ProgressBar:
    """A bar with rate and time left, on a terminal only, and only where it takes over a second.

    It is drawn when it is told how far things are, never by a thread of its own: processes fork while it
    stands.
    """

    def __init__(self) -> None:
        self._begin = self._drawn = monotonic()
        self._progress: Progress | None = None

    def __call__(self, done: int, total: int | None) -> None:
        now = monotonic()
        if now - self._begin < PATIENCE or now - self._drawn < REDRAW or not sys.stderr.isatty():
            return
        self._drawn = now
        state: dict[str, Any] = {"total": total, "completed": done, "rate": done / (now - self._begin)}
        if self._progress is None:
            self._progress = _progress()
            self._progress.add_task("", **state)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], **state)
        self._progress.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("images"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=console(),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
