"""Skeletons: their elements, the key points they say, and the edges in a label's drawing.

In the hub a skeleton is the rectangle around its visible elements; the elements ride beside it as `geometry`, and as
COCO's flat `keypoints` in the order of the label's sub-labels (v 0 at 0, 0 where outside; 1 where occluded; else 2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from math import cos, pi, sin
from typing import Any

import msgspec
from lxml import etree

from ...schemas.errors import InvalidInput
from ...schemas.geometry import Box, hull
from ..xmltext import parsed
from .numbers import Unreadable, number, numbers, points
from .stream import Element

NEAR = 0.05
"""Pixels that a rectangle may differ from the hull of the elements and still be it."""


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One element of a skeleton: usually a point. `xml` are attributes that no rule knows, as text."""

    label: str
    type: str = "points"
    points: tuple[float, ...] = ()
    outside: bool = False
    occluded: bool = False
    source: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    xml: dict[str, str] = {}


_KNOWN = ("label", "points", "outside", "occluded", "source")
_POINTS = msgspec.json.Decoder(tuple[Point, ...])


def read_points(skeleton: Element) -> tuple[Point, ...]:
    """The elements of a <skeleton>. Unreadable where one makes no sense."""
    return tuple(read_point(child) for child in skeleton if child.tag not in ("attribute", "track"))


def read_point(element: Element, label: str | None = None) -> Point:
    given = {str(name): str(text) for name, text in element.attrib.items()}
    flat = numbers(given.get("points"), "points of an element")
    known = _KNOWN if flat else ("label", "outside", "occluded", "source")
    return Point(
        label=given.get("label", "") if label is None else label,
        type=str(element.tag),
        points=flat,
        outside=given.get("outside") == "1",
        occluded=given.get("occluded") == "1",
        source=given.get("source"),
        attributes=tuple((child.get("name", ""), child.text or "") for child in element.iterchildren("attribute")),
        xml={name: text for name, text in given.items() if name not in known},
    )


def element_of(point: Point) -> Element:
    """The inverse of `read_point`."""
    out = etree.Element(point.type, {"label": point.label, "occluded": _bit(point.occluded)})
    if point.source is not None:
        out.set("source", point.source)
    out.set("outside", _bit(point.outside))
    if point.points:
        out.set("points", points(point.points))
    for name, text in point.xml.items():
        out.set(name, text)
    for name, text in point.attributes:
        etree.SubElement(out, "attribute", name=name).text = text
    return out


def points_in(geometry: Any) -> tuple[Point, ...] | None:
    """Elements out of an annotation's `geometry`; None for what is none."""
    try:
        return _POINTS.decode(geometry)
    except (TypeError, UnicodeError, RecursionError, msgspec.MsgspecError):
        return None


def as_geometry(elements: Sequence[Point]) -> str:
    return msgspec.json.encode(elements).decode()


def box_around(elements: Sequence[Point]) -> Box:
    """The hull of the visible elements; of all, where none is visible; nothing at the origin where there are none."""
    for chosen in ([e for e in elements if not e.outside], elements):
        flat = [value for element in chosen for value in _extent(element)]
        if flat:
            return hull(flat)
    return 0.0, 0.0, 0.0, 0.0


def keypoints(elements: Sequence[Point], names: Sequence[str]) -> str:
    """COCO's flat triples, in the order of the names."""
    by_label = {element.label: element for element in elements}
    flat: list[float | int] = []
    for name in names:
        element = by_label.get(name)
        if element is None or element.outside or len(element.points) < 2:
            flat += (0, 0, 0)
        else:
            flat += (*element.points[:2], 1 if element.occluded else 2)
    return json.dumps(flat)


def from_keypoints(flat: Sequence[float | None], names: Sequence[str]) -> tuple[Point, ...]:
    """Elements for flat triples. A point without visibility is there."""
    triples = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    return tuple(
        Point(label=name, points=(float(x or 0), float(y or 0)), outside=v == 0, occluded=v == 1)
        for name, (x, y, v) in zip(names, triples, strict=True)
    )


def edges(svg: str | None, names: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Pairs of 1-based numbers of sub-labels out of a label's drawing; None where they cannot be read."""
    if not svg or not names:
        return None
    try:
        root = parsed(f"<svg>{svg}</svg>".encode(), "svg")
    except (InvalidInput, ValueError):
        return None
    nodes = {e.get("data-node-id"): e.get("data-label-name") for e in root.iter() if e.get("data-node-id")}
    number_of = {name: index for index, name in enumerate(names, 1)}
    pairs: list[tuple[int, int]] = []
    for line in root.iter():
        ends = line.get("data-node-from"), line.get("data-node-to")
        if ends == (None, None):
            continue
        both = [number_of.get(nodes.get(end) or "") for end in ends]
        if both[0] is None or both[1] is None:
            return None
        pairs.append((both[0], both[1]))
    return tuple(pairs)


def drawing(names: Sequence[str], pairs: Sequence[tuple[int, int]]) -> str:
    """A drawing for a label that has none, which CVAT needs to make a skeleton: its points on a circle, its edges."""
    places = [
        (50 + 40 * sin(2 * pi * n / len(names)), 50 - 40 * cos(2 * pi * n / len(names))) for n in range(len(names))
    ]
    out: list[str] = []
    for a, b in pairs:
        if 1 <= a <= len(names) and 1 <= b <= len(names):
            (x1, y1), (x2, y2) = places[a - 1], places[b - 1]
            out.append(
                f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="black" data-type="edge" '
                f'data-node-from="{a}" stroke-width="0.5" data-node-to="{b}"></line>'
            )
    for n, (name, (x, y)) in enumerate(zip(names, places, strict=True), 1):
        out.append(
            f'<circle r="1.5" stroke="black" fill="#b3b3b3" cx="{x:.2f}" cy="{y:.2f}" stroke-width="0.1" '
            f'data-type="element node" data-element-id="{n}" data-node-id="{n}" data-label-name="{escape(name)}">'
            "</circle>"
        )
    return "".join(out)


def _extent(element: Point) -> Sequence[float]:
    """Points of whatever kind of element it is."""
    if element.points:
        return element.points
    try:
        return [number(element.xml.get(name), name) for name in ("xtl", "ytl", "xbr", "ybr")]
    except Unreadable:
        return ()


def _bit(value: bool) -> str:
    return "1" if value else "0"
