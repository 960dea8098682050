"""`annolake convert`: one data set in, another format out, every loss accounted for."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from .. import converters
from ..converters import registry
from ..converters.files import appearing_whole, local_failure
from ..converters.ledger import is_refused
from ..converters.lists import read_labels
from ..converters.opening import find_format
from ..converters.report import Report, refusal
from ..schemas.errors import LossRefused, Place, UsageError
from ..schemas.losses import BY_CODE
from . import choices, screen
from .helptext import Command
from .optionflags import ANY_PATH, FILE, FOLDER, all_flags, given_options

_FATES = {
    "dropped": "dropped: gone",
    "approximated": "approximated: something like it instead",
    "carried": "carried: comes home exactly",
}
_REPORT = re.compile(rb'\s*\{\s*"source"\s*:')


@click.command(cls=Command)
@click.argument("sources", metavar="SRC...", type=ANY_PATH, nargs=-1, required=True)
@click.argument("target", metavar="DST", type=ANY_PATH)
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
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use; for large sets one a core.")
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
def command(
    ctx: click.Context,
    sources: tuple[Path, ...],
    target: Path,
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
    jobs: int | None,
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
    readers = [find_format(source, from_).name for source in sources]
    options = given_options(ctx, *readers, registry.get(to).name)
    choice = choices.choice_of(map_label, keep_label, only_images, split, seed)
    if report is not None:
        _check_report(report, sources, target, overwrite=overwrite)
    try:
        with screen.ProgressBar() as progress:
            done = converters.convert(
                sources,
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
                options=options,
                progress=progress,
            )
        refused = refusal(done, to) if dry_run and not allow_loss and _is_refused(done) else None
    except LossRefused as error:
        done, refused = error.report, error
    if report is not None:
        _write_report(done, report)
    if as_json:
        screen.emit(msgspec.to_builtins(done))
    else:
        _show(done, to)
    if refused is not None:
        raise refused


command.sections = {
    "Formats": ("to", "from_", "coordinates"),
    "What is wanted": ("join", *choices.NAMES),
    "Pictures and labels": ("images", "exif", "labels"),
    "Losses": ("allow_loss", "carry", "dry_run", "verify", "report"),
    "Output": ("overwrite", "jobs", "as_json"),
}
command.examples = (
    "annolake convert instances.json lake.json --to metalake",
    "annolake convert lake.json yolo-set --to yolo --allow-loss --report losses.json",
    "annolake convert instances.json yolo-set --to yolo --allow-loss --split train=0.8,val=0.2",
    "annolake convert instances.json coco-set --to coco --coco-layout folder --split train=0.8,val=0.2",
)
command.params.extend(all_flags())


def _is_refused(report: Report) -> bool:
    return any(is_refused(loss["code"]) for loss in report.losses)


def _check_report(path: Path, sources: Sequence[Path], target: Path, *, overwrite: bool) -> None:
    """Find out before the work whether the report can be written. UsageError, LocalFailure."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UsageError("no-folder", f"there is no folder {path.parent} for the report", hint="make it first")
    for other, word in (*((source, "SRC") for source in sources), (target, "DST")):
        if path.resolve().is_relative_to(other.resolve()):
            raise UsageError("report-in-data", f"the report would stand in {word}", hint="write it beside the data")
    if os.path.lexists(path) and not overwrite and not _is_report(path):
        message = f"{path} exists already, and is no report"
        raise UsageError("target-exists", message, hint="choose another name for the report, or --overwrite")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise local_failure(error, path) from None


def _is_report(path: Path) -> bool:
    """Whether a report of ours stands there: a new one may replace it."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return _REPORT.match(file.read(64)) is not None
    except OSError as error:
        raise local_failure(error, path) from None


def _write_report(report: Report, path: Path) -> None:
    with appearing_whole(path) as temporary:
        temporary.write_bytes(screen.json_bytes(msgspec.to_builtins(report)))


def _show(report: Report, to: str) -> None:
    options = report.options
    rows = [("read", _counts(report.seen), f"{report.source} ({options['from']})")]
    if report.written:
        done = "to write" if report.dry_run else "written"
        rows.append((done, _counts(report.written), f"{report.target} ({to}, {options['coordinates']})"))
    else:
        rows.append(("written", "nothing", report.target))
    if report.verified:
        rows.append(("verified", "read again, and compared", "nothing differs that is not told here"))
    elif report.written and not report.dry_run and options.get("verify") is None:
        rows.append(("not verified", "", "--verify reads again what was written, and compares it"))
    screen.table(rows, indent=0)
    if report.decisions:
        screen.say("decided")
        screen.table((one["code"], one["text"]) for one in report.decisions)
    screen.show_problems(report.problems)
    for fate, title in _FATES.items():
        losses = [loss for loss in report.losses if loss["fate"] == fate]
        if losses:
            screen.say(title, screen.STYLES[fate])
            _show_losses(losses)


def _show_losses(losses: Sequence[dict[str, Any]]) -> None:
    for loss in losses:
        screen.say(f"{loss['code']}  {loss['count']:,}  {BY_CODE[loss['code']].sentence}", indent=2)
        examples = loss["examples"][: screen.SHOWN]
        for example in examples:
            place = Place(image=example.get("image"), annotation=example.get("annotation"))
            where = str(place) or str(Place(file=example["file"]))
            screen.say(where + (f": {example['detail']}" if "detail" in example else ""), indent=6)
        screen.show_rest(loss["count"] - len(examples), indent=6)


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(screen.counted(counter.get(f"{word}s", 0), word) for word in ("image", "annotation"))
