"""The hub: one image and its annotations, in the MetaLake's own words, typed and complete.

Coordinates are in the edge model: the origin is the outer top-left corner of the top-left pixel, x to the right,
y down, an image covers [0, width] x [0, height]. They are pixels, or fractions of the image's width and height
where `Catalog.coordinates` says so. A wrong box may exist here: constructors do not judge, `validation` does.

The structs are frozen and keep out of the garbage collector (`gc=False`): they hold no cycles.
Source of the words: the MetaLake's annotation JSON (type, bbox, polygon, line, points, label, confidence, metadata,
attributes).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Coordinates = Literal["pixels", "normalized"]
Metadata = dict[str, Any]
"""Free facts of an annotation. Keys that annolake itself uses are listed in `schemas.keys`."""


class Value(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One value of an attribute: always text, as the service keeps it. `extras` are keys that nobody documents."""

    value: str
    confidence: float | None = None
    metadata: Metadata | None = None
    extras: dict[str, Any] | None = None


class _Annotation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", kw_only=True):
    label: str
    confidence: float | None = None
    metadata: Metadata = {}
    attributes: dict[str, tuple[Value, ...]] = {}
    extras: dict[str, Any] | None = None


class Rectangle(_Annotation, frozen=True, gc=False, omit_defaults=True, tag="rectangle"):
    """A box `(x, y, width, height)`, (x, y) its top-left corner."""

    bbox: tuple[float, float, float, float]


class Polygon(_Annotation, frozen=True, gc=False, omit_defaults=True, tag="polygon"):
    """A ring `(x1, y1, x2, y2, ...)`, not closed. Parts and holes of one object share `metadata["instance"]`."""

    xy: tuple[float, ...] | list[float]


class Line(_Annotation, frozen=True, gc=False, omit_defaults=True, tag="line"):
    """A poly-line `(x1, y1, x2, y2, ...)`."""

    xy: tuple[float, ...] | list[float]


class Points(_Annotation, frozen=True, gc=False, omit_defaults=True, tag="points"):
    """Separate points `(x1, y1, x2, y2, ...)`."""

    xy: tuple[float, ...] | list[float]


Annotation = Rectangle | Polygon | Line | Points


class Boxes(list[Rectangle]):
    """Rectangles of which nothing is said but their labels, as most data sets for detectors hold: whoever makes one
    promises it, and nobody changes it, so that what handles very many need not look what else each of them says.
    """

    __slots__ = ()


class Tag(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A class of the whole image: an annotation without geometry."""

    label: str
    confidence: float | None = None
    metadata: Metadata = {}
    attributes: dict[str, tuple[Value, ...]] = {}
    extras: dict[str, Any] | None = None


class Record(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One image. `width` and `height` are pixels; `id` is the source's own; `extras` are facts of the image that
    only one format knows, and keys of a MetaLake file that nobody knows: they come home unchanged.
    """

    image: str
    annotations: tuple[Annotation, ...] | list[Annotation] | Boxes = ()
    width: int | float | None = None
    height: int | float | None = None
    id: int | str | None = None
    split: str | None = None
    storage_name: str | None = None
    tags: tuple[Tag, ...] = ()
    extras: dict[str, Any] = {}


class Category(msgspec.Struct, frozen=True, omit_defaults=True):
    """A label of the data set. `skeleton` holds pairs of 1-based indices into `keypoints` (COCO's rule)."""

    name: str
    id: int | str | None = None
    supercategory: str | None = None
    keypoints: tuple[str, ...] | None = None
    skeleton: tuple[tuple[int, int], ...] | None = None
    extras: dict[str, Any] = {}


class Catalog(msgspec.Struct, frozen=True, omit_defaults=True):
    """What belongs to the data set and not to an image.

    `split_in_name`: a reader put the split in front of names that several splits share, and of those that began with
    theirs; a writer with a folder for each split takes it off again.

    `labels` stand in the order that numbers classes (YOLO: 0, 1, ...). `extras` holds, under a format's name, what
    only that format knows: COCO's `info` and licences, YOLO's task.
    """

    labels: tuple[Category, ...] = ()
    coordinates: Coordinates = "pixels"
    splits: tuple[str, ...] = ()
    split_in_name: bool = False
    extras: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """msgspec leaves out a default text when it is the very object: one that came from another process is not."""
        msgspec.structs.force_setattr(self, "coordinates", sys.intern(self.coordinates))

    def names(self) -> list[str]:
        """Label names in order, each once: two categories may share a name."""
        return list(dict.fromkeys(category.name for category in self.labels))


def objects(annotations: Iterable[Annotation]) -> list[list[Annotation]]:
    """Annotations grouped to the objects they describe, in order of first appearance.

    Polygons that share `metadata["instance"]` (parts and holes of one object) make one group; any other annotation is
    an object by itself.
    """
    groups: list[list[Annotation]] = []
    by_instance: dict[Any, list[Annotation]] = {}
    for annotation in annotations:
        instance = _instance(annotation)
        if instance is None:
            groups.append([annotation])
        elif (group := by_instance.get(instance)) is not None:
            group.append(annotation)
        else:
            by_instance[instance] = group = [annotation]
            groups.append(group)
    return groups


def count_objects(record: Record) -> int:
    """How many objects and tags a record holds: what `stats` counts and the books must balance."""
    if type(record.annotations) is Boxes:
        return len(record.annotations) + len(record.tags)
    instances: set[Any] = set()
    count = len(record.tags)
    for annotation in record.annotations:
        if "instance" not in annotation.metadata or (instance := _instance(annotation)) is None:
            count += 1
        else:
            instances.add(instance)
    return count + len(instances)


def as_key(value: Any) -> Any:
    """A value out of free metadata as a key: a structure, which cannot be one, by its text."""
    return value if isinstance(value, str | int | float | None) else repr(value)


def _instance(annotation: Annotation) -> str | int | None:
    """What ties a ring to others. A value that is neither text nor number is somebody else's, and ties nothing."""
    instance = annotation.metadata.get("instance")
    if instance is None or not isinstance(annotation, Polygon) or not isinstance(instance, str | int):
        return None
    return instance
