"""Annotations -> the text of `<object>` elements, in the devkit's order.

`shift` is 1 where pixels are counted from 1: put on both minima of a box, and on every vertex of a polygon.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from ...schemas.errors import InvalidInput
from ...schemas.figures import figure_of
from ...schemas.geometry import shoelace
from ...schemas.model import Annotation, Boxes, Polygon, Rectangle, as_key
from ...schemas.plain import is_number, is_object
from ..carrying import as_read
from ..lowering import own_box
from ..spelling import confidence, spelled
from . import attributes, rotated
from .elements import escaped, leaf, lines_of
from .glance import label_text
from .numbers import all_written, span, undone, written
from .objects import FLAGS, SCORES, is_set
from .ordinary import UNSPECIFIED
from .rings import ring_pattern

_DEEP, _INNER = "\t\t", "\t\t\t"
CORNERS = "\n".join(f"{_INNER}<{name}>%s</{name}>" for name in ("xmin", "ymin", "xmax", "ymax"))
USUAL = 1e15
_OWN = frozenset(("pose", "bndbox", "polygon", "robndbox", "attributes", "name", "part", "annolake", *FLAGS, *SCORES))


class ObjectWriter:
    """Writes the objects of one data set."""

    def __init__(self, shift: int) -> None:
        self.shift = shift
        self.names: dict[str, str] = {}
        self.fronts: dict[tuple[str, bool], str] = {}
        self.patterns: dict[tuple[str, bool], str] = {}

    def lines(self, annotations: Sequence[Annotation], occluded: bool) -> Iterator[str]:
        """The lines of all objects, parts below theirs. `occluded`: those that are not occluded say so."""
        if type(annotations) is Boxes and (text := self._boxes(annotations, occluded)):
            yield text
            return
        parts = _parts([annotation for annotation in annotations if "voc_object" in annotation.metadata])
        below = {id(part) for group in parts.values() for part in group}
        for annotation in annotations:
            metadata = annotation.metadata
            if _is_plain(annotation) and (front := self.front(annotation.label, occluded)):
                if isinstance(annotation, Rectangle):
                    corners, outline = self._corners(annotation.bbox, _INNER), ""
                else:
                    corners = self._corners(own_box([annotation]), _INNER)
                    outline = f"\n{self._ring(annotation.xy, _DEEP, closed=False)}"
                note = _note(annotation) if annotation.metadata or annotation.extras else {}
                noted = f"\n{noted_as(note, _DEEP)}" if note else ""
                yield f"{front}{corners}\n\t\t</bndbox>{outline}{noted}\n\t</object>"
            elif id(annotation) not in below:
                own: list[Annotation] = []
                if "voc_object" in metadata and "part_of" not in metadata:
                    own = parts.pop(as_key(metadata["voc_object"]), own)
                yield from self._object(annotation, occluded, own, is_part=False)

    def _boxes(self, boxes: Boxes, occluded: bool) -> str | None:
        """The lines of an image's boxes; None where one of them takes a closer look."""
        patterns: list[str] = []
        ends: list[float] = []
        for box in boxes:
            pattern = self.patterns.get((box.label, occluded))
            if pattern is None:
                front = self.front(box.label, occluded)
                pattern = f"{front.replace('%', '%%')}{CORNERS}\n\t\t</bndbox>\n\t</object>" if front else ""
                self.patterns[box.label, occluded] = pattern
            if not pattern:
                return None
            patterns.append(pattern)
            ends += self._ends(box.bbox)
        if set(map(type, ends)) == {int}:
            return "\n".join(patterns) % tuple(ends)
        return "\n".join(patterns) % tuple(all_written(ends)) if ends and max(ends) < USUAL else None

    def front(self, label: str, occluded: bool) -> str:
        """The usual object down to its box; nothing where the label takes a note."""
        front = self.fronts.get((label, occluded))
        if front is None:
            flags = "\t\t<occluded>0</occluded>\n" if occluded else ""
            front = (
                f"\t<object>\n\t\t<name>{self._name(label)}</name>\n\t\t<pose>{UNSPECIFIED}</pose>\n"
                f"\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n{flags}\t\t<bndbox>\n"
                if label_text(label) == label
                else ""
            )
            self.fronts[label, occluded] = front
        return front

    def _object(self, shape: Annotation, occluded: bool, parts: list[Annotation], *, is_part: bool) -> Iterator[str]:
        name, indent = ("part", _DEEP + "\t") if is_part else ("object", _DEEP)
        rest = dict(shape.metadata)
        for key in ("area", "bbox", "outline", "voc_object", *(("part_of",) if is_part else ())):
            rest.pop(key, None)
        extra, outline = _noted(rest, "voc_extra"), _noted(rest, "voc_outline")
        extra = extra if is_object(extra) else {}
        note = _note(shape)
        lines = self._elements(shape, rest, extra, outline, indent, occluded, parts, is_part=is_part)
        if any(map(attributes.is_path, extra)):
            text, homeless = attributes.placed("\n".join(lines), indent, extra)
            lines = (text,)
            if homeless:
                note["attributes"] = homeless
        yield f"{indent[1:]}<{name}{attributes.own(extra)}>"
        yield from lines
        if note:
            yield noted_as(note, indent)
        yield f"{indent[1:]}</{name}>"

    def _elements(
        self,
        shape: Annotation,
        rest: dict[str, Any],
        extra: dict[str, Any],
        outline: Any,
        indent: str,
        occluded: bool,
        parts: list[Annotation],
        *,
        is_part: bool,
    ) -> Iterator[str]:
        """Everything below an object but our note. `rest` loses what has an element of its own."""
        yield f"{indent}<name>{self._name(shape.label)}</name>"
        yield from _described(rest, extra, indent, occluded, is_part)
        if isinstance(shape, Rectangle):
            yield self._box(shape.bbox, indent, extra.get("bndbox"))
        else:
            yield self._box(own_box([shape]), indent, extra.get("bndbox"))
        for part in parts:
            yield from self._object(part, False, [], is_part=True)
        yield from self._outline(shape, rest, outline, indent)
        if "polygon" in extra:
            yield from lines_of("polygon", extra["polygon"], indent)
        yield from _scores(shape, extra, indent)
        for name, value in extra.items():
            if name not in _OWN and "@" not in name and name[:1] != "#":
                yield from lines_of(name, value, indent)
        yield from _attributes(shape, rest, extra, indent)

    def _name(self, label: str) -> str:
        text = self.names.get(label)
        if text is None:
            if not label.strip():
                hint = "give every annotation a label that is more than blanks"
                raise InvalidInput("label-missing", "an annotation without a label", hint=hint)
            text = self.names[label] = escaped(label)
        return text

    def _box(self, box: tuple[float, float, float, float], indent: str, more: Any = None) -> str:
        inner = indent + "\t"
        lines = "".join(f"{line}\n" for name, value in _items(more) for line in lines_of(name, value, inner))
        return f"{indent}<bndbox>\n{self._corners(box, inner)}\n{lines}{indent}</bndbox>"

    def _corners(self, box: tuple[float, float, float, float], indent: str) -> str:
        ends = self._ends(box)
        left, top, right, bottom = ends if set(map(type, ends)) == {int} else all_written(ends)
        return (
            f"{indent}<xmin>{left}</xmin>\n{indent}<ymin>{top}</ymin>\n"
            f"{indent}<xmax>{right}</xmax>\n{indent}<ymax>{bottom}</ymax>"
        )

    def _ends(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, whole numbers as such."""
        x, y, w, h = box
        if type(x) is type(y) is type(w) is type(h) is int:
            return x + self.shift, y + self.shift, x + w, y + h
        left, right = span(x, w, self.shift)
        top, bottom = span(y, h, self.shift)
        return left, top, right, bottom

    def _outline(self, shape: Annotation, rest: dict[str, Any], noted: Any, indent: str) -> Iterator[str]:
        """The rotated box or the polygon, as it stood if it still does. `rest` loses what is read from it."""
        if not isinstance(shape, Polygon):
            return
        figure = figure_of(shape)
        if figure is None or figure.shape != "obb":
            yield self._ring(shape.xy, indent, closed=noted == "closed")
            return
        texts = noted if rotated.still_holds(shape, noted) else rotated.texts_of(figure)
        if rotated.said(texts) == figure:
            for key in ("shape", "geometry", "rotation"):
                rest.pop(key, None)
        yield from lines_of("robndbox", texts, indent)

    def _ring(self, xy: Sequence[float], indent: str, *, closed: bool) -> str:
        ring = [*xy, *xy[:2]] if closed else xy
        if self.shift:
            ring = [self._vertex(value) for value in ring]
        return ring_pattern(len(ring), indent) % tuple(all_written(ring))

    def _vertex(self, value: float) -> float:
        vertex = undone(value, self.shift)
        return value + self.shift if vertex is None else vertex


def _parts(tied: Sequence[Annotation]) -> dict[Any, list[Annotation]]:
    """Parts by the tie to an object that is there."""
    wholes = {as_key(a.metadata["voc_object"]) for a in tied if "part_of" not in a.metadata}
    parts: dict[Any, list[Annotation]] = {}
    for annotation in tied:
        tie = as_key(annotation.metadata["voc_object"])
        if tie in wholes and isinstance(annotation.metadata.get("part_of"), str):
            parts.setdefault(tie, []).append(annotation)
    return parts


def _is_plain(shape: Annotation) -> TypeGuard[Rectangle | Polygon]:
    """Whether it is a box or a ring, and a label, and nothing else that would be written but a note."""
    return (
        isinstance(shape, Rectangle | Polygon)
        and shape.metadata.keys() <= {"area", "outline"}
        and not shape.attributes
        and shape.confidence is None
    )


def _noted(rest: dict[str, Any], key: str) -> Any:
    """What a JSON text of ours says, taken out of the metadata; one that is none of ours stays there."""
    try:
        value = json.loads(rest[key])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if not is_object(value) and value != "closed":
        return None
    del rest[key]
    return value


def _described(
    rest: dict[str, Any], extra: dict[str, Any], indent: str, occluded: bool, is_part: bool
) -> Iterator[str]:
    """Pose and flags; what stays in `rest` has another form than theirs."""
    pose = rest.get("pose")
    if isinstance(pose, str) and pose not in ("", UNSPECIFIED):
        del rest["pose"]
        yield leaf("pose", pose, indent)
    elif not is_part or "pose" in extra:
        yield leaf("pose", "" if extra.get("pose") == "" else UNSPECIFIED, indent)
    for flag in FLAGS:
        value = rest.get(flag)
        if isinstance(value, bool):
            del rest[flag]
        text = extra.get(flag)
        if isinstance(text, str) and is_set(text) == (value is True):
            yield leaf(flag, text, indent)
        elif value is True or occluded or not (is_part or flag == "occluded"):
            yield leaf(flag, "1" if value is True else "0", indent)


def _scores(shape: Annotation, extra: dict[str, Any], indent: str) -> Iterator[str]:
    """The confidence under the name it had, with a second one that may stand beside it, while it is what they say; a
    text that is no confidence stays beside it under another name.
    """
    texts = {name: text for name in SCORES if isinstance(text := extra.get(name), str)}
    numbers = [number for text in texts.values() if (number := confidence(text)) is not None]
    said = numbers[0] if numbers else None
    if said == shape.confidence:
        yield from (leaf(name, text, indent) for name, text in texts.items())
    elif shape.confidence is not None:
        yield leaf(SCORES[0], written(shape.confidence), indent)
        if SCORES[1] in texts and not numbers:
            yield leaf(SCORES[1], texts[SCORES[1]], indent)


def _attributes(shape: Annotation, rest: dict[str, Any], extra: dict[str, Any], indent: str) -> Iterator[str]:
    others = extra.get("attributes")
    if not shape.attributes and not rest and others is None:
        return
    inner, deep = indent + "\t", indent + "\t\t"
    yield f"{indent}<attributes>"
    for name, text, note in spelled(shape, rest):
        yield f"{inner}<attribute>"
        yield leaf("name", name, deep)
        yield leaf("value", text, deep)
        if note:
            yield leaf("annolake", note, deep)
        yield f"{inner}</attribute>"
    for name, value in _items(others):
        yield from lines_of(name, value, inner)
    yield f"{indent}</attributes>"


def noted_as(note: dict[str, Any], indent: str) -> str:
    return leaf("annolake", json.dumps(note), indent)


def _note(shape: Annotation) -> dict[str, Any]:
    note: dict[str, Any] = {}
    if label_text(shape.label) != shape.label:
        note["label"] = shape.label
    area, outline = shape.metadata.get("area"), shape.metadata.get("outline")
    if is_number(area) and as_read([shape], outline) and area != _area(shape):
        note["area"], note["outline"] = area, outline
    if shape.extras:
        note["extras"] = shape.extras
    return note


def _area(shape: Annotation) -> float:
    """What any reader finds without being told."""
    return shape.bbox[2] * shape.bbox[3] if isinstance(shape, Rectangle) else shoelace(shape.xy)


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if is_object(value) else []
