"""How a transfer is told: what was done, what is missing, and why; in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import resuming, screen

if TYPE_CHECKING:
    from ..metalake_io.results import Item, Report

_PARTLY = 6
_STYLES = {"failed": "bold red", "uncertain": "yellow"}
_ORDER = ("uploaded", "downloaded", "planned", "skipped", "failed", "uncertain", "not begun")


def tell(report: Report, *, as_json: bool, complete: bool | None = None) -> int:
    """Show what became of a transfer; the exit code: 0, or 6 where something is missing."""
    exit_code = 0 if (report.complete if complete is None else complete) else _PARTLY
    if as_json:
        screen.emit(document(report, exit_code))
    if not any(part.items for part in report.parts().values()):
        screen.say("nothing to do", indent=2)
    show(report)
    show_resume(report, exit_code)
    return exit_code


def document(report: Report | None, exit_code: int) -> dict[str, Any]:
    """The report, and how to go on (`resuming.resume`) where that helps."""
    rows = {} if report is None else report.as_json(lazy=True)
    rest = resuming.resume(report, exit_code)
    return rows if rest is None else {**rows, "resume": rest}


def show_resume(report: Report | None, exit_code: int) -> None:
    """What is done, what is left, and the command that goes on with it."""
    rest = resuming.resume(report, exit_code)
    if rest is None:
        return
    for what, left in rest["left"].items():
        done = rest["done"][what]
        if done or left:
            screen.say(f"{what}: {done:,} done, {left:,} left")
    screen.say("to go on with what is left, and nothing else:")
    screen.say(rest["command"], indent=2)


def show(report: Report) -> None:
    """For people: counts of files, and of what went along with them; then each state that wants words."""
    parts = report.parts()
    rows = [row for what, part in parts.items() for row in _counts(what, part)]
    if rows:
        screen.table(rows, numbers=2)
    for what, part in parts.items():
        _show_skipped(part.of("skipped"))
        for state, style in _STYLES.items():
            items = [item for item in part.items if item.state == state]
            for item in items[: screen.SHOWN]:
                of = "" if part is report else f"{what} of "
                answer = screen.answered(item)
                screen.say(f"{state}  {of}{item.name}: {item.reason}" + (f" ({answer})" if answer else ""), style)
            screen.show_rest(len(items) - screen.SHOWN)
        unproved = sum(item.verified_by == "none" for item in part.of("downloaded"))
        if unproved:
            what = screen.counted(unproved, "file")
            screen.say(f"{what} unverified: the storage tells neither a length nor a hash", "yellow")
        for note in part.notes:
            screen.say(note)
    doubled = getattr(report, "doubled", ())
    if doubled:
        screen.say(
            f"doubled  {len(doubled):,}  another run brought them, too: move one of each to the trash", "bold red"
        )
        screen.say(", ".join(doubled[: screen.SHOWN]), indent=2)
        screen.show_rest(len(doubled) - screen.SHOWN)
    collection, job = (getattr(report, name, "") for name in ("collection_id", "job_id"))
    if collection:
        screen.say(f"collection {collection}, job {job}")


def _counts(what: str, report: Report) -> list[list[str]]:
    counts = Counter(item.state for item in report.items)
    rows = [[what, state, f"{counts[state]:,}"] for state in _ORDER if counts[state]]
    shapes = getattr(report, "annotations", None)
    if rows and isinstance(shapes, int) and counts["uploaded"]:
        rows[0].append(f"images, with {screen.counted(shapes, 'shape')}")
    return [[what if number == 0 else "", *row[1:]] for number, row in enumerate(rows)]


def _show_skipped(items: Iterable[Item]) -> None:
    """Those with one reason together: which they are is said, too."""
    by_reason: dict[str, list[str]] = {}
    for item in items:
        by_reason.setdefault(item.reason or "", []).append(item.name)
    for reason, names in by_reason.items():
        screen.say(f"skipped  {len(names):,}  {reason}")
        screen.say(", ".join(names[: screen.SHOWN]), indent=2)
        screen.show_rest(len(names) - screen.SHOWN)
