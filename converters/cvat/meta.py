"""<meta>: labels as categories, the frames of the task, and the rest as it was.

Its children stand in different places in tasks, jobs, projects and old files, so they are looked for anywhere below.
The labels are taken out (each rides with its category) and everything else is kept as XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ...schemas.errors import Place
from ...schemas.model import Category
from .notes import EXTENSION, Extension, LabelNote, extension_of
from .numbers import Unreadable, whole
from .shapes import as_xml
from .skeletons import edges
from .stream import Element, line_of

_OLD = re.compile(r"\s*[~@][a-z]+=([^:]*):")
"""Attributes of a label as files of 2018 have them: `~select=action:standing,walking`."""
_STEP = re.compile(r"\s*step\s*=\s*([0-9]{1,9})\s*")


class Frames(msgspec.Struct, frozen=True):
    """The frames of a task, as far as <meta> knows: numbers of the first and the last, the step, the pictures' size."""

    start: int = 0
    last: int | None = None
    step: int = 1
    width: int | None = None
    height: int | None = None


class Meta(msgspec.Struct):
    """`frames` by task id; under None those of the first task. `sub_labels` of each label, in order. `xml` is the rest,
    its first <labels> empty, without our own element; `interpolation` is its mode.
    """

    categories: list[Category] = []
    sub_labels: dict[str, tuple[str, ...]] = {}
    declared: dict[str, frozenset[str]] = {}
    frames: dict[str | None, Frames] = msgspec.field(default_factory=lambda: {None: Frames()})
    interpolation: bool = False
    extension: Extension = Extension()
    xml: str = "<meta/>"


def read_meta(meta: Element, file: str) -> Meta:
    """What <meta> says. InvalidInput where our own element in it is spoilt."""
    found = Meta()
    for own in meta.findall(EXTENSION):
        found.extension = extension_of(own.text or "", Place(file=file, line=line_of(own)))
        meta.remove(own)
    found.interpolation = _text(meta, "mode") == "interpolation"
    found.frames = frames_of(meta)
    labels = next(meta.iter("labels"), None)
    if labels is not None:
        _read_labels(labels, found)
        for child in list(labels):
            labels.remove(child)
        labels.text = None
    found.xml = as_xml(meta)
    return found


def attribute_names(label: Element) -> Iterator[str]:
    """The attributes that a <label> declares, in either syntax."""
    for attribute in label.iter("attribute"):
        name = attribute.findtext("name")
        if name is None and (old := _OLD.match(attribute.text or "")) is not None:
            name = old.group(1)
        if name is not None:
            yield name


def _read_labels(labels: Element, found: Meta) -> None:
    tops: dict[str, tuple[Element, int]] = {}
    points: dict[str, list[tuple[Element, int]]] = {}
    for place, label in enumerate(labels.iterchildren("label")):
        parent, name = label.findtext("parent"), label.findtext("name") or ""
        if parent:
            points.setdefault(parent, []).append((label, place))
        elif name and name not in tops:
            tops[name] = label, place
    for name, (label, place) in tops.items():
        below = points.pop(name, [])
        places = (place, *(at for _, at in below))
        names = tuple(sub.findtext("name") or "" for sub, _ in below)
        note = LabelNote(
            label=_bare(label),
            points=tuple(_bare(sub) for sub, _ in below),
            places=() if places == tuple(range(place, place + len(places))) else places,
        )
        own = found.extension.labels.get(name, {})
        category = Category(
            name,
            id=own.get("id"),
            supercategory=own.get("supercategory"),
            keypoints=names or None,
            skeleton=edges(label.findtext("svg"), names),
            extras={**own.get("extras", {}), "cvat": msgspec.to_builtins(note)},
        )
        found.categories.append(category)
        found.declared[name] = frozenset(attribute_names(label))
        if names:
            found.sub_labels[name] = names


def _bare(label: Element) -> str:
    label.tail = None
    for attributes in label.iter("attributes"):
        if not len(attributes):
            attributes.text = None
    return as_xml(label)


def frames_of(meta: Element) -> dict[str | None, Frames]:
    """Of each task of a project; of the one task or job otherwise."""
    tasks = [task for holder in meta.iter("tasks") for task in holder.iterchildren("task")]
    out: dict[str | None, Frames] = {task.findtext("id"): _frames_in(task) for task in tasks}
    out[None] = next(iter(out.values()), _frames_in(meta))
    return out


def _frames_in(task: Element) -> Frames:
    start = _number(_text(task, "start_frame")) or 0
    step_text = _STEP.fullmatch(_text(task, "frame_filter") or "")
    step = max(int(step_text.group(1)), 1) if step_text else 1
    last, size = _number(_text(task, "stop_frame")), _number(_text(task, "size"))
    if last is None and size:
        last = start + (size - 1) * step
    if last is not None:
        last = start + max(last - start, 0) // step * step
    picture = next(task.iter("original_size"), None)
    sides = (None, None) if picture is None else (picture.findtext("width"), picture.findtext("height"))
    width, height = (_number(side) or None for side in sides)
    return Frames(start, last, step, width, height)


def _text(element: Element, name: str) -> str | None:
    found = next(element.iter(name), None)
    return None if found is None else found.text


def _number(text: str | None) -> int | None:
    try:
        return whole((text or "").strip(), "it")
    except Unreadable:
        return None
