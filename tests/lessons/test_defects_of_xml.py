"""D1, D4, D7, D10, D12, D17, D23, D32: what other tools do to Pascal VOC and CVAT. As `test_defects`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.comparing import compare
from annolake.converters.voc import Options as Voc
from annolake.schemas.errors import LossRefused

Json = dict[str, Any]

DEVKIT = """<annotation><folder>VOC2012</folder><filename>a.jpg</filename>
<source><database>The VOC2012 Database</database><annotation>PASCAL VOC2012</annotation></source>
<size><width>90</width><height>70</height><depth>3</depth></size><segmented>0</segmented>
<object><name>cat</name><pose>Left</pose><truncated>1</truncated><difficult>1</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>90</xmax><ymax>70</ymax></bndbox></object>
<object><name>dog</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>60</ymax></bndbox></object></annotation>"""

LABELS = """<labels>
<label><name>car</name><attributes><attribute><name>color</name><mutable>False</mutable>
<input_type>select</input_type><default_value>red</default_value><values>red
blue</values></attribute></attributes></label>
</labels>"""

SHAPES = f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>1</id><name>t</name><size>1</size>{LABELS}</task></meta>
<image id="0" name="d/a b.png" width="200" height="100">
<box label="car" source="manual" occluded="1" xtl="10.00" ytl="20.00" xbr="50.00" ybr="40.00" rotation="30.00"
 z_order="2" group_id="4"><attribute name="color">blue</attribute></box>
<polygon label="car" source="manual" occluded="0" points="60.00,10.00;90.00,10.00;75.00,40.00" z_order="0"></polygon>
<polyline label="car" source="manual" occluded="0" points="5.00,5.00;50.00,9.00;90.00,5.00" z_order="0"></polyline>
<points label="car" source="manual" occluded="0" points="7.00,8.00;17.00,18.00" z_order="0"></points>
<ellipse label="car" source="manual" occluded="0" cx="120.00" cy="50.00" rx="20.00" ry="10.00" z_order="0"></ellipse>
<mask label="car" source="manual" occluded="0" rle="0, 2, 1, 3" left="150" top="60" width="3" height="2" z_order="0">
</mask>
<tag label="car" source="manual"></tag>
</image></annotations>"""

