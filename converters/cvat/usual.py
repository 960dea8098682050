"""Elements as text without a tree: the usual shapes, of which a file has many, letter by letter as lxml writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec
from lxml import etree
from msgspec.structs import replace

from ...schemas.model import Annotation, Boxes, Polygon, Rectangle
from .elements import set_text, source_of
from .forms import FEWEST
from .notes import EXTENSION, STATED, Mark, as_text
from .numbers import edges, points
from .shapes import DEFAULT_SOURCE
from .stream import Element

_HARMLESS = re.compile(r"[ -%'-;=?-~]*")
"""Printable ASCII without the three letters that stand for something in XML, but with quotation marks."""
EDGES = (' xtl="', '" ytl="', '" xbr="', '" ybr="')
"""What stands in front of each edge of a box."""
BOX_BEFORE, BOX_AFTER = '    <box%s occluded="0"', '" z_order="0"/>\n'
"""What stands in front of the edges, with the label and the source, and behind them."""
_BOX = "%s".join((*EDGES, '"'))[1:]
_SAID = STATED | {"source"}
_STATED = sorted(STATED)
_TIED = frozenset(("instance", "part", "parts"))
_SAID_OF_PARTS = _SAID | _TIED
_TIES = ((str, int, int), (int, int, int))
_encode = msgspec.json.Encoder().encode


def attribute(name: str, text: str) -> str:
    """An XML attribute, with the blank in front. InvalidInput as `set_text`."""
    if _HARMLESS.fullmatch(text) and name.isascii() and name.isidentifier():
        return f' {name}="{text.replace(chr(34), "&quot;")}"'
    element = etree.Element("element")
    set_text(element, name, text)
    return etree.tostring(element, encoding="unicode")[len("<element") : -len("/>")]


def attribute_of_each(name: str, texts: Sequence[str]) -> list[str]:
    """The attribute of that name with each of these texts. InvalidInput as `set_text`."""
    together = "".join(texts)
    if '"' in together or not _HARMLESS.fullmatch(together):
        return [attribute(name, text) for text in texts]
    return [f' {name}="{text}"' for text in texts]


def attributes(given: Mapping[str, str]) -> str:
    return "".join(attribute(name, text) for name, text in given.items())


def child(element: Element) -> str:
    """The lines of an element on the second level of a document."""
    element.tail = None
    etree.indent(element, "  ", level=2)
    return f"    {etree.tostring(element, encoding='unicode')}\n"


class Usual:
    """The lines of usual shapes. What stands in front of the numbers is made once for each label."""

    def __init__(self) -> None:
        self._fronts: dict[tuple[str, str], str] = {}

    def line(self, shape: Annotation) -> str | None:
        """The line of a box or polygon of which nothing is said but who made it, and numbers that another format stated
        beside it; None for any other shape.
        """
        return self._line(shape, None) if shape.metadata.keys() <= _SAID else None

    def boxes(self, boxes: Boxes) -> list[str]:
        """The lines of an image's boxes."""
        forms = map(_BOX.__mod__, edges([box.bbox for box in boxes]))
        return [
            f'    <box{self.front(box.label, DEFAULT_SOURCE)} occluded="0" {form} z_order="0"/>\n'
            for box, form in zip(boxes, forms, strict=True)
        ]

    def lines(self, parts: Sequence[Annotation], group: int) -> list[str] | None:
        """The same for the parts of one object, none of them a hole, which get that group."""
        lines: list[str] = []
        for part in parts:
            metadata = part.metadata
            if not (_TIED <= metadata.keys() <= _SAID_OF_PARTS and type(part) is Polygon):
                return None
            tie = metadata["instance"], metadata["part"], metadata["parts"]
            if tuple(map(type, tie)) not in _TIES:
                return None
            mark = Mark(instance=tie[0], part=tie[1], parts=tie[2], own_group=True)
            line = self._line(part, mark, f' group_id="{group}"')
            if line is None:
                return None
            lines.append(line)
        return lines

    def _line(self, shape: Annotation, mark: Mark | None, group: str = "") -> str | None:
        metadata = shape.metadata
        if shape.confidence is not None or shape.attributes or shape.extras:
            return None
        if isinstance(shape, Rectangle):
            kind = "box"
            form = _BOX % edges([shape.bbox])[0]
        elif isinstance(shape, Polygon) and len(shape.xy) >= 2 * FEWEST["polygon"]:
            kind = "polygon"
            form = f'points="{points(shape.xy)}"'
        else:
            return None
        source = DEFAULT_SOURCE
        if "source" in metadata:
            rest = dict(metadata)
            source = source_of(metadata, rest)
            if "source" in rest:
                return None
        stated = {key: metadata[key] for key in _STATED if key in metadata}
        text = ""
        if mark is not None:
            text = attribute(EXTENSION, as_text(replace(mark, stated=stated) if stated else mark))
        elif stated:
            text = attribute(EXTENSION, _encode({"stated": stated}).decode())
        return f'    <{kind}{self.front(shape.label, source)} occluded="0"{group} {form} z_order="0"{text}/>\n'

    def polygon(self, label: str) -> str:
        """The beginning of the line of a polygon that nobody is said to have made."""
        return f'    <polygon{self.front(label, DEFAULT_SOURCE)} occluded="0"'

    def front(self, label: str, source: str) -> str:
        """The attributes for them. InvalidInput as `attribute`."""
        front = self._fronts.get((label, source))
        if front is None:
            front = self._fronts[label, source] = f"{attribute('label', label)}{attribute('source', source)}"
        return front
