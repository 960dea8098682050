"""`annolake`: the commands by name, each loaded when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from . import failures, resuming, screen

_COMMANDS = {
    "formats": "Show what each format can hold.",
    "convert": "Carry annotations from one format to another.",
    "validate": "Find everything that is wrong with annotations.",
    "stats": "Count images, annotations and labels.",
    "diff": "Say in what two data sets differ.",
    "push": "Bring a data set of any format into a collection of the MetaLake.",
    "export": "Bring a collection of the MetaLake here, in any format.",
    "upload": "Bring files, annotations or metadata into the MetaLake.",
    "download": "Bring collections and files from the MetaLake.",
    "trash": "Move objects of the MetaLake to its trash.",
    "login": "Keep the way into a MetaLake as a profile.",
    "jobs": "Wait for background jobs of the MetaLake.",
    "sandbox": "Run a MetaLake of your own on this computer.",
}


class _Annolake(click.Group):
    """Knows its commands' names and one line of each, so that `--help` loads none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(f".{cmd_name}", __package__).command if cmd_name in _COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.obj = "--json" in args
        resuming.remember(ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """The one place where errors become words and exit codes."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except click.ClickException as error:
            failures.tell_usage(error, as_json=ctx.obj)
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (no traceback reaches a user)
            return ctx.exit(failures.tell(error, as_json=ctx.obj))


@click.group(cls=_Annolake, context_settings={"max_content_width": 110})
@click.version_option(package_name="annolake", prog_name="annolake", message="%(prog)s %(version)s")
def annolake() -> None:
    """Image annotations between COCO, YOLO, Pascal VOC, CVAT and the MetaLake's JSON, checked and accounted for.

    Nothing is lost without being said: each command says what it saw, what it did and what it could not keep.
    """


def main() -> None:
    """The program."""
    screen.streams()
    failures.raise_on_signals()
    try:
        annolake(prog_name="annolake")
    except SystemExit as end:
        failures.leave(end.code)
        raise
