"""A COCO file far larger than the memory it is converted in.

    python benchmarks/memory.py [--scale S] [--limit SIZE] [--targets T,T] [--folder DIR] [--limited-only]
        [--write README.md]

Writes a COCO file S times the size of train2017 (9.6 by default: about 4 GB) from a seed, piece by piece, into the
memory file system if it and what is made of it fit there, else into the folder for temporary files. Converts it with
`--memory`, where the kernel gives no process more than the limit of memory of its own (`RLIMIT_DATA`), and once without
any limit. Memory is the sum over all processes at one moment, looked at once a second, pages they share counted once;
the file itself is no process's memory. Linux only. Exit code 1 where a conversion fails, takes more than its limit, or
runs at less than a third of the full speed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from generate_coco import ANNOTATIONS, IMAGES
from measure import MB, MEMORY, machine
from pairs import HERE
from running import Run, run

from annolake.converters.memory import free_memory
from annolake.converters.testing.marked import with_marked

MIB = 1 << 20
TARGETS = {
    "metalake": ("lake.json", []),
    "yolo": ("yolo", ["--yolo-task", "detect", "--allow-loss"]),
    "coco": ("again.json", []),
    "voc": ("voc", ["--allow-loss"]),
    "cvat": ("again.xml", ["--allow-loss"]),
}
SLOWEST = 3
TIMEOUT = 7200
BYTES = 430 * MB
"""Of the file at scale 1; what is made of it, and a conversion without a limit, take no more than 3.5 times as much."""


def place(scale: float) -> Path:
    room = min(shutil.disk_usage(MEMORY).free, free_memory() or 0) if MEMORY.is_dir() else 0
    return MEMORY if room > 4.5 * scale * BYTES else Path(tempfile.gettempdir())


def written(folder: Path, scale: float) -> Path:
    path = folder / f"large-{scale:g}.json"
    if not path.exists():
        sizes = ["--images", str(round(IMAGES * scale)), "--annotations", str(round(ANNOTATIONS * scale))]
        subprocess.run([sys.executable, str(HERE / "generate_coco.py"), *sizes, str(path)], check=True)
    return path


def converted(source: Path, target: str, limit: str | None, data: int | None) -> Run:
    name, options = TARGETS[target]
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        command = [sys.executable, "-m", "annolake.commands", "convert", str(source), f"{scratch}/{name}"]
        command += ["--to", target, *options, *(["--memory", limit] if limit else [])]
        done = run(command, TIMEOUT, watched=True, step=1, data=data)
    told = done.failure or f"{done.seconds:.0f} s, {done.memory / MIB:.0f} MiB"
    print(f"{target}, {limit or 'no limit'}: {told}", file=sys.stderr, flush=True)
    return done


def row(target: str, limited: Run, whole: Run | None) -> str:
    cells = [target, f"{limited.seconds:.0f} ({limited.user + limited.system:.0f})", f"{limited.memory / MIB:.0f}"]
    if whole is None or limited.failure or whole.failure:
        return f"| {' | '.join([*cells, limited.failure, whole.failure if whole else '', ''])} |"
    cells += [f"{whole.seconds:.0f} ({whole.user + whole.system:.0f})", f"{whole.memory / MIB:,.0f}"]
    return f"| {' | '.join([*cells, f'{whole.seconds / limited.seconds:.2f}'])} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Convert a large COCO file in little memory.")
    parser.add_argument("--scale", type=float, default=9.6, help="1 is 118,287 images and 427 MB")
    parser.add_argument("--limit", type=int, default=256, help="MiB, for all processes together")
    parser.add_argument("--targets", default="metalake,yolo", help=f"some of {', '.join(TARGETS)}")
    parser.add_argument("--folder", type=Path, help="where the file is, or will be")
    parser.add_argument("--limited-only", action="store_true", help="leave out what it is compared with")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its marks in this file")
    given = parser.parse_args()
    folder: Path = given.folder or place(given.scale) / "annolake-memory"
    folder.mkdir(parents=True, exist_ok=True)
    source = written(folder, given.scale)
    good, rows = True, list[str]()
    for target in given.targets.split(","):
        limited = converted(source, target, f"{given.limit}M", given.limit * MIB)
        whole = None if given.limited_only else converted(source, target, None, None)
        good = good and not limited.failure and limited.memory <= given.limit * MIB
        good = good and (whole is None or limited.seconds <= SLOWEST * whole.seconds)
        rows.append(row(target, limited, whole))
    lines = [
        f"A COCO file of {source.stat().st_size / MB:,.0f} MB, in {given.limit} MiB; {machine()}:",
        "",
        "| to | seconds (of the processor) | MiB | without a limit | MiB | speed |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    text = "".join(f"{line}\n" for line in lines)
    print(text)
    if given.write is not None:
        given.write.write_text(with_marked(given.write.read_text("utf-8"), "memory", text), encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
