"""What a data set on disk holds, counted by plain code that shares nothing with annolake: what each side kept.

python benchmarks/counting.py FORMAT PATH
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec


@dataclass(frozen=True)
class Counts:
    """Images, annotations (shapes, where a format has one for each part of an object), and outlines: polygons and
    masks.
    """

    images: int = 0
    annotations: int = 0
    outlines: int = 0

    def __str__(self) -> str:
        return f"{self.images:,} / {self.annotations:,} / {self.outlines:,}"


def count(format_: str, path: Path) -> Counts:
    return _COUNTERS[format_](path)


def counted(format_: str, path: Path) -> Counts:
    """The same by a process of its own, so that whoever measures stays small (see `inputs.made`)."""
    command = [sys.executable, __file__, format_, str(path)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Counts(*map(int, said.split()))


class _CocoObject(msgspec.Struct):
    segmentation: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None


class _Coco(msgspec.Struct):
    images: list[msgspec.Raw]
    annotations: list[_CocoObject]


class _LakeShape(msgspec.Struct):
    type: str


class _LakeImage(msgspec.Struct):
    annotations: list[_LakeShape] = []


class _Lake(msgspec.Struct):
    images: list[_LakeImage]


def _coco(path: Path) -> Counts:
    data = msgspec.json.decode(path.read_bytes(), type=_Coco)
    outlines = (each.segmentation for each in data.annotations)
    rings = sum(len(outline) if isinstance(outline, list) else 1 for outline in outlines if outline)
    return Counts(len(data.images), len(data.annotations), rings)


def _metalake(path: Path) -> Counts:
    data = msgspec.json.decode(path.read_bytes(), type=_Lake)
    shapes = [shape.type for image in data.images for shape in image.annotations]
    return Counts(len(data.images), len(shapes), shapes.count("polygon"))


def _cvat(path: Path) -> Counts:
    data = path.read_bytes()
    outlines = len(re.findall(rb"<(?:polygon|mask) ", data))
    return Counts(data.count(b"<image "), data.count(b"<box ") + outlines, outlines)


def _voc(path: Path) -> Counts:
    return _files(path.rglob("*.xml"), lambda text: (text.count(b"<object>"), text.count(b"<polygon>")))


def _yolo(path: Path) -> Counts:
    labels = path / "labels" if (path / "labels").is_dir() else path
    return _files(labels.rglob("*.txt"), _rows)


def _rows(text: bytes) -> tuple[int, int]:
    rows = text.splitlines()
    return len(rows), sum(len(row.split()) > 6 for row in rows)


def _files(paths: Iterable[Path], look: Callable[[bytes], tuple[int, int]]) -> Counts:
    found: list[tuple[int, int]] = [look(path.read_bytes()) for path in paths]
    return Counts(len(found), sum(some for some, _ in found), sum(outlines for _, outlines in found))


_COUNTERS: dict[str, Callable[[Path], Any]] = {
    "coco": _coco,
    "cvat": _cvat,
    "metalake": _metalake,
    "voc": _voc,
    "yolo": _yolo,
}


if __name__ == "__main__":
    found = count(sys.argv[1], Path(sys.argv[2]))
    print(found.images, found.annotations, found.outlines)
