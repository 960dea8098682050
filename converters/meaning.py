"""What an object means, and in what two objects differ.

Order, ids, names of instances and book-keeping mean nothing, and a flag that is absent is a flag that is not set.
Everything else counts: type, outline, label, confidence, attributes, key points, metadata and keys that nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import isclose
from typing import Any, cast

import msgspec

from ..schemas.keys import BOOKKEEPING, RINGS, TABLE
from ..schemas.model import Line, Metadata, Points, Polygon, Record, Rectangle, Tag, Value, objects
from .carrying import as_read
from .keypoints import says_nothing, visibility_of
from .likeness import edges, near, same_geometry

Group = Sequence[Any]
"""All annotations of one object, or one tag."""


class Thing(msgspec.Struct, frozen=True, gc=False):
    """An object or a tag of an image; `number` counts from 1."""

    number: int
    group: list[Any]

    @property
    def kind(self) -> str:
        return _WORDS[type(self.group[0])]

    @property
    def label(self) -> str:
        return self.group[0].label

    @property
    def name(self) -> int | str:
        """The source's id of the object, else its number."""
        return self.group[0].metadata.get("coco_id", self.number)


def things(record: Record) -> list[Thing]:
    """The objects and tags of an image, in order."""
    groups: list[list[Any]] = [*objects(record.annotations), *([tag] for tag in record.tags)]
    return [Thing(number, _by_part(group)) for number, group in enumerate(groups, 1)]


def alike(a: Thing, b: Thing, tolerance: float, *, exact: bool = False) -> bool:
    """Whether two objects mean the same, coordinates within `tolerance` and confidences within a millionth. `exact`:
    ids, names of instances and book-keeping count too.
    """
    one, other = a.group, b.group
    if one == other:
        return True
    return (
        one[0].label == other[0].label
        and same_geometry(one, other, tolerance)
        and all(same(one, other, tolerance) for same in _FACTS.values())
        and not other_metadata(one, other, exact)
    )


def differences(a: Thing, b: Thing, tolerance: float, *, exact: bool = False) -> tuple[list[str], list[str]]:
    """In what two objects differ (type, geometry, label, confidence, attributes, keypoints, bbox, extras, metadata),
    and the names of the attributes and metadata keys among it.
    """
    one, other = a.group, b.group
    fields: list[str] = []
    if {type(shape) for shape in one} != {type(shape) for shape in other}:
        fields.append("type")
    elif not same_geometry(one, other, tolerance):
        fields.append("geometry")
    fields += [field for field, same in _FACTS.items() if not same(one, other, tolerance)]
    keys = other_metadata(one, other, exact)
    if keys:
        fields.append("metadata")
    if "attributes" in fields:
        x, y = one[0].attributes, other[0].attributes
        keys += sorted(name for name in x.keys() | y.keys() if not _same_values(x.get(name), y.get(name)))
    return fields, keys


def other_metadata(a: Group, b: Group, exact: bool = False) -> list[str]:
    """The metadata keys in which two objects differ."""
    if len(a) == len(b) == 1 and a[0].metadata == b[0].metadata:
        return []
    x, y = _merged(a), _merged(b)
    keys = x.keys() | y.keys()
    if exact:
        return sorted(key for key in keys - _KEPT_APART if x.get(key) != y.get(key))
    shape = x.get("shape")
    if shape == y.get("shape") and isinstance(shape, str) and shape in _TOLD_BY_OUTLINE:
        keys -= _TOLD_BY_OUTLINE[shape]
    elif _shape(x) == _shape(y):
        keys -= {"shape"}
    return sorted(key for key in keys - _MEANINGLESS if not _same_fact(key, x.get(key), y.get(key)))


_WORDS: dict[type, str] = {Rectangle: "rectangle", Polygon: "polygon", Line: "line", Points: "points", Tag: "tag"}
_CONFIDENCE = 1e-6
_UNSET_IS_ZERO = frozenset(("iscrowd", "occluded", "truncated", "difficult", "outside", "rotation", "group", "z_order"))
_JSON_TEXT = frozenset(key.name for key in TABLE if key.type == "JSON text")
_FORMS = {
    "coco_extra": frozenset(("segmentation",)),
    "voc_extra": frozenset(("truncated", "difficult", "occluded", "pose", "score", "confidence")),
    "cvat_extra": frozenset(("form", "open", "gap", "inherited")),
}
_KEPT_APART = frozenset(("keypoints",))
_TOLD_BY_OUTLINE = {"obb": frozenset(("geometry", "rotation")), "mask": frozenset(("geometry",))}
"""Four corners say all that a rotated box is, and rings on pixel edges all that a mask is."""
_MEANINGLESS = _KEPT_APART | RINGS | BOOKKEEPING | {"voc_object"}


def _by_part(group: list[Any]) -> list[Any]:
    """Parts in the order of their numbers: what concerns the whole object rides on the first."""
    if len(group) == 1 or not all(isinstance(shape.metadata.get("part"), int) for shape in group):
        return group
    return sorted(group, key=lambda shape: shape.metadata["part"])


def _shape(metadata: Metadata) -> Any:
    """What it was before, where that says more than the outline: not of a rotated box by its corners alone, nor of key
    points of which none is labelled. A skeleton without its elements is key points.
    """
    shape = metadata.get("shape")
    if shape == "skeleton" and "geometry" not in metadata:
        shape = "keypoints"
    corners = shape == "obb" and "geometry" not in metadata
    return None if corners or (shape == "keypoints" and says_nothing(metadata.get("keypoints"))) else shape


