"""The report of a conversion: written to a file, and shown."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..converters.files import appearing_whole, local_failure
from ..converters.nearby import Address
from ..converters.report import Report
from ..schemas.errors import Place, UsageError
from ..schemas.losses import BY_CODE
from . import screen

_FATES = {
    "dropped": "dropped: gone",
    "approximated": "approximated: something like it instead",
    "carried": "carried: comes home exactly",
}
_REPORT = re.compile(rb'\s*\{\s*"source"\s*:')


def check_target(path: Path, sources: Sequence[Address], target: Address, *, overwrite: bool) -> None:
    """Find out before the work whether the report can be written. UsageError, LocalFailure."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UsageError("no-folder", f"there is no folder {path.parent} for the report", hint="make it first")
    for other, word in (*((source, "SRC") for source in sources), (target, "DST")):
        if isinstance(other, Path) and path.resolve().is_relative_to(other.resolve()):
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


def write(report: Report, path: Path) -> None:
    """The complete report as JSON, whole or not at all."""
    with appearing_whole(path) as temporary:
        temporary.write_bytes(screen.json_bytes(msgspec.to_builtins(report)))


def show(report: Report, to: str) -> None:
    """For people: what was read and written, decided, found, and became of everything."""
    options = report.options
    rows = [("read", _counts(report.seen), f"{report.source} ({options['from']})")]
    if report.written:
        done = "to write" if report.dry_run else "written"
        rows.append((done, _counts(report.written), f"{report.target} ({to}, {options['coordinates']})"))
        if "shards" in options:
            rows.append(("shards", f"{options['shards']:,}", "manifest.json names them"))
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
