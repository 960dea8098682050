"""<meta> of a file that is being written: as it was, with every label and attribute declared that CVAT will meet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from lxml import etree

from ...schemas.errors import InvalidInput
from ...schemas.model import Catalog, Category
from .elements import SCORE, from_xml
from .meta import attribute_names
from .notes import EXTENSION, Extension, as_text, label_note
from .shapes import UNLABELLED
from .skeletons import drawing
from .stream import Element

_ENOUGH = 3
"""Texts of an attribute that are looked at: a checkbox has but two."""
_TRUTHS = frozenset(("true", "false"))


Texts = dict[str, dict[str, None]]
"""Attributes, each with the texts that were looked at, in order."""


class Used:
    """What the shapes of a file use: labels in order, and the attributes of each with the texts they have."""

    def __init__(self, catalog: Catalog) -> None:
        self.categories: dict[str, Category] = {}
        for category in catalog.labels:
            self.categories.setdefault(category.name, category)
        self.attributes: dict[str, Texts] = {}
        self.of_points: dict[tuple[str, str], Texts] = {}
        self.more_points: dict[str, list[str]] = {}

    def label(self, name: str) -> Texts:
        return self.attributes.setdefault(name, {})

    def element(self, label: str, element: Element) -> None:
        """What has to be declared for a shape or tag, and for the elements of a skeleton."""
        _gather(self.label(label), element)
        for point in element:
            if point.tag != "attribute" and (name := point.get("label")) is not None:
                _gather(self.of_points.setdefault((label, name), {}), point)

    def add(self, other: Used) -> None:
        """What a later part of the file uses."""
        for label, texts in other.attributes.items():
            _add(self.label(label), texts)
        for point, texts in other.of_points.items():
            _add(self.of_points.setdefault(point, {}), texts)

    def point_names(self, label: str, count: int, given: Sequence[str] = ()) -> Sequence[str]:
        """The names of a label's key points: as it declares them, where these are the `given` ones in whatever order or
        none are given; else the given ones. Where there are not enough, numbers from 1.
        """
        names = self.all_points(label)
        if given and {*names[:count]} != {*given}:
            self.more_points.setdefault(label, []).extend(n for n in dict.fromkeys(given) if n not in names)
            return given
        if len(names) < count:
            more = _more(names, count)
            self.more_points.setdefault(label, []).extend(more)
            names += more
        return names[:count] if count else names

    def all_points(self, label: str) -> list[str]:
        category = self.categories.get(label)
        return [*((category.keypoints if category else None) or ()), *self.more_points.get(label, ())]


def _gather(attributes: Texts, element: Element) -> None:
    for child in element.iterchildren("attribute"):
        texts = attributes.setdefault(child.get("name", ""), {})
        if len(texts) < _ENOUGH:
            texts.setdefault(child.text or "")


def _add(mine: Texts, others: Texts) -> None:
    for name, more in others.items():
        texts = mine.setdefault(name, {})
        texts |= dict.fromkeys([text for text in more if text not in texts][: _ENOUGH - len(texts)])


class Facts(msgspec.Struct, frozen=True):
    """What is said of a task that comes from elsewhere: how many pictures, and of a video the frames and their size.
    Splits, with their number of pictures, make it a project: CVAT, and datumaro, know subsets there only.
    """

    size: int
    video: bool = False
    first: int = 0
    last: int = 0
    width: int | None = None
    height: int | None = None
    splits: Mapping[str, int] = {}

    def meta(self) -> Element:
        return self._project() if self.splits else self._task()

    def _project(self) -> Element:
        meta = etree.fromstring("<meta><project><tasks/><labels/></project></meta>")
        for split, size in self.splits.items():
            task = etree.SubElement(meta[0][0], "task")
            for name, value in (("size", str(size)), ("mode", "annotation"), ("subset", split)):
                etree.SubElement(task, name).text = value
        return meta

    def _task(self) -> Element:
        meta = etree.fromstring("<meta><task/></meta>")
        facts: dict[str, Any] = {"size": self.size, "mode": "interpolation" if self.video else "annotation"}
        if self.video:
            facts |= {"start_frame": self.first, "stop_frame": self.last}
        for name, value in facts.items():
            etree.SubElement(meta[0], name).text = str(value)
        etree.SubElement(meta[0], "labels")
        if self.video and self.width and self.height:
            sides = etree.SubElement(meta[0], "original_size")
            etree.SubElement(sides, "width").text = str(self.width)
            etree.SubElement(sides, "height").text = str(self.height)
        return meta


def declared(catalog: Catalog, used: Used, xml: str | None, extension: Extension, facts: Facts) -> Element:
    """The <meta> to write; `xml` is the source's."""
    meta = facts.meta() if xml is None else from_xml(xml)
    if meta.tag != "meta":
        raise InvalidInput("broken-notes", "the <meta> that was carried along is none", hint="take it out of the notes")
    labels = next(meta.iter("labels"), None)
    wanted = list(_labels(catalog, used))
    if labels is None and wanted:
        holder = next((child for child in meta if child.tag in ("task", "job", "project")), None)
        labels = etree.SubElement(etree.SubElement(meta, "task") if holder is None else holder, "labels")
    if labels is not None:
        labels.extend(wanted)
    if extension != Extension():
        own = etree.SubElement(meta, EXTENSION)
        try:
            own.text = as_text(extension)
        except ValueError as error:
            hint = "take control characters out of labels, names and splits"
            raise InvalidInput("not-xml-text", f"XML cannot hold a fact of the data set: {error}", hint=hint) from None
    return meta


