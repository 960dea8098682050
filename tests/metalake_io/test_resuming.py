"""A run that does not come to its end says what is done, what is left, and the command that goes on with it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands import resuming
from annolake.commands.main import annolake
from annolake.metalake_io.results import Item

from .lake import Lake
from .settings import settings
from .wire import Answer, refusal

Run = Callable[..., Result]
NAMES = ["a.png", "b.png", "c.png"]
UPLOAD = ("upload", "files", "my pictures", "--collection", "It's a demo")


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command as typed, in a folder with pictures in `my pictures`; one transfer at a time."""
    settings(monkeypatch, lake.url, tmp_path, timeout="5")
    monkeypatch.chdir(tmp_path)
    Path("my pictures").mkdir()
    for name in NAMES:
        Image.new("RGB", (8, 8)).save(Path("my pictures", name))
    box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
    Path("lake.json").write_text(json.dumps({"images": [{"image": name, "annotations": [box]} for name in NAMES]}))
    return lambda *words: CliRunner().invoke(annolake, [*words, "--at-once", "1"])


def goes_on(done: Result) -> list[str]:
    """The words of the command that is said on the screen, as a shell takes them apart."""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("  annolake ")]
    program, *words = shlex.split(line)
    assert program == "annolake"
    return words


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lambda lake: lake.rule("POST .*initializeMultipart", refusal(401, "Unauthorized"), times=9, skip=1), 5),
        (lambda lake: lake.rule("PUT ", Answer(500), times=99, skip=1), 6),
        (lambda lake: lake.rule("POST .*uploadMetadataInCollection", Answer(503), times=99), 8),
    ],
)
def test_the_command_that_is_said_goes_on(
    run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Lake], Any], code: int
) -> None:
    monkeypatch.setattr("annolake.metalake_io.transfer.clock.WallClock.sleep", lambda *_: None)
    fault(lake)
    done = run(*UPLOAD, "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == code
    sent = sum(item["state"] == "uploaded" for item in document["items"])
    assert (document["resume"]["done"], document["resume"]["left"]) == ({"files": sent}, {"files": 3 - sent})
    assert shlex.split(document["resume"]["command"]) == ["annolake", *UPLOAD, "--json", "--at-once", "1"]
    assert f"files: {sent} done, {3 - sent} left" in done.stderr
    words = goes_on(done)
    lake.rules.clear()
    again = CliRunner().invoke(annolake, words)
    assert again.exit_code == 0, again.stderr
    assert sorted(lake.files) == [f"It's a demo_{name}" for name in NAMES]
    assert "resume" not in json.loads(again.stdout)


def test_going_on_forgets_nothing(run: Run, lake: Lake) -> None:
    """`--fresh` is left out of the command that goes on."""
    lake.rule("POST .*initializeMultipart", refusal(401, "Unauthorized"), times=9, skip=1)
    words = goes_on(run("upload", "files", "--fresh", "my pictures", "--collection", "Demo"))
    assert words == ["upload", "files", "my pictures", "--collection", "Demo", "--at-once", "1"]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ((*UPLOAD[:-1], "Demo"), ("POST .*uploadMetadataInCollection", refusal(406, "no room"))),
        (("upload", "files", "nothing here", "--collection", "Demo"), None),
        (("trash", "lake", "--query", "a=b", "--yes"), ("POST .*trash", refusal(401, "Unauthorized"))),
        ((*UPLOAD, "--dry-run"), None),
    ],
)
def test_where_it_cannot_help_it_is_not_said(run: Run, lake: Lake, words: tuple[str, ...], rule: Any) -> None:
    if rule:
        lake.rule(*rule, times=9)
    done = run(*words)
    assert done.exit_code in (0, 2, 4, 5, 7)
    assert "to go on" not in done.stderr


def test_what_no_repetition_mends(run: Run, lake: Lake) -> None:
    """A file that the service refuses for good is no reason to try again; one that failed on the way is."""
    Path("my pictures", "d.png").mkdir()
    Path("my pictures", "e.png").symlink_to("nowhere")
    done = run(*UPLOAD, "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 6
    assert "resume" not in document
    assert [item["name"] for item in document["items"] if item["state"] == "failed"] == ["e.png"]


def test_ctrl_c_says_how_to_go_on(run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("annolake.metalake_io.annotation_sending.Sending._post", stop)
    words = ("push", "lake.json", "--images", "my pictures", "--collection", "Demo", "--operation", "op #1")
    done = run(*words)
    assert done.exit_code == 130
    assert "files: 3 done, 0 left" in done.stderr
    assert "annotations: 0 done, 3 left" in done.stderr
    assert goes_on(done) == [*words, "--at-once", "1"]


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
@pytest.mark.parametrize(
    "word", ["plain", "two words", "it's", "", "$HOME `id` !", "a\nb", "tab\there", "\x1b[31m", "é\x07", "\udcff.png"]
)
def test_words_are_quoted_for_the_shell(word: str) -> None:
    said = resuming.quoted(word)
    assert said.isprintable()
    printed = subprocess.run(["bash", "-c", f"printf %s {said}"], capture_output=True, check=True).stdout
    assert printed == os.fsencode(word)


ROW = {
    "name": str,
    "state": str,
    "reason": str,
    "attempts": int,
    "status": (int, type(None)),
    "request_id": (str, type(None)),
    "retry_helps": bool,
    "verified_by": str,
}


def test_i2_every_failed_item_says_all_that_is_known(run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annolake.metalake_io.transfer.clock.WallClock.sleep", lambda *_: None)
    lake.rule("PUT ", Answer(400, b"<Code>No</Code>", {"x-amz-request-id": "4442587FB7D0A2F9"}))
    lake.rule("PUT ", Answer(500, b"", {"x-amz-request-id": "\x1b[2J"}), times=99)
    Path("my pictures", "d.png").symlink_to("nowhere")
    done = run(*UPLOAD, "--json")
    rows = {item["name"]: item for item in json.loads(done.stdout)["items"]}
    for row in rows.values():
        assert {key: type(row[key]) for key in ROW if not isinstance(row[key], ROW[key])} == {}
    told = {name: (row["attempts"], row["status"], row["request_id"], row["retry_helps"]) for name, row in rows.items()}
    assert told == {
        "a.png": (1, 400, "4442587FB7D0A2F9", False),
        "b.png": (8, 500, None, True),
        "c.png": (8, 500, None, True),
        "d.png": (0, None, None, False),
    }


def test_i2_what_is_done_is_told_in_short() -> None:
    assert Item(name="a", state="uploaded", verified_by="md5").as_json() == {
        "name": "a", "state": "uploaded", "verified_by": "md5"
    }  # fmt: skip
