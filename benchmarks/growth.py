"""How time and memory grow with the size of a data set: once, twice and four times as much.

    python benchmarks/growth.py [--scale S] [--runs K] [--svg FILE]

Time is that of the processor, which others on the machine disturb least, of our command with one process, the best of
K runs by turns. It is to be linear: no point further than 5 % from the line through all of them. Exit code 1 where it
is not. The chart is an SVG.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from charting import chart
from inputs import made
from measure import MB, base, machine
from pairs import HERE, ONE, pairs
from running import Run, run

TIMES = (1, 2, 4)
NAMES = ("coco > yolo", "coco > voc", "coco > cvat", "coco > metalake", "cvat > coco", "yolo > coco", "voc > coco")
MOST = 0.05


@dataclass
class Growth:
    """One pair at each size: seconds of the processor, and bytes."""

    name: str
    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    def bend(self) -> float:
        """The largest distance of a point from the line through all of them, as a share of the point."""
        return max(abs(at - is_) / is_ for at, is_ in zip(_line(self.seconds), self.seconds, strict=True))


def _line(values: list[float]) -> list[float]:
    """Least squares."""
    middle, level = sum(TIMES) / len(TIMES), sum(values) / len(values)
    steep = sum((x - middle) * (y - level) for x, y in zip(TIMES, values, strict=True))
    steep /= sum((x - middle) ** 2 for x in TIMES)
    return [level + steep * (x - middle) for x in TIMES]


def _one(name: str, home: Path, folder: Path) -> Run:
    """One run of a pair. What it writes is gone afterwards: it lies in memory, as the sources do."""
    [pair] = [pair for pair in pairs(home) if pair.name == name]
    [ours] = [tool for tool in pair.tools if tool.name == ONE]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        done = run(ours.run(Path(scratch) / f"out{pair.suffix}"), 600)
    if done.failure:
        raise SystemExit(f"{name}: {done.failure}")
    return done


def measure(scale: float, runs: int) -> list[Growth]:
    folder = base()
    homes = [made(folder, scale * times, 2017) for times in TIMES]
    out: list[Growth] = []
    for name in NAMES:
        seconds: dict[int, list[float]] = {times: [] for times in TIMES}
        memory: dict[int, list[int]] = {times: [] for times in TIMES}
        for _ in range(runs):
            for times, home in zip(TIMES, homes, strict=True):
                done = _one(name, home, folder)
                seconds[times].append(done.user + done.system)
                memory[times].append(done.memory)
        out.append(Growth(name, [min(seconds[t]) for t in TIMES], [max(memory[t]) for t in TIMES]))
        grown = out[-1]
        print(name, [f"{value:.2f} s" for value in grown.seconds], f"{grown.bend():.1%}", file=sys.stderr)
    return out


def table(found: list[Growth]) -> list[str]:
    lines = ["| | 1 × | 2 × | 4 × | off the line | memory, MB |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for each in found:
        seconds = [f"{value:.2f}" for value in each.seconds]
        memory = " / ".join(f"{value / MB:.0f}" for value in each.memory)
        lines.append(f"| {each.name.replace('>', '→')} | {' | '.join(seconds)} | {each.bend():.1%} | {memory} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how time and memory grow.")
    parser.add_argument("--scale", type=float, default=0.1, help="the smallest; 1 is 118,287 images")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--svg", type=Path, default=HERE.parent / "docs" / "growth.svg")
    given = parser.parse_args()
    found = measure(given.scale, given.runs)
    print("\n".join([machine(), "", *table(found)]))
    sizes = [f"{round(118_287 * given.scale * times):,}" for times in TIMES]
    given.svg.parent.mkdir(exist_ok=True)
    seconds = {each.name: each.seconds for each in found}
    memory = {each.name: [value / MB for value in each.memory] for each in found}
    panels = [("seconds of the processor", seconds), ("most memory, MB", memory)]
    given.svg.write_text(chart(panels, list(TIMES), sizes, "images"), encoding="utf-8")
    return 1 if any(each.bend() > MOST for each in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
