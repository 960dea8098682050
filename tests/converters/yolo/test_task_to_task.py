"""From a YOLO set of one task to another: what the source is, it says itself; the task asked for is the target's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.yolo import Options


def yolo_set(tmp_path: Path, row: str) -> Path:
    folder = tmp_path / "set"
    (folder / "labels/train").mkdir(parents=True)
    (folder / "data.yaml").write_text("train: train.txt\nval: train.txt\nnames: [cat, dog]\n")
    (folder / "train.txt").write_text("./images/train/a.jpg\n")
    (folder / "labels/train/a.txt").write_text(f"{row}\n")
    return folder


@pytest.mark.parametrize(
    ("row", "task", "wanted", "losses"),
    [
        ("1 0.1 0.2 0.5 0.2 0.3 0.6", "detect", "1 0.300000 0.400000 0.400000 0.400000", ["polygon-boxed"]),
        ("1 0.2 0.2 0.4 0.3 0.3 0.5 0.1 0.4", "obb", "1 0.200000 0.200000 0.400000 0.300000 0.300000", []),
        ("1 0.3 0.4 0.4 0.4", "segment", "1 0.500000 0.600000 0.500000 0.200000 0.100000 0.200000", []),
        ("1 0.3 0.4 0.4 0.4", "obb", "1 0.500000 0.600000 0.500000 0.200000 0.100000 0.200000", []),
    ],
)
def test_one_task_becomes_another(tmp_path: Path, row: str, task: str, wanted: str, losses: list[str]) -> None:
    source, target = yolo_set(tmp_path, row), tmp_path / "out"
    options = {"yolo": Options(task=task)}  # type: ignore[arg-type]
    report = convert(source, target, to="yolo", options=options, allow_loss=True)
    assert report.verified
    assert (target / "labels/train/a.txt").read_text().startswith(wanted)
    assert [loss["code"] for loss in report.losses] == losses


@pytest.mark.parametrize(
    ("row", "columns", "kept"),
    [
        ("1 0.3 0.4 0.4 0.4 0.9", {"confidence": "last"}, ""),
        ("1 0.9 0.3 0.4 0.4 0.4", {"confidence": "second"}, ""),
        ("1 0.9 0.3 0.4 0.4 0.4", {"confidence": "second", "save_conf": True}, " 0.9"),
        ("1 0.3 0.4 0.4 0.4 7", {"track": True}, ""),
        ("1 0.3 0.4 0.4 0.4 0.9 7", {"confidence": "last", "track": True, "save_track": True}, " 7"),
    ],
)
def test_columns_of_the_source_are_not_looked_for_in_what_was_written(
    tmp_path: Path, row: str, columns: dict[str, Any], kept: str
) -> None:
    source, target = yolo_set(tmp_path, row), tmp_path / "out"
    assert convert(source, target, to="yolo", options={"yolo": Options(**columns)}, allow_loss=True).verified
    assert (target / "labels/train/a.txt").read_text() == f"1 0.300000 0.400000 0.400000 0.400000{kept}\n"
