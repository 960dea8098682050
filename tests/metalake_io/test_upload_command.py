"""`annolake upload` against a lake on loopback: exit codes, JSON, and what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from annolake.commands.main import annolake
from annolake.metalake_io.transfer.clock import WallClock

from .lake import Lake
from .settings import settings
from .wire import Answer, refusal

Run = Callable[..., Result]
BOX = {"type": "rectangle", "bbox": [10, 20, 30, 40], "label": "Car"}


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command as typed, with the lake's address and credentials in the environment."""
    settings(monkeypatch, lake.url, tmp_path, timeout="5")
    return lambda *words: CliRunner().invoke(annolake, [str(word) for word in words])


@pytest.fixture
def boxes(put: Callable[[str, Any], str]) -> str:
    return put("x.json", {"images": [{"image": "a.png", "annotations": [BOX]}]})


def test_files(run: Run, lake: Lake, pictures: Path) -> None:
    done = run("upload", "files", pictures, "--collection", "Demo", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["summary"] == {"uploaded": 2, "skipped": 0, "failed": 0, "uncertain": 0}
    assert [row["name"] for row in document["items"]] == ["a.png", "b.JPG"]
    assert len(lake.files) == 2
    again = json.loads(run("upload", "files", pictures, "--collection", "Demo", "--json").stdout)
    assert again["summary"]["skipped"] == 2


def test_partly(run: Run, lake: Lake, pictures: Path) -> None:
    lake.rule("PUT /bucket/key/f1", Answer(400), times=9)
    done = run("upload", "files", pictures, "--collection", "Demo", "--json")
    assert done.exit_code == 6
    assert json.loads(done.stdout)["summary"] == {"uploaded": 1, "skipped": 0, "failed": 1, "uncertain": 0}
    assert "failed" in done.stderr


def test_waiting_is_told(run: Run, lake: Lake, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a server that is away is told so, and that it has come back. One file: the other's proper answers
    would come between.
    """
    monkeypatch.setattr(WallClock, "random", lambda _: 0.0)  # all pauses are nothing
    lake.rule("POST .*finalize", refusal(503, "x"), times=6)
    done = run("upload", "files", str(pictures / "a.png"), "--collection", "Demo")
    assert done.exit_code == 0, done.stderr
    assert re.search(r"127\.0\.0\.1:\d+ is away \(the server answers 503\): waiting for it, up to \d+ s", done.stderr)
    assert "answers again" in done.stderr


@pytest.mark.parametrize("where", [["--collection", "Demo"], ["--unique-name"], ["--job", "j1"], ["--storage-path"]])
def test_annotations(run: Run, lake: Lake, boxes: str, where: list[str]) -> None:
    done = run("upload", "annotations", boxes, "--operation", "op", *where, "--model-run")
    assert done.exit_code == 0, done.stderr
    assert lake.updates[0]["operationMode"] == 2
    assert len(lake.annotations) == 1


def test_metadata(run: Run, lake: Lake, put: Callable[[str, Any], str]) -> None:
    path = put("m.json", {"files": [{"file": "a.png", "metadata": {"a": 1}}]})
    for where in (["--collection", "Demo"], ["--unique-name"], ["--storage-path", "--bucket", "B"]):
        done = run("upload", "metadata", path, *where)
        assert done.exit_code == 0, done.stderr
    assert [one["bucketName"] for one in lake.metadata] == [None, None, "B"]


@pytest.mark.parametrize(("whole", "to_all"), [("all", True), ("head", False)])
def test_metadata_of_a_whole_collection(
    run: Run, lake: Lake, put: Callable[[str, Any], str], whole: str, to_all: bool
) -> None:
    words = ("upload", "metadata", put("m.json", {"Place": "x", "Tags": ["night"]}), "--whole", whole)
    assert run(*words, "--collection", "Demo", "--dry-run").exit_code == 0
    assert run(*words, "--unique-name").exit_code == 2
    assert lake.wire.asked == []
    done = run(*words, "--collection", "Demo")
    assert done.exit_code == 0, done.stderr
    (sent,) = lake.asked("uploadMetadataByMetaObject")
    assert sent.json == {
        "collectionName": "Demo",
        "objectType": 5,
        "metadata": {"Place": "x", "Tags": ["night"]},
        "isApplyToAllFiles": to_all,
    }


def test_a_dry_run_sends_nothing(run: Run, lake: Lake, pictures: Path, boxes: str) -> None:
    done = run("upload", "files", pictures, "--collection", "Demo", "--dry-run", "--json")
    assert [row["name"] for row in json.loads(done.stdout)["items"]] == ["a.png", "b.JPG"]
    assert run("upload", "annotations", boxes, "--operation", "op", "--unique-name", "--dry-run").exit_code == 0
    assert lake.wire.asked == []


def test_exit_codes(run: Run, lake: Lake, pictures: Path, put: Callable[[str, Any], str], boxes: str) -> None:
    broken = put("broken.json", {"images": [{"image": "a.png", "annotations": [{**BOX, "bbox": [1, 2, 3]}]}]})
    assert run("upload", "annotations", broken, "--operation", "op", "--unique-name").exit_code == 4
    assert run("upload", "annotations", boxes, "--operation", "op").exit_code == 2
    assert run("upload", "annotations", boxes, "--operation", "op", "--job", "j", "--bucket", "b").exit_code == 2
    assert lake.wire.asked == []
    lake.rule("POST .*references", refusal(401, "Unauthorized"))
    assert run("upload", "annotations", boxes, "--operation", "op", "--unique-name").exit_code == 5
    nope = run("upload", "annotations", boxes, "--operation", "op", "--collection", "nope", "--json")
    assert nope.exit_code == 7
    assert json.loads(nope.stdout)["error"]["exit_code"] == 7


@pytest.mark.parametrize("name", ["METALAKE_URL", "METALAKE_API_KEY", "METALAKE_SECRET"])
def test_what_is_not_set_is_asked_for(run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    done = run("upload", "files", pictures, "--collection", "Demo")
    assert done.exit_code == 2
    assert name in done.stderr


@pytest.mark.parametrize("name", ["files", "annotations", "metadata"])
def test_help(run: Run, name: str) -> None:
    done = run("upload", name, "--help")
    assert done.exit_code == 0
    assert f"annolake upload {name}" in done.stdout


def test_a_dry_run_checks_what_the_true_run_checks(
    run: Run, lake: Lake, pictures: Path, boxes: str, put: Callable[[str, Any], str]
) -> None:
    broken = put("m.json", {"files": [{"file": "a.png", "metadata": {"Tags": "night"}}]})
    fields = put("f.json", {"Place": "x"})
    for words, code in (
        (("files", pictures, "--collection", "Demo", "--metadata", broken), 4),
        (("files", pictures, "--collection", " "), 2),
        (("annotations", boxes, "--operation", "op", "--collection", ""), 2),
        (("annotations", boxes, "--operation", "op", "--job", ""), 2),
        (("metadata", fields, "--whole", "all", "--collection", " "), 2),
    ):
        for dry in ([], ["--dry-run"]):
            assert run("upload", *words, *dry).exit_code == code, words
    assert lake.asked("POST") == []


@pytest.mark.parametrize("whole", ["all", "head"])
def test_metadata_of_files_is_none_of_a_collection(
    run: Run, lake: Lake, put: Callable[[str, Any], str], whole: str
) -> None:
    of_files = put("m.json", {"files": [{"file": "a.png", "metadata": {"a": 1}}]})
    done = run("upload", "metadata", of_files, "--whole", whole, "--collection", "Demo")
    assert (done.exit_code, "metadata of single files" in done.stderr) == (4, True)
    assert lake.wire.asked == []
