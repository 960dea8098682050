"""Formats by name, loaded when first asked for; and which format a path is.

The built-in formats are the lines of `BUILT_IN`; others join through entry points in the group `annolake.formats`. A
plug-in that cannot be imported is an error that names it, never a format that is silently absent.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..schemas.errors import InvalidInput, Place, UsageError
from .format import Format

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN = {
    "coco": "annolake.converters.coco",
    "cvat": "annolake.converters.cvat",
    "metalake": "annolake.converters.metalake",
    "voc": "annolake.converters.voc",
    "yolo": "annolake.converters.yolo",
}

GROUP = "annolake.formats"

_FLAGS = "--from for convert and push, --format for validate and stats, --format-a and --format-b for diff"
"""Where the commands want to hear it, for hints."""


def formats() -> list[str]:
    """Names of all formats, sorted. Loads none."""
    return sorted({**BUILT_IN, **_plug_ins()})


@cache
def get(name: str) -> Format:
    """The format of that name, imported now. UsageError names the nearest match, or the plug-in that is broken."""
    if name in BUILT_IN:
        return import_module(BUILT_IN[name]).FORMAT
    entry = _plug_ins().get(name)
    if entry is None:
        near = difflib.get_close_matches(name, formats(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(formats())}"
        raise UsageError("unknown-format", f"there is no format {name!r}", hint=hint)
    try:
        loaded = entry.load()
    except Exception as error:
        raise UsageError(
            "broken-plug-in",
            f"the plug-in {entry.value!r} for format {name!r} failed: {error}",
            hint="mend or uninstall the package it comes from",
        ) from error
    if not isinstance(loaded, Format):
        raise UsageError("broken-plug-in", f"{entry.value!r} is not an annolake Format", hint="see its author")
    return loaded


def sniff(path: Path) -> Format:
    """The one format that recognises `path`. InvalidInput with every format's reason if none or several do."""
    verdicts = {name: get(name).sniff(path) for name in formats()}
    matching = [name for name, verdict in verdicts.items() if verdict.matches]
    if len(matching) == 1:
        return get(matching[0])
    reasons = "; ".join(f"{name}: {verdict.reason}" for name, verdict in verdicts.items())
    if matching:
        raise InvalidInput(
            "ambiguous-format",
            f"this could be {' or '.join(matching)} ({reasons})",
            place=Place(file=str(path)),
            hint=f"say which: {_FLAGS}",
        )
    raise InvalidInput(
        "unknown-format",
        f"no format recognises this ({reasons})",
        place=Place(file=str(path)),
        hint=f"is it the right path? Else say what it is: {_FLAGS}",
    )


def _plug_ins() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # slow to load, and asked for only where a built-in format will not do

    return {entry.name: entry for entry in entry_points(group=GROUP)}
