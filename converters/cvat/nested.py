"""Skeleton tracks as datumaro writes them: a <track> for each element inside the skeleton's own.

The element of a frame is the nested track's shape there, else the last one before; a track that begins later, or whose
shape is outside, has its element outside.
"""

from __future__ import annotations

from msgspec.structs import replace

from .numbers import whole
from .skeletons import Point, read_point
from .stream import Element


def is_nested(track: Element) -> bool:
    return track.find("track") is not None


def elements_at(track: Element, frame: int) -> tuple[Point, ...]:
    """The elements of the skeleton on a frame. Unreadable where one makes no sense."""
    out: list[Point] = []
    for nested in track.iterchildren("track"):
        label = nested.get("label", "")
        shapes = sorted(((whole(shape.get("frame"), "the frame"), n, shape) for n, shape in enumerate(nested)))
        held = [shape for at, _, shape in shapes if at <= frame]
        chosen = held[-1] if held else (shapes[0][2] if shapes else None)
        if chosen is None:
            continue
        point = read_point(chosen, label)
        xml = {name: text for name, text in point.xml.items() if name not in ("frame", "keyframe")}
        out.append(replace(point, xml=xml, outside=point.outside or not held, source=nested.get("source")))
    return tuple(out)
