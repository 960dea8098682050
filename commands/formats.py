"""`annolake formats`: what each format can hold, printed from what it declares."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from ..converters import registry
from ..converters.described import FACTS, capacities
from ..converters.flavours import flavours
from . import screen
from .helptext import Command
from .optionflags import FormatOption, flags


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="The same on standard output, as JSON.")
def command(as_json: bool) -> None:
    """Show what each format can hold, and its options.

    What a format cannot hold, `annolake convert` carries in metadata or refuses to lose.
    """
    if as_json:
        screen.emit({"formats": [_as_json(name) for name in registry.formats()]})
        return
    formats = [registry.get(name) for name in registry.formats()]
    columns = {name: held for format_ in formats for name, held in capacities(format_).items()}
    screen.table(
        ([fact, *(held[fact] for held in columns.values())] for fact in FACTS),
        header=["", *columns],
        indent=0,
    )
    for format_ in formats:
        screen.say()
        screen.say(f"{format_.name}: {format_.title}", "bold")
        screen.table((_usage(flag), flag.help or "") for flag in flags(format_))


command.examples = ("annolake formats --json",)


def _as_json(name: str) -> dict[str, Any]:
    format_ = registry.get(name)
    held = {
        flavour: msgspec.to_builtins(format_.fidelity(options), order="sorted")
        for flavour, options in flavours(format_).items()
    }
    return {
        "name": name,
        "title": format_.title,
        "output": format_.output(format_.options()),
        "fidelity": held.get("", held),
        "options": [_flag_json(flag) for flag in flags(format_)],
    }


def _flag_json(flag: FormatOption) -> dict[str, Any]:
    out: dict[str, Any] = {"flag": flag.flag, "description": flag.description, "default": flag.default_value}
    if flag.choices:
        out["choices"] = flag.choices
    return out


def _usage(flag: FormatOption) -> str:
    if flag.choices:
        return f"{flag.flag} {'|'.join(flag.choices)}"
    return flag.flag if flag.is_flag else f"{flag.flag} {flag.type.name.split(' ')[0].upper()}"
