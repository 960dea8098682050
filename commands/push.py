"""`annolake push`: a data set of any format into the MetaLake, converted and checked before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from ..converters.lists import read_labels
from ..converters.opening import find_format
from ..schemas.errors import LossRefused
from . import choices, journals, reporting, screen
from .helptext import Command
from .moving import MANY, TransferBar
from .optionflags import ANY_PATH, FILE, FOLDER, all_flags, given_options
from .service import DRY_RUN_OF_LABELS, SECTIONS, connected, service_options, way_in
from .telling import tell


@click.command(cls=Command)
@click.argument("source", metavar="SRC", type=ANY_PATH)
@click.option("--images", type=FOLDER, required=True, help="Where the pictures are.")
@click.option("--collection", metavar="NAME", required=True, help="The collection; a new one is made.")
@click.option("--operation", metavar="ID", required=True, help="Name of the annotation run; the same one replaces.")
@click.option("--model-run/--human", default=False, help="Who annotated; people, unless you say otherwise.")
@click.option(
    "--missing-labels",
    type=click.Choice(("refuse", "skip")),
    default="refuse",
    show_default=True,
    help="What becomes of labels that the service has no key for.",
)
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC, where it does not show.")
@choices.choice_flags
@click.option("--labels", type=FILE, metavar="FILE", help="Label names in order, for sources that have none.")
@click.option(
    "--exif",
    type=click.Choice(("turned", "raw")),
    default="turned",
    help="Sizes of pictures with an EXIF turning tag: as people see them (turned), or as stored (raw).",
)
@click.option("--allow-loss", is_flag=True, help="Send what the service can keep, and list what it cannot.")
@click.option("--report", type=ANY_PATH, metavar="FILE.json", help="Write the report of the conversion there.")
@DRY_RUN_OF_LABELS
@journals.journal_options
@service_options
@click.pass_context
def command(
    ctx: click.Context,
    source: Path,
    images: Path,
    collection: str,
    operation: str,
    model_run: bool,
    missing_labels: Literal["refuse", "skip"],
    from_: str | None,
    map_label: tuple[str, ...],
    keep_label: tuple[str, ...],
    only_images: Path | None,
    split: str | None,
    seed: int,
    labels: Path | None,
    exif: Literal["turned", "raw"],
    allow_loss: bool,
    report: Path | None,
    dry_run: bool,
    fresh: bool,
    wait: bool,
    as_json: bool,
    **service: Any,
) -> None:
    """Bring the data set at SRC, with its pictures, into a collection of the MetaLake.

    It is converted and checked first: while anything is wrong, or would be lost, nothing is sent. What is there already
    is skipped, so the same command again, after an interruption too, sends only what is missing.
    """
    from ..metalake_io import checks, pushing
    from ..metalake_io.kinds import collection_target

    checks.operation_id(operation)
    checks.collection(collection)
    if not dry_run:
        _ = way_in(**service)  # what is missing is said before the work
    options = given_options(ctx, find_format(source, from_).name, "metalake")
    choice = choices.choice_of(map_label, keep_label, only_images, split, seed)
    if report is not None:
        reporting.check_target(report, [source], images, overwrite=False)
    try:
        with screen.ProgressBar() as progress:
            planned = pushing.plan(
                source,
                images,
                from_=from_,
                model_run=model_run,
                choice=choice,
                labels=None if labels is None else read_labels(labels),
                exif=exif,
                allow_loss=allow_loss,
                options=options,
                progress=progress,
            )
    except LossRefused as error:
        if report is not None:
            reporting.write(error.report, report)
        if as_json:
            screen.emit(msgspec.to_builtins(error.report))
        reporting.show(error.report, "metalake")
        raise
    if report is not None:
        reporting.write(planned.conversion, report)
    reporting.show(planned.conversion, "metalake")
    told = {problem["code"] for problem in planned.conversion.problems}
    screen.show_problems(problem.as_json() for problem in planned.problems if problem.code not in told)
    if dry_run:
        ctx.exit(tell(planned.forecast(), as_json=as_json, complete=True))
    files = TransferBar("files", len(planned.files.entries), planned.files.size(MANY))
    annotated = TransferBar("images", planned.annotations.count, after=files)
    target = collection_target(collection, "image")
    with (
        connected(as_json=as_json, **service) as client,
        journals.opened(client, target, fresh=fresh, wait=wait) as journal,
        files,
        annotated,
    ):
        done = pushing.push(
            client.parts,
            planned,
            collection,
            operation,
            model_run=model_run,
            missing_labels=missing_labels,
            on_item=files.item,
            on_annotated=annotated.item,
            moved=files.moved,
            journal=journal,
        )
    ctx.exit(tell(done, as_json=as_json, complete=done.is_success))


command.goes_on = True
command.sections = {
    "Where to": ("collection", "operation", "model_run", "missing_labels"),
    "Formats": ("from_",),
    "What is wanted": choices.NAMES,
    "Pictures and labels": ("images", "exif", "labels"),
    "Losses": ("allow_loss", "report"),
    "Earlier and other runs": journals.NAMES,
    **SECTIONS,
}
command.examples = (
    "annolake push instances.json --images pictures --collection Demo --operation labelling-1",
    "annolake push runs/val --images val/images --collection Demo --operation yolo-1 --model-run"
    " --yolo-confidence last --dry-run",
)
command.params.extend(all_flags(writing=False))
