"""What a transfer that did not come to its end has done, what it leaves, and the command that goes on with it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..metalake_io.results import Report

_WORDS = "annolake.words"
_GOES_ON = "annolake.goes-on"
_PROGRAM = "annolake"

CODES = (5, 6, 8, 9, 129, 130, 143)
"""Exit codes after which the same command has a chance: a key can be corrected, a disk be made free."""


def remember(ctx: click.Context, words: Sequence[str]) -> None:
    """Keep the words that stand behind the program's name, as they were typed."""
    ctx.meta[_WORDS] = tuple(words)


def allow(ctx: click.Context) -> None:
    """This command goes on where an earlier run of it has ended."""
    ctx.meta[_GOES_ON] = not ctx.params.get("dry_run"), bool(ctx.params.get("fresh"))


def resume(report: Report | None, exit_code: int) -> dict[str, Any] | None:
    """`{"command", "done": {rows: n}, "left": {rows: n}}`, the command for a shell; None where running it again
    cannot help.
    """
    words = _words()
    parts = {} if report is None else report.parts()
    left = {what: part.missing for what, part in parts.items()}
    if words is None or exit_code not in CODES:
        return None
    unfinished = getattr(report, "finished", True) is False
    if exit_code == 6 and not (unfinished or any(item.retry_helps for items in left.values() for item in items)):
        return None
    return {
        "command": " ".join(map(quoted, (_PROGRAM, *words))),
        "done": {what: len(part.of(part.moved, "skipped")) for what, part in parts.items()},
        "left": {what: len(items) for what, items in left.items()},
    }


def quoted(word: str) -> str:
    """A word as a shell reads it, and in letters that every screen shows: bytes that are no text as `\\xff`."""
    if os.name == "nt":
        return subprocess.list2cmdline([word])
    if word.isprintable():
        return shlex.quote(word)
    plain = os.fsencode(word).decode("utf-8", "surrogateescape")
    return "$'" + re.sub(r"[\\']|[^\x20-\x7e]", _escaped, plain) + "'"


def _escaped(found: re.Match[str]) -> str:
    letter = found[0]
    if letter in "\\'":
        return "\\" + letter
    return letter if letter.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))


def _words() -> tuple[str, ...] | None:
    """As typed, but for `--fresh`: going on is not forgetting what was done."""
    ctx = click.get_current_context(silent=True)
    goes_on, fresh = (False, False) if ctx is None else ctx.meta.get(_GOES_ON, (False, False))
    if ctx is None or not goes_on:
        return None
    words = list(ctx.meta[_WORDS])
    if fresh:
        words.remove("--fresh")
    return tuple(words)
