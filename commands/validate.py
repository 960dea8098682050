"""`annolake validate`: everything that is wrong, in one pass; and a mended copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..converters.checking import METADATA, Checked, check, kind_of
from ..converters.fixing import Fixed, fix
from ..converters.lists import read_labels
from ..schemas.errors import InvalidInput
from . import screen
from .helptext import Command
from .optionflags import ANY_PATH, FILE, FOLDER, all_flags, given_options

_INVALID = InvalidInput.exit_code


@click.command(cls=Command)
@click.argument("path", metavar="PATH", type=ANY_PATH)
@click.option(
    "--format", "format_name", metavar="FORMAT", help=f"The format of PATH; {METADATA} for metadata of files."
)
@click.option(
    "--images",
    type=FOLDER,
    help="Where the pictures are: compare sizes, find missing ones.",
)
@click.option(
    "--labels",
    type=FILE,
    metavar="FILE",
    help="The labels that are allowed, one a line.",
)
@click.option("--normalized", is_flag=True, help="Coordinates are fractions of the image.")
@click.option("--fix", "out", type=ANY_PATH, metavar="OUT", help="Write a copy with all safe mends.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use, at most; for large sets one a core."
)
@click.option("--json", "as_json", is_flag=True, help="All problems on standard output, as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    path: Path,
    format_name: str | None,
    images: Path | None,
    labels: Path | None,
    normalized: bool,
    out: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Find all that is wrong with the annotations at PATH, in their structure and in their meaning.

    With --fix a mended copy appears at OUT, unless a part of PATH cannot be read at all.
    """
    try:
        options = given_options(ctx, kind_of(path, format_name))
    except InvalidInput:
        options = None  # the check says so, as one problem
    allowed = None if labels is None else read_labels(labels)
    fixed: Fixed | None = None
    with screen.ProgressBar() as progress:
        if out is None:
            checked = check(
                path,
                format_name=format_name,
                images=images,
                labels=allowed,
                normalized=normalized,
                options=options,
                jobs=jobs,
                progress=progress,
            )
        else:
            fixed = fix(
                path,
                out,
                format_name=format_name,
                images=images,
                labels=allowed,
                normalized=normalized,
                options=options,
                jobs=jobs,
                progress=progress,
            )
            checked = fixed.checked
    if as_json:
        screen.emit(checked.as_json() | ({} if fixed is None else _mends_json(fixed, out)))
    elif fixed is None or not fixed.written:
        _show(checked, str(path))
    else:
        screen.say(f"{screen.counted(len(fixed.mends), 'mend')}; the mended copy is {out}")
        screen.show_problems([mend.as_json() for mend in fixed.mends])
        _show(checked, str(out))
    if fixed is not None and not fixed.written:
        screen.say("nothing was written: a part cannot be read, or is beyond any safe mend", screen.STYLES["error"])
    ctx.exit(0 if checked.valid and (fixed is None or fixed.written) else _INVALID)


command.sections = {
    "What to check": ("format_name", "images", "labels", "normalized"),
    "Output": ("out", "jobs", "as_json"),
}
command.examples = (
    "annolake validate lake.json --images pictures",
    "annolake validate lake.json --fix mended.json",
)
command.params.extend(all_flags())


def _mends_json(fixed: Fixed, out: Path | None) -> dict[str, Any]:
    return {"mends": [mend.as_json() for mend in fixed.mends], "written": str(out) if fixed.written else None}


def _show(checked: Checked, name: str) -> None:
    screen.show_problems([problem.as_json() for problem in checked.problems])
    counts = checked.as_json()["counts"]
    looked = ", ".join(screen.counted(counts[f"{word}s"], word) for word in ("image", "annotation"))
    if checked.valid and not checked.problems:
        screen.say(f"{name} is valid: {looked}", screen.STYLES["carried"])
        return
    found = ", ".join(
        screen.counted(counts[f"{word}s"], word) for word in ("error", "warning", "notice") if counts[f"{word}s"]
    )
    screen.say(f"{name} is {'valid' if checked.valid else 'not valid'}: {found} in {looked}", "bold")
