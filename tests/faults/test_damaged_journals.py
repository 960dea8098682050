"""A journal that was damaged, or is another's: nothing is believed that nobody has proven."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.commands import journals
from annolake.metalake_io.journal import keeping
from annolake.metalake_io.journal_rows import About
from annolake.metalake_io.kinds import collection_target

from . import actions as act
from .desk import UPLOAD, Desk
from .oracle import Inputs, check
from .torture import of_all

FLIPPED = [("flip", number) for number in range(40)] + [("flip-wal", number) for number in range(30)]
CUT = [("cut", page) for page in range(1, 13)] + [("cut-wal", page) for page in range(12)]
GONE = [(what, 0) for what in ("no-wal", "no-shm", "no-journal", "nothing", "empty", "text")]
FEW = [*FLIPPED[:5], *FLIPPED[40:44], *CUT[:2], *CUT[12:15], *GONE]


def damage(path: Path, how: str, number: int) -> None:
    wal, shm = Path(f"{path}-wal"), Path(f"{path}-shm")
    kind, _, of = how.partition("-")
    target = wal if of == "wal" else path
    content = bytearray(target.read_bytes())
    if kind == "flip":
        where = random.Random(number).randrange(len(content))
        content[where] ^= 1 << number % 8
    elif kind == "cut":
        del content[number * 4096 + (32 if of else 0) :]
    if kind in ("flip", "cut"):
        target.write_bytes(content)
    elif kind in ("empty", "text"):
        path.write_bytes(b"no journal" if kind == "text" else b"")
    for gone in {"no-wal": [wal], "no-shm": [shm], "no-journal": [path], "nothing": [path, wal, shm]}.get(how, []):
        gone.unlink(missing_ok=True)


@pytest.mark.parametrize(("how", "number"), of_all(FEW, [*FLIPPED, *CUT, *GONE]))
def test_a7_a_damaged_journal_costs_time_only(desk: Desk, how: str, number: int) -> None:
    """What a run leaves that is killed in the middle, with a write-ahead log; or that fails for some files."""
    if how in ("flip", "cut"):
        desk.rig.rule("PUT ", act.answer(400), skip=6, times=99)
        assert len(desk.again().of("failed")) == 6
        desk.rig.rules.clear()
    else:
        assert desk.killed(act.kill("before"), 30)
    damage(desk.journal, how, number)
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(desk.files), report)
    assert verdict.clean, verdict
    assert report.is_success
    assert set(desk.rig.lake.sending.finalised.values()) == {1}
    assert all("journal unusable, re-checking" in note for note in report.notes)


def _newer(path: Path, url: str, what: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute(About.insert(), About("schema", "99").sealed())


def _of_another_server(path: Path, url: str, what: str) -> None:
    _written_for(path, "https://other.example", what)


def _of_another_collection(path: Path, url: str, what: str) -> None:
    _written_for(path, url, collection_target("Other", "image"))


def _written_for(path: Path, url: str, what: str) -> None:
    path.unlink()
    with keeping(path, url, what):
        pass


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_newer, "was written by a newer annolake"),
        (_of_another_server, "belongs to another server: https://other.example, not http://127.0.0.1:"),
        (_of_another_collection, "belongs to another target: image collection 'Other', not image collection 'Demo'"),
    ],
)
def test_a8_a_journal_that_is_not_ours_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, str, str], None], said: str
) -> None:
    """By the command, which says which; `--fresh` forgets it."""
    assert desk.typed(*UPLOAD).wait() == 0
    monkeypatch.setenv("XDG_STATE_HOME", str(desk.folder / "state"))
    what = collection_target("Demo", "image")
    path = journals.path(desk.rig.url, what)
    change(path, desk.rig.url, what)
    before = len(desk.rig.log)
    refused = desk.typed(*UPLOAD)
    assert refused.wait() == 2
    assert said in refused.stderr
    assert str(path) in refused.stderr
    assert "--fresh" in refused.stderr
    assert len(desk.rig.log) == before + 1, "nothing but the check of the key"
    assert desk.typed(*UPLOAD, "--fresh").wait() == 0
    assert check(desk.rig.lake, Inputs(desk.files)).clean
