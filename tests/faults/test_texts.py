"""Texts from the server that would drive a terminal (G6), and answers that would fill the memory (G8)."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import pytest

from annolake.commands import screen
from annolake.metalake_io.errors import NetworkGaveUp

from ..metalake_io.wire import Answer, Wire, js
from . import actions as act
from .desk import Connect
from .faultd import Faultd
from .typed import BOX, Typed

PAYLOADS = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;a title\x07",
    "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\x1b[2J\x1b[H",
    "gone\rback",
    "one\ntwo",
    "\x9b31mC1",
    "nul\x00",
    "\u202eesrever\u202c",
    "line\u2028break",
]
UPLOAD = ("upload", "files", "pictures", "--collection", "Demo")


def calm(*texts: str) -> bool:
    """Whether they hold nothing but what a screen shows, and new lines."""
    return all(line.isprintable() for text in texts for line in text.split("\n"))


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
@pytest.mark.parametrize("operation", ["version-check", "create-collection", "init", "finalise", "complete"])
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_g6_messages(rig: Faultd, typed: Typed, payload: str, operation: str, words: tuple[str, ...]) -> None:
    rig.rule(operation, act.no(f"before {payload} after"))
    done = typed(*UPLOAD, *words)
    assert done.exit_code in (6, 7)
    assert "before" in done.stderr and "after" in done.stderr
    assert calm(done.stdout, done.stderr), (done.stdout, done.stderr)
    told = [line for line in done.stderr.splitlines() if "before" in line]
    assert all("after" in line for line in told), "one message, one line"


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_g6_names(rig: Faultd, typed: Typed, tmp_path: Path, payload: str) -> None:
    """Of files, of the collection, and of labels, on the way home."""
    rig.lake.add("Demo_a.png", b"a")
    rig.rule("item-page", act.changed("/data/resourceArray/0/fileName", f"b{payload}.png"))
    done = typed("download", "collection", "c1", tmp_path / "out", "--json")
    assert done.exit_code in (0, 6)
    assert [one["name"] for one in json.loads(done.stdout)["items"]] == [f"b{payload}.png"], "programs get it as it is"
    assert calm(done.stdout, done.stderr), (done.stdout, done.stderr)
    rig.rule("item-page", act.changed("/data/groupUniqueName", f"Demo{payload}"))
    folder = typed("download", "collection", "c1", tmp_path / "out")
    assert folder.exit_code in (0, 6, 7)
    assert calm(folder.stdout, folder.stderr)
    shape = BOX | {"label": f"Car{payload}"}
    rig.rule("item-page", act.changed("/data/resourceArray/0/rawAnnotations/annotations", [shape]), times=2)
    home = typed("export", "c1", tmp_path / "home", "--to", "yolo", "--json")
    assert calm(home.stdout, home.stderr), (home.stdout, home.stderr)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_g6_other_words(rig: Faultd, typed: Typed, payload: str) -> None:
    """Ids, addresses, reasons and numbers that are texts."""
    rig.rule("create-collection", act.changed("/collectionId", f"c{payload}"))
    rig.rule("create-collection", act.changed("/storageType", f"S3{payload}"))
    rig.rule("POST .*objects/list", act.answer(406, {"error": {"message": payload, "name": payload}}))
    rig.rule("GET .*downloadUrl", act.answer(200, {"isSuccess": True, "url": f"http://127.0.0.1/{payload}"}))
    rig.rule("GET .*getStatus", act.answer(200, {"isSuccess": True, "status": payload}))
    runs = [
        typed(*UPLOAD),
        typed(*UPLOAD),
        typed("download", "files", "out", "--query", "x=y"),
        typed("download", "url", "Demo_a.png"),
        typed("jobs", "wait", "j1"),
    ]
    assert [run.exit_code for run in runs] == [0, 7, 7, 7, 7], [run.stderr for run in runs]
    assert calm(*(text for run in runs for text in (run.stdout, run.stderr)))


def test_g6_documents_are_the_same_document() -> None:
    """What stands in them is escaped, not changed."""
    document = {"names": [*PAYLOADS, "\ud800", "公园", "👩‍💻", "a\tb"]}
    text = screen.json_bytes(document).decode()
    assert calm(text)
    assert json.loads(text) == document
    assert "公园" in text


BOMB = 100 << 20
CAP = 8 << 20


@cache
def bomb() -> dict[str, Answer]:
    """100 MB of JSON as some 100 kB, in both ways to pack it."""
    whole = b'{"isCompatible": true, "message": "' + b" " * BOMB + b'"}'
    packed = {"gzip": gzip.compress(whole, mtime=0), "deflate": zlib.compress(whole)}
    kind = {"Content-Type": "application/json"}
    return {name: Answer(200, content, {**kind, "Content-Encoding": name}) for name, content in packed.items()}


@pytest.mark.parametrize("kind", ["gzip", "deflate"])
def test_g8_a_bomb_is_cut_at_the_cap(connected: Connect, kind: str) -> None:
    answer = bomb()[kind]
    assert len(answer.body) < 110_000
    wire = Wire(lambda asked: answer if "job" in asked.target else js({"isCompatible": True}))
    with pytest.raises(NetworkGaveUp, match="the answer has more than 8,388,608 bytes; given up"):
        connected(wire.url, largest_reply=CAP).jobs.wait("j1")
    wire.close()
    assert len(wire.asked) == 2, "it is asked for once"


MEASURED = """
import resource, sys
from annolake.metalake_io.client import MetaLakeClient
from annolake.schemas.errors import AnnolakeError
client = MetaLakeClient("key", "secret", sys.argv[1], prefix="/api", largest_reply=int(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    client.jobs.wait("j1")
except AnnolakeError as error:
    print(error.code)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.parametrize(("cap", "code"), [(CAP, "network"), (BOMB // 2, "network"), (2 * BOMB, "protocol")])
def test_g8_memory_stays_below_the_cap(cap: int, code: str) -> None:
    """Cut or not: at most the cap and 50 MB."""
    answer = bomb()["gzip"]
    wire = Wire(lambda asked: answer if "job" in asked.target else js({"isCompatible": True}))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, wire.url, str(cap)], capture_output=True, text=True, check=True
    )
    wire.close()
    said, grown = done.stdout.split()
    assert said == code
    assert int(grown) <= min(cap, BOMB) + (50 << 20)
