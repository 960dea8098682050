"""`annolake stats`: what is in a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..converters.opening import find_format
from ..converters.statistics import statistics
from ..schemas.jsontext import as_object
from . import screen
from .helptext import Command
from .optionflags import ANY_PATH, all_flags, given_options


@click.command(cls=Command)
@click.argument("path", metavar="PATH", type=ANY_PATH)
@click.option("--format", "format_name", metavar="FORMAT", help="The format of PATH, where it does not show.")
@click.option("--json", "as_json", is_flag=True, help="The counts on standard output, as JSON.")
@click.pass_context
def command(ctx: click.Context, path: Path, format_name: str | None, as_json: bool) -> None:
    """Count the images, annotations and labels at PATH.

    An object of several parts, or with holes, is one annotation.
    """
    reader = find_format(path, format_name)
    options = given_options(ctx, reader.name).get(reader.name)
    with screen.ProgressBar() as progress:
        counts = statistics(path, reader.name, options=options, progress=progress)
    if as_json:
        screen.emit(counts)
    else:
        _show(counts)


command.examples = ("annolake stats instances.json",)
command.params.extend(all_flags(writing=False))


def _show(counts: dict[str, Any]) -> None:
    """Single numbers first, then each count by something."""
    grouped = {name: found for name, value in counts.items() if (found := as_object(value)) is not None}
    screen.table(((_words(name), _text(value)) for name, value in counts.items() if name not in grouped), indent=0)
    for name, by in grouped.items():
        if by:
            screen.say(_words(name))
            screen.table(((f"{count:,}", key) for key, count in by.items()), numbers=0)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
