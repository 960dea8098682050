"""All that is said or kept in a test, to be searched for secrets afterwards: errors with what they come from and the
reports they bear, reports of transfers, the log down to DEBUG, the output of commands and of other processes, files.
"""

from __future__ import annotations

import json
import logging
import subprocess
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.parts import Parts
from annolake.metalake_io.results import Report
from annolake.metalake_io.transfer.exchange import Fault
from annolake.schemas.errors import AnnolakeError

_LARGEST = 64 << 20
"""Files above it are data that a test made, and are not read."""


class Heard(logging.Handler):
    """`may_hold`: files that are there to hold secrets. `may_say`: texts that are asked for, as `download url` is."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.may_hold: list[Path] = []
        self.may_say: list[str] = []
        self._texts: list[tuple[str, str]] = []
        self._things: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(("log", self.format(record)))

    def say(self, where: str, *texts: Any) -> None:
        for text in texts:
            told = text.decode(errors="replace") if isinstance(text, bytes) else text
            self._texts.append((where, told or ""))

    def keep(self, thing: Any) -> None:
        """An error, a report or a client: looked at in the end, for errors are told what they bear as they rise."""
        self._things.append(thing)

    def leaks(self, secrets: Collection[str], *folders: Path) -> list[str]:
        """Where which secret was said or is kept."""
        told = [*self._texts, *((type(thing).__name__, _all_of(thing)) for thing in self._things)]
        found = [f"{where}: {secret}" for where, text in told for secret in secrets if secret in self._allowed(text)]
        for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
            if path.is_symlink() or not path.is_file() or path in self.may_hold or path.stat().st_size > _LARGEST:
                continue
            content = path.read_bytes()
            found += [f"{path.name}: {secret}" for secret in secrets if secret.encode() in content]
        return found

    def _allowed(self, text: str) -> str:
        for one in self.may_say:
            text = text.replace(one, "")
        return text


@contextmanager
def listening() -> Iterator[Heard]:
    heard, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        _patch(patch, heard)
        yield heard
    root.setLevel(level)
    root.removeHandler(heard)


def _patch(patch: pytest.MonkeyPatch, heard: Heard) -> None:
    for kind in (AnnolakeError, Fault):
        patch.setattr(kind, "__init__", _also(kind.__init__, lambda self, _: heard.keep(self)))
    patch.setattr(Parts, "__init__", _also(Parts.__init__, lambda self, _: _keep_reports(self, heard)))
    patch.setattr(MetaLakeClient, "_adopt", _also(MetaLakeClient._adopt, lambda self, _: heard.keep(self)))
    patch.setattr(CliRunner, "invoke", _also(CliRunner.invoke, lambda _, done: _keep_output(done, heard)))
    communicate = subprocess.Popen.communicate
    patch.setattr(
        subprocess.Popen, "communicate", _also(communicate, lambda _, said: heard.say("process", *filter(None, said)))
    )


def _also(function: Callable[..., Any], hear: Callable[[Any, Any], None]) -> Callable[..., Any]:
    """The method, and then `hear` of its object and its result."""

    def both(self: Any, *given: Any, **named: Any) -> Any:
        result = function(self, *given, **named)
        hear(self, result)
        return result

    return both


def _keep_reports(parts: Parts, heard: Heard) -> None:
    for part in list(vars(parts).values()):
        for name in dir(part):
            method = getattr(part, name)
            if not name.startswith("_") and callable(method) and "annolake" in getattr(method, "__module__", ""):
                setattr(part, name, _reporting(method, heard))


def _reporting(method: Callable[..., Any], heard: Heard) -> Callable[..., Any]:
    @wraps(method)
    def reporting(*given: Any, **named: Any) -> Any:
        result = method(*given, **named)
        if isinstance(result, Report):
            heard.keep(result)
        return result

    return reporting


def _keep_output(done: Any, heard: Heard) -> None:
    heard.say("command", done.stdout, done.stderr)
    if done.exception is not None:
        heard.keep(done.exception)


def _all_of(thing: Any) -> str:
    """All texts of a thing, shown or not."""
    if isinstance(thing, BaseException):
        return everything(thing)
    return f"{thing!r} {json.dumps(thing.as_json())}" if isinstance(thing, Report) else repr(thing)


def everything(error: BaseException) -> str:
    """All texts of an exception, of those it came from, and of the reports they bear."""
    said = "".join(traceback.format_exception(error))
    waiting, seen = [error], list[BaseException]()
    while waiting:
        link = waiting.pop()
        seen.append(link)
        said += f" {link!r} {link} {vars(link)}"
        report = getattr(link, "report", None)
        said += json.dumps(report.as_json()) if isinstance(report, Report) else ""
        nearby = (link.__cause__, link.__context__, *link.args)
        waiting += [one for one in nearby if isinstance(one, BaseException) and one not in seen]
    return said
