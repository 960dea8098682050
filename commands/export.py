"""`annolake export`: a collection of the MetaLake, downloaded and converted in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from ..converters import registry
from ..converters.lists import read_labels
from ..schemas.errors import LossRefused
from . import choices, reporting, screen
from .helptext import Command
from .journals import WAIT, only_run
from .moving import TransferBar
from .optionflags import ANY_PATH, FILE, all_flags, given_options
from .service import SECTIONS, connected, service_options
from .telling import tell


@click.command(cls=Command)
@click.argument("collection_id", metavar="COLLECTION_ID")
@click.argument("target", metavar="DST", type=ANY_PATH)
@click.option("--to", metavar="FORMAT", required=True, help="The format to write.")
@click.option(
    "--annotated-by", type=click.Choice(("all", "human", "machine")), default="all", show_default=True, help="By whom."
)
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Only these annotation runs.")
@click.option("--no-images", is_flag=True, help="Annotations only.")
@choices.choice_flags
@click.option(
    "--coordinates", type=click.Choice(("pixels", "normalized")), help="Write pixels, or fractions of the image."
)
@click.option("--labels", type=FILE, metavar="FILE", help="Label names in order, one a line, for stable numbers.")
@click.option(
    "--exif",
    type=click.Choice(("turned", "raw")),
    default="turned",
    help="Sizes of pictures with an EXIF turning tag: as people see them (turned), or as stored (raw).",
)
@click.option("--allow-loss", is_flag=True, help="Write what the format can hold, and list what it cannot.")
@click.option(
    "--carry",
    type=click.Choice(("full", "lean")),
    default="full",
    help="Take everything along for the way back (full), or only what changes the meaning (lean).",
)
@click.option("--verify/--no-verify", default=None, help="Read again what was written and compare it.")
@click.option("--report", type=ANY_PATH, metavar="FILE.json", help="Write the report of the conversion there.")
@WAIT
@service_options
@click.pass_context
def command(
    ctx: click.Context,
    collection_id: str,
    target: Path,
    to: str,
    annotated_by: str,
    operations: tuple[str, ...],
    no_images: bool,
    map_label: tuple[str, ...],
    keep_label: tuple[str, ...],
    only_images: Path | None,
    split: str | None,
    seed: int,
    coordinates: Literal["pixels", "normalized"] | None,
    labels: Path | None,
    exif: Literal["turned", "raw"],
    allow_loss: bool,
    carry: Literal["full", "lean"],
    verify: bool | None,
    report: Path | None,
    wait: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Download a collection and write it to the folder DST in the format you want, pictures in their places.

    Sizes come from the pictures where nobody has told them. The same command again fetches only what is missing.
    """
    from ..metalake_io.exporting import Wishes, export

    options = given_options(ctx, registry.get(to).name)
    wishes = Wishes(
        annotation_type=annotated_by,
        operation_ids=operations,
        images=not no_images,
        coordinates=coordinates,
        carry=carry,
        exif=exif,
        allow_loss=allow_loss,
        verify=verify,
        choice=choices.choice_of(map_label, keep_label, only_images, split, seed),
        labels=None if labels is None else read_labels(labels),
        options=options,
        complete_report=report is not None or as_json,
    )
    if report is not None:
        reporting.check_target(report, [], target, overwrite=False)
    try:
        with (
            connected(as_json=as_json, **service) as client,
            only_run(target, wait=wait),
            TransferBar("files") as bar,
        ):
            done = export(
                client.parts,
                collection_id,
                target,
                to,
                wishes,
                on_total=bar.expect,
                on_item=bar.item,
                moved=bar.moved,
            )
    except LossRefused as error:
        if report is not None:
            reporting.write(error.report, report)
        if as_json:
            screen.emit(msgspec.to_builtins(error.report))
        reporting.show(error.report, to)
        raise
    if report is not None:
        reporting.write(done.conversion, report)
    reporting.show(done.conversion, to)
    ctx.exit(tell(done.files, as_json=as_json))


command.goes_on = True
command.sections = {
    "Which annotations": ("annotated_by", "operations"),
    "Formats": ("to", "coordinates"),
    "What is wanted": choices.NAMES,
    "Pictures and labels": ("no_images", "exif", "labels"),
    "Losses": ("allow_loss", "carry", "verify", "report"),
    "The run": ("wait",),
    **SECTIONS,
}
command.examples = ("annolake export 654c5167a467d18f9fdb767c yolo-set --to yolo --allow-loss",)
command.params.extend(all_flags())
