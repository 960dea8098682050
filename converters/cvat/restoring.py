"""One object of the hub to CVAT elements: the element it was, while it is as it was; else the nearest CVAT has.

What CVAT has no attribute for stands in <attribute> elements with a note, or in our mark at the shape.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from lxml import etree

from ...schemas import masks
from ...schemas.errors import InvalidInput
from ...schemas.figures import figure_of
from ...schemas.keys import RINGS
from ...schemas.model import Annotation, Line, Points, Polygon, Record, Rectangle, Tag
from ..carrying import mask_as_read
from ..drawing import drawn
from ..spelling import CONFIDENCE, Spelled, spelled
from ..xmltext import is_text
from . import rle
from .forms import FEWEST, Form
from .notes import EXTENSION, Extra, Mark, as_text, extra_of
from .shapes import DEFAULT_SOURCE, UNLABELLED
from .skeletons import NEAR, Point, box_around, element_of, from_keypoints, keypoints, points_in
from .stream import Element

OF_TRACKS = frozenset(("track_id", "frame", "keyframe", "computed"))
SCORE = "score"
_KINDS: dict[type, str] = {Polygon: "polygon", Line: "polyline", Points: "points"}
_TRIPLES = msgspec.json.Decoder(list[int | float | None])
_MASK = msgspec.json.Decoder(dict[str, Any])

Names = Callable[[str, int], Sequence[str]]
"""The names of a label's key points, at least so many."""


class Restored(msgspec.Struct):
    """One shape of an object: its element without a place (label, source, frame), and what it was made from."""

    annotation: Annotation
    form: Form
    extra: Extra
    mark: Mark
    metadata: dict[str, Any]
    """What has no attribute of its own."""
    group: int | None = None


def restored(group: Sequence[Annotation], record: Record, names: Names) -> list[Restored]:
    """The shapes of one object. Its rings are polygons of one group, unless they are a mask or hold holes."""
    mask = _mask_of(group) or _drawn(group, record)
    if mask is not None:
        mask.group = group_of(group[0].metadata)
        return [mask]
    out = [_one(annotation, names) for annotation in group]
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


def element_for(shape: Restored, attributes: Mapping[str, str], *, consumed: frozenset[str] = frozenset()) -> Element:
    """The element of a shape; `attributes` are those that come first, `consumed` metadata said elsewhere."""
    annotation, extra, form = shape.annotation, shape.extra, shape.form
    out = etree.Element(form.kind)
    given = {**attributes, **form.attributes(), **extra.form}
    given.setdefault("z_order", str(_z_order(annotation.metadata)))
    given.update(extra.attributes)
    if shape.mark != Mark():
        given[EXTENSION] = as_text(shape.mark)
    score = annotation.confidence
    if score is not None and extra.score is not None:
        given[extra.score] = repr(score)
        score = None
    for name, text in given.items():
        set_text(out, name, text)
    for point in form.elements:
        out.append(element_of(point))
    texts = said_by(annotation, {k: v for k, v in shape.metadata.items() if k not in consumed}, score)
    add_texts(out, texts, extra)
    return out


def tag_element(tag: Tag) -> Element:
    extra = extra_of(tag.metadata) or Extra()
    rest = {key: value for key, value in tag.metadata.items() if key not in ("cvat_extra", "source")}
    given = {"label": label_of(tag, extra), "source": source_of(tag.metadata, rest), **_native_tag(tag.metadata, rest)}
    given.update(extra.attributes)
    mark = Mark(extras=tag.extras)
    if mark != Mark():
        given[EXTENSION] = as_text(mark)
    score = tag.confidence
    if score is not None and extra.score is not None:
        given[extra.score] = repr(score)
        score = None
    out = etree.Element("tag")
    for name, text in given.items():
        set_text(out, name, text)
    add_texts(out, said_by(tag, rest, score), extra)
    return out


def said_by(annotation: Annotation | Tag, metadata: Mapping[str, Any], score: float | None) -> list[Spelled]:
    texts = list(spelled(annotation, metadata))
    return texts if score is None else [*texts, Spelled(SCORE, repr(score), CONFIDENCE)]


def add_texts(out: Element, texts: Sequence[Spelled], extra: Extra) -> None:
    for name, text, note in texts:
        child = etree.SubElement(out, "attribute")
        set_text(child, "name", name)
        if note:
            set_text(child, EXTENSION, note)
        child.text = text
    for xml in extra.elements:
        out.append(from_xml(xml))


