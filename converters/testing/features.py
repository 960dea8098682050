"""What annotations can say, one feature at a time: the rows of the round-trip matrix.

A feature is one image, or one data set, that holds nothing else. `native` names the formats, or flavours of one, whose
specification (or the usual extension of it) has a place for it, as other programs write it; anywhere else it can only
ride beside. Sources: cocodataset.org, docs.ultralytics.com, the VOC devkit and what labelImg, roLabelImg, Roboflow and
CVAT add to it, CVAT's XML 1.1, the MetaLake's annotation JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from ...schemas.figures import Figure
from ...schemas.model import (
    Annotation,
    Catalog,
    Category,
    Line,
    Points,
    Polygon,
    Record,
    Rectangle,
    Tag,
    Value,
)

LABEL = "traffic light"
WIDTH, HEIGHT = 64, 48
SHARED = Catalog(labels=(Category(LABEL), Category("head")))
"""The catalogue of all features that are of one image."""

Kept = Callable[[Catalog, Sequence[Record]], Any]


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """`of` says whose feature it is. Features are judged by their meaning, and by the value of `kept` where that looks
    past it: at numbers and the like, which are `renewable` because any reader can give them anew, or at facts of the
    image.
    """

    name: str
    of: str
    native: frozenset[str]
    records: tuple[Record, ...]
    catalog: Catalog = SHARED
    kept: Kept | None = None
    renewable: bool = False

    @property
    def image(self) -> str:
        return self.records[0].image


def features() -> list[Feature]:
    """All of them, in the order of the matrix."""
    return [*_shapes(), *_facts(), *_images(), *_data_sets()]


def _shapes() -> list[Feature]:
    box, ring = (8, 6, 20, 12), (8, 6, 40, 6, 30, 40)
    parts = [
        _polygon((8, 6, 20, 6, 20, 20), instance="1", part=1, parts=2),
        _polygon((30, 6, 44, 6, 44, 20), instance="1", part=2, parts=2),
    ]
    outer, inner = (8, 6, 32, 6, 32, 30, 8, 30), (12, 10, 12, 20, 22, 20, 22, 10)
    hole = [
        _polygon(outer, instance="1", part=1, parts=2),
        _polygon(inner, instance="1", part=2, parts=2, hole_of=1),
    ]
    crowd = {"iscrowd": True, "shape": "mask", "geometry": _RLE}
    keypoints: dict[str, Any] = {"keypoints": "[10,8,2,20,12,1,0,0,0]", "shape": "keypoints"}
    return [
        _shape("box", "coco cvat metalake voc", "yolo detect", Rectangle(bbox=box, label=LABEL)),
        _shape("polygon", "coco cvat metalake voc", "yolo segment", _polygon(ring)),
        _shape("object of several polygons", "coco", "", *parts),
        _shape("hole in a polygon", "", "", *hole),
        _shape("mask", "coco cvat", "", _polygon(_MASKED, shape="mask", geometry=_RLE)),
        _shape("crowd region", "coco", "", _polygon(_MASKED, **crowd)),
        _shape("key points", "coco", "yolo pose", Rectangle(bbox=box, label=LABEL, metadata=keypoints)),
        _named_points("key points with names", "coco cvat", "yolo pose", keypoints),
        _named_points("skeleton", "cvat", "", _SKELETON),
        _shape("part of an object", "voc", "", *_with_part(box)),
        _shape("rotated box", "cvat voc", "yolo obb", _figure(Figure("obb", (16, 12, 24, 12), 30))),
        _shape("ellipse", "cvat", "", _figure(Figure("ellipse", (30, 24, 12, 6), 20))),
        _shape("cuboid", "cvat", "", _figure(Figure("cuboid", _CUBOID))),
        _shape("line", "cvat metalake", "", Line(xy=(8, 6, 40, 6, 30, 40), label=LABEL)),
        _shape("points", "cvat metalake", "", Points(xy=(8, 6, 40, 6, 30, 40), label=LABEL)),
        _shape("box beyond the edge", "coco cvat metalake voc", "", Rectangle(bbox=(50, 6, 20, 12), label=LABEL)),
        _shape("box without area", "coco cvat metalake", "", Rectangle(bbox=(8, 6, 0, 12), label=LABEL)),
    ]


def _facts() -> list[Feature]:
    value = Value("red", 0.5, {"by": "Ö. Müller"})
    return [
        _fact("confidence", "coco metalake", confidence=0.25),
        _fact("attribute", "coco cvat metalake voc", attributes={"colour": (Value("red"),)}),
        _fact("attribute with confidence", "metalake", attributes={"colour": (value, Value("green"))}),
        _fact("free metadata", "metalake", metadata={"weather": "süß", "count": 3, "night": True}),
        _fact("unknown key", "metalake", extras={"reviewer": {"name": "Ö"}}),
        _fact("occluded", "coco cvat voc", metadata={"occluded": True}),
        _fact("truncated", "voc", metadata={"truncated": True}),
        _fact("difficult", "voc", metadata={"difficult": True}),
        _fact("view (pose)", "voc", metadata={"pose": "Frontal"}),
        _fact("drawing order", "cvat", metadata={"z_order": 2}),
        _fact("group", "cvat", metadata={"group": 5}),
        _fact("who made it", "cvat", kept=_metadata("source"), metadata={"source": "auto"}),
        _fact("id of an annotation", "coco", kept=_metadata("coco_id"), metadata={"coco_id": 4711}),
    ]


def _images() -> list[Feature]:
    tag, anywhere = Tag(label=LABEL), "coco cvat metalake voc yolo"
    box = Rectangle(bbox=(8, 6, 20, 12), label=LABEL)
    unseen = Record(image="no picture.jpg", width=40, height=30)
    return [
        _image("tag of an image", "coco cvat", tags=(tag,)),
        _image("image without annotations", anywhere),
        _image("name with folders", anywhere, image="Straße 1/ä b.v2.jpg", annotations=(box,)),
        _image("split", "coco cvat voc yolo", split="val", annotations=(box,)),
        Feature(
            name="size of an image",
            of="image",
            native=_set("coco cvat voc"),
            records=(unseen,),
            kept=lambda _, records: [(record.width, record.height) for record in records],
            renewable=True,
        ),
        _image("id of an image", "coco", kept=_ids, renewable=True, id=4711),
        _image("unknown key of an image", "coco", kept=_extras, extras={"coco": {"gps": {"lat": 52.5}}}),
    ]


def _data_sets() -> list[Feature]:
    first = Category("zebra", 7)
    others = Category("apple", 90, supercategory="fruit")
    return [
        _track(),
        _data_set("unused label", "coco cvat yolo", labels=(Category(LABEL), Category("unused"))),
        _data_set("order of labels", "coco cvat yolo", labels=(Category(LABEL), first, Category("apple")), kept=_names),
        _data_set("number of a label", "coco", labels=(Category(LABEL, 3), first), kept=_numbers),
        _data_set("supercategory", "coco", labels=(Category(LABEL), others)),
    ]


_RLE = '{"size":[48,64],"counts":[390,12,36,12,2622]}'
"""Two columns of 12 pixels from 8, 6 downwards: 8 * 48 + 6 pixels come before."""
_MASKED = (8, 6, 10, 6, 10, 18, 8, 18)
_CUBOID = (10.0, 10.0, 10.0, 30.0, 30.0, 12.0, 30.0, 32.0, 40.0, 8.0, 40.0, 26.0, 20.0, 6.0, 20.0, 24.0)

_SKELETON = {
    "keypoints": "[8,6,2,28,18,1,0,0,0]",
    "shape": "skeleton",
    "geometry": '[{"label":"left","type":"points","points":[8.0,6.0]},'
    '{"label":"right","type":"points","points":[28.0,18.0],"occluded":true},'
    '{"label":"top","type":"points","points":[9.0,9.0],"outside":true}]',
}


def _named_points(name: str, native: str, flavour: str, metadata: dict[str, Any]) -> Feature:
    label = Category(LABEL, keypoints=("left", "right", "top"), skeleton=((1, 2), (2, 3)))
    record = _record(name, annotations=(Rectangle(bbox=(8, 6, 20, 12), label=LABEL, metadata=metadata),))
    return Feature(
        name=name,
        of="data set",
        native=_set(native, flavour),
        records=(record,),
        catalog=Catalog(labels=(label,)),
    )


def _with_part(box: tuple[float, float, float, float]) -> list[Annotation]:
    whole = Rectangle(bbox=box, label=LABEL, metadata={"voc_object": 1})
    return [whole, Rectangle(bbox=(10, 7, 4, 4), label="head", metadata={"voc_object": 1, "part_of": LABEL})]


def _track() -> Feature:
    """Two frames of a video. The first is the picture that names the feature."""
    frames = (
        Rectangle(bbox=(8 + frame, 6, 20, 12), label=LABEL, metadata={"track_id": 0, "frame": frame, "keyframe": True})
        for frame in (0, 1)
    )
    records = tuple(
        Record(image=f"frame_{number:06d}", width=WIDTH, height=HEIGHT, annotations=(box,))
        for number, box in enumerate(frames)
    )
    catalog = replace(SHARED, extras={"cvat": {"form": "video", "last": 1}})
    return Feature(name="track", of="data set", native=_set("cvat"), records=records, catalog=catalog)


def _set(words: str, flavour: str = "") -> frozenset[str]:
    return frozenset((*words.split(), *([flavour] if flavour else [])))


def _polygon(xy: tuple[float, ...], **metadata: Any) -> Polygon:
    return Polygon(xy=xy, label=LABEL, metadata=metadata)


def _figure(figure: Figure) -> Polygon:
    return Polygon(xy=figure.outline(), label=LABEL, metadata=figure.metadata())


def _shape(name: str, native: str, flavour: str, *annotations: Annotation) -> Feature:
    record = _record(name, annotations=annotations)
    return Feature(name=name, of="shape", native=_set(native, flavour), records=(record,))


def _fact(name: str, native: str, kept: Kept | None = None, **said: Any) -> Feature:
    box = Rectangle(bbox=(8, 6, 20, 12), label=LABEL, **said)
    record = _record(name, annotations=(box,))
    return Feature(
        name=name, of="annotation", native=_set(native), records=(record,), kept=kept, renewable=kept is not None
    )


def _image(name: str, native: str, kept: Kept | None = None, *, renewable: bool = False, **said: Any) -> Feature:
    record = _record(name, **said)
    return Feature(name=name, of="image", native=_set(native), records=(record,), kept=kept, renewable=renewable)


def _data_set(name: str, native: str, labels: tuple[Category, ...], kept: Kept | None = None) -> Feature:
    record = _record(name, annotations=(Rectangle(bbox=(8, 6, 20, 12), label=LABEL),))
    catalog = replace(SHARED, labels=labels)
    return Feature(
        name=name, of="data set", native=_set(native), records=(record,), catalog=catalog, kept=kept, renewable=True
    )


def _record(name: str, image: str = "", **said: Any) -> Record:
    return Record(image=image or f"{name.replace(',', '')}.jpg", width=WIDTH, height=HEIGHT, **said)


def _metadata(key: str) -> Kept:
    return lambda _, records: [a.metadata.get(key) for record in records for a in record.annotations]


def _ids(_: Catalog, records: Sequence[Record]) -> list[Any]:
    return [record.id for record in records]


def _extras(_: Catalog, records: Sequence[Record]) -> list[Any]:
    """Without what is only the source's own book-keeping."""
    return [record.extras.get("coco", {}).get("gps") for record in records]


def _names(catalog: Catalog, _: Sequence[Record]) -> list[str]:
    return catalog.names()


def _numbers(catalog: Catalog, _: Sequence[Record]) -> dict[str, Any]:
    return {label.name: label.id for label in catalog.labels}
