"""One shape or tag of a CVAT file to hub annotations: every attribute and element is used, carried, or an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec
from lxml import etree

from ...schemas import masks
from ...schemas.figures import Figure
from ...schemas.model import Annotation, Line, Points, Polygon, Rectangle, Tag, Value
from ..carrying import fingerprint
from ..spelling import Spelled, confidence, understood
from . import rle
from .forms import Form, consumed, read_form
from .notes import EXTENSION, EXTRA_OF_TRACKS, Extra, Mark, as_text, extra_in, mark_of
from .numbers import Unreadable
from .skeletons import as_geometry, box_around, keypoints
from .stream import Element

UNLABELLED = "(no label)"
"""What stands for the empty label that some files use: the hub's labels are never empty."""

COMMON = frozenset(("label", "source", "occluded", "z_order", "group_id"))
OF_TRACKS = frozenset(("frame", "keyframe", "outside"))
DEFAULT_SOURCE = "file"
_SCORES = ("score", "confidence")


class Said(msgspec.Struct):
    """What a shape says beside its geometry."""

    label: str
    metadata: dict[str, Any] = {}
    attributes: dict[str, tuple[Value, ...]] = {}
    confidence: float | None = None
    extra: Extra = Extra()
    mark: Mark | None = None


class Shape(msgspec.Struct):
    said: Said
    form: Form


def read_shape(element: Element, size: tuple[Any, Any], inherited: Mapping[str, str] = {}) -> Shape:
    """A shape's element; `inherited` is what its track says for it. Unreadable where it makes no sense."""
    form, unlike = read_form(element, size)
    said = read_said(element, consumed(str(element.tag)), inherited)
    if unlike:
        said.extra = msgspec.structs.replace(said.extra, form=unlike)
    return Shape(said, form)


def read_said(element: Element, geometry: frozenset[str], inherited: Mapping[str, str] = {}) -> Said:
    """What stands on a shape or tag whose XML attributes of `geometry` are somebody else's affair."""
    given = {str(name): str(text) for name, text in element.attrib.items()}
    every = {**inherited, **given}
    label = every.get("label")
    if label is None:
        raise Unreadable("missing-attribute", f"this <{element.tag}> has no label", "give it one, or remove it")
    beside = geometry if not inherited else geometry | OF_TRACKS
    others = {name: text for name, text in given.items() if name not in COMMON | beside}
    mark = mark_of(others.get(EXTENSION))
    if mark is not None:
        del others[EXTENSION]
    metadata = _native(every, given, others)
    if mark is not None and mark.own_group:
        metadata.pop("group", None)
    said, odd = _children(element)
    score = next((name for name in _SCORES if confidence(others.get(name, "")) is not None), None)
    sure = said.confidence
    if score is not None and sure is None:
        sure = confidence(others.pop(score))
    else:
        score = None
    extra = Extra(attributes=others, elements=odd, unlabelled=label == "", score=score)
    if mark is not None and (carried := extra_in(mark.carried)) is not None:
        extra = msgspec.structs.replace(extra, **{name: getattr(carried, name) for name in EXTRA_OF_TRACKS})
    return Said(label or UNLABELLED, {**metadata, **said.metadata}, said.attributes, sure, extra, mark)


def to_hub(shape: Shape, number: int, names: Sequence[str] | None) -> tuple[list[Annotation], list[str]]:
    """Hub annotations of a shape, and the codes of what was carried. `number` is its place in the picture, `names` the
    sub-labels of its label.
    """
    said, form, mark = shape.said, shape.form, shape.said.mark or Mark()
    common: dict[str, Any] = {"label": said.label, "confidence": said.confidence, "attributes": said.attributes}
    common["extras"] = mark.extras
    metadata = said.metadata
    if form.mask is not None:
        return _outlined(form.mask, common, metadata | _carried(said), number, mark), ["mask-outlined"]
    metadata = metadata | _tie(mark)
    if form.kind == "skeleton":
        box = mark.bbox or box_around(form.elements)
        kind = mark.shape if mark.bbox else "skeleton"
        named = names or [element.label for element in form.elements]
        metadata["keypoints"] = mark.keypoints or keypoints(form.elements, named[: mark.count])
        if kind is not None:
            metadata["shape"] = kind
        if kind == "skeleton":
            metadata["geometry"] = as_geometry(form.elements)
        metadata |= _carried(said)
        codes = ["skeleton-boxed" if kind == "skeleton" else "keypoints-boxed"]
        return [Rectangle(bbox=box, metadata=metadata, **common)], codes
    figure = Figure("obb", form.numbers) if _is_upright(form, mark) else form.figure()
    codes = []
    if figure is not None:
        metadata |= figure.metadata()
        codes = [f"{form.kind}-outlined"] if form.kind != "box" else []
    metadata |= _carried(said)
    if figure is not None:
        return [Polygon(xy=figure.outline(), metadata=metadata, **common)], codes
    if form.kind == "box":
        return [Rectangle(bbox=form.numbers, metadata=metadata, **common)], []  # type: ignore[arg-type]
    kind = {"polygon": Polygon, "polyline": Line, "points": Points}[form.kind]
    return [kind(xy=form.numbers, metadata=metadata, **common)], []


