"""What a conversion of a hundred million images costs, worked out from a small one: the tables of docs/scale.md.

    python benchmarks/scale.py [--images N] [--sources S] [--runs K] [--write FILE]

S COCO files of N images with the statistics of train2017 are converted to S shards by one process. Seconds are those
of the processor, which others on the machine disturb least: the best of K runs, without what starting the program
takes. Requests are counted by a stand-in for S3, where moto and s3fs are installed (`make .venv/.engines`). FILE gets
all of it between its marks.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

from generate_coco import ANNOTATIONS, IMAGES, generate
from measure import MB, base, machine
from pairs import BIN
from running import run

from annolake.converters import convert
from annolake.converters.samenames import shared
from annolake.converters.testing.marked import with_marked

ALL = 100_000_000
PROGRAM = str(BIN / "annolake")
TARGETS = {"metalake": (), "coco": (), "cvat": (), "yolo": ("--yolo-task", "detect"), "voc": ()}


def sources_in(folder: Path, images: int, count: int) -> list[Path]:
    """The same images under other names in each file, so that none is in two of them."""
    generate(folder / "0.json", images, round(images * ANNOTATIONS / IMAGES), 2017)
    text = (folder / "0.json").read_bytes()
    for number in range(1, count):
        (folder / f"{number}.json").write_bytes(text.replace(b'"file_name": "', f'"file_name": "{number}/'.encode()))
    return [folder / f"{number}.json" for number in range(count)]


def rates(sources: list[Path], images: int, runs: int, scratch: Path) -> Iterator[str]:
    """For each target: rate, core-hours and memory, and the rate when everything is read again and compared."""
    start = min(run([PROGRAM, "--version"], 60).user for _ in range(3))
    all_images, size = images * len(sources), sum(source.stat().st_size for source in sources)
    yield f"In: {len(sources)} files of {images:,} images, {size / len(sources) / MB:.0f} MB each."
    yield ""
    yield "| target | images/s and core | core-hours | with `--verify` | memory of a process | files | bytes |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for to, more in TARGETS.items():
        seconds: dict[str, float] = {}
        memory, manifest = 0, {}
        for verify in ("--no-verify", "--verify"):
            for _ in range(runs):
                target = scratch / to
                words = [*map(str, sources), str(target), "--to", to, "--shards", str(len(sources)), verify, *more]
                done = run([PROGRAM, "convert", *words, "--jobs", "1", "--allow-loss"], 3_600)
                if done.failure:
                    raise SystemExit(done.failure)
                manifest = json.loads((target / "manifest.json").read_text())
                spent = done.user + done.system - start
                seconds[verify] = min(spent, seconds.get(verify, spent))
                memory = max(memory, done.memory)
                shutil.rmtree(target)
        plain, verified = (seconds[verify] / all_images for verify in ("--no-verify", "--verify"))
        files, written = (sum(shard[fact] for shard in manifest["shards"]) / all_images for fact in ("files", "bytes"))
        cells = [f"{1 / plain:,.0f}", f"{ALL * plain / 3_600:.1f}", f"{ALL * verified / 3_600:.1f}"]
        cells += [f"{memory / MB:.0f} MB", f"{ALL * files / 1e6:,.2f} million", f"{ALL * written / 1e9:,.0f} GB"]
        yield f"| {to} | {' | '.join(cells)} |"


def names(count: int = 20_000_000, lists: int = 200) -> str:
    """The one step that somebody has to do alone: to look for names that two sources share."""
    random = array("Q", os.urandom(8 * count))
    marks = [random[number::lists] for number in range(lists)]
    start = process_time()
    shared(marks)
    seconds = process_time() - start
    many = f"{count:,} marks in {seconds:.1f} s, so all in {seconds * ALL / count:.0f} s"
    return f"* Names: {many}, with {3 * 8 * ALL / 1e9:.1f} GB at most."


def requests(folder: Path) -> Iterator[str]:
    """What the storage is asked for each source, each shard and each conversion."""
    for name in ("moto.server", "s3fs"):
        import_module(name)
    server: Any = import_module("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    client: Any = import_module("boto3").client("s3")
    client.create_bucket(Bucket="bucket")
    asked: Counter[str] = Counter()
    handler = logging.Handler()
    handler.emit = lambda record: asked.update([record.getMessage().split('"')[1].split()[0].removeprefix("\x1b[33m")])
    log = logging.getLogger("werkzeug")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    sources = sources_in(folder, 20, 8)
    for source in sources:
        client.upload_file(str(source), "bucket", source.name)
    found: dict[tuple[int, int], Counter[str]] = {}
    for count, shards in ((2, 2), (4, 2), (4, 4)):
        asked.clear()
        given = [f"s3://bucket/{source.name}" for source in sources[:count]]
        convert(given, f"s3://bucket/{count}-{shards}", to="coco", from_="coco", shards=shards, jobs=1, verify=False)
        found[count, shards] = Counter(asked)
    each_source, each_shard = found[4, 2] - found[2, 2], found[4, 4] - found[4, 2]
    yield f"* Requests for each source: {_each(each_source)}; for each shard: {_each(each_shard)}."
    server.stop()


def _each(of_two: Counter[str]) -> str:
    return ", ".join(f"{times / 2:g} {method}" for method, times in sorted(of_two.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what conversions into shards cost.")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--sources", type=int, default=4)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between their marks in this file")
    given = parser.parse_args()
    lines = [f"{machine()}.", ""]
    with tempfile.TemporaryDirectory(dir=base()) as scratch:
        sources = sources_in(Path(scratch), given.images, given.sources)
        lines += rates(sources, given.images, given.runs, Path(scratch))
    lines += ["", names()]
    with tempfile.TemporaryDirectory(dir=base()) as scratch:
        try:
            lines += requests(Path(scratch))
        except ImportError:
            lines.append("* Requests: not counted, as moto and s3fs are not installed.")
    text = "".join(f"{line}\n" for line in lines)
    print(text)
    if given.write is not None:
        given.write.write_text(with_marked(given.write.read_text("utf-8"), "scale", text), encoding="utf-8")


if __name__ == "__main__":
    main()
