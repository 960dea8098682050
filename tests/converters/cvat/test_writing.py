"""What other formats become as CVAT: declared, accepted by its importer's rules, and home again."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.comparing import compare
from annolake.converters.cvat import Options
from annolake.schemas.errors import InvalidInput

Written = Callable[..., ET.Element]
RING = [[1.0, 2.0], [30.5, 4.25], [6.0, 50.125]]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """(annotations, facts of the image) -> the root of the CVAT file, which means the same."""

    def written(*annotations: dict[str, Any], form: str = "auto", **image: Any) -> ET.Element:
        lake, out = tmp_path / "lake.json", tmp_path / "out.xml"
        facts = {"image": "a.jpg", "width": 100, "height": 80, "annotations": annotations} | image
        lake.write_text(json.dumps({"images": [facts]}))
        convert(lake, out, to="cvat", options={"cvat": Options(form=form)})  # type: ignore[arg-type]
        assert compare(lake, out).equal
        return ET.parse(out).getroot()

    return written


def polygon(**more: Any) -> dict[str, Any]:
    return {"type": "polygon", "polygon": RING, "label": "a", **more}


def test_what_cvat_requires_is_always_written(written: Written):
    root = written({"type": "rectangle", "bbox": [1, 2, 3.125, 4], "label": "a"})
    shape = root.find("image/box")
    assert shape is not None
    assert shape.attrib == {
        "label": "a",
        "source": "file",
        "occluded": "0",
        "xtl": "1.00",
        "ytl": "2.00",
        "xbr": "4.125",
        "ybr": "6.00",
        "z_order": "0",
    }
    assert root.findtext("version") == "1.1"
    assert [label.findtext("name") for label in root.iter("label")] == ["a"]


def test_a_polygon_is_one_shape(written: Written):
    image = written(polygon()).find("image")
    assert [(shape.tag, shape.attrib["points"]) for shape in image or ()] == [
        ("polygon", "1.00,2.00;30.50,4.25;6.00,50.125")
    ]


def test_parts_are_polygons_of_one_group(written: Written):
    tie = [{"instance": "x", "part": part, "parts": 2} for part in (1, 2)]
    other = polygon(metadata={"group": 4})
    shapes = written(*(polygon(metadata=one) for one in tie), other).findall("image/polygon")
    assert [shape.attrib["group_id"] for shape in shapes] == ["5", "5", "4"]


def test_a_hole_is_a_mask(tmp_path: Path):
    def ring(low: int, high: int, **tie: Any) -> dict[str, Any]:
        square = [[low, low], [high, low], [high, high], [low, high]]
        return {"type": "polygon", "polygon": square, "label": "a", "metadata": {"instance": "x", "parts": 2, **tie}}

    rings = [ring(0, 3, part=1), ring(1, 2, part=2, hole_of=1)]
    image = {"image": "a.jpg", "width": 10, "height": 8, "annotations": rings}
    (tmp_path / "lake.json").write_text(json.dumps({"images": [image]}))
    report = convert(tmp_path / "lake.json", tmp_path / "out.xml", to="cvat", allow_loss=True)
    assert [loss["code"] for loss in report.losses] == ["hole-rasterised"]
    shapes = ET.parse(tmp_path / "out.xml").getroot().findall("image/*")
    assert [(shape.tag, shape.get("rle"), shape.get("width"), shape.get("height")) for shape in shapes] == [
        ("mask", "0, 4, 1, 4", "3", "3")
    ]


def test_attributes_and_metadata_are_declared(written: Written):
    root = written(
        polygon(
            confidence=0.75,
            attributes={"colour": [{"value": "red"}], "parked": [{"value": "true"}]},
            metadata={"weather": "rain", "iscrowd": True, "speed": 5},
        )
    )
    declared = {found.findtext("name"): found.findtext("input_type") for found in root.iter("attribute") if len(found)}
    assert declared == {
        "colour": "text",
        "parked": "checkbox",
        "score": "number",
        "weather": "text",
        "iscrowd": "checkbox",
        "speed": "text",
    }
    used = {found.attrib["name"]: found.text for found in root.iter("attribute") if not len(found)}
    assert used == {
        "colour": "red",
        "parked": "true",
        "score": "0.75",
        "weather": "rain",
        "iscrowd": "true",
        "speed": "5",
    }


def test_ids_follow_the_names(tmp_path: Path):
    lake, out = tmp_path / "lake.json", tmp_path / "out.xml"
    lake.write_text(
        json.dumps({"images": [{"image": name, "annotations": []} for name in ("b.jpg", "a.jpg", "c.jpg")]})
    )
    convert(lake, out, to="cvat")
    found = ET.parse(out).getroot().findall("image")
    assert [(image.attrib["name"], image.attrib["id"]) for image in found] == [
        ("b.jpg", "1"),
        ("a.jpg", "0"),
        ("c.jpg", "2"),
    ]


def test_key_points_are_a_skeleton_with_sub_labels(tmp_path: Path):
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "foot"], "skeleton": [[1, 2]]}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "bbox": [1, 2, 30, 40],
                "area": 1200,
                "iscrowd": 0,
                "segmentation": [],
                "keypoints": [5, 6, 2, 7, 8, 1],
                "num_keypoints": 2,
            }
        ],
    }
    source, out, back = tmp_path / "in.json", tmp_path / "out.xml", tmp_path / "back.json"
    source.write_text(json.dumps(coco))
    convert(source, out, to="cvat")
    root = ET.parse(out).getroot()
    labels = [(one.findtext("name"), one.findtext("type"), one.findtext("parent")) for one in root.iter("label")]
    assert labels == [("person", "skeleton", None), ("nose", "points", "person"), ("foot", "points", "person")]
    assert "data-node-from" in (root.findtext(".//svg") or "")
    names = ("label", "points", "occluded", "outside")
    assert [tuple(map(one.get, names)) for one in root.iter("points")] == [
        ("nose", "5.00,6.00", "0", "0"),
        ("foot", "7.00,8.00", "1", "0"),
    ]
    convert(out, back, to="coco")
    assert compare(source, back).equal
    category = json.loads(back.read_text())["categories"][0]
    assert {key: category[key] for key in coco["categories"][0]} == coco["categories"][0]


def test_a_video_of_single_shapes_ends_each_on_the_next_frame(tmp_path: Path):
    lake, out = tmp_path / "lake.json", tmp_path / "out.xml"
    images = [{"image": f"f_{n}.jpg", "width": 64, "height": 48, "annotations": [polygon()] * (n == 3)} for n in (3, 4)]
    lake.write_text(json.dumps({"images": images}))
    convert(lake, out, to="cvat", options={"cvat": Options(form="video")})
    shapes = ET.parse(out).getroot().findall("track/polygon")
    assert [(one.attrib["frame"], one.attrib["keyframe"], one.attrib["outside"]) for one in shapes] == [
        ("3", "1", "0"),
        ("4", "1", "1"),
    ]
    assert compare(lake, out).equal


@pytest.mark.parametrize("key", ["label", "metadata", "attributes", "image"])
def test_text_that_xml_cannot_hold(key: str, tmp_path: Path):
    bad = "a\x01b"
    more = {
        "label": {"label": bad},
        "metadata": {"metadata": {bad: "x"}},
        "attributes": {"attributes": {bad: [{"value": "x"}]}},
    }
    image = {"image": bad if key == "image" else "a.jpg", "annotations": [polygon(**more.get(key, {}))]}
    (tmp_path / "lake.json").write_text(json.dumps({"images": [image]}))
    with pytest.raises(InvalidInput) as caught:
        convert(tmp_path / "lake.json", tmp_path / "out.xml", to="cvat")
    assert (caught.value.code, bool(caught.value.hint)) == ("not-xml-text", True)
    assert [path.name for path in tmp_path.iterdir()] == ["lake.json"]


def test_facts_of_other_formats_come_home(tmp_path: Path, root: Path):
    for case in ("unknown keys", "splits", "sub-folders", "string ids", "multi part", "masks with holes", "crowd"):
        folder = root / "fixtures" / "coco" / case
        source = folder / "in" if (folder / "in").exists() else folder / "in.json"
        out, back = tmp_path / f"{case}.xml", tmp_path / f"{case}.json"
        convert(source, out, to="cvat")
        convert(out, back, to="coco")
        assert compare(source, out).equal, case
        assert compare(source, back).equal, case
