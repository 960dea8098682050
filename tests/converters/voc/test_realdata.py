"""Public VOC sets: counted as their index says, and every element comes home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.comparing import compare
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source, streamed
from annolake.converters.registry import formats, sniff
from annolake.converters.statistics import statistics
from annolake.converters.voc import Options

from .independent import added, boxes, lost

pytestmark = pytest.mark.realdata

NAMES = (
    "darwin/voc",
    "darwin/voc_converted",
    "datumaro/voc1",
    "datumaro/voc2_labelmap_nosize",
    "datumaro/voc3",
    "datumaro_oep/relaxed_voc1",
    "datumaro_oep/relaxed_voc2",
    "datumaro_oep/roboflow_voc",
    "deepforest/voc",
    "icevision/fridge_voc",
    "icevision/voc",
    "imantics/voc",
    "roboflow/chess_voc",
)
ONLY_LISTED = {"datumaro/voc1": 1}
"""Images that ImageSets name and that have no XML."""

DEVKIT = {"icevision/voc", "imantics/voc"}


def index(realdata: Path) -> list[dict[str, Any]]:
    return json.loads((realdata / "index.json").read_text(encoding="utf-8"))


def test_none_is_forgotten(realdata: Path) -> None:
    assert sorted(entry["path"] for entry in index(realdata) if entry["format"] == "voc") == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_counts_and_sums_are_those_of_the_index(realdata: Path, name: str) -> None:
    entry = next(entry for entry in index(realdata) if entry["path"] == name)
    counts = entry["annotations"]
    stats = statistics(realdata / name)
    assert (stats["format"], stats["images"]) == ("voc", counts["images"] + ONLY_LISTED.get(name, 0))
    assert stats["annotations"] == counts["objects"]
    assert stats["by_label"] == counts["labels"]
    assert stats.get("parts", 0) == counts.get("parts", 0)
    ledger = Ledger()
    sums = [0.0] * 4
    flags = {"truncated": 0, "occluded": 0}
    for record in streamed(open_source(realdata / name, None, ledger, options=Options(convention="edges")), ledger):
        for annotation in record.annotations:
            if "part_of" not in annotation.metadata:
                x, y, w, h = annotation.bbox  # pyright: ignore[reportAttributeAccessIssue]
                sums = [a + b for a, b in zip(sums, (x, y, x + w, y + h), strict=True)]
                for flag in flags:
                    flags[flag] += annotation.metadata.get(flag) is True
    assert sums == pytest.approx(counts["bndbox_sum_raw"], abs=0.05)  # the index has one decimal
    assert flags == {flag: counts.get(flag, 0) for flag in flags}


@pytest.mark.parametrize("name", NAMES)
def test_everything_comes_home_from_a_metalake_file(realdata: Path, tmp_path: Path, name: str) -> None:
    source, lake, back = realdata / name, tmp_path / "lake.json", tmp_path / "back"
    report = convert(source, lake, to="metalake")
    convention = next(d["text"] for d in map(_as_dict, report.decisions) if d["code"] == "voc-convention")
    assert f"as {'devkit' if name in DEVKIT else 'edges'}" in convention
    convert(lake, back, to="voc")
    difference = compare(source, back, exact=True)
    assert difference.equal, difference.changes
    files = {path.relative_to(source).as_posix() for path in source.rglob("*.xml")}
    ours = {path.relative_to(back).as_posix() for path in back.rglob("*.xml")}
    assert files <= ours
    assert len(ours - files) == ONLY_LISTED.get(name, 0)
    for file in files:
        assert lost(source / file, back / file) == {}, file
        missing = added(source / file, back / file)
        assert {key for key, _ in missing} <= {"size/depth"}, (file, missing)
    for listed in source.rglob("ImageSets/**/*.txt"):
        rows = (back / listed.relative_to(source)).read_text(encoding="utf-8").splitlines()
        assert sorted(map(str.split, rows)) == sorted(
            row.split() for row in listed.read_text().splitlines() if row and row[0] != "#"
        )


@pytest.mark.parametrize("name", NAMES)
def test_boxes_come_home_from_coco(realdata: Path, tmp_path: Path, name: str) -> None:
    """What COCO has no place for is booked; the numbers of every box are those of the source, to their last digit."""
    source, coco, back = realdata / name, tmp_path / "coco.json", tmp_path / "back"
    convert(source, coco, to="coco", allow_loss=True)
    options = {"voc": Options(convention="devkit" if name in DEVKIT else "edges")}
    convert(coco, back, to="voc", allow_loss=True, options=options)
    before = sorted((label, numbers) for _, label, numbers in boxes(source))
    after = sorted((label, numbers) for _, label, numbers in boxes(back) if label != "head")
    assert after == before


def test_every_public_set_is_taken_for_what_it_is(realdata: Path) -> None:
    for entry in index(realdata):
        if entry["format"] in formats():
            assert sniff(realdata / entry["path"]).name == entry["format"], entry["path"]


def rows(listed: Path) -> list[list[str]]:
    """What stands in a list, but for comments."""
    lines = listed.read_text(encoding="utf-8").splitlines()
    return sorted(line.split() for line in lines if line and line[0] != "#")


def _as_dict(decision: Any) -> dict[str, Any]:
    return decision if isinstance(decision, dict) else {"code": decision.code, "text": decision.text}