VIDEO = f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>1</id><size>6</size><mode>interpolation</mode>
<start_frame>0</start_frame><stop_frame>5</stop_frame>{LABELS}
<original_size><width>100</width><height>50</height></original_size></task></meta>
<track id="0" label="car" source="manual">
<box frame="0" keyframe="1" outside="0" occluded="0" xtl="0.00" ytl="0.00" xbr="10.00" ybr="10.00" z_order="0"></box>
<box frame="4" keyframe="1" outside="0" occluded="0" xtl="40.00" ytl="8.00" xbr="50.00" ybr="18.00" z_order="0"></box>
<box frame="5" keyframe="1" outside="1" occluded="0" xtl="40.00" ytl="8.00" xbr="50.00" ybr="18.00" z_order="0"></box>
</track>
<track id="1" label="car" source="manual">
<box frame="2" keyframe="1" outside="0" occluded="0" xtl="60.00" ytl="20.00" xbr="70.00" ybr="30.00" z_order="0"></box>
<box frame="3" keyframe="1" outside="1" occluded="0" xtl="60.00" ytl="20.00" xbr="70.00" ybr="30.00" z_order="0"></box>
</track></annotations>"""


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.xml"
    path.write_text(SHAPES, encoding="utf-8")
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "video.xml"
    path.write_text(VIDEO, encoding="utf-8")
    return path


@pytest.fixture
def devkit(tmp_path: Path) -> Path:
    path = tmp_path / "VOC" / "Annotations" / "a.xml"
    path.parent.mkdir(parents=True)
    path.write_text(DEVKIT, encoding="utf-8")
    return tmp_path / "VOC"


def coco(tmp_path: Path, *annotations: Json) -> Path:
    """Two images; the annotations are of the first."""
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 90, "height": 70} for n in (3, 4)]
    common = {"image_id": 3, "category_id": 90, "iscrowd": 0}
    document = {
        "images": images,
        "categories": [{"id": 90, "name": "dog"}],
        "annotations": [{"id": number, **common, **given} for number, given in enumerate(annotations, 1)],
    }
    path = tmp_path / "in.json"
    path.write_text(json.dumps(document))
    return path


def annotations_of(path: Path) -> list[Json]:
    return json.loads(path.read_text())["annotations"]


def box_in(folder: Path, name: str) -> list[str | None]:
    root = ET.parse(folder / "Annotations" / name).getroot()
    return [root.findtext(f"object/bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]


def test_d1_a_box_of_the_whole_picture_is_one_in_the_devkits_counting(devkit: Path, tmp_path: Path):
    """From 1 to the width, both pixels included, is from edge 0 to edge 90."""
    report = convert(devkit, tmp_path / "coco.json", to="coco", allow_loss=True)
    assert [a["bbox"] for a in annotations_of(tmp_path / "coco.json")] == [[0, 0, 90, 70], [10, 20, 30, 40]]
    assert any("devkit" in decision["text"] for decision in report.decisions)


@pytest.mark.parametrize(
    ("convention", "written"), [("devkit", ["11", "21", "40", "60"]), ("edges", ["10", "20", "40", "60"])]
)
def test_d1_what_is_written_is_written_in_the_counting_asked_for(tmp_path: Path, convention: Any, written: list[str]):
    source = coco(tmp_path, {"bbox": [10, 20, 30, 40], "area": 1200})
    convert(source, tmp_path / "voc", to="voc", options={"voc": Voc(convention=convention)})
    assert box_in(tmp_path / "voc", "3.xml") == written


def test_d4_cvat_comes_home_with_rotation_group_attributes_and_every_shape(shapes: Path, tmp_path: Path):
    convert(shapes, tmp_path / "home.xml", to="cvat")
    root = ET.parse(tmp_path / "home.xml").getroot()
    [box] = root.iter("box")
    wanted = {"rotation": 30.0, "group_id": 4, "z_order": 2, "occluded": 1, "xtl": 10, "ytl": 20, "xbr": 50, "ybr": 40}
    assert {name: float(box.get(name) or "nan") for name in wanted} == wanted
    assert box.findtext("attribute[@name='color']") == "blue"
    kinds = sorted(element.tag for element in root.find("image") or ())
    assert kinds == ["box", "ellipse", "mask", "points", "polygon", "polyline", "tag"]
    assert compare(shapes, tmp_path / "home.xml").equal


def test_d4_d7_d32_a_video_has_its_frames_between_and_ends_where_it_ends(video: Path, tmp_path: Path):
    convert(video, tmp_path / "coco.json", to="coco")
    document = json.loads((tmp_path / "coco.json").read_text())
    names = {image["id"]: image["file_name"] for image in document["images"]}
    boxes = sorted((names[a["image_id"]], a["bbox"]) for a in document["annotations"])
    first = [(f"frame_{n:06d}", [10 * n, 2 * n, 10, 10]) for n in range(5)]
    assert boxes == sorted([*first, ("frame_000002", [60, 20, 10, 10])])
    convert(tmp_path / "coco.json", tmp_path / "home.xml", to="cvat")
    assert compare(video, tmp_path / "home.xml").equal


def test_d7_d32_what_coco_has_no_place_for_is_refused_by_name_and_the_rest_is_there(shapes: Path, tmp_path: Path):
    """The rotated box, the polygon, the ellipse, the mask and the tag; not the line and the points."""
    with pytest.raises(LossRefused, match="line-unsupported 1, points-unsupported 1"):
        convert(shapes, tmp_path / "coco.json", to="coco")
    assert not (tmp_path / "coco.json").exists()
    report = convert(shapes, tmp_path / "coco.json", to="coco", allow_loss=True)
    found = annotations_of(tmp_path / "coco.json")
    assert (len(found), report.seen["annotations"]) == (5, 7)
    assert [a["iscrowd"] for a in found] == [0] * 5
    assert found[0]["attributes"]["rotation"] == 30
    assert found[0]["attributes"]["color"] == "blue"


def test_d10_an_image_without_objects_has_its_file_and_categories_are_those_of_the_set(tmp_path: Path):
    source = tmp_path / "set" / "annotations" / "instances_train.json"
    source.parent.mkdir(parents=True)
    coco(tmp_path, {"bbox": [10, 20, 30, 40], "area": 1200}).rename(source)
    convert(tmp_path / "set", tmp_path / "voc", to="voc")
    files = sorted(path.stem for path in (tmp_path / "voc/Annotations").iterdir())
    listed = (tmp_path / "voc/ImageSets/Main/train.txt").read_text().split()
    assert (files, sorted(listed)) == (["3", "4"], ["3", "4"])
    convert(tmp_path / "voc", tmp_path / "back.json", to="coco")
    assert [c["name"] for c in json.loads((tmp_path / "back.json").read_text())["categories"]] == ["dog"]


def test_d12_d16_one_polygon_is_one_shape_and_two_parts_are_one_object(tmp_path: Path):
    one = [[10, 20, 40, 20, 40, 60]]
    two = [[10, 20, 20, 20, 20, 60], [30, 20, 40, 20, 40, 60]]
    source = coco(
        tmp_path,
        {"bbox": [10, 20, 30, 40], "area": 600, "segmentation": one},
        {"bbox": [10, 20, 30, 40], "area": 400, "segmentation": two},
    )
    convert(source, tmp_path / "cvat.xml", to="cvat")
    image = ET.parse(tmp_path / "cvat.xml").getroot().find("image")
    assert image is not None
    assert [element.tag for element in image] == ["polygon"] * 3
    groups = [element.get("group_id") for element in image]
    assert groups[0] is None and groups[1] is not None and groups[1] == groups[2]
    convert(tmp_path / "cvat.xml", tmp_path / "back.json", to="coco")
    assert [a["segmentation"] for a in annotations_of(tmp_path / "back.json")] == [one, two]


def test_d17_d23_difficult_is_no_crowd_and_areas_are_those_of_the_boxes(devkit: Path, tmp_path: Path):
    convert(devkit, tmp_path / "coco.json", to="coco", allow_loss=True)
    found = annotations_of(tmp_path / "coco.json")
    assert [(a["iscrowd"], a["area"]) for a in found] == [(0, 6300), (0, 1200)]
    convert(tmp_path / "coco.json", tmp_path / "home", to="voc")
    root = ET.parse(tmp_path / "home" / "Annotations" / "a.xml").getroot()
    assert [element.text for element in root.iter("difficult")] == ["1", "0"]
