"""`annolake download`: collections with their annotations, files, and addresses of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import screen
from .helptext import Command
from .journals import WAIT, only_run
from .moving import TransferBar
from .optionflags import NEW_FOLDER
from .selecting import SECTION, selected, selecting_options
from .service import SECTIONS, connected, service_options
from .telling import tell


@click.group()
def command() -> None:
    """Bring collections, files or addresses of files from the MetaLake.

    Files appear whole or not at all; those that are there already and are the same are left as they are.
    """


@click.command("collection", cls=Command)
@click.argument("collection_id", metavar="ID")
@click.argument("target", metavar="DST", type=NEW_FOLDER)
@click.option(
    "--annotated-by", type=click.Choice(("all", "human", "machine")), default="all", show_default=True, help="By whom."
)
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Only these annotation runs.")
@click.option("--no-images", is_flag=True, help="Annotations only.")
@WAIT
@service_options
@click.pass_context
def collection_command(
    ctx: click.Context,
    collection_id: str,
    target: Path,
    annotated_by: str,
    operations: tuple[str, ...],
    no_images: bool,
    wait: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Download the annotations of a collection, and its files, into a folder below DST.

    The folder's name is the collection's; the annotations stand in it as MetaLake JSON, the files in `data`.
    """
    with (
        connected(as_json=as_json, **service) as client,
        only_run(target, wait=wait),
        TransferBar("files") as bar,
    ):
        report = client.downloads.collection(
            collection_id,
            target,
            annotation_type=annotated_by,
            operation_ids=operations,
            media=not no_images,
            on_item=bar.item,
            moved=bar.moved,
        )
    code = tell(report, as_json=as_json)
    if report.annotations_file:
        screen.say(f"annotations of {screen.counted(report.images, 'image')}: {report.annotations_file}")
    ctx.exit(code)


command.add_command(collection_command)
collection_command.goes_on = True
collection_command.sections = {"What": ("annotated_by", "operations", "no_images"), "The run": ("wait",), **SECTIONS}
collection_command.examples = ("annolake download collection 654c5167a467d18f9fdb767c lake",)


@click.command("files", cls=Command)
@click.argument("target", metavar="DST", type=NEW_FOLDER)
@click.option("--collection", metavar="ID", help="Of this collection; else of the whole lake.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(("image", "video", "other")),
    default="image",
    show_default=True,
    help="Of the lake.",
)
@selecting_options
@WAIT
@service_options
@click.pass_context
def files_command(
    ctx: click.Context,
    target: Path,
    collection: str | None,
    kind: str,
    query: str,
    annotated_by: tuple[str, ...],
    from_date: str | None,
    to_date: str | None,
    wait: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Download the files that are selected into DST, each under its unique name.

    All pages of the service's list are gone through.
    """
    wanted = selected(query, annotated_by, from_date, to_date)
    with (
        connected(as_json=as_json, **service) as client,
        only_run(target, wait=wait),
        TransferBar("files") as bar,
    ):
        report = client.downloads.all_listed(
            target,
            item_type=kind,
            collection_id=collection,
            query=query,
            filter=wanted,
            on_item=bar.item,
            moved=bar.moved,
        )
    ctx.exit(tell(report, as_json=as_json))


command.add_command(files_command)
files_command.goes_on = True
files_command.sections = {"Which files": ("collection", "kind", *SECTION), "The run": ("wait",), **SECTIONS}
files_command.examples = ("annolake download files birds --query annotation.label=Bird",)


@click.command("url", cls=Command)
@click.argument("file_key", metavar="NAME")
@service_options
def url_command(file_key: str, as_json: bool, **service: Any) -> None:
    """Print the address from which the file with the unique name NAME can be downloaded.

    Whoever has the address has the file, for a while: do not keep it, and do not show it around.
    """
    with connected(as_json=as_json, **service) as client:
        url = client.file_url(file_key)
    if as_json:
        screen.emit({"url": url})
    else:
        click.echo(url)


command.add_command(url_command)
url_command.sections = SECTIONS
url_command.examples = ("annolake download url Demo_a.png",)
