"""The XML of restored shapes and of tags.

What CVAT has no attribute for stands in <attribute> elements with a note, or in our mark at the shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from lxml import etree

from ...schemas.errors import InvalidInput
from ...schemas.model import Annotation, Tag
from ..spelling import CONFIDENCE, Spelled, spelled
from ..xmltext import is_text
from .forms import Form
from .notes import EXTENSION, Extra, Mark, as_text, extra_of, without_extra
from .shapes import DEFAULT_SOURCE, UNLABELLED
from .skeletons import element_of
from .stream import Element

SCORE = "score"
_UNMARKED = Mark()


class Restored(msgspec.Struct):
    """One shape of an object: its element without a place (label, source, frame), and what it was made from."""

    annotation: Annotation
    form: Form
    extra: Extra
    mark: Mark
    metadata: dict[str, Any]
    """What has no attribute of its own."""
    group: int | None = None


def element_for(shape: Restored, attributes: Mapping[str, str]) -> Element:
    """The element of a shape; `attributes` are those that come first."""
    extra = shape.extra
    out = etree.Element(shape.form.kind)
    for name, text in attributes_for(shape, attributes).items():
        set_text(out, name, text)
    for point in shape.form.elements:
        out.append(element_of(point))
    score = None if extra.score is not None else shape.annotation.confidence
    _add_texts(out, _said_by(shape.annotation, shape.metadata, score), extra)
    return out


def attributes_for(shape: Restored, attributes: Mapping[str, str]) -> dict[str, str]:
    """All XML attributes of a shape, those given first."""
    annotation, extra = shape.annotation, shape.extra
    given = {**attributes, **shape.form.attributes(), **extra.form}
    given.setdefault("z_order", str(_z_order(annotation.metadata)))
    given.update(extra.attributes)
    if shape.mark != _UNMARKED:
        given[EXTENSION] = as_text(shape.mark)
    if annotation.confidence is not None and extra.score is not None:
        given[extra.score] = repr(annotation.confidence)
    return given


def has_children(shape: Restored) -> bool:
    """Whether the element of a shape has others below it."""
    annotation, extra = shape.annotation, shape.extra
    scored = annotation.confidence is not None and extra.score is None
    return bool(scored or shape.form.elements or extra.elements or shape.metadata or annotation.attributes)


def tag_element(tag: Tag) -> Element:
    extra = extra_of(tag.metadata) or Extra()
    rest = without_extra(tag.metadata, "source")
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
    _add_texts(out, _said_by(tag, rest, score), extra)
    return out


def _said_by(annotation: Annotation | Tag, metadata: Mapping[str, Any], score: float | None) -> list[Spelled]:
    texts = list(spelled(annotation, metadata))
    return texts if score is None else [*texts, Spelled(SCORE, repr(score), CONFIDENCE)]


def _add_texts(out: Element, texts: Sequence[Spelled], extra: Extra) -> None:
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
