"""What a run that went through says: what it skipped and why, what it found before, and what it could not reach."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands.main import annolake

from .lake import Lake
from .settings import settings

Run = Callable[..., Result]
BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    settings(monkeypatch, lake.url, tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    Image.new("RGB", (8, 8)).save("pictures/a.png")
    Path("pictures/empty.png").write_bytes(b"")
    Path("pictures/notes.txt").write_text("x")
    images = [{"image": name, "width": 9, "height": 8, "annotations": [BOX]} for name in ("a.png", "empty.png")]
    Path("lake.json").write_text(json.dumps({"images": images}))
    return lambda *words: CliRunner().invoke(annolake, list(words))


PUSH = ("push", "lake.json", "--images", "pictures", "--collection", "Demo", "--operation", "op")


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_push_says_in_json_what_it_found(run: Run, more: list[str]) -> None:
    done = run(*PUSH, "--json", *more)
    document = json.loads(done.stdout)
    assert done.exit_code == 0, done.stderr
    found = {(one["code"], one["severity"], one["where"]["image"]) for one in document["problems"]}
    assert {("image-unreadable", "warning", "empty.png"), ("size-differs", "warning", "a.png")} <= found
    assert document["losses"] == []
    assert isinstance(document["decisions"], list)


def test_push_counts_what_went_along(run: Run) -> None:
    said = run(*PUSH).stderr
    assert "files        uploaded  2" in said
    assert "annotations  uploaded  2  images, with 2 shapes" in said
    assert "metadata     uploaded  2" in said
    assert "skipped  2  it is there, sent by an earlier run" in run(*PUSH).stderr
    again = run(*PUSH, "--fresh").stderr
    assert "skipped  2  the collection has a file of this name; its content was not compared" in again
    assert "a.png, empty.png" in again


def test_upload_says_what_was_no_picture(run: Run) -> None:
    done = run("upload", "files", "pictures", "--collection", "Demo", "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [one["code"] for one in document["problems"]] == ["image-unreadable"]
    assert "notes.txt" in done.stderr and "no image by its name" in done.stderr
    assert "empty.png" in done.stderr and "0 bytes" in done.stderr


def test_nobody_is_at_the_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told at once, with the address: no clock is waited for, because nothing is tried again."""
    with socket.socket() as held:  # bound and not listening: connections are refused
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("METALAKE_URL", url)
        monkeypatch.setattr("annolake.metalake_io.transfer.clock.WallClock.sleep", lambda *_: pytest.fail("it waits"))
        done = run("jobs", "wait", "j1", "--json")
    assert done.exit_code == 8
    assert url in json.loads(done.stdout)["error"]["message"]
    assert "check the address" in done.stderr


def test_login_without_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METALAKE_SECRET")
    done = run("login", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["exit_code"], error["code"]) == (2, 2, "no-terminal")
    assert "METALAKE_SECRET" in error["hint"]


def test_an_exported_folder_is_compared(run: Run) -> None:
    Path("out").mkdir()
    Path("out/annotations.json").write_bytes(Path("lake.json").read_bytes())
    Path("out/.annolake-export.json").write_text("{}")
    for command in (("diff", "lake.json", "out"), ("stats", "out"), ("validate", "out")):
        done = run(*command)
        assert done.exit_code == 0, done.stderr