def foreign(category: Category) -> dict[str, Any]:
    """What other formats know of a label."""
    out: dict[str, Any] = {}
    if category.id is not None:
        out["id"] = category.id
    if category.supercategory is not None:
        out["supercategory"] = category.supercategory
    extras = {key: value for key, value in category.extras.items() if key != "cvat"}
    if extras:
        out["extras"] = extras
    return out


def _labels(catalog: Catalog, used: Used) -> Iterable[Element]:
    """The <label> elements, those of the source in their order, new ones at the end."""
    placed: list[tuple[int, Element]] = []
    last = -1
    names = dict.fromkeys([*catalog.names(), *used.attributes])
    for name in names:
        if name == UNLABELLED and (name not in used.categories or _undeclared(used.categories[name])):
            continue
        elements, places = _label(name, used)
        for element, place in zip(elements, places or [None] * len(elements), strict=True):
            last = place if place is not None else last
            placed.append((last, element))
    return [element for _, element in sorted(placed, key=lambda item: item[0])]


def _undeclared(category: Category) -> bool:
    return not label_note(category.extras, category.name).declared


def _label(name: str, used: Used) -> tuple[list[Element], Sequence[int]]:
    category = used.categories.get(name, Category(name))
    note = label_note(category.extras, name)
    label = from_xml(note.label) if note.label is not None else etree.fromstring("<label><name/></label>")
    points = [from_xml(xml) for xml in note.points]
    _set_child(label, "name", name)
    known = {point.findtext("name") for point in points}
    wanted = used.all_points(name)
    fresh = [_sub_label(point) for point in wanted if point not in known]
    points += fresh
    if points and label.find("type") is None and note.label is None:
        etree.SubElement(label, "type").text = "skeleton"
    _declare(label, used.attributes.get(name, {}), fresh=note.label is None)
    if points and (note.label is None or (fresh and not note.points)) and label.find("svg") is None:
        etree.SubElement(label, "svg").text = drawing(wanted, category.skeleton or ())
    for point in points:
        _declare(point, used.of_points.get((name, point.findtext("name") or ""), {}), fresh=False)
        _set_child(point, "parent", name)
    places = note.places if len(note.places) == 1 + len(note.points) and not fresh else ()
    return [label, *points], places


def _sub_label(name: str) -> Element:
    point = etree.fromstring("<label><name/><type>points</type><attributes/></label>")
    _set_child(point, "name", name)
    return point


def _declare(label: Element, used: Texts, *, fresh: bool) -> None:
    known = set(attribute_names(label))
    missing = {name: texts for name, texts in used.items() if name not in known}
    found = label.find("attributes")
    if found is None and not missing and not fresh:
        return
    attributes = etree.SubElement(label, "attributes") if found is None else found
    for name, texts in missing.items():
        attribute = etree.SubElement(attributes, "attribute")
        kind, default, values = _kind(name, texts)
        for tag, said in (
            ("name", name),
            ("mutable", "True"),
            ("input_type", kind),
            ("default_value", default),
            ("values", values),
        ):
            _set_child(attribute, tag, said)


def _kind(name: str, texts: Collection[str]) -> tuple[str, str, str]:
    """Input type, default and values of an attribute."""
    if name == SCORE and all(map(_is_share, texts)):
        return "number", "0", "0\n1\n0.001"
    if texts and _TRUTHS.issuperset(texts):
        return "checkbox", "false", "false"
    return "text", "", ""


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def _set_child(element: Element, tag: str, text: str) -> None:
    child = element.find(tag)
    if child is None:
        child = etree.SubElement(element, tag)
    if child.text == text:
        return
    try:
        child.text = text or None
    except ValueError:
        hint = "take control characters out of labels and names of attributes"
        raise InvalidInput("not-xml-text", f"XML cannot hold the text {text!r}", hint=hint) from None


def _more(names: Sequence[str], count: int) -> list[str]:
    """Numbers as names, none of which is taken."""
    out: list[str] = []
    following = len(names)
    while len(names) + len(out) < count:
        following += 1
        if str(following) not in names:
            out.append(str(following))
    return out
