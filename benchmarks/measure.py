"""Measure every conversion that annolake and a peer both can do, all sides by turns in one run.

    python benchmarks/measure.py [--scale S] [--runs K] [--only TEXT] [--readme]

Every side is a process of its own, timed from start to end, accounting and checks included; the best of K runs counts.
Files lie in a memory file system where there is one. Memory is the most that all processes of a side held at one
moment. Printed are two Markdown tables: times, and what of the images, annotations and outlines was there again when
the output was counted by plain code (`counting`). `--readme` puts them into the README.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from counting import Counts, counted
from inputs import made
from pairs import HERE, HOTCOCO, ONE, ORJSON, PANLABEL, TWO, Pair, Tool, pairs
from running import Run, run

from annolake.converters.testing.marked import with_marked

MEMORY = Path("/dev/shm")
README = HERE.parent / "README.md"
MB = 1_000_000


@dataclass
class Side:
    """What the runs of one tool gave: the fastest of them, the most memory, and what was there again."""

    best: Run | None = None
    memory: int = 0
    kept: Counts | None = None
    failure: str = ""


@dataclass
class Row:
    pair: Pair
    held: Counts
    sides: dict[str, Side] = field(default_factory=dict)

    def seconds(self, name: str) -> float | None:
        side = self.sides.get(name)
        return None if side is None or side.best is None else side.best.seconds

    def said(self, name: str) -> str:
        best = None if (side := self.sides.get(name)) is None else side.best
        if best is None:
            return ""
        spent = "" if name == ORJSON else f" ({_number(best.user + best.system)})"
        return f"{_number(best.seconds)}{spent}"

    def fastest(self) -> str | None:
        """The faster of the peers, or the one that counts."""
        if self.pair.against is not None:
            return self.pair.against
        done = [name for name in self.sides if name not in (ONE, TWO) and self.seconds(name) is not None]
        return min(done, key=lambda name: self.seconds(name) or 0, default=None)

    def ratio(self, name: str) -> float | None:
        """How many times faster than the faster peer one of our sides was."""
        peer = self.fastest()
        ours, theirs = self.seconds(name), None if peer is None else self.seconds(peer)
        return None if ours is None or theirs is None else theirs / ours


def measure(pair: Pair, scratch: Path, runs: int, timeout: float) -> Row:
    """All sides of a pair by turns; one that failed is not run again."""
    row = Row(pair, counted(pair.source_format, pair.source), {tool.name: Side() for tool in pair.tools})
    for number in range(1, runs + 1):
        for tool in pair.tools:
            _once(pair, tool, row.sides[tool.name], scratch, timeout)
        _say(f"{pair.name}, run {number} of {runs}: {_brief(row)}")
    for tool in pair.tools:
        if tool.name == TWO:
            _once(pair, tool, row.sides[tool.name], scratch, timeout, watched=True)
    return row


def _once(pair: Pair, tool: Tool, side: Side, scratch: Path, timeout: float, *, watched: bool = False) -> None:
    if side.failure:
        return None
    scratch.mkdir()
    out = scratch / f"out{pair.suffix}"
    try:
        done = run(tool.run(out), timeout, watched=watched)
        side.failure = done.failure
        if done.failure:
            return _say(f"{pair.name}, {tool.name}: {done.failure}")
        if tool.times_itself:
            done = Run(float(done.said), done.user, done.system, done.memory)
        if not watched and (side.best is None or done.seconds < side.best.seconds):
            side.best = done
        side.memory = max(side.memory, done.memory)
        if side.kept is None and out.exists():
            side.kept = counted(pair.target_format, out)
    finally:
        shutil.rmtree(scratch)


def tables(rows: list[Row]) -> list[str]:
    return [*_times(rows), "", *_kept(rows)]


def _times(rows: list[Row]) -> Iterable[str]:
    yield "| | 1 process | 2 processes | panlabel | hotcoco | orjson | times faster | memory, MB | wanted |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for row in rows:
        seconds = [row.said(name) for name in (ONE, TWO, PANLABEL, HOTCOCO, ORJSON)]
        ratios = [ratio for name in (ONE, TWO) if (ratio := row.ratio(name)) is not None]
        ours = [f"{row.sides[name].memory / MB:.0f}" for name in (ONE, TWO) if name in row.sides]
        peer = row.fastest()
        memory = f"{' / '.join(ours)} : {row.sides[peer].memory / MB:.0f}" if peer else ""
        cells = [_arrow(row.pair.name), *seconds, " / ".join(f"{ratio:.2f}" for ratio in ratios), memory, _verdict(row)]
        yield f"| {' | '.join(cells)} |"


def _verdict(row: Row) -> str:
    asked = [(name, least) for name, least in zip((ONE, TWO), row.pair.wanted, strict=True) if least is not None]
    wanted = " / ".join(f"{least:.2g}" for _, least in asked)
    judged = [ratio >= least for name, least in asked if (ratio := row.ratio(name)) is not None]
    return f"{wanted}: {'yes' if all(judged) else 'no'}" if judged else wanted


def _kept(rows: list[Row]) -> Iterable[str]:
    yield "| images / annotations / outlines | source | annolake | panlabel | hotcoco |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for row in rows:
        kept = [side.kept if (side := row.sides.get(name)) else None for name in (ONE, PANLABEL, HOTCOCO)]
        if any(kept):
            cells = [_arrow(row.pair.name), str(row.held), *(str(counts or "") for counts in kept)]
            yield f"| {' | '.join(cells)} |"


def _brief(row: Row) -> str:
    return ", ".join(
        f"{name} {side.best.seconds:.2f} s ({side.best.user:.1f}+{side.best.system:.1f})"
        for name, side in row.sides.items()
        if side.best is not None
    )


def _arrow(name: str) -> str:
    return name.replace(">", "→")


def _number(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    python = platform.python_version()
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {python}, load {os.getloadavg()[0]:.1f}"


def into_readme(lines: list[str]) -> None:
    """Put the lines between the marks in the README."""
    text = README.read_text(encoding="utf-8")
    README.write_text(with_marked(text, "benchmark", "".join(f"{line}\n" for line in lines)), encoding="utf-8")


def base() -> Path:
    """The folder for inputs and outputs, in memory where there is a file system for it."""
    folder = (MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())) / "annolake-bench"
    folder.mkdir(exist_ok=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure conversions against other programs.")
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 118,287 images, 860,000 annotations")
    parser.add_argument("--seed", type=int, default=2017)
    parser.add_argument("--runs", type=int, default=3, metavar="K")
    parser.add_argument("--only", default="", metavar="TEXT", help="pairs with one of these texts in their names: a,b")
    parser.add_argument("--timeout", type=float, default=600, help="seconds one process may take")
    parser.add_argument("--readme", action="store_true", help="put the tables into the README")
    given = parser.parse_args()
    if given.runs < 1 or given.scale <= 0:
        parser.error("at least one run, of more than nothing")
    folder = base()
    _say(f"preparing inputs of scale {given.scale:g} in {folder}")
    home = made(folder, given.scale, given.seed)
    chosen = [pair for pair in pairs(home) if any(text in pair.name for text in given.only.split(","))]
    started = machine()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        rows = [measure(pair, Path(scratch) / "run", given.runs, given.timeout) for pair in chosen]
    held = counted("coco", home / "coco.json")
    place = "in memory" if folder.parent == MEMORY else "on a disk, which makes times less steady"
    heading = (
        f"{held.images:,} images, {held.annotations:,} annotations; seconds from start to end of the process, and (of "
        f"the processor), best of {given.runs} by turns, files {place}; {started} at the start. Memory is ours : the "
        "faster peer's."
    )
    lines = [heading, "", *tables(rows)]
    print("\n".join(lines))
    if given.readme:
        into_readme(lines)
    return 1 if any(side.failure for row in rows for side in row.sides.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
