"""Every public COCO file beside the project: to MetaLake JSON and back, judged by plain JSON and pycocotools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from annolake.converters import convert
from annolake.schemas.errors import InvalidInput

Json = dict[str, Any]
LEAST_FILES = 20
ALWAYS_WRITTEN = ("segmentation", "iscrowd", "area")
"""Keys that evaluators need, so that they are written where the source had none."""


def coco_files(realdata: Path) -> list[Path]:
    entries = [entry for entry in json.loads((realdata / "index.json").read_text()) if entry["format"] == "coco"]
    found: list[Path] = []
    for entry in entries:
        path = realdata / entry["path"]
        found += [path] if path.is_file() else sorted(path.rglob("*.json"))
    return found


def by_id(items: list[Json]) -> dict[Any, Json]:
    return {item["id"]: item for item in items}


def there_and_back(source: Path, tmp_path: Path) -> Path:
    convert(source, tmp_path / "lake.json", to="metalake", overwrite=True)
    convert(tmp_path / "lake.json", tmp_path / "back.json", to="coco", overwrite=True)
    return tmp_path / "back.json"


@pytest.mark.realdata
def test_the_same_ids_numbers_masks_and_attributes_come_home(realdata: Path, tmp_path: Path):
    compared = 0
    for source in coco_files(realdata):
        given: Any = json.loads(source.read_text(encoding="utf-8-sig"))
        try:
            back: Json = json.loads(there_and_back(source, tmp_path).read_text(encoding="ascii"))
        except InvalidInput as error:
            assert error.code == "unsupported-variant", source
            continue
        compared += 1
        assert {key: back[key] for key in given if key not in ("images", "annotations")} == {
            key: given[key] for key in given if key not in ("images", "annotations")
        }, source
        assert by_id(back["images"]) == by_id(given["images"]), source
        annotations = by_id(back["annotations"])
        assert annotations.keys() == by_id(given["annotations"]).keys(), source
        for annotation in given["annotations"]:
            written = annotations[annotation["id"]]
            more = {key for key in written if key not in annotation}
            assert more <= set(ALWAYS_WRITTEN), (source, annotation["id"])
            assert {key: written[key] for key in annotation} == annotation, (source, annotation["id"])
    assert compared >= LEAST_FILES


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pycocotools_draws_the_same_masks(realdata: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    drawn = 0
    for source in coco_files(realdata):
        try:
            back = COCO(str(there_and_back(source, tmp_path)))
        except InvalidInput:
            continue
        given = COCO(str(source))
        for number, annotation in back.anns.items():
            if not annotation.get("segmentation"):
                continue
            drawn += 1
            assert (back.annToMask(annotation) == given.annToMask(given.anns[number])).all(), (source, number)
    assert drawn > 0
    capsys.readouterr()
