"""The journal by itself: what it keeps, what it refuses, and what it makes of damage."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from annolake.metalake_io.errors import LockedElsewhere
from annolake.metalake_io.journal import Journal, keeping
from annolake.metalake_io.journal_rows import About, FileRow, ImageRow, PartRow, UploadRow
from annolake.schemas.errors import LocalFailure, UsageError

SERVER, WHAT = "http://127.0.0.1:1", "image collection 'Demo'"


def row(name: str, state: Literal["begun", "done"] = "done") -> FileRow:
    return FileRow(name, 9, 1_700_000_000_000_000_000, state, "u1", f"id-{name}", f"key/{name}", 100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "demo.sqlite"


def filled(path: Path, count: int = 300) -> None:
    with keeping(path, SERVER, WHAT) as journal:
        journal.put(UploadRow("u1", 0, count, "c1", "j1"))
        for number in range(count):
            journal.put(row(f"{number}.png"), PartRow(f"id-{number}.png", 1, "etag", "00" * 16, "md5"))


def test_what_was_put_is_there_the_next_time(path: Path) -> None:
    filled(path)
    with keeping(path, SERVER, WHAT) as journal:
        assert journal.get(FileRow, "7.png") == row("7.png")
        assert journal.get(FileRow, "no.png") is None
        assert journal.count(FileRow, state="done") == 300
        assert [upload.id for upload in journal.uploads()] == ["u1"]
        assert journal.notice is None


def test_a_row_takes_the_place_of_the_one_of_its_key(path: Path) -> None:
    with keeping(path, SERVER, WHAT) as journal:
        journal.put(row("a.png", "begun"), ImageRow("op", "a.png", "d", "sent"), ImageRow("op2", "a.png", "d", "sent"))
        journal.put(row("a.png"), ImageRow("op", "a.png", "d", "done"))
        journal.flush()
        assert journal.rows(FileRow) == [row("a.png")]
        assert [(one.operation, one.state) for one in journal.rows(ImageRow)] == [("op", "done"), ("op2", "sent")]


def test_without_a_path_nothing_is_kept() -> None:
    with keeping(None, SERVER, WHAT) as journal:
        journal.put(row("a.png"))
        journal.flush()
        assert (journal.rows(FileRow), journal.count(FileRow), journal.keeps) == ([], 0, False)


def test_fresh_forgets(path: Path) -> None:
    filled(path)
    with keeping(path, SERVER, WHAT, fresh=True) as journal:
        assert journal.count(FileRow) == 0


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_nobody_else_can_read_it(path: Path) -> None:
    with keeping(path, SERVER, WHAT) as journal:
        journal.put(row("a.png"))
        journal.flush()
        assert [file.name for file in path.parent.iterdir() if file.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    ("server", "what", "code"),
    [
        ("http://other", WHAT, "journal-of-another-server"),
        (SERVER, "image collection 'X'", "journal-of-another-target"),
    ],
)
def test_a8_a_journal_of_something_else_is_refused(path: Path, server: str, what: str, code: str) -> None:
    filled(path)
    with pytest.raises(UsageError) as caught, keeping(path, server, what):
        pass
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert (server if "server" in code else what) in caught.value.message


def test_a8_a_journal_of_a_newer_program_is_refused(path: Path) -> None:
    filled(path)
    database = sqlite3.connect(path)
    database.execute(About.insert(), About("schema", "99").sealed())
    database.commit()
    database.close()
    with pytest.raises(UsageError, match="newer"), keeping(path, SERVER, WHAT):
        pass
    with keeping(path, SERVER, WHAT, fresh=True) as journal:
        assert journal.count(FileRow) == 0


def damages(seed: int) -> list[tuple[str, int]]:
    chance = random.Random(seed)
    return [("flip", chance.randrange(1 << 30)) for _ in range(12)] + [("cut", page) for page in range(1, 9)]


@pytest.mark.parametrize(("how", "where"), damages(7))
def test_a7_damage_is_noticed_or_does_not_matter(path: Path, how: str, where: int) -> None:
    """Every row that is believed is one that was written: what is lost costs time only."""
    filled(path)
    content = bytearray(path.read_bytes())
    if how == "flip":
        content[where % len(content)] ^= 1 << where % 8
    else:
        del content[where * 4096 :]
    path.write_bytes(content)
    with keeping(path, SERVER, WHAT) as journal:
        known = journal.rows(FileRow)
        assert [one for one in known if one != row(one.name)] == []
        assert len(known) == 300 or (journal.notice or "").startswith("journal unusable, re-checking")
        journal.put(row("new.png"))
        journal.flush()
        assert journal.get(FileRow, "new.png") == row("new.png")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 5000])
def test_a7_what_is_no_journal_is_laid_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with keeping(path, SERVER, WHAT) as journal:
        assert journal.rows(FileRow) == []
        assert bool(journal.notice) == bool(content)
    assert path.with_name("demo.sqlite.damaged").exists() == bool(content)


def test_a_folder_in_its_place_is_a_local_failure(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LocalFailure) as caught, keeping(path, SERVER, WHAT):
        pass
    assert caught.value.exit_code == 9


def test_e1_a_second_run_is_told_who_holds_it(path: Path) -> None:
    with keeping(path, SERVER, WHAT), pytest.raises(LockedElsewhere) as caught, keeping(path, SERVER, WHAT):
        pass
    assert caught.value.exit_code == 10
    assert f"process {os.getpid()} on " in caught.value.message
    assert ", since 20" in caught.value.message


HOLDER = """
import os, sys
from pathlib import Path
from typing import Literal
from annolake.metalake_io.journal import keeping
from annolake.metalake_io.journal_rows import UploadRow
with keeping(Path(sys.argv[1]), sys.argv[2], sys.argv[3]) as journal:
    journal.put(UploadRow("u", 0, 1, "c", "j"))
    journal.flush()
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), SERVER, WHAT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_e2_the_lock_dies_with_its_process(path: Path, holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(LockedElsewhere, match=f"process {holder.pid} "), keeping(path, SERVER, WHAT):
        pass
    holder.kill()
    holder.wait()
    with keeping(path, SERVER, WHAT) as journal:
        assert [upload.id for upload in journal.uploads()] == ["u"]


def test_e1_waiting_for_the_other(path: Path, holder: subprocess.Popen[bytes]) -> None:
    told: list[str] = []

    def end(text: str) -> None:
        told.append(text)
        assert holder.stdin is not None
        holder.stdin.close()

    with keeping(path, SERVER, WHAT, wait=True, waiting=end) as journal:
        assert journal.keeps
    assert len(told) == 1
    assert f"process {holder.pid} " in told[0]


def test_a_journal_that_is_open_is_used_as_it_is(path: Path) -> None:
    with keeping(path, SERVER, WHAT) as journal, keeping(journal, SERVER, WHAT) as same:
        assert same is journal
    with Journal() as nothing, keeping(nothing, SERVER, WHAT) as same:
        assert same is nothing
