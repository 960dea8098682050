"""`annolake convert --shards`: what is said of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Desk


def test_shards_are_said_and_named(desk: Desk) -> None:
    done = desk.run("convert", "instances.json", "out", "--to", "metalake", "--shards", "2")
    assert (done.exit_code, done.stdout) == (0, "")
    assert ["shards", "2", "manifest.json", "names", "them"] in [line.split() for line in done.stderr.splitlines()]
    assert [shard["images"] for shard in desk.get("out/manifest.json")["shards"]] == [1, 1]
    report = json.loads(desk.run("convert", "out", "back.json", "--to", "coco", "--json").stdout)
    assert report["written"] == {"annotations": 2, "images": 2}
    assert desk.run("diff", "instances.json", "back.json").exit_code == 0


def test_a_dry_run_of_shards_writes_nothing(desk: Desk) -> None:
    words = ("convert", "instances.json", "out", "--to", "yolo", "--shards", "2", "--json")
    dry, real = desk.run(*words, "--dry-run"), desk.run(*words)
    assert dry.exit_code == real.exit_code == 3
    assert json.loads(dry.stdout)["losses"] == json.loads(real.stdout)["losses"]
    assert desk.names() == []


def test_more_shards_than_images_are_refused(desk: Desk) -> None:
    done = desk.run("convert", "instances.json", "out", "--to", "coco", "--shards", "3")
    assert done.exit_code == 2
    assert "[shards]" in done.stderr
    assert desk.names() == []
