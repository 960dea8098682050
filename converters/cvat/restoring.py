"""One object of the hub to CVAT elements: the element it was, while it is as it was; else the nearest CVAT has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ...schemas import masks
from ...schemas.errors import InvalidInput
from ...schemas.figures import figure_of
from ...schemas.keys import RINGS
from ...schemas.model import Annotation, Line, Points, Polygon, Record, Rectangle
from ...schemas.plain import ready
from ..carrying import as_read, mask_as_read
from ..drawing import drawn
from . import rle
from .elements import Restored, group_of
from .forms import FEWEST, Form
from .notes import STATED, Extra, Mark, extra_of, without_extra
from .skeletons import NEAR, Point, box_around, from_keypoints, keypoints, points_in

_KINDS: dict[type, str] = {Polygon: "polygon", Line: "polyline", Points: "points"}
_TRIPLES = msgspec.json.Decoder(list[int | float | None])
_MASK = msgspec.json.Decoder(dict[str, Any])

Names = Callable[[str, int, Sequence[str]], Sequence[str]]
"""The names of a label's key points, at least so many."""


def restored(group: Sequence[Annotation], record: Record, names: Names) -> list[Restored]:
    """The shapes of one object. Its rings are polygons of one group, unless they are a mask or hold holes."""
    mask = _mask_of(group) or _drawn(group, record)
    if mask is not None:
        mask.group = group_of(group[0].metadata)
        return [_with_stated(mask)]
    out = [_with_stated(_one(annotation, names)) for annotation in group]
    for shape in out:
        shape.group = group_of(shape.annotation.metadata)
        if isinstance(shape.annotation, Polygon):
            tie = {name: shape.annotation.metadata[name] for name in RINGS if name in shape.annotation.metadata}
            shape.mark = _with_tie(shape.mark, tie, shape.metadata)
    return out


def tied(shapes: Sequence[Restored], following: int) -> int:
    """Shapes of one object get one group: their own, else the `following` number; the number after it is returned."""
    group = next((shape.group for shape in shapes if shape.group is not None), None)
    for shape in shapes:
        if shape.group is None:
            shape.group = following if group is None else group
            shape.mark = msgspec.structs.replace(shape.mark, own_group=True)
    return following + 1 if group is None else following


def _rest(metadata: Mapping[str, Any], consumed: Sequence[str]) -> dict[str, Any]:
    """Metadata without what has an attribute of its own."""
    rest = without_extra(metadata, *consumed)
    if isinstance(rest.get("occluded"), bool):
        del rest["occluded"]
    if type(rest.get("z_order")) is int:
        del rest["z_order"]
    if group_of(metadata) is not None:
        del rest["group"]
    return rest


def _one(annotation: Annotation, names: Names) -> Restored:
    extra = extra_of(annotation.metadata) or Extra()
    mark = Mark(extras=annotation.extras)
    if isinstance(annotation, Rectangle):
        found = _skeleton(annotation, names)
        if found is not None:
            form, given = found
            mark = msgspec.structs.replace(given, extras=annotation.extras)
            rest = _rest(annotation.metadata, ("keypoints", "shape", "geometry"))
            return Restored(annotation, form, extra, mark, rest)
        form = Form("box", annotation.bbox)
        return Restored(annotation, form, _as_it_was(extra, form), mark, _rest(annotation.metadata, ()))
    figure = figure_of(annotation)
    if figure is not None:
        form = Form("box" if figure.shape == "obb" else figure.shape, figure.geometry, figure.rotation)
        if form.kind == "box" and not form.rotation:
            mark = msgspec.structs.replace(mark, shape="obb")
        rest = _rest(annotation.metadata, ("shape", "geometry", "rotation"))
        return Restored(annotation, form, extra, mark, rest)
    form = Form(_KINDS[type(annotation)], tuple(annotation.xy))
    if len(form.numbers) < 2 * FEWEST[form.kind]:
        message = f"a {form.kind} has at least {FEWEST[form.kind]} points, this one {len(form.numbers) // 2}"
        raise InvalidInput("too-few-points", message, hint="mend it with `annolake validate --fix`, or remove it")
    extra = msgspec.structs.replace(extra, form={})
    return Restored(annotation, form, extra, mark, _rest(annotation.metadata, ()))


def _with_stated(shape: Restored) -> Restored:
    """Numbers that a file stated beside its shape go into our mark: it is no attribute of the label."""
    stated = {key: shape.metadata.pop(key) for key in sorted(STATED & shape.metadata.keys())}
    if stated:
        shape.mark = msgspec.structs.replace(shape.mark, stated=stated)
    return shape


