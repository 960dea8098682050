"""Runs of images whose objects say what COCO's own seven keys say, which is what most data sets of outlines hold.

As `blocks` are for boxes: a few hundred images at a time are read and written, and what would be the same work for each
object is done for all of them at once. An object that says anything else stands among the others as annotations of the
hub, so that it keeps nothing out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ..schemas.model import Annotation, Record
from .carrying import fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HULL_DECIMALS = 10
SMALL, NOISE = 1e5, 1e-11
"""So near to a hundredth below `SMALL`, no other number of `HULL_DECIMALS` is nearer."""

PLAIN_QUOTES = 14
"""Quotation marks of a shape in JSON that has its seven keys, and neither another one nor a text."""

Id = int | str
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float
"""Integers that no float holds would stop arithmetic later; these bounds cost nothing."""


class Shape(msgspec.Struct, gc=False):
    """An object in COCO's order and words: no crowd, no mask; at least three points in each ring, none of them closed;
    a box with an area. Without rings it is its box.
    """

    segmentation: list[list[Number]]
    area: Number
    iscrowd: Literal[0]
    image_id: Id
    bbox: tuple[Number, Number, Number, Number]
    category_id: Id
    id: int


S = TypeVar("S", bound=msgspec.Struct)


class OutlinedBlock(msgspec.Struct, Generic[S], frozen=True, gc=False, kw_only=True):
    """Images in order, as records without annotations and tags, and how many objects each has (`counts`).

    `objects` are shapes, or the annotations of one object, whose first has a `coco_id`; `labels` holds the label of
    each. `to_hub` makes annotations of a shape and its label.
    """

    records: Sequence[Record]
    counts: Sequence[int]
    objects: Sequence[S | Sequence[Annotation]]
    labels: Sequence[str]
    to_hub: Callable[[S, str], Sequence[Annotation]]

    def images(self) -> Iterator[tuple[Record, Sequence[S | Sequence[Annotation]], Sequence[str]]]:
        """Each image with its objects and their labels."""
        start = 0
        for record, count in zip(self.records, self.counts, strict=True):
            stop = start + count
            yield record, self.objects[start:stop], self.labels[start:stop]
            start = stop

    def expanded(self) -> Iterator[Record]:
        """The same images one by one."""
        for record, objects, labels in self.images():
            yield self.record(record, objects, labels)

    def record(self, record: Record, objects: Sequence[S | Sequence[Annotation]], labels: Sequence[str]) -> Record:
        """An image with these objects, which have these labels."""
        annotations: list[Annotation] = []
        for item, label in zip(objects, labels, strict=True):
            annotations += self.to_hub(item, label) if isinstance(item, msgspec.Struct) else item
        return replace(record, annotations=annotations)


class ShapeBlock(OutlinedBlock[Shape], frozen=True, gc=False, kw_only=True):
    """Images whose objects mostly are shapes. `spelled` is the text of all of these and nothing else, as the source has
    it, where there is one.
    """

    spelled: bytes | None = None


def facts(shapes: Sequence[Shape]) -> Iterator[dict[str, Any]]:
    """Of each object the metadata that carry its numbers to the hub (`schemas.keys`), but for what ties its rings."""
    outlined = [shape for shape in shapes if shape.segmentation]
    known = zip(*carried(outlined), strict=True) if outlined else iter(())
    for shape in shapes:
        said: dict[str, Any] = {"coco_id": shape.id}
        if shape.segmentation:
            outline, is_hull = next(known)
            said["area"], said["outline"] = shape.area, outline
            if not is_hull:
                said["bbox"] = msgspec.json.encode(shape.bbox).decode()
        elif shape.area != shape.bbox[2] * shape.bbox[3]:
            said["area"], said["outline"] = shape.area, fingerprint((shape.bbox,))
        yield said


def carried(shapes: Sequence[Shape]) -> tuple[list[int], list[bool]]:
    """The fingerprint of each outline, as `carrying` has it, and whether the box is the outline's hull, to the digits
    of `tidied`. Every shape has rings.
    """
    import numpy as np

    rings = list(chain.from_iterable([shape.segmentation for shape in shapes]))
    flat, counts = flattened(rings)
    parts = np.fromiter([len(shape.segmentation) for shape in shapes], np.int64, len(shapes))
    first = np.cumsum(parts) - parts
    lengths = np.add.reduceat(counts, first)
    low, high = hulls(flat, lengths)
    boxes = np.fromiter(chain.from_iterable([shape.bbox for shape in shapes]), np.float64, 4 * len(shapes))
    return fingerprints(flat, lengths), are_hulls(boxes.reshape(-1, 4), low, high).tolist()


def flattened(rings: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The numbers of all rings one behind the other, as little-endian doubles, and how many each has."""
    import numpy as np

    lengths = np.fromiter(map(len, rings), np.int64, len(rings))
    return np.fromiter(chain.from_iterable(rings), "<f8", int(lengths.sum())), lengths


def fingerprints(flat: NDArray[np.float64], lengths: NDArray[np.int64]) -> list[int]:
    """Of each run of so many numbers what `carrying.fingerprint` is of it."""
    data = memoryview(flat.tobytes())
    stops: list[int] = (lengths.cumsum() * flat.itemsize).tolist()
    return [zlib.crc32(data[start:stop]) for start, stop in zip([0, *stops], stops, strict=False)]


def hulls(flat: NDArray[np.float64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest x and y of each run of so many numbers, none of which is empty."""
    import numpy as np

    starts = (lengths.cumsum() - lengths) // 2
    points = flat.reshape(-1, 2)
    return np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)


def are_hulls(boxes: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which boxes are the hull of an outline, to the digits of `tidied`."""
    return (boxes[:, :2] == low).all(axis=1) & (boxes[:, 2:] == tidied(high - low)).all(axis=1)


def tidied(sizes: NDArray[Any]) -> NDArray[Any]:
    """Differences without the noise of the subtraction: 359.17 - 102.49 is 256.68."""
    import numpy as np

    near = np.rint(sizes * 100) / 100
    usual = (sizes > 0) & (sizes < SMALL) & (np.abs(near - sizes) < NOISE)
    if not usual.all():
        near[~usual] = [round(size, HULL_DECIMALS) for size in sizes[~usual].tolist()]
    return near
