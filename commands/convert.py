"""`annolake convert`: one data set in, another format out, every loss accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
import msgspec

from .. import converters
from ..converters import registry
from ..converters.ledger import is_refused
from ..converters.lists import read_labels
from ..converters.manifest import unfolded
from ..converters.memory import parse_size
from ..converters.nearby import address_of, format_at, scratch
from ..converters.report import Report, refusal
from ..schemas.errors import LossRefused
from . import choices, reporting, screen
from .helptext import Command
from .optionflags import ADDRESS, ANY_PATH, FILE, FOLDER, all_flags, given_options


@click.command(cls=Command)
@click.argument("sources", metavar="SRC...", type=ADDRESS, nargs=-1, required=True)
@click.argument("target", metavar="DST", type=ADDRESS)
@click.option("--to", metavar="FORMAT", required=True, help="The format to write.")
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC, where it does not show.")
@click.option("--join", is_flag=True, help="An image in several sources is one, with the annotations of all.")
@choices.choice_flags
@click.option(
    "--coordinates",
    type=click.Choice(("pixels", "normalized")),
    help="Write pixels, or fractions of the image.",
)
@click.option("--overwrite", is_flag=True, help="Replace DST, if it is a file or set of that format.")
@click.option(
    "--shards",
    type=click.IntRange(min=1, max=99_999),
    metavar="N",
    help="Make DST a folder of N complete sets, each with its share of the images, and a manifest.",
)
@click.option(
    "--engine",
    type=click.Choice(("local", "ray")),
    default="local",
    help="Who writes shards: processes of this computer, or the workers of a Ray cluster.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use, at most; for large sets one a core."
)
@click.option(
    "--memory",
    metavar="SIZE",
    help="Take no more memory than that, such as 256M, from COCO and MetaLake JSON of any size.",
)
@click.option(
    "--images",
    type=FOLDER,
    help="Where the pictures are, for sizes.",
)
@click.option(
    "--exif",
    type=click.Choice(("turned", "raw")),
    default="turned",
    help="Sizes of pictures with an EXIF turning tag: as people see them (turned), or as stored (raw).",
)
@click.option(
    "--labels",
    type=FILE,
    metavar="FILE",
    help="Label names in order, one a line, for sources that have none.",
)
@click.option("--allow-loss", is_flag=True, help="Write what DST can hold, and list what it cannot.")
@click.option(
    "--carry",
    type=click.Choice(("full", "lean")),
    default="full",
    help="Take everything along for the way back (full), or only what changes the meaning (lean).",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would become of everything.")
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Read again what was written and compare it; by itself for sets that are not too large.",
)
@click.option("--report", type=ANY_PATH, metavar="FILE.json", help="Write the complete report there.")
@click.option("--json", "as_json", is_flag=True, help="The complete report on standard output.")
@click.pass_context
@scratch()
def command(
    ctx: click.Context,
    sources: tuple[Path | str, ...],
    target: Path | str,
    to: str,
    from_: str | None,
    join: bool,
    map_label: tuple[str, ...],
    keep_label: tuple[str, ...],
    only_images: Path | None,
    split: str | None,
    seed: int,
    coordinates: Literal["pixels", "normalized"] | None,
    overwrite: bool,
    shards: int | None,
    engine: Literal["local", "ray"],
    jobs: int | None,
    memory: str | None,
    images: Path | None,
    exif: Literal["turned", "raw"],
    labels: Path | None,
    allow_loss: bool,
    carry: Literal["full", "lean"],
    dry_run: bool,
    verify: bool | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Carry the annotations at SRC, or at several as one data set, to another format at DST.

    Stops before anything is written if DST could not hold everything, unless --allow-loss is given.
    """
    given = [address_of(source) for source in sources]
    readers = [format_at(source, from_).name for source in unfolded(given)]
    options = given_options(ctx, *readers, registry.get(to).name)
    choice = choices.choice_of(map_label, keep_label, only_images, split, seed)
    if report is not None:
        reporting.check_target(report, given, address_of(target), overwrite=overwrite)
    try:
        with screen.ProgressBar() as progress:
            done = converters.convert(
                given,
                target,
                to=to,
                from_=from_,
                images=images,
                coordinates=coordinates,
                allow_loss=allow_loss,
                carry=carry,
                exif=exif,
                dry_run=dry_run,
                overwrite=overwrite,
                verify=verify,
                choice=choice,
                join=join,
                complete_report=report is not None or as_json,
                labels=None if labels is None else read_labels(labels),
                jobs=jobs,
                shards=shards,
                engine=engine,
                memory=None if memory is None else parse_size(memory),
                options=options,
                progress=progress,
            )
        refused = refusal(done, to) if dry_run and not allow_loss and _is_refused(done) else None
    except LossRefused as error:
        done, refused = error.report, error
    if report is not None:
        reporting.write(done, report)
    if as_json:
        screen.emit(msgspec.to_builtins(done))
    else:
        reporting.show(done, to)
    if refused is not None:
        raise refused


command.sections = {
    "Formats": ("to", "from_", "coordinates"),
    "What is wanted": ("join", *choices.NAMES),
    "Pictures and labels": ("images", "exif", "labels"),
    "Losses": ("allow_loss", "carry", "dry_run", "verify", "report"),
    "Output": ("overwrite", "shards", "engine", "jobs", "memory", "as_json"),
}
command.examples = (
    "annolake convert instances.json lake.json --to metalake",
    "annolake convert lake.json yolo-set --to yolo --allow-loss --report losses.json",
    "annolake convert instances.json yolo-set --to yolo --allow-loss --split train=0.8,val=0.2",
    "annolake convert instances.json coco-set --to coco --coco-layout folder --split train=0.8,val=0.2",
    "annolake convert lake.json shards --to coco --shards 2",
)
command.params.extend(all_flags())


def _is_refused(report: Report) -> bool:
    return any(is_refused(loss["code"]) for loss in report.losses)
