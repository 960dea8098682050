"""One COCO annotation to hub annotations: every key is used, carried, or a problem.

`from_plain` is the fast lane for COCO's own seven keys; `from_any` takes anything and agrees with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ...schemas.figures import KINDS
from ...schemas.geometry import hull_of
from ...schemas.model import Annotation, Polygon, Rectangle, Tag
from ...schemas.plain import is_list, is_number, is_object
from ..carrying import fingerprint
from ..fidelity import Fidelity
from ..shapeblocks import HULL_DECIMALS, NOISE, SMALL, Id, Number, Shape
from .attributes import read_attributes
from .notes import EXTENSION
from .rotation import turned_box
from .segmentation import Rings, Unreadable, read_segmentation

if TYPE_CHECKING:
    from .segmentation import Traced

_STANDARD = ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation")
_NOTES = frozenset(("coco_id", "coco_category_id", "outline"))
"""Metadata by which the way back restores the annotation: nothing in a file may pretend to be them. Without `outline`
carried numbers are not believed.
"""
_EXTRA: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, Any])


class PlainBox(msgspec.Struct, gc=False):
    """An annotation with COCO's own seven keys, no crowd, no mask, for a target of boxes: its rings are not decoded."""

    id: int
    image_id: Id
    category_id: Id
    bbox: tuple[Number, Number, Number, Number]
    area: Number
    iscrowd: Literal[0]
    segmentation: msgspec.Raw


class Wanted(msgspec.Struct, frozen=True):
    """What a target can use: the numbers that are carried for the way back, boxes instead of outlines, crowds; whether
    it has masks and key points of its own, so that they need not ride beside another shape.
    """

    carried: bool = True
    boxes: bool = False
    crowd: bool = True
    masks: bool = False

    @classmethod
    def by(cls, fidelity: Fidelity | None) -> Wanted:
        if fidelity is None:
            return cls()
        return cls(fidelity.metadata is True, fidelity.boxes_only, bool(fidelity.crowd), fidelity.holes == "masks")


def from_plain(plain: Shape, label: str, *, carried: bool = True) -> list[Annotation] | None:
    """The fast lane; None where something is odd and `from_any` should look at it."""
    rings = plain.segmentation
    if plain.area < 0 or plain.bbox[2] <= 0 or plain.bbox[3] <= 0:
        return None
    if not carried and len(rings) < 2:
        metadata: dict[str, Any] = {"coco_id": plain.id}
        if not rings:
            return [Rectangle(bbox=plain.bbox, label=label, metadata=metadata)]
        xy = rings[0]
        if len(xy) < 6 or len(xy) & 1 or (xy[0] == xy[-2] and xy[1] == xy[-1]):
            return None
        return [Polygon(xy=xy, label=label, metadata=metadata)]
    metadata: dict[str, Any] = {"coco_id": plain.id}
    if not rings:
        if plain.area != plain.bbox[2] * plain.bbox[3]:
            metadata["area"] = plain.area
            metadata["outline"] = fingerprint((plain.bbox,))
        return [Rectangle(bbox=plain.bbox, label=label, metadata=metadata)]
    for xy in rings:
        if len(xy) < 6 or len(xy) & 1 or (xy[0] == xy[-2] and xy[1] == xy[-1]):
            return None
    metadata["area"] = plain.area
    metadata["outline"] = fingerprint(rings)
    if not is_hull(plain.bbox, rings):
        metadata["bbox"] = text(plain.bbox)
    if len(rings) == 1:
        return [Polygon(xy=rings[0], label=label, metadata=metadata)]
    return _rings(Rings(rings), metadata, {}, str(plain.id), {"label": label})