def _as_it_was(extra: Extra, form: Form) -> Extra:
    """Spellings of a box hold for no other box: they are but zeros of a rotation."""
    return extra if set(extra.form) <= {"rotation"} else msgspec.structs.replace(extra, form={})


def _with_tie(mark: Mark, tie: Mapping[str, Any], metadata: dict[str, Any]) -> Mark:
    """The mark with what ties a ring to others; values that do not fit into one stay in the metadata."""
    try:
        tied = msgspec.convert({**msgspec.to_builtins(mark), **tie}, ready(Mark))
    except msgspec.ValidationError:
        return mark
    for name in tie:
        metadata.pop(name, None)
    return tied


def _mask_of(group: Sequence[Annotation]) -> Restored | None:
    """The mask that an object was traced from, where it is still that."""
    metadata = group[0].metadata
    geometry = metadata.get("geometry")
    if metadata.get("shape") != "mask" or not isinstance(geometry, str):
        return None
    if not (as_read(group, metadata.get("outline")) or mask_as_read(group, geometry)):
        return None
    try:
        given = _MASK.decode(geometry)
        mask = masks.parse(given["size"], given["counts"])
    except (KeyError, TypeError, msgspec.MsgspecError, masks.MaskError):
        return None
    if not masks.area(mask):
        return None
    form = Form("mask", mask=mask)
    mark = Mark(extras=group[0].extras)
    if not isinstance(given["counts"], str) or given != _MASK.decode(rle.geometry(mask)):
        mark = msgspec.structs.replace(mark, geometry=geometry)
    rest = _rest(metadata, ("shape", "geometry", "outline", *RINGS))
    return Restored(group[0], form, extra_of(metadata) or Extra(), mark, rest)


def _drawn(group: Sequence[Annotation], record: Record) -> Restored | None:
    """Rings with holes as a mask, where the picture's size is known."""
    if not any("hole_of" in annotation.metadata for annotation in group):
        return None
    found = drawn(group, record)
    return None if found is None else _mask_of(found)


def _skeleton(box: Rectangle, names: Names) -> tuple[Form, Mark] | None:
    """A rectangle with key points as a skeleton, with what its elements do not give back."""
    metadata = box.metadata
    given = _triples(metadata.get("keypoints"))
    elements = points_in(metadata.get("geometry")) if metadata.get("shape") == "skeleton" else None
    if given is None and elements is None:
        return None
    if given is not None:
        labels = names(box.label, len(given) // 3, _in_order_of(given, elements or ()))
        if elements is None or not _same_points(given, json.loads(keypoints(elements, labels))):
            elements = _moved(elements or (), from_keypoints(given, labels))
    else:
        labels = names(box.label, 0, ())
    form = Form("skeleton", elements=elements or ())
    again = keypoints(form.elements, labels)
    kind = metadata.get("shape")
    if not isinstance(kind, str | None):
        return None
    hull = box_around(form.elements)
    declared = [*names(box.label, len(labels), ())] == [*labels]
    same = given is None or (declared and json.loads(again) == given)
    if kind == "skeleton" and same and all(abs(a - b) <= NEAR for a, b in zip(box.bbox, hull, strict=True)):
        return form, Mark()
    text = None if same else metadata["keypoints"]
    return form, Mark(bbox=box.bbox, shape=kind, keypoints=text, count=len(labels))


def _in_order_of(given: Sequence[float | None], elements: Sequence[Point]) -> list[str]:
    """The labels of elements in the order of the key points that they are; nothing where they are others."""
    left = list(elements)
    out: list[str] = []
    for start in range(0, len(given), 3):
        triple = given[start : start + 3]
        found = next((e for e in left if _same_points(triple, json.loads(keypoints((e,), (e.label,))))), None)
        if found is None:
            return []
        left.remove(found)
        out.append(found.label)
    return out


def _triples(text: Any) -> list[Any] | None:
    try:
        flat = _TRIPLES.decode(text)
    except (TypeError, UnicodeError, msgspec.MsgspecError):
        return None
    return flat if flat and len(flat) % 3 == 0 else None


def _same_points(a: Sequence[float | None], b: Sequence[float]) -> bool:
    return len(a) == len(b) and all(x is not None and abs(x - y) <= NEAR for x, y in zip(a, b, strict=True))


def _moved(elements: Sequence[Point], moved: Sequence[Point]) -> tuple[Point, ...]:
    """Elements where the key points say they are, with all else they had."""
    known = {element.label: element for element in elements}
    return tuple(
        msgspec.structs.replace(known.get(p.label, p), points=p.points, outside=p.outside, occluded=p.occluded)
        for p in moved
    )
