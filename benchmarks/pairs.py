"""What is compared: for each pair of formats our command and those of the peers that can do it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
PEERS = BIN.parent / "peers"
"""Each in an environment of its own, as `make .venv/.peers` installs them."""

PANLABEL, HOTCOCO, ORJSON = "panlabel 0.7.0", "hotcoco 1.3.0", "orjson"
ONE, TWO = "annolake, 1 process", "annolake, 2 processes"
Wanted = tuple[float | None, float | None]
_SUFFIXES = {"coco": ".json", "cvat": ".xml", "metalake": ".json", "voc": "", "yolo": ""}

# The calls alone: starting Python, reading the file and freeing millions of objects are no part of the reference.
_REFERENCE = """
import gc, os, sys, time
import orjson
gc.disable()
with open(sys.argv[1], "rb") as stream:
    text = stream.read()
start = time.perf_counter()
loaded = orjson.loads(text)
if "dump" in sys.argv:
    orjson.dumps(loaded)
print(time.perf_counter() - start, flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class Tool:
    """One side: its command, which writes to `{out}`; `times_itself` where it prints the seconds that count."""

    name: str
    command: Sequence[str]
    times_itself: bool = False

    def run(self, out: Path) -> list[str]:
        return [word.replace("{out}", str(out)) for word in self.command]


@dataclass(frozen=True)
class Pair:
    """One row. `wanted` are how many times faster than the faster peer one process is to be, and two, which is what a
    command of ours uses here unless it is told otherwise; None where nothing is wanted. `against` is the peer that
    counts, where not the faster one does. Against orjson the wanted ratio is below 1: ours may take longer.
    """

    name: str
    source: Path
    source_format: str
    target_format: str
    tools: Sequence[Tool]
    wanted: Wanted
    suffix: str = field(default="")
    against: str | None = None


def pairs(home: Path) -> list[Pair]:
    """All of them, over the inputs in `home`."""
    coco, yolo, voc = home / "coco.json", home / "yolo", home / "voc"
    cvat, boxes, lake = home / "cvat.xml", home / "cvat-boxes.xml", home / "metalake.json"
    native, files = (None, 2.0), (1.0, 1.5)
    hotcoco_yolo = ["--input", str(home / "yolo-flat"), "--images-dir", str(yolo / "images")]
    return [
        _pair("coco > yolo", coco, ["--yolo-task", "detect"], ("panlabel", "hotcoco"), (None, 4.0)),
        _pair("coco > voc", coco, ["--voc-polygons", "box"], ("panlabel", "hotcoco"), native),
        _pair("coco > cvat", coco, [], ("panlabel", "hotcoco"), native, against=HOTCOCO),  # the other drops outlines
        _pair("coco > coco", coco, [], ("panlabel",), native),
        _pair("cvat > coco", cvat, [], ("hotcoco",), native),
        _pair("cvat boxes > coco", boxes, [], ("panlabel", "hotcoco"), native),
        _pair("cvat boxes > yolo", boxes, ["--yolo-task", "detect"], ("panlabel",), native),
        _pair("cvat boxes > voc", boxes, [], ("panlabel",), native),
        _pair("cvat boxes > cvat", boxes, [], ("panlabel",), native),
        _pair("yolo > coco", yolo, [], ("panlabel", "hotcoco"), files, hotcoco_yolo),
        _pair("yolo > yolo", yolo, ["--yolo-task", "detect"], ("panlabel",), files),
        _pair("yolo > voc", yolo, [], ("panlabel",), files),
        _pair("yolo > cvat", yolo, [], ("panlabel",), files),
        _pair("voc > coco", voc, [], ("panlabel", "hotcoco"), files),
        _pair("voc > yolo", voc, ["--yolo-task", "detect"], ("panlabel",), files),
        _pair("voc > voc", voc, [], ("panlabel",), files),
        _pair("voc > cvat", voc, [], ("panlabel",), files),
        _pair("coco > yolo, outlines too", coco, [], ("panlabel", "hotcoco"), (None, None)),  # which no peer writes
        _pair("coco > voc, outlines too", coco, [], ("panlabel", "hotcoco"), (None, None)),  # nor here
        _validate("validate coco", coco, Tool(PANLABEL, [_panlabel(), "validate", "--format", "coco", str(coco)])),
        _pair("coco > metalake", coco, [], (), (None, 1 / 1.5), reference=["dump"]),
        _validate("validate metalake", lake, _orjson(lake, []), wanted=(None, 0.5)),
    ]


def _pair(
    name: str,
    source: Path,
    extra: list[str],
    peers: Sequence[str],
    wanted: Wanted,
    hotcoco_input: list[str] | None = None,
    reference: list[str] | None = None,
    against: str | None = None,
) -> Pair:
    start, _, rest = name.partition(" > ")
    from_, to = start.split()[0], rest.split(",")[0]
    suffix = _SUFFIXES[to]
    ours = [str(BIN / "annolake"), "convert", str(source), "{out}", "--from", from_, "--to", to, "--allow-loss", *extra]
    tools = [Tool(ONE, [*ours, "--jobs", "1"]), Tool(TWO, [*ours, "--jobs", "2"])]
    if "panlabel" in peers:
        given = ["-f", from_, "-t", to, "--allow-lossy", "-i", str(source), "-o", "{out}"]
        tools.append(Tool(PANLABEL, [_panlabel(), "convert", *given]))
    if "hotcoco" in peers:
        program = str(PEERS / "hotcoco" / "bin" / "coco")
        given = [*(hotcoco_input or ["--input", str(source)]), "--output", "{out}"]
        tools.append(Tool(HOTCOCO, [program, "convert", "--from", from_, "--to", to, *given]))
    if reference is not None:
        tools.append(_orjson(source, reference))
    return Pair(name, source, from_, to, tools, wanted, suffix, against)


def _validate(name: str, source: Path, other: Tool, wanted: Wanted = (None, 2.0)) -> Pair:
    format_ = name.split()[1]
    ours = [str(BIN / "annolake"), "validate", str(source), "--format", format_]
    tools = [Tool(ONE, [*ours, "--jobs", "1"]), Tool(TWO, [*ours, "--jobs", "2"]), other]
    return Pair(name, source, format_, "", tools, wanted)


def _panlabel() -> str:
    return str(PEERS / "panlabel" / "bin" / "panlabel")


def _orjson(source: Path, words: list[str]) -> Tool:
    python = str(PEERS / "orjson" / "bin" / "python")
    return Tool(ORJSON, [python, "-c", _REFERENCE, str(source), *words], times_itself=True)