def from_any(
    plain: Mapping[str, Any],
    label: str,
    number: int,
    size: tuple[Any, Any],
    wanted: Wanted,
    traced: Traced | None = None,
) -> tuple[list[Annotation | Tag], list[str]]:
    """Hub annotations of an object and the codes of what was carried. Unreadable where a key makes no sense.

    `number` is the annotation's place in the file, `size` the image's width and height as the file says. Where boxes
    are wanted and the annotation has its own with an area, that is the box, and its outline is booked as boxed.
    `traced`: the outline of its mask, as `read_segmentation` takes it.
    """
    extra = {key: value for key, value in plain.items() if key not in _STANDARD}
    own = extra.pop(EXTENSION, None)
    if "area" in plain and not is_number(plain["area"]):
        extra["area"] = plain["area"]
    bookkeeping: dict[str, Any] = {}
    meaning: dict[str, Any] = {}
    if plain.get("id") is not None:
        bookkeeping["coco_id"] = plain["id"]
    box = _box(plain)
    if wanted.boxes and box is not None and (min(box[2:]) > 0 or not plain.get("segmentation")):
        outlined = plain.get("segmentation") and (wanted.crowd or not plain.get("iscrowd"))
        read_segmentation(plain, {}, {}, size, outline="none")  # broken outlines are refused, wanted or not
        rings, codes = Rings(), ["polygon-boxed"] if outlined else []
    else:
        left_out = not wanted.crowd and plain.get("iscrowd") == 1
        rings, codes = read_segmentation(
            plain, extra, bookkeeping, size, outline="rough" if left_out else "traced", traced=traced
        )
        codes = codes if wanted.carried and not wanted.masks else []
    crowd = plain.get("iscrowd", 0)
    if is_number(crowd) and crowd in (0, 1):
        if crowd:
            meaning["iscrowd"] = True
    else:
        extra["iscrowd"] = crowd
        meaning["iscrowd"] = crowd is True
    keypoints = _keypoints(extra)
    if keypoints is not None:
        meaning["keypoints"] = text(keypoints)
    common: dict[str, Any] = {"label": label, "confidence": _confidence(extra)}
    common["extras"] = own if is_object(own) else None
    common["attributes"] = read_attributes(extra, meaning, bookkeeping)
    rotation = meaning.get("rotation")
    meaning.update(_metadata(extra, meaning, bookkeeping))
    other = keypoints is not None or meaning.keys() & {"shape", "geometry"}
    figure = None if other else turned_box(plain, box, rotation)
    if figure is not None:
        rings = Rings([figure.outline()])
        meaning.update(figure.metadata())
    shapes: list[Sequence[Number]] = list(rings.rings)
    if not shapes and box is None and keypoints is not None:
        box = _hull_of_keypoints(keypoints)
    if not shapes and box is None:
        if is_number(plain.get("area")):
            bookkeeping["area"] = plain["area"]
        _finish(bookkeeping, extra)
        return [Tag(metadata={**meaning, **bookkeeping}, **common)], codes
    if not shapes and box is not None:
        shapes = [box]
        if keypoints is not None:
            bookkeeping["shape"] = meaning.get("shape", bookkeeping.get("shape", "keypoints"))
            if wanted.carried and not wanted.masks:
                codes.append("keypoints-boxed")
    if "polygon-boxed" in codes and meaning.get("shape") in KINDS:  # the numbers of a figure are none of its box
        meaning = {key: value for key, value in meaning.items() if key not in ("shape", "geometry", "rotation")}
    _derived(plain, box, Rings() if figure else rings, shapes, bookkeeping)
    _finish(bookkeeping, extra)
    if not rings.rings and box is not None:
        return [Rectangle(bbox=box, metadata={**meaning, **bookkeeping}, **common)], codes
    if len(rings.rings) == 1:
        return [Polygon(xy=rings.rings[0], metadata={**meaning, **bookkeeping}, **common)], codes
    instance = str(plain["id"]) if plain.get("id") is not None else f"n{number}"
    return list(_rings(rings, bookkeeping, meaning, instance, common)), codes


def is_hull(box: Sequence[Number], rings: Sequence[Sequence[Number]]) -> bool:
    """Whether a box is what `tidy_hull` makes of the rings, so that it need not be carried."""
    if len(rings) > 1:
        return tuple(box) == tidy_hull(rings)
    x, y, w, h = box
    xs, ys = sorted(rings[0][::2]), sorted(rings[0][1::2])
    return x == xs[0] and y == ys[0] and w == _tidy(xs[-1] - x) and h == _tidy(ys[-1] - y)


def tidy_hull(rings: Sequence[Sequence[Number]]) -> tuple[Number, Number, Number, Number]:
    """The hull of all rings, without the noise of the subtraction: 359.17 - 102.49 is 256.68."""
    if len(rings) == 1:
        xs, ys = rings[0][::2], rings[0][1::2]
        x, y = min(xs), min(ys)
        return x, y, _tidy(max(xs) - x), _tidy(max(ys) - y)
    x, y, w, h = hull_of(rings)
    return x, y, _tidy(w), _tidy(h)


