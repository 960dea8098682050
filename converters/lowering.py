"""What projection asks of an object: its groups, its own box, what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from ..schemas import geometry
from ..schemas.errors import InvalidInput, Place
from ..schemas.figures import KINDS
from ..schemas.keys import BOOKKEEPING, BY_NAME, IMAGE_BOOKKEEPING, RINGS
from ..schemas.model import Annotation, Polygon, Record, Rectangle, Tag, objects
from ..schemas.names import is_safe_name
from ..schemas.plain import is_object
from .carrying import as_read

_Shape = TypeVar("_Shape", bound=Annotation)

OF_OUTLINES = RINGS | {"shape", "geometry", "outline", "area", "bbox", "voc_outline"}
"""What is true of an outline, or ties several to one object, and no longer of the box around them."""

_TOLD = BOOKKEEPING | RINGS | {"geometry", "shape", "keypoints"}
MOST = 2**53 - 1
"""The largest whole number that as a float, which is what readers of rows make of an id, is no other one's too."""
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BOX = msgspec.json.Decoder(tuple[int | float, int | float, int | float, int | float])


def groups(annotations: Sequence[Annotation]) -> Sequence[Sequence[Annotation]]:
    for annotation in annotations:
        if "instance" in annotation.metadata:
            return objects(annotations)
    return [(annotation,) for annotation in annotations]


def own_box(group: Sequence[Annotation]) -> tuple[float, float, float, float]:
    """The object's box: the one it came with, if that has an area and the outline is still as it was, else the hull."""
    first = group[0].metadata
    if "bbox" in first and as_read(group, first.get("outline")):
        with suppress(TypeError, UnicodeError, msgspec.MsgspecError):  # none of its own, or not one that annolake noted
            box = _BOX.decode(first["bbox"])
            if box[2] > 0 and box[3] > 0:
                return box
    return geometry.hull_of(a.xy for a in group if not isinstance(a, Rectangle))


def as_box(group: Sequence[Annotation]) -> Rectangle:
    """The box of an outlined object, with what is still true of it."""
    return Rectangle(bbox=own_box(group), **common(group[0], without=of_outline(group[0])))


def renumbered(solid: Sequence[Polygon]) -> Sequence[Annotation]:
    """An object of the parts that are left."""
    if len(solid) == 1:
        return (Polygon(xy=solid[0].xy, **common(solid[0])),)
    total = len(solid)
    return [replace(a, metadata={**a.metadata, "part": n, "parts": total}) for n, a in enumerate(solid, 1)]


def of_outline(annotation: Annotation) -> frozenset[str]:
    """What is not true of the box around an outline: a box that is turned has another than one that is not."""
    return OF_OUTLINES | {"rotation"} if annotation.metadata.get("shape") in KINDS else OF_OUTLINES


def apart(annotation: _Shape) -> _Shape:
    """A ring that is an object by itself from now on: numbers of the whole are not its own."""
    kept = {key: value for key, value in annotation.metadata.items() if key not in OF_OUTLINES - RINGS}
    return replace(annotation, metadata=kept)


def led_by(first: Annotation, rest: Sequence[_Shape]) -> Sequence[_Shape]:
    """The rest of an object whose first ring is left out: what that alone says of the object, the next one says."""
    if not rest:
        return rest
    said = {key: value for key, value in first.metadata.items() if key not in OF_OUTLINES | rest[0].metadata.keys()}
    return [replace(rest[0], metadata={**rest[0].metadata, **said}), *rest[1:]]


def told_by_others(metadata: Mapping[str, Any]) -> frozenset[str]:
    """Keys whose loss is told by another code, or is none: the rotation of a figure goes with its numbers."""
    figure = "geometry" in metadata and metadata.get("shape") in KINDS
    return _TOLD | {"rotation"} if figure else _TOLD


def exceeds(low: float, high: float, limit: float, share: float) -> bool:
    """Whether a span reaches more than this share beyond the image on either side, or is that much longer than it."""
    return low < -share * limit or max(high, high - low) > limit + share * limit


