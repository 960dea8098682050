"""What is written, from every format, as other programs read it: pycocotools, datumaro, supervision.

pycocotools is one of our own dependencies; the others are asked where they are installed (`pip install .[referees]`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image
from pycocotools.coco import COCO

from annolake.converters import coco, convert, registry, voc
from annolake.converters.format import Options
from annolake.converters.testing.cases import DataSet
from annolake.converters.testing.passing import lowered, pictures, target_in, write_out
from annolake.converters.testing.roundtrips import columns
from annolake.converters.testing.samples import sample
from annolake.converters.testing.scenes import scenes
from annolake.schemas.model import Catalog, Record

SOURCES = [column for column in columns() if column.name not in ("yolo obb", "yolo pose")]
NAMES = ("Straße 1.jpg", "sub folder/ä.b.png", "empty.jpg", "last one.jpg")
SHOWN = {("traffic light", 8, 6, 24, 18), ("Fußgänger", 0, 0, 64, 48)}
"""Labels and edges of the sample's box and of the hull of its polygon, in each image but the empty one."""

every_source = pytest.mark.parametrize("source", SOURCES, ids=[column.name for column in SOURCES])


@pytest.fixture
def converted(source: Any, tmp_path: Path) -> Any:
    """The sample, written in the format of the source, in another; with its pictures, all in one split."""

    def run(to: str, options: Options, splits: tuple[str | None, ...] = ("train",)) -> Path:
        data = sample(NAMES, splits)
        given = options if source.format.name == to else source.options
        start = target_in(tmp_path, source.format, given, "start")
        write_out(source.format, lowered(source.format, given, data), start)
        images = pictures(tmp_path / "pictures", data.records)
        target = target_in(tmp_path, registry.get(to), options, "target")
        convert(start, target, to=to, from_=source.format.name, images=images, options={to: options}, allow_loss=True)
        return target

    return run


@every_source
@settings(max_examples=8, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
@given(made=scenes())
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pycocotools_loads_and_draws_every_object(source: Any, made: tuple[Catalog, list[Record]]):
    with TemporaryDirectory() as folder:
        start = target_in(Path(folder), source.format, source.options, "start")
        write_out(source.format, lowered(source.format, source.options, DataSet(*made)), start)
        images, target = pictures(Path(folder) / "pictures", made[1]), Path(folder) / "coco.json"
        report = convert(start, target, to="coco", from_=source.format.name, images=images, allow_loss=True)
        found = COCO(str(target))
        assert len(found.anns) == report.written["annotations"]
        assert sorted(image["file_name"] for image in found.imgs.values()) == sorted(r.image for r in made[1])
        for annotation in found.anns.values():
            if annotation.get("segmentation"):
                image = found.imgs[annotation["image_id"]]
                mask = found.annToMask(annotation)
                assert mask.shape == (image["height"], image["width"])
                if isinstance(annotation["segmentation"], dict):
                    assert int(mask.sum()) == pytest.approx(annotation["area"]) or annotation["iscrowd"], annotation


def real_pictures(folder: Path, names: Iterator[str] | tuple[str, ...]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48)).save(folder / name)
    return folder


def expected(stem: bool = True) -> dict[str, set[Any]]:
    named = {name.rpartition(".")[0] if stem else name: name for name in NAMES}
    return {key: set() if name == "empty.jpg" else SHOWN for key, name in named.items()}


def seen_by_datumaro(path: Path, format_: str) -> dict[str, set[Any]]:
    components = pytest.importorskip("datumaro.components.dataset")
    read = components.Dataset.import_from(str(path), format_)
    labels = [label.name for label in read.categories()[next(iter(read.categories()))]]
    out: dict[str, set[Any]] = {}
    for item in read:
        boxes = out.setdefault(item.id, set())
        for annotation in item.annotations:
            x, y, w, h = annotation.get_bbox()
            boxes.add((labels[annotation.label], x, y, x + w, y + h))
    return out


@pytest.mark.referee
@pytest.mark.filterwarnings("ignore")
@every_source
def test_datumaro_sees_the_same_boxes_in_coco(converted: Any):
    target = converted("coco", coco.Options(layout="folder"))
    real_pictures(target / "images" / "train", NAMES)
    assert seen_by_datumaro(target, "coco_instances") == expected()


@pytest.mark.referee
@pytest.mark.filterwarnings("ignore")
@every_source
def test_datumaro_sees_the_same_boxes_in_voc(converted: Any):
    target = converted("voc", voc.Options())
    real_pictures(target / "JPEGImages", NAMES)
    assert seen_by_datumaro(target, "voc_detection") == expected()


@pytest.mark.referee
@pytest.mark.filterwarnings("ignore")
@every_source
@pytest.mark.parametrize("splits", [(None,), ("train",), ("train", "val")], ids=str)
def test_datumaro_sees_the_same_boxes_in_cvat(converted: Any, splits: tuple[str | None, ...]):
    target = converted("cvat", registry.get("cvat").options(), splits=splits)
    folder = real_pictures(target.parent / "set" / "images", NAMES).parent
    target.rename(folder / "annotations.xml")
    assert seen_by_datumaro(folder, "cvat") == expected()


def seen_by_supervision(read: Any) -> dict[str, set[Any]]:
    out: dict[str, set[Any]] = {}
    for path, _, found in read:
        edges = np.round(found.xyxy, 6).tolist()
        out[Path(path).name] = {(read.classes[number], *box) for number, box in zip(found.class_id, edges, strict=True)}
    return out


@pytest.mark.referee
@pytest.mark.filterwarnings("ignore")
@every_source
def test_supervision_sees_the_same_boxes_in_coco(converted: Any, tmp_path: Path):
    supervision = pytest.importorskip("supervision")
    target = converted("coco", coco.Options())
    images = real_pictures(tmp_path / "real", NAMES)
    read = supervision.DetectionDataset.from_coco(str(images), str(target))
    assert seen_by_supervision(read) == {Path(name).name: boxes for name, boxes in expected(stem=False).items()}


@pytest.mark.referee
@pytest.mark.filterwarnings("ignore")
@every_source
def test_supervision_sees_the_same_boxes_in_voc(converted: Any, tmp_path: Path):
    """It takes numbers for the devkit's, and does not look into folders."""
    supervision = pytest.importorskip("supervision")
    target = converted("voc", voc.Options(convention="devkit"))
    flat = tuple(name for name in NAMES if "/" not in name)
    images = real_pictures(tmp_path / "real", flat)
    read = supervision.DetectionDataset.from_pascal_voc(str(images), str(target / "Annotations"))
    assert seen_by_supervision(read) == {name: boxes for name, boxes in expected(stem=False).items() if name in flat}
