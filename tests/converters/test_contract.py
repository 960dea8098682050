"""The contract suite for the formats of the house."""

from __future__ import annotations

from pathlib import Path

from annolake.converters import coco, cvat, metalake, voc, yolo
from annolake.converters.testing import FormatContract

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


class TestMetalake(FormatContract):
    format = metalake.FORMAT
    fixtures = FIXTURES / "metalake"
    allowed_names = frozenset(("/x.jpg",))  # paths in a bucket, as the service's documentation writes them


class TestCoco(FormatContract):
    format = coco.FORMAT
    fixtures = FIXTURES / "coco"
    options = (coco.Options(), coco.Options(layout="folder"))


class TestYolo(FormatContract):
    format = yolo.FORMAT
    fixtures = FIXTURES / "yolo"
    options = (
        yolo.Options(),
        yolo.Options(task="detect"),
        yolo.Options(task="segment"),
        yolo.Options(task="obb"),
        yolo.Options(task="pose"),
        yolo.Options(task="segment", multi_part="join"),
        yolo.Options(layout="darknet"),
    )


class TestVoc(FormatContract):
    format = voc.FORMAT
    fixtures = FIXTURES / "voc"
    options = (
        voc.Options(),
        voc.Options(convention="devkit", numbers="int"),
        voc.Options(polygons="box", crowd="keep"),
    )


class TestCvat(FormatContract):
    format = cvat.FORMAT
    fixtures = FIXTURES / "cvat"
    options = (cvat.Options(), cvat.Options(form="video"))
