"""Help pages: options in groups, examples that run as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from . import resuming
from .optionflags import FormatOption

_REST = "Options"


class Command(click.Command):
    """A command whose options stand under titles. `sections` maps a title to the parameters below it; those
    of a format stand under the format's name, all others under "Options". `goes_on`: the same command again does what
    is missing.
    """

    sections: Mapping[str, Sequence[str]] = {}
    examples: Sequence[str] = ()
    goes_on: bool = False

    def invoke(self, ctx: click.Context) -> Any:
        if self.goes_on:
            resuming.allow(ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        titles = {name: title for title, names in self.sections.items() for name in names}
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in (*self.sections, _REST)}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None or isinstance(param, click.Argument):
                continue
            title = param.section if isinstance(param, FormatOption) else titles.get(param.name or "", _REST)
            groups.setdefault(title, []).append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Example" if len(self.examples) == 1 else "Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
