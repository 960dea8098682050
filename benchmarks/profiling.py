"""Where the time of one of our conversions goes.

    python benchmarks/profiling.py "coco > voc" [--scale S] [--lines N] [--keep FILE]

The command of that pair (see `pairs`) runs in this process, with one process and under cProfile, which makes small
functions look dearer than they are: it tells where to look, `measure` tells what it brings. Two lists are printed:
by the time of a function itself, and with all it calls. `--keep` writes the figures for other viewers.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
from pathlib import Path

from inputs import made
from measure import base
from pairs import ONE, pairs


def main() -> int:
    parser = argparse.ArgumentParser(description="Profile one conversion.")
    parser.add_argument("pair", help='a name as in the table, such as "coco > voc"')
    parser.add_argument("--scale", type=float, default=0.05, help="1 is 118,287 images, 860,000 annotations")
    parser.add_argument("--lines", type=int, default=35)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write what was measured there")
    given = parser.parse_args()
    home = made(base(), given.scale, 2017)
    by_name = {pair.name: pair for pair in pairs(home)}
    pair = by_name.get(given.pair)
    if pair is None:
        parser.error(f"no such pair; there are {', '.join(by_name)}")
    [ours] = [tool for tool in pair.tools if tool.name == ONE]
    from annolake.commands.main import main as annolake

    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory(dir=base()) as scratch:
        sys.argv[1:] = ours.run(Path(scratch) / f"out{pair.suffix}")[1:]
        try:
            profile.runcall(annolake)
        except SystemExit as ended:
            if ended.code:
                return 1
    figures = pstats.Stats(profile)
    if given.keep is not None:
        figures.dump_stats(given.keep)
    figures.sort_stats("tottime").print_stats(given.lines)
    figures.sort_stats("cumtime").print_stats(given.lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