def _tidy(size: Number) -> Number:
    """The size to `HULL_DECIMALS`; quickly where it is but for noise a hundredth of a whole number, as most are."""
    if isinstance(size, float) and 0 < size < SMALL:
        near = round(size * 100) / 100
        if abs(near - size) < NOISE:
            return near
    return round(size, HULL_DECIMALS)


def text(value: Any) -> str:
    """A structure as the JSON text that rides in metadata."""
    return msgspec.json.encode(value).decode()


def _rings(
    rings: Rings, first: dict[str, Any], each: dict[str, Any], instance: str, common: dict[str, Any]
) -> list[Annotation]:
    """Several rings of one object. What concerns the file rides on the first, what changes the meaning on each."""
    out: list[Annotation] = []
    for number, xy in enumerate(rings.rings, 1):
        metadata = {**each, **(first if number == 1 else {})}
        metadata.update(instance=instance, part=number, parts=len(rings.rings))
        hole_of = rings.holes.get(number)
        if hole_of is not None:
            metadata["hole_of"] = hole_of
        out.append(Polygon(xy=xy, metadata=metadata, **common))
    return out


def _box(plain: Mapping[str, Any]) -> tuple[Number, Number, Number, Number] | None:
    box = plain.get("bbox")
    if box is None or box == []:
        return None
    if not is_list(box) or len(box) != 4 or not all(map(is_number, box)):
        raise Unreadable(
            "bbox-length" if is_list(box) and len(box) != 4 else "wrong-type",
            f"bbox is [x, y, width, height], four numbers, not {text(box)[:60]}",
            ("bbox",),
            "mend or remove the box",
        )
    x, y, w, h = box
    return x, y, w, h


def _keypoints(extra: dict[str, Any]) -> list[Number] | None:
    """Flat [x, y, v, ...]; `num_keypoints` is carried where it is not the number of labelled points."""
    points = extra.pop("keypoints", None)
    if points is None:
        return None
    if not is_list(points) or len(points) % 3 or not all(map(is_number, points)):
        raise Unreadable(
            "keypoints-length",
            "keypoints are triples of x, y and visibility",
            ("keypoints",),
            "give three numbers for each point",
        )
    numbers: list[Number] = points
    if extra.get("num_keypoints", ...) == sum(v > 0 for v in numbers[2::3]):
        del extra["num_keypoints"]
    return numbers


def _hull_of_keypoints(points: list[Number]) -> tuple[Number, Number, Number, Number] | None:
    labelled = [n for start in range(0, len(points), 3) if points[start + 2] > 0 for n in points[start : start + 2]]
    return tidy_hull([labelled]) if labelled else None


def _confidence(extra: dict[str, Any]) -> float | None:
    """The score where it is one; a logit or a percentage stays an unknown key."""
    score = extra.get("score")
    if is_number(score) and 0 <= score <= 1:
        return extra.pop("score")
    return None


def _metadata(extra: dict[str, Any], meaning: Mapping[str, Any], bookkeeping: Mapping[str, Any]) -> dict[str, Any]:
    """Free metadata that came through COCO in an object of its own; not where it has our own notes' names."""
    given = extra.get("metadata")
    if not is_object(given) or not given or given.keys() & (meaning.keys() | bookkeeping.keys() | _NOTES):
        return {}
    with suppress(TypeError, UnicodeError, RecursionError, msgspec.MsgspecError):
        _EXTRA.decode(given.get("coco_extra", ""))
        return {}
    return extra.pop("metadata")


def _derived(
    plain: Mapping[str, Any],
    box: tuple[Number, Number, Number, Number] | None,
    rings: Rings,
    shapes: list[Sequence[Number]],
    bookkeeping: dict[str, Any],
) -> None:
    """Area and box as the file has them, where the shape alone does not give them back."""
    area = plain.get("area")
    if is_number(area) and (rings.rings or box is None or area != box[2] * box[3]):
        bookkeeping["area"] = area
    given = plain.get("bbox") or None
    has_own = given is None or (rings.rings and not is_hull(given, rings.rings))
    if rings.rings or "area" in bookkeeping or has_own:
        bookkeeping["outline"] = fingerprint(shapes)
    if has_own:
        bookkeeping["bbox"] = text(given)


def _finish(bookkeeping: dict[str, Any], extra: dict[str, Any]) -> None:
    if extra:
        bookkeeping["coco_extra"] = json.dumps(extra, ensure_ascii=False)
