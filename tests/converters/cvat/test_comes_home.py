"""Golden files home again, judged by plain ElementTree; and what becomes of data sets that were edited."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.comparing import compare

Differ = Callable[[Path, Path], list[str]]
Home = Callable[[Path], Path]
Edit = Callable[[Callable[[dict[str, Any]], None]], ET.Element]

CASES = sorted(path.name for path in Path(__file__).parents[3].joinpath("fixtures/cvat").iterdir())


@pytest.mark.parametrize("case", CASES)
def test_every_element_and_attribute_comes_home(case: str, root: Path, unlike: Differ, home: Home):
    source = root / "fixtures" / "cvat" / case / "in.xml"
    back = home(source)
    assert unlike(source, back) == []
    assert compare(source, back).equal
    assert compare(source, back, exact=True).changes == []


@pytest.fixture
def edited(root: Path, tmp_path: Path) -> Callable[[str, Callable[[dict[str, Any]], None]], ET.Element]:
    """(case, edit) -> the root of the CVAT file after somebody has edited the MetaLake JSON."""

    def edited(case: str, edit: Callable[[dict[str, Any]], None]) -> ET.Element:
        lake, back = tmp_path / "lake.json", tmp_path / "back.xml"
        convert(root / "fixtures" / "cvat" / case / "in.xml", lake, to="metalake")
        document = json.loads(lake.read_text())
        edit(document)
        lake.write_text(json.dumps(document))
        convert(lake, back, to="cvat")
        return ET.parse(back).getroot()

    return edited


def frames_of(track: ET.Element) -> list[tuple[str, str, str]]:
    return [(shape.attrib["frame"], shape.attrib["keyframe"], shape.attrib["outside"]) for shape in track]


def test_a_computed_frame_that_was_moved_becomes_a_key_frame(edited: Any):
    def move(document: dict[str, Any]) -> None:
        document["images"][2]["annotations"][0]["bbox"][0] += 3

    track = edited("video key frames", move).find("track")
    assert frames_of(track) == [*((str(frame), "1", "0") for frame in range(5)), ("6", "1", "1")]
    assert [shape.attrib["xtl"] for shape in track[:5]] == ["10.00", "12.00", "17.00", "16.00", "18.00"]


def test_a_computed_frame_that_was_removed_leaves_the_object_outside(edited: Any):
    def remove(document: dict[str, Any]) -> None:
        document["images"][2]["annotations"] = []

    track = edited("video key frames", remove).find("track")
    assert frames_of(track) == [
        ("0", "1", "0"),
        ("1", "1", "0"),
        ("2", "1", "1"),
        ("3", "1", "0"),
        ("4", "1", "0"),
        ("6", "1", "1"),
    ]


def test_without_what_was_carried_an_ending_is_made_anew(edited: Any):
    def forget(document: dict[str, Any]) -> None:
        del document["images"][4]["annotations"][0]["metadata"]["cvat_extra"]

    track = edited("video key frames", forget).find("track")
    assert frames_of(track)[-1] == ("6", "1", "1")
    assert track[-1].attrib["xtl"] == "18.00"


def test_an_edited_rotated_box_is_a_polygon(edited: Any):
    def move(document: dict[str, Any]) -> None:
        document["images"][0]["annotations"][1]["polygon"][0][0] += 5

    image = edited("shapes", move).find("image")
    assert [shape.tag for shape in image].count("box") == 1
    polygon = next(shape for shape in image if shape.tag == "polygon")
    assert polygon.attrib["points"].startswith("22.67")


def test_an_edited_mask_with_a_hole_is_drawn_anew(edited: Any):
    def grow(document: dict[str, Any]) -> None:
        ring = document["images"][0]["annotations"][2]["polygon"]
        ring[1][0] = ring[2][0] = 4

    masks = edited("masks", grow).findall("image/mask")
    assert {name: masks[2].attrib[name] for name in ("rle", "left", "top", "width", "height")} == {
        "rle": "0, 5, 1, 6",
        "left": "0",
        "top": "0",
        "width": "4",
        "height": "3",
    }


def test_a_renamed_label_is_declared_under_its_new_name(edited: Any):
    def rename(document: dict[str, Any]) -> None:
        for image in document["images"]:
            for annotation in image["annotations"]:
                annotation["label"] = "torso"
        document["annolake"]["labels"][0]["name"] = "torso"

    labels = edited("skeletons", rename).find("meta/job/labels")
    assert [label.findtext("name") for label in labels] == ["torso", "head", "foot", "hand"]
    assert [label.findtext("parent") for label in labels] == [None, "torso", "torso", "torso"]
