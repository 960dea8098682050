"""Pages as trees, written as HTML; and annotations as SVG over their picture. Coordinates in pixels."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

Element = ElementTree.Element

_POINT_RADIUS = 4


def element(tag: str, attributes: Mapping[str, str] | None = None, text: str = "") -> Element:
    made = ElementTree.Element(tag, {name: _shown(value) for name, value in (attributes or {}).items()})
    made.text = _shown(text)
    return made


def html(title: str, content: Iterable[Element]) -> bytes:
    """A whole page."""
    page = element("html", {"lang": "en"})
    head = element("head")
    head.append(element("meta", {"charset": "utf-8"}))
    head.append(element("title", text=f"{title} - annolake sandbox"))
    head.append(element("link", {"rel": "stylesheet", "href": "/style.css"}))
    body = element("body")
    body.append(element("h1", text=title))
    body.extend(content)
    page.extend([head, body])
    return b"<!DOCTYPE html>\n" + ElementTree.tostring(page, encoding="us-ascii", method="html")


def drawing(url: str, width: int, height: int, shapes: Iterable[dict[str, Any]]) -> Element:
    """The picture, and each annotation over it in its label's colour."""
    svg = element("svg", {"viewBox": f"0 0 {width} {height}", "width": str(width), "height": str(height)})
    svg.append(element("image", {"href": url, "width": str(width), "height": str(height)}))
    for shape in shapes:
        drawn = _drawn(shape)
        if drawn is None:
            continue
        colour = _colour(shape["label"])
        group = element("g", {"stroke": colour, "fill": colour})
        group.extend(drawn)
        x, y = _anchor(shape)
        group.append(element("text", {"x": _number(x), "y": _number(y), "stroke": "none"}, shape["label"]))
        group.insert(0, element("title", text=shape["label"]))
        svg.append(group)
    return svg


def _drawn(shape: dict[str, Any]) -> list[Element] | None:
    """None for a shape that came without its geometry."""
    if "bbox" in shape:
        sides = dict(zip(("x", "y", "width", "height"), map(_number, shape["bbox"]), strict=True))
        return [element("rect", {"class": "shape", **sides})]
    points = shape.get(shape["type"])
    if not points:
        return None
    if shape["type"] == "points":
        radius = str(_POINT_RADIUS)
        return [element("circle", {"cx": _number(x), "cy": _number(y), "r": radius}) for x, y in points]
    corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
    if shape["type"] == "polygon":
        return [element("polygon", {"class": "shape", "points": corners})]
    return [element("polyline", {"class": "shape line", "points": corners})]


def _anchor(shape: dict[str, Any]) -> tuple[float, float]:
    """Where the label begins."""
    x, y = shape["bbox"][:2] if "bbox" in shape else shape[shape["type"]][0]
    return x + 2, y + 12


def _colour(label: str) -> str:
    return f"hsl({crc32(label.encode('utf-8', 'replace')) % 360}, 85%, 40%)"


def _number(value: float) -> str:
    return f"{value:.10g}"


def _shown(text: str) -> str:
    """Control characters have no place in HTML."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
