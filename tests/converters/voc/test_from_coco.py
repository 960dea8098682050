"""What COCO says of an annotation and VOC has no element for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert
from annolake.converters.voc import Options
from annolake.schemas.errors import LossRefused

from .independent import boxes

Coco = Callable[..., Path]


@pytest.fixture
def coco(tmp_path: Path) -> Coco:
    """(annotations) -> a COCO file of one image and one category."""

    def coco(*annotations: dict[str, Any]) -> Path:
        common = {"image_id": 1, "category_id": 1, "iscrowd": 0}
        content = {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
            "categories": [{"id": 1, "name": "x"}],
            "annotations": [{"id": number, **common, **one} for number, one in enumerate(annotations, 1)],
        }
        (tmp_path / "coco.json").write_text(json.dumps(content))
        return tmp_path / "coco.json"

    return coco


@pytest.mark.parametrize("polygons", ["keep", "box"])
@pytest.mark.parametrize("stated", [[0, 5, 0, 20], [0, 5, 10, 0], [10, 25, -10, -20]])
def test_a_stated_box_without_an_area_is_none(coco: Coco, tmp_path: Path, stated: list[int], polygons: Any) -> None:
    outline = [0, 5, 10, 5, 10, 25, 0, 25]
    source = coco({"bbox": stated, "area": 100, "segmentation": [outline]})
    options = {"voc": Options(polygons=polygons)}
    convert(source, tmp_path / "out", to="voc", options=options, allow_loss=polygons == "box")
    assert boxes(tmp_path / "out") == [("a.xml", "x", [0, 5, 10, 25])]


def test_a_label_without_a_line_in_the_label_map_is_told(coco: Coco, tmp_path: Path) -> None:
    source = coco({"bbox": [1, 2, 3, 4], "area": 12})
    source.write_text(source.read_text().replace('"name": "x"', '"name": "a:b"'))
    report = convert(source, tmp_path / "out", to="voc")
    (told,) = [decision["text"] for decision in report.decisions if decision["code"] == "label-map"]
    assert "a:b" in told
    assert "a:b" not in [line.strip() for line in (tmp_path / "out" / "labelmap.txt").read_text().splitlines()]


def test_a_stated_area_comes_home(coco: Coco, tmp_path: Path) -> None:
    ring = [10, 10, 50, 10, 50, 60]
    source = coco(
        {"bbox": [10, 10, 1, 5], "area": 7, "segmentation": [ring]},
        {"bbox": [10, 10, 40, 50], "area": 1000, "segmentation": [ring]},
        {"bbox": [1, 2, 3, 4], "area": 12},
        {"bbox": [1, 2, 3, 4], "area": 5},
    )
    convert(source, tmp_path / "out", to="voc")
    assert (tmp_path / "out" / "Annotations" / "a.xml").read_text().count("<annolake>") == 2
    convert(tmp_path / "out", tmp_path / "back.json", to="coco")
    back = json.loads((tmp_path / "back.json").read_text())["annotations"]
    assert [one["area"] for one in back] == [7, 1000, 12, 5]
    assert back[0]["bbox"] == [10, 10, 1, 5]


@pytest.mark.parametrize("size", [{"width": 0, "height": 80}, {"width": -1, "height": -1}, {"height": 80}])
def test_a_size_that_is_none_is_left_out_and_said(coco: Coco, tmp_path: Path, size: dict[str, int]) -> None:
    source = coco({"bbox": [1, 2, 3, 4], "area": 12})
    document = json.loads(source.read_text())
    document["images"] = [{"id": 1, "file_name": "a.jpg", **size}]
    source.write_text(json.dumps(document))
    with pytest.raises(LossRefused):
        convert(source, tmp_path / "out", to="voc")
    report = convert(source, tmp_path / "out", to="voc", allow_loss=True)
    (loss,) = report.losses
    said = ", ".join(f"{side} {value}" for side, value in size.items())
    assert (loss["code"], loss["examples"][0]["detail"]) == ("image-fact-dropped", said)
    assert "<size>" not in (tmp_path / "out" / "Annotations" / "a.xml").read_text()


def test_a_ring_below_a_pixel_becomes_the_pixels_it_lies_in(coco: Coco, tmp_path: Path) -> None:
    """Rounded one by one its vertices would fall on one point, or on a line."""
    source = coco(
        {"bbox": [10.1, 20.1, 0.2, 0.2], "area": 0.02, "segmentation": [[10.1, 20.1, 10.3, 20.1, 10.3, 20.3]]},
        {"bbox": [10.6, 20.1, 30, 0.3], "area": 4, "segmentation": [[10.6, 20.1, 40.6, 20.1, 40.6, 20.4]]},
    )
    options = {"voc": Options(numbers="int", convention="edges")}
    report = convert(source, tmp_path / "out", to="voc", options=options, allow_loss=True)
    assert boxes(tmp_path / "out") == [("a.xml", "x", [10, 20, 11, 21]), ("a.xml", "x", [11, 20, 41, 21])]
    assert {loss["code"]: loss["count"] for loss in report.losses} == {"rounded": 2}


@pytest.mark.parametrize("split", ["a set", "fold 1", '"x"', "train -1"])
def test_splits_with_blanks_are_lists_like_any_other(coco: Coco, tmp_path: Path, split: str) -> None:
    source = coco({"bbox": [1, 2, 3, 4], "area": 12})
    document = json.loads(source.read_text())
    document["images"][0]["split"] = split
    source.write_text(json.dumps(document))
    convert(source, tmp_path / "out", to="voc")
    assert (tmp_path / "out" / "ImageSets" / "Main" / f"{split}.txt").read_text() == "a\n"
    convert(tmp_path / "out", tmp_path / "back.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text())["images"][0]["split"] == split


@pytest.mark.parametrize("flat", [[1, 5, 9, 5, 30, 5], [2, 2, 4, 4], [1, 5, 9, 50, 1, 5]])
@pytest.mark.parametrize("first", [True, False])
def test_parts_without_an_area_are_left_out_and_said(
    coco: Coco, tmp_path: Path, flat: list[float], *, first: bool
) -> None:
    """The others stay, and say what the first one said of the object."""
    ring = [10, 10, 50, 10, 50, 60]
    rings = [flat, ring] if first else [ring, flat]
    source = coco({"bbox": [1, 2, 49, 58], "area": 7, "segmentation": rings, "mine": 3})
    report = convert(source, tmp_path / "out", to="voc", allow_loss=True)
    assert boxes(tmp_path / "out") == [("a.xml", "x", [10, 10, 50, 60])]
    (loss,) = report.losses
    assert (loss["code"], loss["examples"][0]["detail"]) == ("part-dropped", "1 of 2 parts")
    assert "mine" in (tmp_path / "out" / "Annotations" / "a.xml").read_text()


def test_vertices_that_fall_together_on_whole_pixels_are_one(coco: Coco, tmp_path: Path) -> None:
    """The last on the first, too: a reader would take the ring for a closed one."""
    ring = [10.1, 10.1, 10.3, 10.2, 50, 10, 50, 60, 49.8, 60.3, 9.9, 10.4]
    source = coco({"bbox": [9.9, 10, 40.1, 50.3], "area": 900, "segmentation": [ring]})
    options = {"voc": Options(numbers="int", convention="edges")}
    convert(source, tmp_path / "out", to="voc", options=options, allow_loss=True)
    convert(tmp_path / "out", tmp_path / "back.json", to="coco", allow_loss=True)
    (back,) = json.loads((tmp_path / "back.json").read_text())["annotations"]
    assert back["segmentation"] == [[10, 10, 50, 10, 50, 60]]


def test_a_closed_ring_that_was_moved_is_written_as_it_is_now(coco: Coco, tmp_path: Path) -> None:
    """Closed rings come home closed; but VOC in whole pixels holds another ring."""
    ring = [10.5, 10.25, 50, 10, 50, 60, 10.5, 10.25]
    source = coco({"bbox": [10.5, 10, 39.5, 50], "area": 992.5, "segmentation": [ring]})
    expected: dict[Any, list[float]] = {"float": ring, "int": [11, 10, 50, 10, 50, 60]}
    for numbers, xy in expected.items():
        options = {"voc": Options(numbers=numbers, convention="edges")}
        convert(source, tmp_path / numbers, to="voc", options=options, allow_loss=numbers == "int")
        convert(tmp_path / numbers, tmp_path / f"{numbers}.json", to="coco", allow_loss=True)
        (back,) = json.loads((tmp_path / f"{numbers}.json").read_text())["annotations"]
        assert back["segmentation"] == [xy]


@pytest.mark.parametrize("size", [(20, 0), (0, 10), (0, 0)])
def test_a_turned_box_without_an_area_is_left_out_and_said(tmp_path: Path, size: tuple[int, int]) -> None:
    """VOC's reader refuses such a <robndbox>: written, it ended as a defect (exit 1)."""
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, *size], "attributes": {"rotation": 30}}
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "in.json").write_text(json.dumps(document))
    report = convert(tmp_path / "in.json", tmp_path / "out", to="voc", allow_loss=True, verify=True)
    assert ("degenerate", 1) in [(loss["code"], loss["count"]) for loss in report.losses]
    assert report.written["annotations"] == 0


@pytest.mark.parametrize("through", ["coco", "metalake"])
def test_the_box_around_an_ellipse_is_none(tmp_path: Path, through: str) -> None:
    """COCO's reader, asked for boxes, left the numbers of the ellipse at the box; no box has them (exit 1)."""
    shape = '<ellipse label="cat" occluded="0" cx="40" cy="30" rx="12.5" ry="7" rotation="45"></ellipse>'
    image = f'<image id="0" name="a.jpg" width="100" height="80">{shape}</image>'
    (tmp_path / "in.xml").write_text(f"<annotations><version>1.1</version>{image}</annotations>")
    convert(tmp_path / "in.xml", tmp_path / "between.json", to=through)
    boxes = {"voc": Options(polygons="box")}
    source = tmp_path / "between.json"
    report = convert(source, tmp_path / "out", to="voc", options=boxes, allow_loss=True, verify=True)
    assert {loss["code"]: loss["count"] for loss in report.losses} == {"polygon-boxed": 1}