def _is_upright(form: Form, mark: Mark) -> bool:
    """Whether a box is one that may be turned, and is not."""
    return form.kind == "box" and mark.shape == "obb" and not form.rotation


def to_tag(element: Element) -> Tag:
    said = read_said(element, frozenset())
    metadata = said.metadata | _carried(said)
    extras = said.mark.extras if said.mark is not None else None
    return Tag(
        label=said.label, confidence=said.confidence, metadata=metadata, attributes=said.attributes, extras=extras
    )


def as_xml(element: Element) -> str:
    """An element as text, without what follows it and without the indentation between its children."""
    copy: Element = deepcopy(element)
    for one in copy.iter():
        if len(one) and not (one.text or "").strip():
            one.text = None
        if one is not copy and not (one.tail or "").strip():
            one.tail = None
    if not len(copy) and copy.tag != "attribute" and not (copy.text or "").strip():
        copy.text = None
    return etree.tostring(copy, encoding="unicode", with_tail=False)


def _native(every: Mapping[str, str], given: Mapping[str, str], others: dict[str, str]) -> dict[str, Any]:
    """Metadata with XML attributes of their own. A spelling that does not come home by itself joins the `others`."""
    metadata: dict[str, Any] = {}
    occluded = every.get("occluded", "0")
    if occluded.lower() in ("1", "true"):
        metadata["occluded"] = True
    if occluded not in ("0", "1"):
        others["occluded"] = occluded
    z_order = every.get("z_order", "0")
    if (depth := _integer(z_order)) is None:
        others["z_order"] = z_order
    elif depth:
        metadata["z_order"] = depth
    group = every.get("group_id")
    if group is not None and (number := _integer(group)) is not None and number > 0:
        metadata["group"] = number
    elif "group_id" in given:
        others["group_id"] = given["group_id"]
    if (source := every.get("source")) is not None and source != DEFAULT_SOURCE:
        metadata["source"] = source
    return metadata


def _integer(text: str) -> int | None:
    """A whole number in its usual spelling."""
    try:
        value = int(text) if len(text) < 19 else None
    except ValueError:
        return None
    return value if value is not None and str(value) == text else None


def _children(element: Element) -> tuple[Any, tuple[str, ...]]:
    """What the <attribute> elements say; other elements as XML."""
    texts: list[Spelled] = []
    odd: list[str] = []
    for child in element:
        name = child.get("name")
        if child.tag == "attribute" and name is not None and len(child) == 0 and _only_ours(child.attrib):
            texts.append(Spelled(name, child.text or "", child.get(EXTENSION, "")))
        elif element.tag != "skeleton" or child.tag == "attribute":
            odd.append(as_xml(child))
    return understood(texts), tuple(odd)


def _only_ours(names: Iterable[Any]) -> bool:
    return set(names) <= {"name", EXTENSION}


def _carried(said: Said) -> dict[str, Any]:
    return {} if said.extra == Extra() else {"cvat_extra": as_text(said.extra)}


def _tie(mark: Mark) -> dict[str, Any]:
    """What ties a ring to others of its object."""
    names = ("instance", "part", "parts", "hole_of")
    return {name: value for name in names if (value := getattr(mark, name)) is not None}


def _outlined(
    mask: masks.Rle, common: dict[str, Any], metadata: dict[str, Any], number: int, mark: Mark
) -> list[Annotation]:
    """The pixel-edge rings of a mask; the run lengths ride with the first."""
    rings = masks.rings(mask)
    shapes = [ring.xy for ring in rings]
    form = {"shape": "mask", "geometry": mark.geometry or rle.geometry(mask), "outline": fingerprint(shapes)}
    if len(rings) == 1:
        return [Polygon(xy=shapes[0], metadata=metadata | form, **common)]
    out: list[Annotation] = []
    for part, ring in enumerate(rings, 1):
        tie: dict[str, Any] = {"instance": f"mask {number}", "part": part, "parts": len(rings)}
        if ring.hole_of is not None:
            tie["hole_of"] = ring.hole_of + 1
        out.append(Polygon(xy=ring.xy, metadata=metadata | (form if part == 1 else {}) | tie, **common))
    return out
