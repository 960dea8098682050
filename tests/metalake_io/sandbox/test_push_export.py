"""`annolake push` and `annolake export` against a sandbox: what comes home is what was sent."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from annolake.commands.main import annolake
from annolake.converters.comparing import compare
from annolake.metalake_io import connecting

from ..clock import FakeClock
from ..settings import settings
from .wire import SECRET, Server

DEMO = Path(__file__).resolve().parents[3] / "fixtures" / "demo"
COCO = DEMO / "coco" / "annotations" / "instances_train.json"
YOLO = DEMO / "yolo"

Run = Callable[..., Result]


@pytest.fixture
def run(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command as typed, with the sandbox's address and credentials in the environment."""
    settings(monkeypatch, server.url, tmp_path, timeout="20")
    return lambda *words: CliRunner().invoke(annolake, [str(word) for word in words])


def pushed(run: Run, source: Path, images: Path, collection: str, *more: str) -> dict[str, Any]:
    words = ("push", source, "--images", images, "--collection", collection, "--operation", "op 1", "--json")
    done = run(*words, *more)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("who", ["--human", "--model-run"])
def test_coco_comes_home(run: Run, collection: str, tmp_path: Path, who: str) -> None:
    """Parts, masks with holes, a crowd, attributes, ids, sub-folders, unused labels."""
    there = pushed(run, COCO, DEMO / "coco" / "images", collection, who)
    done = run("export", there["collection_id"], tmp_path / "out", "--to", "coco", "--json")
    assert done.exit_code == 0, done.stderr
    assert compare(COCO, tmp_path / "out" / "annotations.json", exact=True).equal
    names = ("leer.jpg", "park/Bäume.png", "street 1.jpg")
    for name in names:
        assert (tmp_path / "out" / "images" / name).read_bytes() == (DEMO / "coco" / "images" / name).read_bytes()
    assert json.loads(done.stdout)["summary"] == {"downloaded": 3, "skipped": 0, "failed": 0, "uncertain": 0}


@pytest.mark.parametrize(("to", "where"), [("yolo", ""), ("voc", ""), ("cvat", "annotations.xml")])
def test_yolo_comes_home_in_every_format(run: Run, collection: str, tmp_path: Path, to: str, where: str) -> None:
    there = pushed(run, YOLO, YOLO / "images", collection)
    done = run("export", there["collection_id"], tmp_path / "out", "--to", to)
    assert done.exit_code == 0, done.stderr
    assert compare(YOLO, tmp_path / "out" / where, exact=to == "yolo").equal
    pictures = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.suffix in (".jpg", ".png"))
    assert pictures == ["background.jpg", "lot a.jpg", "square.png", "turned.jpg"]


def test_what_is_reported_is_what_the_server_holds(run: Run, server: Server, collection: str) -> None:
    there = pushed(run, COCO, DEMO / "coco" / "images", collection)
    held = {item["name"]: item for item in server.listing(there["collection_id"])}
    annotated = server.annotations(there["collection_id"], operationIdList='["op 1"]')
    assert {row["name"]: row["size"] for row in there["items"]} == {name: one["size"] for name, one in held.items()}
    rows = [row["name"] for row in there["annotations"]["items"] if row["state"] == "uploaded"]
    assert sorted(f"{collection}_{name}" for name in rows) == sorted(annotated)
    assert [len(annotated[f"{collection}_{name}"]) for name in ("street 1.jpg", "leer.jpg")] == [4, 0]


def test_again_nothing_is_sent_twice(run: Run, server: Server, collection: str, tmp_path: Path) -> None:
    first = pushed(run, YOLO, YOLO / "images", collection)
    before = server.annotations(first["collection_id"])
    again = pushed(run, YOLO, YOLO / "images", collection)
    assert again["summary"] == {"uploaded": 0, "skipped": 4, "failed": 0, "uncertain": 0}
    assert server.annotations(first["collection_id"]) == before
    words = ("export", first["collection_id"], tmp_path / "out", "--to", "yolo", "--json")
    assert run(*words).exit_code == 0
    assert json.loads(run(*words).stdout)["summary"]["skipped"] == 4
    (tmp_path / "out" / "labels" / "train" / "mine.md").write_text("notes")
    assert "target-holds-other-files" in run(*words).stderr
    assert run("export", first["collection_id"], tmp_path / "out", "--to", "voc").exit_code == 2


