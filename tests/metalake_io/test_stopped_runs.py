"""A run that is stopped in the middle still says of each item what became of it: on the screen and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands import telling
from annolake.commands.main import annolake
from annolake.metalake_io.results import AnnotationsReport, Item, MetadataReport, UploadReport

from .lake import Lake
from .settings import settings
from .wire import Answer, refusal

Run = Callable[..., Result]
BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command as typed, in a folder with three pictures and boxes on them; one transfer at a time."""
    settings(monkeypatch, lake.url, tmp_path, timeout="5")
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    for name in NAMES:
        Image.new("RGB", (8, 8)).save(Path("pictures", name))
    images = [{"image": name, "annotations": [BOX]} for name in NAMES]
    Path("lake.json").write_text(json.dumps({"images": images}))
    return lambda *words: CliRunner().invoke(annolake, [*words, "--at-once", "1", "--json"])


def states(document: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["state"] for row in document["items"]}


UPLOAD = ("upload", "files", "pictures", "--collection", "Demo")
PUSH = ("push", "lake.json", "--images", "pictures", "--collection", "Demo", "--operation", "op")


@pytest.mark.parametrize("words", [UPLOAD, PUSH])
def test_a_key_that_is_withdrawn_on_the_way(run: Run, lake: Lake, words: tuple[str, ...]) -> None:
    lake.rule("POST .*initializeMultipart", refusal(401, "Unauthorized"), times=9, skip=1)
    done = run(*words)
    document = json.loads(done.stdout)
    assert (done.exit_code, document["error"]["exit_code"]) == (5, 5)
    assert states(document) == {"a.png": "uploaded", "b.png": "failed", "c.png": "not begun"}
    assert document["summary"] == {"uploaded": 1, "skipped": 0, "failed": 1, "uncertain": 0, "not begun": 1}
    assert document["collection_id"] == "c1"
    assert "not begun" in done.stderr and "collection c1" in done.stderr
    assert sorted(lake.files) == ["Demo_a.png"]
    if words is PUSH:
        assert set(states(document["annotations"]).values()) == {"not begun"}
        assert set(states(document["metadata"]).values()) == {"not begun"}


@pytest.mark.parametrize("match", ["GET .*/complete", "GET .*getStatus", "POST .*update", "POST .*uploadMetadataByM"])
def test_a_key_that_is_withdrawn_after_the_files(run: Run, lake: Lake, match: str) -> None:
    lake.rule(match, refusal(401, "Unauthorized"), times=9)
    done = run(*PUSH)
    document = json.loads(done.stdout)
    assert done.exit_code == 5
    assert states(document) == dict.fromkeys(NAMES, "uploaded")
    sent = match.endswith("ByM")
    assert states(document["annotations"]) == dict.fromkeys(
        NAMES, "uploaded" if sent else "failed" if match.endswith("update") else "not begun"
    )
    assert states(document["metadata"]).get("Demo") == ("failed" if sent else None)


@pytest.mark.parametrize(("status", "code"), [(401, 5), (403, 6)])
def test_a_key_that_is_withdrawn_while_an_answer_is_lost(run: Run, lake: Lake, status: int, code: int) -> None:
    """Whether they arrived cannot be asked any more: with a key nobody knows, nothing can. One that may not read is
    known, and goes on.
    """
    lake.rule("POST .*update", Answer(drop=True), times=9)
    lake.rule("GET .*getAnnotations", refusal(status, "no"), times=9, skip=1)
    done = run("upload", "annotations", "lake.json", "--collection", "Demo", "--operation", "op")
    document = json.loads(done.stdout)
    assert done.exit_code == code
    assert states(document) == dict.fromkeys(NAMES, "uncertain")
    assert document.get("error", {}).get("code") == ("not-authorised" if code == 5 else None)


def test_a_service_that_refuses_to_begin(run: Run, lake: Lake) -> None:
    lake.rule("POST .*uploadMetadataInCollection", refusal(406, "no room"))
    done = run(*UPLOAD)
    document = json.loads(done.stdout)
    assert (done.exit_code, document["error"]["exit_code"]) == (7, 7)
    assert states(document) == dict.fromkeys(NAMES, "not begun")


def test_ctrl_c_among_the_files(run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("annolake.commands.moving.TransferBar.item", stop)
    done = run(*PUSH)
    document = json.loads(done.stdout)
    assert (done.exit_code, document["error"]["code"], document["collection_id"]) == (130, "interrupted", "c1")
    found = states(document)
    assert (list(found), found["a.png"]) == (NAMES, "uploaded")
    assert set(found.values()) <= {"uploaded", "uncertain", "not begun"}
    assert states(document["annotations"]) == dict.fromkeys(NAMES, "not begun")
    assert "collection c1" in done.stderr and "to go on" in done.stderr


def test_ctrl_c_among_the_annotations(run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("annolake.metalake_io.annotation_sending.Sending._post", stop)
    done = run(*PUSH)
    document = json.loads(done.stdout)
    assert (done.exit_code, document["error"]["code"]) == (130, "interrupted")
    assert states(document) == dict.fromkeys(NAMES, "uploaded")
    assert states(document["annotations"]) == dict.fromkeys(NAMES, "uncertain")


def test_a_disk_that_is_full_on_the_way(run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from annolake.metalake_io.landing import Landing
    from annolake.schemas.errors import LocalFailure

    lake.files = {f"Demo_{name}": b"picture" for name in NAMES}
    lake.pages = [lake.page(*lake.files)]
    settle = Landing.settle

    def full(landing: Any) -> None:
        if landing._wanted.name == "Demo_b.png":
            raise LocalFailure("local-file", "No space left on device")
        settle(landing)

    monkeypatch.setattr(Landing, "settle", full)
    for words in (("download", "collection", "c1", "out"), ("download", "files", "other")):
        done = run(*words)
        document = json.loads(done.stdout)
        assert (done.exit_code, document["error"]["exit_code"]) == (9, 9)
        found = states(document)
        assert (found["Demo_a.png"], found["Demo_b.png"], found["Demo_c.png"]) == ("downloaded", "failed", "not begun")


def test_all_problems_are_listed(run: Run, lake: Lake) -> None:
    broken = [{"image": f"{number}.png", "annotations": [{**BOX, "bbox": [1, 2, 0, 3]}]} for number in range(8)]
    Path("lake.json").write_text(json.dumps({"images": broken}))
    done = run("upload", "annotations", "lake.json", "--operation", "op", "--unique-name")
    document = json.loads(done.stdout)
    assert done.exit_code == 4
    assert [one["where"]["image"] for one in document["problems"]] == [f"{number}.png" for number in range(8)]
    assert "not-positive  8" in done.stderr and "and 3 more" in done.stderr
    assert lake.wire.asked == []


def test_failed_annotations_and_metadata_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    report = UploadReport(items=[Item(name="a.png", state="uploaded")], finished=True, collection_id="c9")
    report.annotations = AnnotationsReport(items=[Item(name="a.png", state="failed", reason="no such picture")])
    report.metadata = MetadataReport(items=[Item(name="a.png", state="uploaded")], notes=["a note"])
    assert telling.tell(report, as_json=False, complete=report.is_success) == 6
    said = capsys.readouterr().err
    assert "annotations of a.png: no such picture" in said
    assert "a note" in said and "metadata" in said
