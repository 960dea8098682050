"""The same data set in every format, each as the tool writes it that is common for it: what the benchmarks convert.

    python benchmarks/inputs.py [--scale S] [--seed N] FOLDER

`coco.json` comes from `generate_coco`; everything else is written from it, by plain code that shares nothing with
annolake. Scale 1 has the numbers of train2017: 118,287 images, 860,000 annotations. A folder that is complete for the
same scale and seed is left as it is.

    coco.json         instances, as they are
    yolo/             boxes: images/, labels/, data.yaml, as Ultralytics wants them; pictures are real, and plain grey
    yolo-flat/        the same labels beside data.yaml, as hotcoco wants them
    voc/Annotations/  boxes: whole pixels from 1, as labelImg writes them
    cvat.xml          `CVAT for images 1.1`: a polygon for each ring, a box for each crowd
    cvat-boxes.xml    the same, a box for each object
    metalake.json     polygons and boxes, as the MetaLake's own download has them
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

Box = tuple[float, float, float, float]


class Image(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class Object(msgspec.Struct):
    image_id: int
    category_id: int
    bbox: Box
    segmentation: list[list[float]] | dict[str, Any]

    @property
    def rings(self) -> list[list[float]]:
        return self.segmentation if isinstance(self.segmentation, list) else []


class Category(msgspec.Struct):
    id: int
    name: str


class Coco(msgspec.Struct):
    images: list[Image]
    annotations: list[Object]
    categories: list[Category]


def prepare(folder: Path, scale: float, seed: int) -> Path:
    """All inputs in a folder of their own below `folder`, made unless they are there."""
    from generate_coco import ANNOTATIONS, IMAGES, generate

    home = folder / f"{scale:g}-{seed}"
    stamp = home / "complete"
    if stamp.exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    generate(home / "coco.json", max(1, round(IMAGES * scale)), round(ANNOTATIONS * scale), seed)
    data = msgspec.json.decode((home / "coco.json").read_bytes(), type=Coco)
    names = {category.id: category.name for category in data.categories}
    classes = {id_: number for number, id_ in enumerate(names)}
    objects: dict[int, list[Object]] = {image.id: [] for image in data.images}
    for each in data.annotations:
        objects[each.image_id].append(each)
    _yolo(home / "yolo", data.images, objects, names, classes)
    _voc(home / "voc" / "Annotations", data.images, objects, names)
    _cvat(home / "cvat.xml", data.images, objects, names, outlines=True)
    _cvat(home / "cvat-boxes.xml", data.images, objects, names, outlines=False)
    _metalake(home / "metalake.json", data.images, objects, names)
    stamp.touch()
    return home


def made(folder: Path, scale: float, seed: int) -> Path:
    """The same by a process of its own, so that whoever measures stays small: Linux counts what a process held before
    it became another program as that program's memory.
    """
    command = [sys.executable, __file__, "--scale", f"{scale:g}", "--seed", str(seed), str(folder)]
    return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def _yolo(
    root: Path, images: list[Image], objects: dict[int, list[Object]], names: dict[int, str], classes: dict[int, int]
) -> None:
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    flat = root.with_name("yolo-flat")
    flat.mkdir()
    listed = "".join(f"  {classes[id_]}: {name}\n" for id_, name in names.items())
    (root / "data.yaml").write_text(f"path: .\ntrain: images\nnames:\n{listed}")
    os.link(root / "data.yaml", flat / "data.yaml")
    pictures = {size: _picture(*size) for size in {(image.width, image.height) for image in images}}
    for image in images:
        (root / "images" / image.file_name).write_bytes(pictures[image.width, image.height])
        rows: list[str] = []
        for each in objects[image.id]:
            x, y, w, h = each.bbox
            numbers = ((x + w / 2) / image.width, (y + h / 2) / image.height, w / image.width, h / image.height)
            rows.append(f"{classes[each.category_id]} {' '.join(f'{number:.6f}' for number in numbers)}\n")
        labels = (root / "labels" / image.file_name).with_suffix(".txt")
        labels.write_text("".join(rows))
        os.link(labels, flat / labels.name)


def _picture(width: int, height: int) -> bytes:
    from PIL import Image as Picture

    out = BytesIO()
    Picture.new("L", (width, height), 128).save(out, "JPEG", quality=30)
    return out.getvalue()


_VOC_HEAD = """\
<annotation>
\t<folder>images</folder>
\t<filename>{name}</filename>
\t<path>/data/images/{name}</path>
\t<source>
\t\t<database>Unknown</database>
\t</source>
\t<size>
\t\t<width>{width}</width>
\t\t<height>{height}</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
"""
_VOC_OBJECT = """\
\t<object>
\t\t<name>{name}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>{xmin}</xmin>
\t\t\t<ymin>{ymin}</ymin>
\t\t\t<xmax>{xmax}</xmax>
\t\t\t<ymax>{ymax}</ymax>
\t\t</bndbox>
\t</object>
"""


def _voc(folder: Path, images: list[Image], objects: dict[int, list[Object]], names: dict[int, str]) -> None:
    folder.mkdir(parents=True)
    for image in images:
        pieces = [_VOC_HEAD.format(name=image.file_name, width=image.width, height=image.height)]
        for each in objects[image.id]:
            x, y, w, h = each.bbox
            xmin, xmax = _pixels(x, w, image.width)
            ymin, ymax = _pixels(y, h, image.height)
            name = names[each.category_id]
            pieces.append(_VOC_OBJECT.format(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax))
        (folder / image.file_name).with_suffix(".xml").write_text("".join(pieces) + "</annotation>\n")


def _pixels(low: float, size: float, limit: int) -> tuple[int, int]:
    """First and last pixel of a span, from 1, at least two of them, as people draw them."""
    first = min(max(1, round(low)), limit - 1)
    return first, min(max(first + 1, round(low + size)), limit)


def _cvat(
    path: Path, images: list[Image], objects: dict[int, list[Object]], names: dict[int, str], *, outlines: bool
) -> None:
    labels = "".join(
        f"        <label>\n          <name>{name}</name>\n          <color>#{id_ * 7919 % 2**24:06x}</color>\n"
        "          <type>any</type>\n          <attributes>\n          </attributes>\n        </label>\n"
        for id_, name in names.items()
    )
    with path.open("w", encoding="ascii") as out:
        out.write(
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n'
            f"      <id>1</id>\n      <name>benchmark</name>\n      <size>{len(images)}</size>\n"
            f"      <mode>annotation</mode>\n      <labels>\n{labels}      </labels>\n    </task>\n  </meta>\n"
        )
        for number, image in enumerate(images):
            size = f'width="{image.width}" height="{image.height}"'
            out.write(f'  <image id="{number}" name="{image.file_name}" {size}>\n')
            for each in objects[image.id]:
                out.writelines(_cvat_shapes(each, names[each.category_id], outlines))
            out.write("  </image>\n")
        out.write("</annotations>\n")


def _cvat_shapes(each: Object, label: str, outlines: bool) -> Iterator[str]:
    said = f'label="{label}" source="manual" occluded="0"'
    for ring in each.rings if outlines else ():
        points = ";".join(f"{ring[at]:.2f},{ring[at + 1]:.2f}" for at in range(0, len(ring), 2))
        yield f'    <polygon {said} points="{points}" z_order="0">\n    </polygon>\n'
    if not outlines or not each.rings:
        x, y, w, h = each.bbox
        corners = f'xtl="{x:.2f}" ytl="{y:.2f}" xbr="{x + w:.2f}" ybr="{y + h:.2f}"'
        yield f'    <box {said} {corners} z_order="0">\n    </box>\n'


def _metalake(path: Path, images: list[Image], objects: dict[int, list[Object]], names: dict[int, str]) -> None:
    with path.open("wb") as out:
        out.write(b'{"images":[')
        for number, image in enumerate(images):
            shapes = [shape for each in objects[image.id] for shape in _metalake_shapes(each, names[each.category_id])]
            row = {"image": image.file_name, "annotations": shapes, "width": image.width, "height": image.height}
            out.write((b"," if number else b"") + msgspec.json.encode(row))
        out.write(b"]}")


def _metalake_shapes(each: Object, label: str) -> Iterator[dict[str, Any]]:
    for ring in each.rings:
        points = list(zip(ring[::2], ring[1::2], strict=True))
        yield {"type": "polygon", "polygon": points, "label": label, "metadata": {}, "attributes": {}}
    if not each.rings:
        yield {"type": "rectangle", "bbox": each.bbox, "label": label, "metadata": {}, "attributes": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the same data set in every format.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 118,287 images, 860,000 annotations")
    parser.add_argument("--seed", type=int, default=2017)
    given = parser.parse_args()
    print(prepare(given.folder, given.scale, given.seed))


if __name__ == "__main__":
    main()
