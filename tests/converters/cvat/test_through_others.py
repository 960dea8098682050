"""CVAT files through other formats, which may change shapes and know no tracks, and home."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.converters import convert

Through = Callable[[str, str], ET.Element]


@pytest.fixture
def through(tmp_path: Path) -> Through:
    def through(xml: str, to: str) -> ET.Element:
        (tmp_path / "in.xml").write_text(xml)
        convert(tmp_path / "in.xml", tmp_path / "there", to=to, allow_loss=True)
        convert(tmp_path / "there", tmp_path / "back.xml", to="cvat")
        return ET.parse(tmp_path / "back.xml").getroot()

    return through


def test_a_track_whose_frames_were_computed_is_written_out(through: Through):
    root = through(
        "<annotations><meta><task><size>9</size></task>"
        "<original_size><width>100</width><height>80</height></original_size></meta>"
        '<track id="6" label="a"><box frame="2" keyframe="1" outside="0" occluded="0" '
        'xtl="1" ytl="1" xbr="4" ybr="4"/></track></annotations>',
        "voc",
    )
    assert [box.get("frame") for box in root.findall("track/box")] == ["2", "3", "4", "5", "6", "7", "8"]
    assert {box.get("outside") for box in root.findall("track/box")} == {"0"}


def test_a_shape_outside_whose_place_frames_have_taken_is_noted(through: Through, root: Path, tmp_path: Path):
    """VOC does not say which frames were computed: they are there now, before the shape that followed on frame 4."""
    source = root / "fixtures" / "cvat" / "video key frames" / "in.xml"
    track = through(source.read_text(), "voc").find("track")
    assert track is not None
    assert [box.get("frame") for box in track] == ["0", "1", "2", "3", "4", "5", "6"]
    assert [box.get("outside") for box in track] == [*"000000", "1"]
    assert track[6].get("xtl") == "18.00"
    convert(tmp_path / "back.xml", tmp_path / "again.json", to="metalake")
    images = json.loads((tmp_path / "again.json").read_text())["images"]
    assert 'xtl=\\"90.00\\"' in images[4]["annotations"][0]["metadata"]["cvat_extra"]


def test_computed_frames_beyond_the_last_are_written_out(tmp_path: Path):
    source, lake, back = (tmp_path / name for name in ("in.xml", "lake.json", "back.xml"))
    source.write_text(
        "<annotations><meta><task><size>9</size></task>"
        "<original_size><width>100</width><height>80</height></original_size></meta>"
        '<track id="6" label="a"><box frame="2" keyframe="1" outside="0" occluded="0" '
        'xtl="1" ytl="1" xbr="4" ybr="4"/></track></annotations>'
    )
    convert(source, lake, to="metalake")
    lake.write_text(lake.read_text().replace("<size>9</size>", "<size>5</size>"))
    convert(lake, back, to="cvat")
    assert [box.get("frame") for box in ET.parse(back).getroot().findall("track/box")] == [*"2345678"]


def test_a_mask_whose_hole_was_filled_is_a_polygon(through: Through):
    root = through(
        '<annotations><image id="0" name="a.jpg" width="100" height="80"><mask label="a" occluded="0" source="manual" '
        'rle="6, 3, 2, 1, 1, 1, 2, 3, 1" left="1" top="1" width="5" height="4" z_order="0"/></image></annotations>',
        "voc",
    )
    [polygon] = root.findall("image/polygon")
    assert polygon.get("points") == "2.00,2.00;5.00,2.00;5.00,5.00;2.00,5.00"
    assert polygon.keys() == ["label", "source", "occluded", "points", "z_order"]


@pytest.mark.parametrize("to", ["cvat", "coco", "metalake"])
@pytest.mark.parametrize(
    "elements",
    [
        '<points label="p" points="1,1" outside="0" occluded="0"/>',
        '<points label="p" points="1,1;2,2" outside="0" occluded="0"/>'
        '<polygon label="q" points="3,3;4,4;5,3" outside="0" occluded="0"/>',
    ],
)
def test_elements_that_the_label_does_not_declare_keep_their_names(through: Through, elements: str, to: str):
    root = through(
        "<annotations><meta><task><labels><label><name>a</name></label></labels></task></meta>"
        f'<image id="0" name="a.jpg" width="50" height="50"><skeleton label="a">{elements}</skeleton></image>'
        "</annotations>",
        to,
    )
    given = [(one.tag, one.get("label")) for one in ET.fromstring(f"<x>{elements}</x>")]
    assert [(one.tag, one.get("label")) for one in root.findall("image/skeleton/*")] == given


@pytest.mark.parametrize("to", ["coco", "metalake"])
def test_a_name_that_two_subsets_share_loses_the_subset_in_front(through: Through, to: str):
    images = "".join(
        f'<image id="{n}" name="{name}" subset="{subset}" width="9" height="9"/>'
        for n, (name, subset) in enumerate([("a.jpg", "Train"), ("a.jpg", "Val"), ("Val/b.jpg", "Val")])
    )
    root = through(f"<annotations>{images}</annotations>", to)
    found = [(image.get("name"), image.get("subset")) for image in root.iter("image")]
    assert found == [("a.jpg", "Train"), ("a.jpg", "Val"), ("Val/b.jpg", "Val")]