def test_a_dry_run_changes_nothing(run: Run, server: Server, collection: str) -> None:
    words = ("push", COCO, "--images", DEMO / "coco" / "images", "--collection", collection, "--operation", "op")
    done = run(*words, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    planned = json.loads(done.stdout)
    assert [row["name"] for row in planned["items"]] == ["leer.jpg", "park_Bäume.png", "street 1.jpg"]
    assert len(planned["annotations"]["items"]) == 3
    asked = {"collectionName": collection, "objectType": 5}
    assert server.refusal("POST", "/client/metadata/getCollectionIdByName", asked)[0] == 406


def test_a_collection_of_somebody_else(run: Run, server: Server, collection: str, tmp_path: Path) -> None:
    """Nothing is known but names and annotations: sizes come from the pictures, with or without keeping them."""
    lake = {
        "images": [{"image": "square.png", "annotations": [{"type": "rectangle", "bbox": [1, 2, 8, 4], "label": "x"}]}]
    }
    (tmp_path / "lake.json").write_text(json.dumps(lake))
    done = run("upload", "files", YOLO / "images" / "val", "--collection", collection, "--json")
    there = json.loads(done.stdout)["collection_id"]
    assert (
        run("upload", "annotations", tmp_path / "lake.json", "--operation", "o", "--collection", collection).exit_code
        == 0
    )
    for name, more, pictures in (("a", (), ["square.png"]), ("b", ("--no-images",), [])):
        done = run("export", there, tmp_path / name, "--to", "yolo", *more)
        assert done.exit_code == 0, done.stderr
        (label,) = (tmp_path / name / "labels").rglob("*.txt")
        assert label.name == "square.txt"
        assert len(label.read_text().split()) == 5
        assert [path.name for path in (tmp_path / name).rglob("*.png")] == pictures


def test_losses_are_refused_and_leave_nothing(run: Run, collection: str, tmp_path: Path) -> None:
    there = pushed(run, COCO, DEMO / "coco" / "images", collection)["collection_id"]
    report = tmp_path / "report.json"
    words = ("export", there, tmp_path / "out", "--to", "yolo", "--yolo-task", "detect", "--report", report)
    assert run(*words).exit_code == 3
    assert not (tmp_path / "out").exists()
    assert "polygon-boxed" in {loss["code"] for loss in json.loads(report.read_text())["losses"]}
    assert run(*words, "--allow-loss", "--split", "train=0.5,val=0.5").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out" / "images").iterdir()) == ["train", "val"]


def test_partly(run: Run, server: Server, collection: str) -> None:
    """A file that went to the trash is not taken again, and so is nothing that belongs to it."""
    there = pushed(run, YOLO, YOLO / "images", collection)["collection_id"]
    assert run("trash", "collection", there, "--query", "metadata.name=square.png", "--yes").exit_code == 0
    words = ("push", YOLO, "--images", YOLO / "images", "--collection", collection, "--operation", "op 2", "--json")
    done = run(*words)
    told = json.loads(done.stdout)
    assert done.exit_code == 6, done.stderr
    for part in ("metadata", "annotations"):
        states = {row["name"]: row["state"] for row in told[part]["items"]}
        assert states == {
            "background.jpg": "uploaded", "lot a.jpg": "uploaded", "turned.jpg": "uploaded", "square.png": "failed",
        }  # fmt: skip
    held = server.annotations(there, operationIdList='["op 2"]')
    assert sorted(held) == [f"{collection}_{name}" for name in ("background.jpg", "lot a.jpg", "turned.jpg")]


def test_exit_codes(run: Run, collection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("push", YOLO, "--images", YOLO / "images", "--collection", collection, "--operation", "op")
    assert run("export", "0" * 24, tmp_path / "out", "--to", "coco").exit_code == 7
    monkeypatch.setenv("METALAKE_SECRET", "wrong")
    assert run(*words).exit_code == 5
    monkeypatch.setenv("METALAKE_SECRET", SECRET)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("METALAKE_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setattr(connecting, "WallClock", FakeClock)
        assert run(*words, "--json").exit_code == 8


def test_broken_sets_are_not_sent(run: Run, server: Server, collection: str, tmp_path: Path) -> None:
    """A picture that is missing, and two images that would be one file."""
    shutil.copytree(DEMO / "coco", tmp_path / "set")
    document = json.loads(COCO.read_text())
    words = ("--images", tmp_path / "set" / "images", "--collection", collection, "--operation", "op")
    clash = {"id": 990, "file_name": "park_Bäume.png", "width": 8, "height": 8}
    (tmp_path / "clash.json").write_text(json.dumps({**document, "images": [*document["images"], clash]}))
    shutil.copy(tmp_path / "set/images/park/Bäume.png", tmp_path / "set/images/park_Bäume.png")
    done = run("push", tmp_path / "clash.json", *words)
    assert (done.exit_code, "same-file-name" in done.stderr) == (4, True)
    (tmp_path / "set" / "images" / "leer.jpg").unlink()
    done = run("push", COCO, *words)
    assert (done.exit_code, "missing-picture" in done.stderr) == (4, True)
    asked = {"collectionName": collection, "objectType": 5}
    assert server.refusal("POST", "/client/metadata/getCollectionIdByName", asked)[0] == 406