def label_of(annotation: Annotation | Tag, extra: Extra) -> str:
    return "" if extra.unlabelled and annotation.label == UNLABELLED else annotation.label


def source_of(metadata: Mapping[str, Any], rest: dict[str, Any]) -> str:
    """Who made it, as text; what is none stays in the `rest`."""
    source = metadata.get("source")
    if isinstance(source, str) and is_text(source):
        rest.pop("source", None)
        return source
    return DEFAULT_SOURCE


def group_of(metadata: Mapping[str, Any]) -> int | None:
    group = metadata.get("group")
    return group if isinstance(group, int) and not isinstance(group, bool) and group > 0 else None


def from_xml(text: str) -> Element:
    """An element that was carried as text. InvalidInput where somebody has spoilt it."""
    try:
        return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        hint = "take it out of `cvat_extra` or of the catalogue's notes"
        message = f"XML that was carried along is broken: {error}"
        raise InvalidInput("broken-notes", message, hint=hint) from None


def set_text(element: Element, name: str, text: str) -> None:
    """An XML attribute. InvalidInput for text or names that XML cannot hold."""
    try:
        element.set(name, text)
    except (ValueError, TypeError):
        message = f"XML cannot hold the text {text!r} of {name!r}"
        hint = "take control characters out of labels, names and splits"
        raise InvalidInput("not-xml-text", message, hint=hint) from None


def _z_order(metadata: Mapping[str, Any]) -> int:
    value = metadata.get("z_order")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _native_tag(metadata: Mapping[str, Any], rest: dict[str, Any]) -> dict[str, str]:
    """A tag has no attributes beside label and source but those it came with."""
    out: dict[str, str] = {}
    if (group := group_of(metadata)) is not None:
        out["group_id"] = str(group)
        rest.pop("group", None)
    if metadata.get("occluded") is True:
        out["occluded"] = "1"
        rest.pop("occluded", None)
    if depth := _z_order(metadata):
        out["z_order"] = str(depth)
        rest.pop("z_order", None)
    return out


def _rest(metadata: Mapping[str, Any], consumed: Sequence[str]) -> dict[str, Any]:
    """Metadata without what has an attribute of its own."""
    rest = {key: value for key, value in metadata.items() if key not in consumed and key != "cvat_extra"}
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


def _as_it_was(extra: Extra, form: Form) -> Extra:
    """Spellings of a box hold for no other box: they are but zeros of a rotation."""
    return extra if set(extra.form) <= {"rotation"} else msgspec.structs.replace(extra, form={})


def _with_tie(mark: Mark, tie: Mapping[str, Any], metadata: dict[str, Any]) -> Mark:
    """The mark with what ties a ring to others; values that do not fit into one stay in the metadata."""
    try:
        tied = msgspec.convert({**msgspec.to_builtins(mark), **tie}, Mark)
    except msgspec.ValidationError:
        return mark
    for name in tie:
        metadata.pop(name, None)
    return tied


def _mask_of(group: Sequence[Annotation]) -> Restored | None:
    """The mask that an object was traced from, where it is still that."""
    metadata = group[0].metadata
    geometry = metadata.get("geometry")
    if metadata.get("shape") != "mask" or not isinstance(geometry, str) or not mask_as_read(group, geometry):
        return None
    try:
        given = _MASK.decode(geometry)
        mask = masks.parse(given["size"], given["counts"])
    except (KeyError, TypeError, msgspec.MsgspecError, masks.MaskError):
        return None
    form = Form("mask", mask=mask)
    if not form.attributes():
        return None
    mark = Mark(extras=group[0].extras)
    if given != _MASK.decode(rle.geometry(mask)):
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
        labels = names(box.label, len(given) // 3)
        if elements is None or not _same_points(given, json.loads(keypoints(elements, labels))):
            elements = _moved(elements or (), from_keypoints(given, labels))
    else:
        labels = names(box.label, 0)
    form = Form("skeleton", elements=elements or ())
    again = keypoints(form.elements, labels)
    kind = metadata.get("shape")
    if not isinstance(kind, str | None):
        return None
    hull = box_around(form.elements)
    same = given is None or json.loads(again) == given
    if kind == "skeleton" and same and all(abs(a - b) <= NEAR for a, b in zip(box.bbox, hull, strict=True)):
        return form, Mark()
    text = None if same else metadata["keypoints"]
    return form, Mark(bbox=box.bbox, shape=kind, keypoints=text, count=len(labels))


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
