"""`--engine ray` on a cluster of two workers: what comes of it is what this computer alone makes, to the byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from annolake.commands.main import annolake
from annolake.converters import Choice, convert
from annolake.converters.engines import Ray
from annolake.converters.ledger import Ledger
from annolake.converters.places import Folder
from annolake.schemas.errors import AnnolakeError, InvalidInput, LossRefused, UsageError

if TYPE_CHECKING:
    from .conftest import Coco, Tree

ray: Any = pytest.importorskip("ray", reason="Ray is not installed: pip install 'annolake[ray]'")
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]
FORMATS = ("coco", "cvat", "metalake", "voc", "yolo")


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_bytes_and_books(cluster: str, tmp_path: Path, coco: Coco, tree: Tree, to: str) -> None:
    sources = [coco("a", 7), coco("b", 1), coco("c", 12)]
    here = convert(sources, tmp_path / "here", to=to, shards=5, jobs=1, allow_loss=True)
    there = convert(sources, tmp_path / "there", to=to, shards=5, engine="ray", allow_loss=True)
    assert tree(tmp_path / "here") == tree(tmp_path / "there")
    for fact in ("seen", "written", "decisions", "losses", "problems", "verified"):
        assert getattr(here, fact) == getattr(there, fact)
    assert there.verified


def test_choices_splits_and_joined_images_are_the_same(cluster: str, tmp_path: Path, coco: Coco, tree: Tree) -> None:
    one, two = coco("a", 9), coco("b", 6)
    three = tmp_path / "three.json"
    three.write_text(one.read_text())
    choice = Choice(map_labels={"car": "truck"}, split={"train": 0.7, "val": 0.3}, seed=2)
    reports = [
        convert([one, two, three], tmp_path / name, to="coco", shards=3, join=True, choice=choice, engine=name)
        for name in ("local", "ray")
    ]
    assert tree(tmp_path / "local") == tree(tmp_path / "ray")
    assert reports[0].written == reports[1].written == {"images": 15, "annotations": 13 + 13 + 9}
    assert reports[0].decisions == reports[1].decisions


def test_the_command_in_another_folder(
    cluster: str, tmp_path: Path, coco: Coco, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers have a current folder of their own; what is told of sources is what was given."""
    coco("a", 5)
    monkeypatch.chdir(tmp_path)
    words = ["convert", "a.json", "--to", "yolo", "--shards", "2", "--allow-loss", "--json", "--carry", "lean"]
    reports = [
        json.loads(CliRunner().invoke(annolake, [*words[:2], name, *words[2:], "--engine", name]).stdout)
        for name in ("local", "ray")
    ]
    assert tree(tmp_path / "local") == tree(tmp_path / "ray")
    assert reports[1]["losses"] == reports[0]["losses"]
    assert {example["file"] for loss in reports[1]["losses"] for example in loss["examples"]} == {"a.json"}


def test_a_refused_loss_leaves_nothing(cluster: str, tmp_path: Path, coco: Coco) -> None:
    source = coco("a", 9)
    with pytest.raises(LossRefused) as caught:
        convert(source, tmp_path / "out", to="voc", shards=3, engine="ray")
    with pytest.raises(LossRefused) as here:
        convert(source, tmp_path / "out", to="voc", shards=3)
    assert caught.value.report.losses == here.value.report.losses
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_broken_source_is_told_with_its_place_and_leaves_nothing(
    cluster: str, tmp_path: Path, coco: Coco, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = coco("a", 9)
    document = json.loads(source.read_text())
    document["annotations"][-1]["bbox"] = "none"
    source.write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    errors: list[InvalidInput] = []
    for name in ("local", "ray"):
        with pytest.raises(InvalidInput) as caught:
            convert("a.json", "out", to="coco", shards=3, engine=name)
        errors.append(caught.value)
    assert (errors[0].code, errors[0].message, errors[0].place) == (errors[1].code, errors[1].message, errors[1].place)
    assert errors[1].place.file == "a.json"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_worker_that_dies_is_replaced_and_its_shard_is_made_anew(cluster: str, tmp_path: Path) -> None:
    def task(number: int, books: Ledger, _: Any) -> int:
        with Folder(tmp_path).making(f"shard-{number}") as path:
            path.mkdir()
            (path / "file").write_text(str(number))
            if number == 1 and not (tmp_path / "died").exists():
                (tmp_path / "died").touch()
                os._exit(1)
        books.book("label-renamed", count=number)
        return number

    ledger = Ledger()
    assert Ray().run(task, [1, 1, 1], ledger, None) == [0, 1, 2]
    assert ledger.losses["label-renamed"].count == 3
    assert (tmp_path / "died").exists()
    assert [(tmp_path / f"shard-{n}" / "file").read_text() for n in range(3)] == ["0", "1", "2"]


def test_a_defect_on_a_worker_is_told(cluster: str) -> None:
    def task(number: int, _: Ledger, __: Any) -> int:
        return 1 // (number - 1)

    with pytest.raises(AnnolakeError, match="ZeroDivisionError") as caught:
        Ray().run(task, [1, 1, 1], Ledger(), None)
    assert caught.value.code == "worker-failed"


def test_what_makes_no_sense_is_refused(cluster: str, tmp_path: Path, coco: Coco) -> None:
    with pytest.raises(UsageError, match="none are asked for"):
        convert(coco("a", 3), tmp_path / "out", to="coco", engine="ray")
    with pytest.raises(UsageError, match="a cluster knows its own cores"):
        convert(coco("a", 3), tmp_path / "out", to="coco", shards=2, engine="ray", jobs=2)
