"""Elements as text without a tree: the usual shapes, of which a file has many, letter by letter as lxml writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from lxml import etree

from ...schemas.model import Annotation, Polygon, Rectangle
from .elements import set_text, source_of
from .forms import FEWEST
from .notes import EXTENSION, STATED
from .numbers import far_edge, points, spelled
from .shapes import DEFAULT_SOURCE
from .stream import Element

_HARMLESS = re.compile(r"[ -%'-;=?-~]*")
"""Printable ASCII without the three letters that stand for something in XML, but with quotation marks."""
_SAID = STATED | {"source"}
_encode = msgspec.json.Encoder().encode


def attribute(name: str, text: str) -> str:
    """An XML attribute, with the blank in front. InvalidInput as `set_text`."""
    if _HARMLESS.fullmatch(text) and name.isascii() and name.isidentifier():
        return f' {name}="{text.replace(chr(34), "&quot;")}"'
    element = etree.Element("element")
    set_text(element, name, text)
    return etree.tostring(element, encoding="unicode")[len("<element") : -len("/>")]


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
        metadata = shape.metadata
        if not metadata.keys() <= _SAID or shape.confidence is not None or shape.attributes or shape.extras:
            return None
        if isinstance(shape, Rectangle):
            kind = "box"
            x, y, w, h = shape.bbox
            form = f'xtl="{spelled(x)}" ytl="{spelled(y)}" xbr="{far_edge(x, w)}" ybr="{far_edge(y, h)}"'
        elif isinstance(shape, Polygon) and len(shape.xy) >= 2 * FEWEST["polygon"]:
            kind = "polygon"
            form = f'points="{points(shape.xy)}"'
        else:
            return None
        stated = metadata
        source = DEFAULT_SOURCE
        if "source" in metadata:
            stated = dict(metadata)
            source = source_of(metadata, stated)
            if "source" in stated:
                return None
        mark = ""
        if stated:
            text = _encode({"stated": {key: stated[key] for key in sorted(stated)}}).decode()
            mark = attribute(EXTENSION, text)
        front = self._fronts.get((shape.label, source))
        if front is None:
            front = f"{attribute('label', shape.label)}{attribute('source', source)}"
            self._fronts[shape.label, source] = front
        return f'    <{kind}{front} occluded="0" {form} z_order="0"{mark}/>\n'