def _merged(group: Group) -> dict[str, Any]:
    """The metadata of all parts; where they disagree, all values in the order of the parts."""
    if len(group) == 1:
        return group[0].metadata
    values: dict[str, list[Any]] = {}
    for shape in group:
        for key, value in shape.metadata.items():
            if value not in (known := values.setdefault(key, [])):
                known.append(value)
    return {key: known[0] if len(known) == 1 else known for key, known in values.items()}


def _same_fact(key: str, a: Any, b: Any) -> bool:
    if a == b:
        return True
    if key in _UNSET_IS_ZERO and not a and not b:
        return True
    if isinstance(a, int | float) and isinstance(b, int | float):
        return isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return key in _JSON_TEXT and _structure(key, a) == _structure(key, b)


def _structure(key: str, text: Any) -> Any:
    """What a JSON text says. The source's own form of what stands elsewhere too (closed rings, flags in other words,
    which frames a track leaves out) means nothing beside it.
    """
    try:
        value: Any = json.loads(text or "{}")
    except (TypeError, ValueError, RecursionError):
        return text
    if key == "geometry" and isinstance(value, list):  # an element of a skeleton is a point unless it says otherwise
        elements = cast("list[Any]", value)
        return [{"type": "points", **element} if isinstance(element, dict) else element for element in elements]
    if key in _FORMS and isinstance(value, dict):
        extra = cast("dict[str, Any]", value)
        return {name: fact for name, fact in extra.items() if name not in _FORMS[key]}
    return value


def _any_order(same: Callable[[Any, Any], bool], a: Group, b: Group) -> bool:
    """Whether each part of one has its like in the other."""
    if len(a) == len(b) == 1:
        return same(a[0], b[0])
    return all(any(same(x, y) for y in b) for x in a) and all(any(same(x, y) for x in a) for y in b)


def _same_labels(a: Group, b: Group, _: float) -> bool:
    return _any_order(lambda x, y: x.label == y.label, a, b)


def _same_confidences(a: Group, b: Group, _: float) -> bool:
    return _any_order(lambda x, y: _same_confidence(x.confidence, y.confidence), a, b)


def _same_attributes(a: Group, b: Group, _: float) -> bool:
    def same(x: Any, y: Any) -> bool:
        one, other = x.attributes, y.attributes
        return one == other or (
            one.keys() == other.keys() and all(_same_values(one[name], other[name]) for name in one)
        )

    return _any_order(same, a, b)


def _same_extras(a: Group, b: Group, _: float) -> bool:
    return _any_order(lambda x, y: (x.extras or {}) == (y.extras or {}), a, b)


def _same_confidence(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and abs(a - b) <= _CONFIDENCE)


def _same_values(a: Sequence[Value] | None, b: Sequence[Value] | None) -> bool:
    if a is None or b is None or len(a) != len(b):
        return a == b
    return all(
        x.value == y.value
        and _same_confidence(x.confidence, y.confidence)
        and (x.metadata or {}) == (y.metadata or {})
        and (x.extras or {}) == (y.extras or {})
        for x, y in zip(a, b, strict=True)
    )


def _same_keypoints(a: Group, b: Group, tolerance: float) -> bool:
    x, y = a[0].metadata.get("keypoints"), b[0].metadata.get("keypoints")
    if x == y:
        return True
    one, other = _key_points(x), _key_points(y)
    if one is None or other is None or [p[2] for p in one] != [p[2] for p in other]:
        return False
    return all(near(p[:2], q[:2], tolerance) for p, q in zip(one, other, strict=True))


def _key_points(text: Any) -> list[tuple[float, float, float]] | None:
    """Points up to the last labelled one; None for what is no list of triples. Without visibility a point is there."""
    if text is None:
        return []
    try:
        flat = msgspec.json.decode(text, type=list[float | None])
        triples = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        points = [(float(x or 0), float(y or 0), visibility_of(x, y, v)) for x, y, v in triples]
    except (TypeError, ValueError, msgspec.MsgspecError):
        return None
    while points and points[-1][2] == 0:
        points.pop()
    return points


def _same_box(a: Group, b: Group, tolerance: float) -> bool:
    """COCO states a box beside an outline. It counts where both sides know what it was."""
    if "bbox" not in a[0].metadata and "bbox" not in b[0].metadata:
        return True
    one, other = _stated_box(a), _stated_box(b)
    return one is None or other is None or near(one, other, tolerance)


def _stated_box(group: Group) -> Sequence[float] | None:
    """Its edges; the outline's hull where COCO had just that. None if it is of no COCO file, or of an older outline."""
    metadata = group[0].metadata
    if "coco_id" not in metadata or "outline" not in metadata or not as_read(group, metadata["outline"]):
        return None
    if "bbox" not in metadata:
        return edges(group)
    box = _numbers(metadata["bbox"])
    return (box[0], box[1], box[0] + box[2], box[1] + box[3]) if len(box) == 4 else None


def _numbers(text: Any) -> list[float]:
    """The list of numbers in a JSON text; empty for anything else."""
    try:
        return msgspec.json.decode(text, type=list[float])
    except (TypeError, msgspec.MsgspecError):
        return []


_FACTS: dict[str, Callable[[Group, Group, float], bool]] = {
    "label": _same_labels,
    "confidence": _same_confidences,
    "attributes": _same_attributes,
    "keypoints": _same_keypoints,
    "bbox": _same_box,
    "extras": _same_extras,
}
