"""One `<object>` as annotations: itself, and its parts.

`shift` is 1 where pixels are counted from 1: taken off both minima of a box, and off every vertex of a polygon. What
no rule knows, and what is in another form than it would be written, rides as `voc_extra` (JSON text).
"""

from __future__ import annotations

import json
from typing import Any, Literal

from ...schemas.errors import InvalidInput, Place
from ...schemas.geometry import hull, open_ring
from ...schemas.model import Annotation, Polygon, Rectangle
from ...schemas.problems import Problem
from ..ledger import Ledger
from ..spelling import Spelled, confidence, understood
from ..xmltext import local
from . import attributes, rotated
from .elements import Content, Element, add, children, content
from .glance import note_in
from .numbers import parsed
from .ordinary import UNSPECIFIED
from .rings import CLOSED, note_box, vertex_names

FLAGS = ("truncated", "difficult", "occluded")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
SCORES = ("score", "confidence")
_ONCE = frozenset(("name", "pose", "bndbox", "polygon", "robndbox", "attributes", "annolake", *FLAGS, *SCORES))
_SET, _UNSET = frozenset(("1", "1.0", "true")), frozenset(("0", "0.0", "false"))

Box = tuple[float, float, float, float]


class Empty(InvalidInput):
    """A box whose maximum is not above its minimum."""


