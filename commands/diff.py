"""`annolake diff`: in what two data sets differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..converters.comparing import TOLERANCE, Difference, compare
from ..converters.format import Context
from ..converters.images import ImageFinder
from ..converters.opening import find_format
from . import screen
from .helptext import Command
from .optionflags import ANY_PATH, FOLDER, all_flags, given_options

_DIFFERENT = 4


@click.command(cls=Command)
@click.argument("a", metavar="A", type=ANY_PATH)
@click.argument("b", metavar="B", type=ANY_PATH)
@click.option("--format-a", metavar="FORMAT", help="The format of A, where it does not show.")
@click.option("--format-b", metavar="FORMAT", help="The format of B, where it does not show.")
@click.option(
    "--images",
    type=FOLDER,
    help="Where the pictures are, to compare pixels with fractions.",
)
@click.option(
    "--tolerance",
    type=float,
    metavar="PX",
    help=f"Pixels by which a coordinate may differ  [default: {TOLERANCE}]",
)
@click.option("--exact", is_flag=True, help="Ids, order and book-keeping count too.")
@click.option("--json", "as_json", is_flag=True, help="The differences on standard output, as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    a: Path,
    b: Path,
    format_a: str | None,
    format_b: str | None,
    images: Path | None,
    tolerance: float | None,
    exact: bool,
    as_json: bool,
) -> None:
    """Compare the annotations at A and B by meaning, whatever their formats.

    Exits with 0 where they are equal, with 4 where they differ.
    """
    reader_a, reader_b = find_format(a, format_a), find_format(b, format_b)
    options = given_options(ctx, reader_a.name, reader_b.name)
    context = Context(images=None if images is None else ImageFinder(images))
    with screen.ProgressBar() as progress:
        difference = compare(
            a,
            b,
            format_a=reader_a.name,
            format_b=reader_b.name,
            tolerance=tolerance,
            exact=exact,
            context_a=context,
            context_b=context,
            options_a=options.get(reader_a.name),
            options_b=options.get(reader_b.name),
            progress=progress,
        )
    if as_json:
        screen.emit(difference.as_json())
    else:
        _show(difference, a, b, exact=exact)
    ctx.exit(0 if difference.equal else _DIFFERENT)


command.sections = {
    "Formats": ("format_a", "format_b", "images"),
    "What counts": ("tolerance", "exact"),
    "Output": ("as_json",),
}
command.examples = ("annolake diff instances.json lake.json",)
command.params.extend(all_flags(writing=False))


def _show(difference: Difference, a: Path, b: Path, *, exact: bool) -> None:
    if difference.equal:
        screen.say(f"equal: {a} and {b} mean the same", screen.STYLES["carried"])
        return
    found = difference.as_json()
    screen.say(f"different: {a} (A) and {b} (B)", "bold")
    for side in ("only_a", "only_b"):
        word = f"only in {side[-1].upper()}"
        _show_names(f"images {word}", found["images"][side])
        if found["annotations"][side]:
            screen.say(f"annotations {word}: {found['annotations'][side]:,}")
    if found["annotations"]["changed"]:
        screen.say(f"annotations changed: {found['annotations']['changed']:,}")
    changes: Sequence[dict[str, Any]] = found["changes"]
    for change in changes[: screen.SHOWN]:
        screen.say(_in_words(change), indent=2)
    screen.show_rest(len(changes) - screen.SHOWN)
    catalog = difference.catalog
    _show_names("labels only in A", catalog.labels_only_a)
    _show_names("labels only in B", catalog.labels_only_b)
    _show_names("labels described differently", catalog.changed)
    if exact and catalog.other_order:
        screen.say("labels in another order")
    if exact and catalog.facts:
        screen.say(f"facts of the data set: {', '.join(catalog.facts)}")


def _show_names(title: str, names: Sequence[str]) -> None:
    if names:
        screen.say(f"{title}: {len(names):,}")
        for name in names[: screen.SHOWN]:
            screen.say(name, indent=2)
        screen.show_rest(len(names) - screen.SHOWN)


def _in_words(change: dict[str, Any]) -> str:
    """`a.png: rectangle "car" changed: label, metadata (occluded)`."""
    what = f'{change["type"]} "{change["label"]}"' if "label" in change else "the image"
    text = f"{change['image']}: {what} {change['kind']}"
    if change.get("fields"):
        text += ": " + ", ".join(change["fields"])
    if change.get("keys"):
        text += f" ({', '.join(change['keys'])})"
    if "distance_px" in change:
        text += f", {change['distance_px']:g} pixels"
    return text
