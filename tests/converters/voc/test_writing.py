"""What is written of other formats' facts: seen by ElementTree, and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from annolake.converters import convert
from annolake.converters.comparing import compare
from annolake.converters.voc import Options, owns
from annolake.schemas.errors import InvalidInput, LossRefused

from .independent import boxes

Lake = Callable[..., Path]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """(annotations, **facts of the image) -> a MetaLake file of one image."""

    def lake(*annotations: dict[str, Any], **facts: Any) -> Path:
        image = {"image": "a.jpg", "width": 100, "height": 80, **facts, "annotations": list(annotations)}
        (tmp_path / "lake.json").write_text(json.dumps({"images": [image]}))
        return tmp_path / "lake.json"

    return lake


def box(*xywh: float, label: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "rectangle", "bbox": list(xywh), "label": label, **more}


def ring(*xy: float, label: str = "x", **more: Any) -> dict[str, Any]:
    return {
        "type": "polygon",
        "polygon": [list(p) for p in zip(xy[::2], xy[1::2], strict=True)],
        "label": label,
        **more,
    }


def first(folder: Path) -> ElementTree.Element:
    return ElementTree.parse(next(folder.rglob("*.xml"))).getroot()


def test_the_order_of_the_devkit(lake: Lake, tmp_path: Path) -> None:
    metadata = {"pose": "Left", "occluded": True, "colour": "red", "voc_extra": '{"actions":{"reading":"1"}}'}
    source = lake(box(1, 2, 3.5, 4, confidence=0.25, metadata=metadata, attributes={"age": [{"value": "12"}]}))
    convert(source, tmp_path / "out", to="voc")
    root = first(tmp_path / "out")
    assert [child.tag for child in root] == ["filename", "size", "segmented", "object"]
    element = root.find("object")
    assert element is not None
    assert [(child.tag, (child.text or "").strip()) for child in element] == [
        ("name", "x"),
        ("pose", "Left"),
        ("truncated", "0"),
        ("difficult", "0"),
        ("occluded", "1"),
        ("bndbox", ""),
        ("score", "0.25"),
        ("actions", ""),
        ("attributes", ""),
    ]
    said = [[item.text for item in attribute] for attribute in element.iter("attribute")]
    assert said == [["age", "12"], ["colour", "red", "metadata"]]
    assert [corner.text for corner in element.iterfind("bndbox/*")] == ["1", "2", "4.5", "6"]
    assert compare(source, tmp_path / "out").equal


def test_numbers_are_the_shortest_that_are_read_alike(lake: Lake, tmp_path: Path) -> None:
    convert(lake(box(1.1, 0.1, 3.3 - 1.1, 0.2), box(1e-7, 3, 1, 1e6)), tmp_path / "out", to="voc")
    texts = [corner.text for corner in first(tmp_path / "out").iterfind("object/bndbox/*")]
    assert texts == ["1.1", "0.1", "3.3", "0.3", "0.0000001", "3", "1.0000001", "1000003"]


def test_whole_pixels_are_booked_where_something_moves(lake: Lake, tmp_path: Path) -> None:
    source = lake(box(1, 2, 3, 4), box(1.4, 2, 3, 4), box(5.1, 2, 0.2, 4), ring(0, 0, 9.5, 0, 0, 8))
    options = {"voc": Options(numbers="int", convention="devkit")}
    with pytest.raises(LossRefused):
        convert(source, tmp_path / "out", to="voc", options=options)
    assert not (tmp_path / "out").exists()
    report = convert(source, tmp_path / "out", to="voc", options=options, allow_loss=True)
    assert {loss["code"]: loss["count"] for loss in report.losses} == {"rounded": 3}
    assert [numbers for _, _, numbers in boxes(tmp_path / "out")] == [
        [2, 3, 4, 6],
        [2, 3, 4, 6],
        [6, 3, 6, 6],
        [1, 1, 10, 8],
    ]
    assert [v.text for v in first(tmp_path / "out").iterfind("object/polygon/*")] == ["1", "1", "11", "1", "1", "9"]


@pytest.mark.parametrize(
    ("annotation", "code", "written"),
    [
        ({"type": "line", "line": [[1, 1], [2, 2]], "label": "x"}, "line-unsupported", 0),
        ({"type": "points", "points": [[1, 1]], "label": "x"}, "points-unsupported", 0),
        (box(1, 2, 0, 4), "degenerate", 0),
        (ring(0, 0, 9, 0, 0, 8, metadata={"iscrowd": True}), "crowd-skipped", 0),
        (box(1, 2, 3, 4, metadata={"iscrowd": True}), "crowd-skipped", 0),
    ],
)
def test_what_it_has_no_place_for(
    lake: Lake, tmp_path: Path, annotation: dict[str, Any], code: str, written: int
) -> None:
    report = convert(lake(annotation, box(1, 2, 3, 4)), tmp_path / "out", to="voc", allow_loss=True)
    assert [loss["code"] for loss in report.losses] == [code]
    assert len(boxes(tmp_path / "out")) == written + 1


def test_parts_become_objects_and_holes_are_filled(lake: Lake, tmp_path: Path) -> None:
    tie = {"instance": "1", "parts": 3}
    source = lake(
        ring(0, 0, 9, 0, 0, 8, metadata={**tie, "part": 1}),
        ring(20, 0, 29, 0, 20, 8, metadata={**tie, "part": 2}),
        ring(1, 1, 3, 1, 1, 3, metadata={**tie, "part": 3, "hole_of": 1}),
    )
    report = convert(source, tmp_path / "out", to="voc", allow_loss=True)
    assert sorted(loss["code"] for loss in report.losses) == ["hole-dropped", "multi-part-split"]
    assert [numbers for _, _, numbers in boxes(tmp_path / "out")] == [[0, 0, 9, 8], [20, 0, 29, 8]]


def test_boxes_only(lake: Lake, tmp_path: Path) -> None:
    options = {"voc": Options(polygons="box")}
    report = convert(lake(ring(1, 2, 9, 2, 1, 8)), tmp_path / "out", to="voc", options=options, allow_loss=True)
    assert [loss["code"] for loss in report.losses] == ["polygon-boxed"]
    assert first(tmp_path / "out").find("object/polygon") is None
    assert boxes(tmp_path / "out") == [("a.xml", "x", [1, 2, 9, 8])]


def test_a_rotated_box(lake: Lake, tmp_path: Path) -> None:
    figure = {"shape": "obb", "geometry": "[10,20,30.5,10]", "rotation": 90}
    source = lake(ring(30.25, 9.75, 30.25, 40.25, 20.25, 40.25, 20.25, 9.75, metadata=figure))
    convert(source, tmp_path / "out", to="voc")
    root = first(tmp_path / "out")
    texts = {child.tag: float(child.text or "nan") for child in root.iterfind("object/robndbox/*")}
    assert texts == pytest.approx({"cx": 25.25, "cy": 25, "w": 30.5, "h": 10, "angle": 1.5707963267948966})
    assert root.find("object/attributes") is None
    assert boxes(tmp_path / "out") == [("a.xml", "x", [20.25, 9.75, 30.25, 40.25])]
    assert compare(source, tmp_path / "out").equal


def test_a_part_without_its_object_stays_a_part(lake: Lake, tmp_path: Path) -> None:
    source = lake(box(1, 2, 3, 4, label="head", metadata={"part_of": "person", "voc_object": 7}))
    convert(source, tmp_path / "out", to="voc")
    assert compare(source, tmp_path / "out").equal


@pytest.mark.parametrize(
    "label", ["a & b <c>", "Fußgänger", " x ", "x\n", "\nx", "a\rb", "tab\there", "]]>", "a:b", "#a"]
)
def test_awkward_labels_come_home(lake: Lake, tmp_path: Path, label: str) -> None:
    source = lake(box(1, 2, 3, 4, label=label))
    convert(source, tmp_path / "out", to="voc")
    assert compare(source, tmp_path / "out").equal


def test_what_xml_cannot_hold_is_refused(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        convert(lake(box(1, 2, 3, 4, label="a\x01b")), tmp_path / "out", to="voc")
    assert (caught.value.code, caught.value.place.image) == ("not-xml-text", "a.jpg")
    assert not (tmp_path / "out").exists()


def test_facts_of_other_formats_come_home(lake: Lake, tmp_path: Path) -> None:
    source = lake(box(1, 2, 3, 4, unknown={"a": [1, None]}), storageName="b/a.jpg", foo={"bar": "\x00"})
    convert(source, tmp_path / "out", to="voc")
    assert compare(source, tmp_path / "out").equal
    convert(tmp_path / "out", tmp_path / "back.json", to="metalake")
    assert json.loads((tmp_path / "back.json").read_text())["images"] == json.loads(source.read_text())["images"]


@pytest.mark.parametrize("name", ["a", "a.b", "x.XYZ", "sub/ü 1.PNG", " a.jpg", "#1.jpg", "a 1.jpg", "xml/a.jpg"])
def test_awkward_names_come_home(lake: Lake, tmp_path: Path, name: str) -> None:
    convert(lake(box(1, 2, 3, 4), image=name, split="train"), tmp_path / "out", to="voc")
    convert(tmp_path / "out", tmp_path / "back.json", to="metalake")
    back = json.loads((tmp_path / "back.json").read_text())["images"]
    assert [(image["image"], image["split"]) for image in back] == [(name, "train")]


@pytest.mark.parametrize(
    "voc",
    [
        {"file": "../x"},
        {"file": 5},
        {"sets": ["../x"]},
        {"sets": "Main/train"},
        {"extra": {"a b": "c"}},
        {"extra": {"@a b": "c"}},
        {"extra": {"a": 5}},
        {"extra": {"a": [["b"]]}},
        {"folder": "\x01"},
        {"unheard": {"of": 1}, "size": 5},
    ],
)
def test_hostile_notes_are_refused_or_do_nothing(lake: Lake, tmp_path: Path, voc: dict[str, Any]) -> None:
    (tmp_path / "deep").mkdir()
    try:
        convert(lake(box(1, 2, 3, 4), voc=voc), tmp_path / "deep" / "out", to="voc")
    except InvalidInput as error:
        assert error.place.image == "a.jpg"
        assert error.hint
    assert {path.name for path in tmp_path.iterdir()} <= {"deep", "lake.json"}


def test_edited_boxes_let_go_of_the_text(lake: Lake, tmp_path: Path) -> None:
    """A flag whose text no longer says what the metadata says is written anew."""
    extra = '{"truncated":"true","confidence":"0.9","difficult":"Unspecified"}'
    source = lake(box(1, 2, 3, 4, confidence=0.5, metadata={"voc_extra": extra, "difficult": True}))
    convert(source, tmp_path / "out", to="voc")
    element = first(tmp_path / "out").find("object")
    assert element is not None
    found = {name: element.findtext(name) for name in ("truncated", "difficult", "score", "confidence")}
    assert found == {"truncated": "0", "difficult": "1", "score": "0.5", "confidence": None}


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Annotations/a.xml", True),
        ("labelmap.txt", True),
        ("ImageSets/Main/train.txt", True),
        ("VOC2007/ImageSets/Main/train.txt", True),
        ("JPEGImages/a.jpg", False),
        ("notes.txt", False),
    ],
)
def test_what_may_be_overwritten(name: str, ours: bool) -> None:
    assert owns(name) is ours


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_same_bytes_with_any_number_of_processes(tmp_path: Path, jobs: int) -> None:
    images = [
        {
            "image": f"{n:02}.jpg",
            "width": 9,
            "height": 9,
            "split": "train",
            "annotations": [box(1, 2, 3, 4, label=f"l{n}")],
        }
        for n in range(7)
    ]
    (tmp_path / "lake.json").write_text(json.dumps({"images": images}))
    convert(tmp_path / "lake.json", tmp_path / "one", to="voc", jobs=1)
    convert(tmp_path / "lake.json", tmp_path / "more", to="voc", jobs=jobs)
    one, more = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "more")
    )
    assert one == more
    assert len(one) == 9


def test_same_stem_in_two_processes(tmp_path: Path) -> None:
    images = [{"image": name, "width": 9, "height": 9, "annotations": []} for name in ("a.jpg", "b.jpg", "a.png")]
    (tmp_path / "lake.json").write_text(json.dumps({"images": images}))
    for jobs in (1, 3):
        with pytest.raises(InvalidInput, match=r"same-stem.*a\.png"):
            convert(tmp_path / "lake.json", tmp_path / "out", to="voc", jobs=jobs)
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "file"), [("./a.jpg", "a"), ("a//b.jpg", "a/b"), ("a/./b.jpg", "a/b")])
def test_a_name_that_is_no_clean_path_comes_home(lake: Lake, tmp_path: Path, name: str, file: str) -> None:
    source = lake(box(1, 2, 3, 4), image=name)
    assert convert(source, tmp_path / "out", to="voc").verified
    assert (tmp_path / "out/Annotations" / f"{file}.xml").is_file()
    assert (tmp_path / "out/ImageSets/Main/unsplit.txt").read_text() == f"{file}\n"
    assert compare(source, tmp_path / "out").equal


def test_names_that_lead_to_one_file(tmp_path: Path) -> None:
    images = [{"image": name, "width": 9, "height": 9, "annotations": []} for name in ("a.jpg", "./a.jpg")]
    (tmp_path / "lake.json").write_text(json.dumps({"images": images}))
    with pytest.raises(InvalidInput, match=r"same-stem.*\./a\.jpg"):
        convert(tmp_path / "lake.json", tmp_path / "out", to="voc")
