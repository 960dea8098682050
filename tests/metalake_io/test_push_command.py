"""`annolake push` before its first write: what is wrong, unknown, or would be lost, is found while nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands.main import annolake

from .lake import Lake
from .settings import settings
from .wire import js

Push = Callable[..., Result]
VALUE = {"value": "red", "confidence": 0.4}
BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}


@pytest.fixture
def push(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Push:
    """A push of a MetaLake file with one image of 8 x 8, on which is one annotation."""
    settings(monkeypatch, lake.url, tmp_path)
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (8, 8)).save(images / "a.png")

    def run(annotation: dict[str, Any], *more: str) -> Result:
        path = tmp_path / "lake.json"
        path.write_text(json.dumps({"images": [{"image": "a.png", "annotations": [annotation]}]}))
        words = ["push", path, "--images", images, "--collection", "Demo", "--operation", "op", *more]
        return CliRunner().invoke(annolake, [str(word) for word in words])

    return run


def test_labels_that_the_service_does_not_know_are_shown_first(push: Push, lake: Lake) -> None:
    lake.rule("POST .*label/references", js({}))
    done = push(BOX, "--json")
    assert done.exit_code == 4
    assert "Car" in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "unknown-label"
    assert (lake.files, lake.updates, lake.asked("PUT"), lake.asked("uploadMetadata")) == ({}, [], [], [])


def test_a_dry_run_sends_nothing_at_all(push: Push, lake: Lake) -> None:
    done = push(BOX, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert [row["name"] for row in json.loads(done.stdout)["items"]] == ["a.png"]
    assert lake.wire.asked == []


@pytest.mark.parametrize(
    ("annotation", "code", "word"),
    [
        ({**BOX, "bbox": [1, 2, 0, 4]}, 4, "not-positive"),
        ({**BOX, "unheard_of": 1}, 3, "unknown keys"),
        ({**BOX, "attributes": {"color": [VALUE]}}, 3, "--model-run"),
    ],
)
def test_errors_and_losses_stop_it(push: Push, lake: Lake, annotation: dict[str, Any], code: int, word: str) -> None:
    done = push(annotation)
    assert (done.exit_code, word in done.stderr) == (code, True), done.stderr
    assert lake.wire.asked == []


def test_a_loss_may_be_allowed(push: Push, lake: Lake) -> None:
    assert push({**BOX, "unheard_of": 1}, "--allow-loss", "--dry-run").exit_code == 0
    assert push({**BOX, "attributes": {"color": [VALUE]}}, "--model-run", "--dry-run").exit_code == 0


@pytest.mark.parametrize("name", ["push", "export"])
def test_help(push: Push, name: str) -> None:
    text = CliRunner().invoke(annolake, [name, "--help"]).stdout
    for words in (f"annolake {name} ", "Options of yolo:", "--split", "--allow-loss", "--profile"):
        assert words in text
