"""A part of a data set that cannot be read is an error, never a smaller data set."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from annolake.converters import convert
from annolake.converters.checking import check
from annolake.schemas.errors import InvalidInput, LocalFailure

COCO = {"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}], "annotations": [], "categories": []}
VOC = "<annotation><filename>a.jpg</filename></annotation>"


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set" / "annotations"
    folder.mkdir(parents=True)
    (folder / "instances_train.json").write_text(json.dumps(COCO))
    return folder


@pytest.mark.parametrize("content", ["", '{"images":[', "[1,", "x"])
def test_a_split_that_was_cut_short(coco_folder: Path, tmp_path: Path, content: str) -> None:
    (coco_folder / "instances_val.json").write_text(content)
    with pytest.raises(InvalidInput, match="no whole JSON") as caught:
        convert(tmp_path / "set", tmp_path / "out.json", to="metalake")
    assert caught.value.place.file == str(coco_folder / "instances_val.json")
    assert not (tmp_path / "out.json").exists()
    assert not check(tmp_path / "set").valid


def test_json_of_something_else_is_left_alone(coco_folder: Path, tmp_path: Path) -> None:
    (coco_folder / "settings.json").write_text('{"theme": "dark"}')
    assert convert(tmp_path / "set", tmp_path / "out.json", to="metalake").written["images"] == 1


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of folders that nobody may read: permissions do not bind everyone who runs tests."""
    names: list[str] = []
    scandir, listdir = os.scandir, os.listdir

    def refuse(path: object) -> None:
        if isinstance(path, str | os.PathLike) and os.path.basename(os.fspath(path)) in names:
            raise PermissionError(13, "Permission denied", str(path))

    def scanned(path: str = ".") -> object:
        refuse(path)
        return scandir(path)

    def listed(path: str = ".") -> list[str]:
        refuse(path)
        return listdir(path)

    monkeypatch.setattr(os, "scandir", scanned)
    monkeypatch.setattr(os, "listdir", listed)
    return names


def test_a_folder_of_voc_that_cannot_be_read(tmp_path: Path, locked: list[str]) -> None:
    (tmp_path / "set" / "sub").mkdir(parents=True)
    (tmp_path / "set" / "a.xml").write_text(VOC)
    (tmp_path / "set" / "sub" / "b.xml").write_text(VOC.replace("a.jpg", "b.jpg"))
    locked.append("sub")
    with pytest.raises(LocalFailure) as caught:
        convert(tmp_path / "set", tmp_path / "out.json", to="metalake", from_="voc")
    assert str(caught.value.place.file).endswith("sub")


def test_a_folder_of_yolo_labels_that_cannot_be_read(tmp_path: Path, locked: list[str]) -> None:
    for part in ("s1", "s2"):
        (tmp_path / "set" / "labels" / "train" / part).mkdir(parents=True)
        (tmp_path / "set" / "labels" / "train" / part / f"{part}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "set" / "data.yaml").write_text("train: images/train\nval: images/train\nnames: [a]\n")
    locked.append("s2")
    with pytest.raises(LocalFailure) as caught:
        convert(tmp_path / "set", tmp_path / "out.json", to="metalake", from_="yolo")
    assert str(caught.value.place.file).endswith("s2")


def test_a_split_folder_of_coco_that_cannot_be_read(tmp_path: Path, locked: list[str]) -> None:
    for split in ("train", "valid"):
        (tmp_path / "set" / split).mkdir(parents=True)
        (tmp_path / "set" / split / "_annotations.coco.json").write_text(json.dumps(COCO))
    locked.append("valid")
    with pytest.raises(LocalFailure) as caught:
        convert(tmp_path / "set", tmp_path / "out.json", to="metalake", from_="coco")
    assert str(caught.value.place.file).endswith("valid")
