"""What datumaro's CVAT reader sees in files that annolake writes: the same shapes, attributes and tracks."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annolake.converters import convert
from annolake.converters.cvat import Options

pytestmark = [pytest.mark.referee, pytest.mark.filterwarnings("ignore")]
FRONT = {"occluded": True, "z_order": 2, "group": 5}
ARROW = [1.0, 2.0, 30.5, 4.25, 6.0, 50.12]


def annotation(type_: str, key: str, geometry: Any, **more: Any) -> dict[str, Any]:
    return {"type": type_, key: geometry, "label": "car", **more}


def pairs(flat: list[float]) -> list[list[float]]:
    return [list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)]


def seen_by_datumaro(folder: Path, annotations: list[dict[str, Any]], form: str = "images") -> list[Any]:
    """Annotations of one picture, written as CVAT and read by datumaro."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datumaro = pytest.importorskip("datumaro")
        lake = folder / "lake.json"
        image = {"image": "frame_000000.png", "width": 100, "height": 80, "annotations": annotations}
        lake.write_text(json.dumps({"images": [image]}))
        target = folder / "set"
        target.mkdir()
        options = {"cvat": Options(form=form)}  # type: ignore[arg-type]
        convert(lake, target / "annotations.xml", to="cvat", options=options)
        (target / "images").mkdir()
        Image.new("RGB", (100, 80)).save(target / "images" / "frame_000000.png")
        dataset = datumaro.Dataset.import_from(str(target), "cvat")
        return [shape for item in dataset for shape in item.annotations]


def test_the_four_shapes(tmp_path: Path):
    seen = seen_by_datumaro(
        tmp_path,
        [
            annotation(
                "rectangle", "bbox", [10, 20, 30.5, 40.25], metadata={"occluded": True, "z_order": 2, "group": 5}
            ),
            annotation("polygon", "polygon", pairs(ARROW), attributes={"colour": [{"value": "red"}]}),
            annotation("line", "line", pairs(ARROW), confidence=0.5),
            annotation("points", "points", pairs(ARROW), metadata={"weather": "rain"}),
        ],
    )
    assert [shape.type.name for shape in seen] == ["bbox", "polygon", "polyline", "points"]
    assert seen[0].points == [10, 20, 40.5, 60.25]
    assert (seen[0].attributes["occluded"], seen[0].z_order, seen[0].group) == (True, 2, 5)
    for shape in seen[1:]:
        assert list(shape.points) == pytest.approx(ARROW)
    assert seen[1].attributes["colour"] == "red"
    assert seen[2].attributes["score"] == 0.5
    assert seen[3].attributes["weather"] == "rain"


def test_a_mask(tmp_path: Path):
    geometry = json.dumps({"size": [80, 100], "counts": [80 * 2 + 3, 4, 76, 4, 80 * 96 + 73]})
    ring = [[2, 3], [4, 3], [4, 7], [2, 7]]
    seen = seen_by_datumaro(
        tmp_path, [annotation("polygon", "polygon", ring, metadata={"shape": "mask", "geometry": geometry})]
    )
    assert seen[0].type.name == "mask"
    assert int(seen[0].image.sum()) == 8
    assert seen[0].image[3:7, 2:4].all()


def test_a_rotated_box(tmp_path: Path):
    from annolake.schemas.figures import Figure

    figure = Figure("obb", (10.0, 20.0, 40.0, 20.0), 30.0)
    seen = seen_by_datumaro(
        tmp_path, [annotation("polygon", "polygon", pairs(list(figure.outline())), metadata=figure.metadata())]
    )
    assert seen[0].type.name == "rotated_bbox"
    assert seen[0].points == [30, 30, 40, 20, 30]


def test_two_parts_are_one_group(tmp_path: Path):
    tie = [{"instance": "a", "part": part, "parts": 2} for part in (1, 2)]
    seen = seen_by_datumaro(tmp_path, [annotation("polygon", "polygon", pairs(ARROW), metadata=one) for one in tie])
    assert [shape.group for shape in seen] == [1, 1]


def test_a_track(tmp_path: Path):
    metadata = {"track_id": 7, "frame": 0, "keyframe": True}
    seen = seen_by_datumaro(tmp_path, [annotation("rectangle", "bbox", [1, 2, 3, 4], metadata=metadata)], "video")
    assert [(shape.points, shape.attributes["track_id"], shape.attributes["keyframe"]) for shape in seen] == [
        ([1, 2, 4, 6], 7, True)
    ]