class ObjectReader:
    """Reads the objects of one file after the other; `file` and `image` say where it is."""

    def __init__(self, shift: int, empty_boxes: Literal["error", "drop"], ledger: Ledger) -> None:
        self.shift = shift
        self.drops = empty_boxes == "drop"
        self.ledger = ledger
        self.file = self.image = ""
        self.number = 0

    def annotations(self, objects: list[Element]) -> list[Annotation]:
        """All objects of a file, each followed by its parts. What is wrong with one is a problem of its own."""
        out: list[Annotation] = []
        ties = 0
        for number, element in enumerate(objects, 1):
            self.number = number
            parts = element.findall("part")
            self.ledger.seen["annotations"] += 1 + len(parts)
            whole = self._survived(element, None, 1 + len(parts))
            if whole is None:
                continue
            self._placed(element)
            out.append(whole)
            tied = False
            for part in parts:
                found = self._survived(part, whole.label, 1)
                if found is not None:
                    ties += not tied
                    tied = True
                    found.metadata["voc_object"] = whole.metadata["voc_object"] = ties
                    self._placed(part)
                    out.append(found)
        return out

    def _survived(self, element: Element, part_of: str | None, count: int) -> Annotation | None:
        """The annotation of an element; None where it is booked, it and its parts."""
        try:
            return self._annotation(element, part_of)
        except Empty as error:
            if self.drops:
                self.ledger.book("degenerate", image=self.image, annotation=self.number, detail=error.message)
                if count > 1:
                    self.ledger.book("degenerate", image=self.image, annotation=self.number, count=count - 1)
                self.ledger.seen["annotations dropped"] += count
                return None
            problem = Problem.of(error)
        except InvalidInput as error:
            problem = Problem.of(error)
        self.ledger.problem(problem)
        self.ledger.seen["annotations dropped"] += count
        self.ledger.dropped += count
        return None

    def _annotation(self, element: Element, part_of: str | None) -> Annotation:
        found, extra = self._children(element, part_of is not None)
        note = note_in(element)
        if not note.label.strip():
            place = found.get("name", element)
            raise self._error("label-missing", place, "an object without a name", "name it")
        metadata: dict[str, Any] = {} if part_of is None else {"part_of": part_of}
        pose = found.get("pose")
        if pose is not None and pose.text != UNSPECIFIED:
            if pose.text:
                metadata["pose"] = pose.text
            else:
                extra["pose"] = ""
        if part_of is not None:  # a part has neither pose nor flags unless it says so
            usual = ((name, "0") for name in FLAGS)
            says = ((name, text) for name, text in (("pose", UNSPECIFIED), *usual) if name in found)
            extra.update({name: text for name, text in says if found[name].text == text})
        for flag in FLAGS:
            if flag in found:
                self._flag(flag, found[flag], metadata, extra)
        said = understood(_spelled(found["attributes"], extra)) if "attributes" in found else None
        score = self._score(found, extra)
        box, ring = self._shape(element, found, metadata, extra)
        if said is not None:
            metadata.update(said.metadata)
            score = said.confidence if score is None else score
        extra.update(note.homeless)
        note.state(metadata)
        if extra:
            metadata["voc_extra"] = _json(extra)
        common: dict[str, Any] = {
            "label": note.label,
            "confidence": score,
            "metadata": metadata,
            "attributes": said.attributes if said is not None else {},
            "extras": note.extras,
        }
        return Rectangle(bbox=box, **common) if ring is None else Polygon(xy=ring, **common)

    def _children(self, element: Element, is_part: bool) -> tuple[dict[str, Element], dict[str, Any]]:
        """Elements that have a rule, by name, and the others as they are."""
        found: dict[str, Element] = {}
        extra: dict[str, Any] = {f"@{local(name)}": value for name, value in element.attrib.items()}
        extra.update(attributes.taken(element, _ONCE))
        for tag, child in children(element):
            if tag in _ONCE:
                if tag in found:
                    raise self._error("duplicate-element", child, f"a second <{tag}>", "take one of them out")
                found[tag] = child
            elif tag != "part" or is_part:
                add(extra, tag, content(child))
        return found, extra

    def _flag(self, name: str, element: Element, metadata: dict[str, Any], extra: dict[str, Any]) -> None:
        text = element.text or ""
        if text == "1":
            metadata[name] = True
        elif text != "0":
            extra[name] = text
            if is_set(text):
                metadata[name] = True
            if text.strip().lower() not in _SET | _UNSET:
                message = f"<{name}> is {text[:40]!r}, neither 0 nor 1: taken for {int(is_set(text))}, and kept"
                place = Place(file=self.file, line=element.sourceline, image=self.image, annotation=self.number)
                self.ledger.problem(Problem(code="odd-flag", severity="warning", message=message, place=place))

    def _score(self, found: dict[str, Element], extra: dict[str, Any]) -> float | None:
        """`score`, else `confidence`, kept under its name; a number above 1 is none, and is kept as it is."""
        score: float | None = None
        for name in SCORES:
            if name not in found:
                continue
            text = found[name].text or ""
            number = confidence(text) if score is None else None
            if number is not None:
                score = number
            if number is None or name != SCORES[0] or SCORES[1] in found:
                extra[name] = text
            if number is None:
                message = f"<{name}> is {text[:40]!r}, no further number from 0 to 1: kept, but no confidence"
                place = Place(file=self.file, line=found[name].sourceline, image=self.image, annotation=self.number)
                self.ledger.problem(Problem(code="odd-score", severity="warning", message=message, place=place))
        return score

    def _shape(
        self, element: Element, found: dict[str, Element], metadata: dict[str, Any], extra: dict[str, Any]
    ) -> tuple[Box, tuple[float, ...] | None]:
        """The box, and the ring of a polygon or a rotated box, beside which a box of its own is noted."""
        box = self._box(found["bndbox"], extra) if "bndbox" in found else None
        ring: tuple[float, ...] | None = None
        if "robndbox" in found:
            ring = self._rotated(found["robndbox"], metadata)
        if "polygon" in found:
            if ring is None:
                ring = self._ring(found["polygon"], metadata, extra, box is not None)
            else:
                extra["polygon"] = content(found["polygon"])
        if ring is not None:
            note_box(ring, box, metadata)
            return box or hull(ring), ring
        if box is None:
            raise self._error("box-missing", element, "an object without a <bndbox>", "give it one, or take it out")
        return box, None

    def _box(self, element: Element, extra: dict[str, Any]) -> Box:
        texts: dict[str, Element] = {}
        more: dict[str, Any] = {}
        for tag, child in children(element):
            if tag in CORNERS:
                if tag in texts:
                    raise self._error("duplicate-element", child, f"a second <{tag}>", "take one of them out")
                texts[tag] = child
            else:
                add(more, tag, content(child))
        if more:
            extra["bndbox"] = more
        xmin, ymin, xmax, ymax = (self._number(texts.get(name), name, element) for name in CORNERS)
        x, y = xmin - self.shift, ymin - self.shift
        w, h = xmax - x, ymax - y
        if w <= 0 or h <= 0:
            message = f"a box from {xmin}, {ymin} to {xmax}, {ymax} has no area"
            hint = "mend the numbers, or --voc-empty-boxes drop"
            raise Empty("not-positive", message, place=self._place(element), hint=hint)
        return x, y, w, h

    def _ring(
        self, element: Element, metadata: dict[str, Any], extra: dict[str, Any], boxed: bool
    ) -> tuple[float, ...] | None:
        """The vertices x1, y1, x2, y2, ...; None where there are fewer than three, or other elements, beside a box."""
        texts: dict[str, Element] = {}
        foreign = False
        for tag, child in children(element):
            foreign = foreign or tag[0] not in "xy" or not tag[1:].isdecimal() or tag in texts
            texts[tag] = child
        count = len(texts) // 2
        names = vertex_names(2 * count)
        if "pt" in texts and not boxed:
            message = "polygons of <pt> are those of LabelMe, which is another format"
            raise self._error("unsupported-variant", element, message, "convert it with LabelMe's own tools first")
        if boxed and (foreign or count < 3):
            extra["polygon"] = content(element)
            message = "a <polygon> without three vertices x1, y1, x2, ...: the box is taken, and it is kept"
            place = self._place(element)
            self.ledger.problem(Problem(code="odd-polygon", severity="warning", message=message, place=place))
            return None
        if foreign or count < 3 or len(texts) != 2 * count:
            message = "a <polygon> without three vertices x1, y1, x2, y2, ..."
            raise self._error("odd-polygon", element, message, "mend it, or take it out")
        numbers = [self._number(texts.get(name), name, element) - self.shift for name in names]
        ring = open_ring(numbers)
        if len(ring) < 6:
            raise self._error("odd-polygon", element, "a <polygon> without three vertices", "mend it, or take it out")
        if len(ring) < len(numbers):
            metadata["voc_outline"] = CLOSED
        return ring

    def _rotated(self, element: Element, metadata: dict[str, Any]) -> tuple[float, ...]:
        """roLabelImg's rotated box: its centre, sides, and an angle in radians, clockwise."""
        texts = dict(children(element))
        cx, cy, w, h, angle = (self._number(texts.get(name), name, element) for name in rotated.NAMES)
        if w <= 0 or h <= 0:
            hint = "mend the numbers, or --voc-empty-boxes drop"
            raise Empty("not-positive", f"a rotated box of {w} x {h}", place=self._place(element), hint=hint)
        figure = rotated.figure(cx, cy, w, h, angle)
        metadata.update(figure.metadata())
        raw = content(element)
        if not rotated.is_usual(raw, figure):
            metadata["voc_outline"] = _json(raw)
        return figure.outline()

    def _number(self, element: Element | None, name: str, parent: Element) -> int | float:
        if element is None:
            hint = "give the number, or take the object out"
            raise self._error("coordinate-missing", parent, f"<{parent.tag}> has no <{name}>", hint)
        try:
            return parsed(element.text or "")
        except ValueError as error:
            raise self._error("not-a-number", element, f"<{name}>: {error}", "mend the number") from None

    def _place(self, element: Element) -> Place:
        return Place(file=self.file, line=element.sourceline, image=self.image, annotation=self.number)

    def _error(self, code: str, element: Element, message: str, hint: str) -> InvalidInput:
        return InvalidInput(code, message, place=self._place(element), hint=hint)

    def _placed(self, element: Element) -> None:
        if self.ledger.places is not None:
            self.ledger.places.append(self._place(element))


def is_set(text: str) -> bool:
    """Whether a flag's text says yes."""
    return text.strip().lower() in _SET


def _spelled(element: Element, extra: dict[str, Any]) -> list[Spelled]:
    """Attributes as named texts; whatever else stands among them is kept."""
    out: list[Spelled] = []
    others: dict[str, Any] = {}
    for tag, child in children(element):
        texts: dict[str, Content] = {}
        for key, item in children(child):
            add(texts, key, content(item))
        name, value, note = texts.get("name"), texts.get("value", ""), texts.get("annolake", "")
        plain = tag == "attribute" and not child.attrib and texts.keys() <= {"name", "value", "annolake"}
        if plain and isinstance(name, str) and isinstance(value, str) and isinstance(note, str):
            out.append(Spelled(name, value, note))
        else:
            add(others, tag, content(child))
    if others or not len(element):
        extra["attributes"] = others or ""
    return out


def _json(value: Content) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