def within(xy: Sequence[float], width: float, height: float) -> bool:
    """Whether a ring lies in an image of that size."""
    xs, ys = xy[::2], xy[1::2]
    return min(xs) >= 0 and min(ys) >= 0 and max(xs) <= width and max(ys) <= height


def common(annotation: Annotation, without: frozenset[str] = RINGS) -> dict[str, Any]:
    return {
        "label": annotation.label,
        "confidence": annotation.confidence,
        "metadata": {key: value for key, value in annotation.metadata.items() if key not in without},
        "attributes": annotation.attributes,
        "extras": annotation.extras,
    }


def disagreeing(group: Sequence[Annotation]) -> Annotation | None:
    """The first later ring of an object that does not say of it what the first says. Forms ride on the first alone."""
    first = group[0]
    return next((later for later in group[1:] if not _agrees(first, later)), None)


def agreeing(group: Sequence[Annotation]) -> Sequence[Annotation]:
    """The object with all rings saying of it what the first says."""
    first = group[0]
    said = {
        "label": first.label,
        "confidence": first.confidence,
        "attributes": first.attributes,
        "extras": first.extras,
    }
    meant = {k: v for k, v in first.metadata.items() if k not in RINGS and _purpose(k) == "meaning"}
    return [first, *(replace(later, metadata=meant | _own(later.metadata), **said) for later in group[1:])]


def _own(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a ring says of itself and not of its object."""
    return {key: value for key, value in metadata.items() if key in RINGS or _purpose(key) == "bookkeeping"}


def _agrees(first: Annotation, later: Annotation) -> bool:
    if any(_purpose(k) == "form" and v != first.metadata.get(k) for k, v in later.metadata.items() if k not in RINGS):
        return False
    return _description(first) == _description(later)


def _description(annotation: Annotation) -> tuple[Any, ...]:
    metadata = {k: v for k, v in annotation.metadata.items() if k not in RINGS and _purpose(k) == "meaning"}
    return annotation.label, annotation.confidence, annotation.attributes, metadata, annotation.extras


def _purpose(key: str) -> str:
    """What others call their own counts as meaning."""
    return BY_NAME[key].purpose if key in BY_NAME else "meaning"


def lacking(annotation: Annotation | Tag, required: frozenset[str]) -> str | None:
    """The code of the first fact that a target wants of every annotation and this one does not have."""
    if "confidence" in required and annotation.confidence is None and not _has_odd_score(annotation):
        return "confidence-missing"
    track = annotation.metadata.get("track_id")
    if "track_id" in required and (not isinstance(track, int) or isinstance(track, bool) or not 0 <= track <= MOST):
        return "track-missing"
    return None


def _has_odd_score(annotation: Annotation | Tag) -> bool:
    """A score that is none from 0 to 1 rides with the keys that nobody knows."""
    try:
        return "score" in _KEYS.decode(annotation.metadata.get("coco_extra", "{}"))
    except (TypeError, UnicodeError, msgspec.MsgspecError):
        return False


def lost_facts(extras: Mapping[str, Any], storage_name: str | None) -> list[str]:
    """A format's own words for where a picture comes from are no loss; any other fact is."""
    lost: list[str] = []
    for name, facts in extras.items():
        if name in IMAGE_BOOKKEEPING and is_object(facts):
            lost += [key for key in facts if key not in IMAGE_BOOKKEEPING[name]]
        else:
            lost.append(name)
    return lost if storage_name is None else [*lost, "storageName"]


def unreal_size(record: Record) -> str:
    """What is said of an image's size where that is none, as neither side may be 0 or below, or missing alone."""
    width, height = record.width, record.height
    if (width is not None and height is not None and width > 0 and height > 0) or width is height is None:
        return ""
    sides = {"width": width, "height": height}
    return ", ".join(f"{side} {value}" for side, value in sides.items() if value is not None)


def check_name(name: str) -> None:
    """Storage paths of the MetaLake may begin with a slash; names of files in a data set may not."""
    if not is_safe_name(name):
        message, hint = "this name is absolute or leads out of the data set", "make it relative to the pictures' folder"
        raise InvalidInput("unsafe-name", message, place=Place(image=name), hint=hint)
