"""`annolake trash`: objects into the service's trash, after a look at how many they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..schemas.errors import UsageError
from . import screen
from .helptext import Command
from .selecting import SECTION, selected, selecting_options
from .service import SECTIONS, connected, service_options

if TYPE_CHECKING:
    from ..metalake_io.listing import Found

_PARTLY = 6
_LEFT = re.compile(r"\b[1-9][0-9,]* objects? failed")
"""The service tells in its message alone, in documented words, that it could not move all."""

_YES = click.option(
    "--yes", is_flag=True, help="Do it. Without it the count and the first ten are shown, and nothing is done."
)


@click.group()
def command() -> None:
    """Move objects of the MetaLake to its trash.

    Without --yes nothing is moved: the count, and the first ten names, are shown.
    """


@click.command("collection", cls=Command)
@click.argument("collection_id", metavar="ID")
@click.option("--all", "everything", is_flag=True, help="The collection itself, with all that is in it.")
@selecting_options
@_YES
@service_options
def collection_command(
    collection_id: str,
    everything: bool,
    query: str,
    annotated_by: tuple[str, ...],
    from_date: str | None,
    to_date: str | None,
    yes: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Trash what is selected in a collection.

    With --all, and without a selection, the collection itself goes.
    """
    chosen = selected(query, annotated_by, from_date, to_date)
    if everything == bool(query or chosen):
        raise UsageError("no-selection", "what shall go?", hint="give either a query or filter, or --all")
    with connected(as_json=as_json, **service) as client:
        _move(
            client.trash.look_in_collection(collection_id, query, chosen),
            lambda: client.trash.from_collection(collection_id, query, chosen, everything=everything, confirmed=True),
            besides="the collection itself" if everything else "",
            yes=yes,
            as_json=as_json,
        )


command.add_command(collection_command)
collection_command.sections = {"Which objects": ("everything", *SECTION, "yes"), **SECTIONS}
collection_command.examples = ("annolake trash collection 654c5167a467d18f9fdb767c --query metadata.Tags=old",)


@click.command("lake", cls=Command)
@click.option(
    "--type", "kind", type=click.Choice(("image", "video")), default="image", show_default=True, help="Of what."
)
@selecting_options
@_YES
@service_options
def lake_command(
    kind: str,
    query: str,
    annotated_by: tuple[str, ...],
    from_date: str | None,
    to_date: str | None,
    yes: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Trash the images or videos that are selected in the whole lake.

    A query or a filter is needed. One that all of them meet selects all of them: look at the count first.
    """
    chosen = selected(query, annotated_by, from_date, to_date)
    if not query and not chosen:
        raise UsageError("no-selection", "what shall go?", hint="give a query or a filter")
    with connected(as_json=as_json, **service) as client:
        _move(
            client.trash.look_in_datalake(query, chosen, kind),
            lambda: client.trash.from_datalake(query, chosen, kind, confirmed=True),
            yes=yes,
            as_json=as_json,
        )


command.add_command(lake_command)
lake_command.sections = {"Which objects": ("kind", *SECTION, "yes"), **SECTIONS}
lake_command.examples = ("annolake trash lake --query annotation.label=Bird",)


def _move(found: Found, trash: Callable[[], str], *, besides: str = "", yes: bool, as_json: bool) -> None:
    """Say what is selected, and show the first of it; then move it if that is wished.

    Nothing selected is no failure, with --yes or without: there is nothing left to move, as after the same command.
    Exit code 6 where the service could not move all.
    """
    screen.say(f"{screen.counted(found.count, 'object')} selected{besides and f', and {besides}'}")
    for name in found.first:
        screen.say(name, indent=2)
    screen.show_rest(found.count - len(found.first))
    wanted = bool(found.count or besides)
    message = trash() if yes and wanted else None
    if as_json:
        told = {"selected": found.count, "first": found.first, "trashed": message is not None, "message": message}
        screen.emit(told)
    screen.say(message or f"nothing was moved{'; --yes does it' if wanted and not yes else ''}")
    if message and _LEFT.search(message):
        click.get_current_context().exit(_PARTLY)
