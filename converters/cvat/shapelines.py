"""The lines of outlined objects, of many images at once, letter by letter as `usual` writes them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec
import numpy as np

from ...schemas.errors import InvalidInput
from ...schemas.model import Annotation, Record
from ..shapeblocks import Shape, ShapeBlock, carried
from .notes import EXTENSION
from .numbers import points
from .usual import Usual

_POINT, _COMMA, _SEMICOLON, _BAR, _ZERO = b".,;|0"
_encode = msgspec.json.Encoder().encode


Objects = Sequence[Shape | Sequence[Annotation]]


def shape_lines(block: ShapeBlock, usual: Usual) -> Iterator[tuple[Record, list[str] | None, Objects, Sequence[str]]]:
    """Each image of a block, the lines of its objects (None where one takes a closer look), these, and their labels."""
    try:
        fronts = {label: usual.polygon(label) for label in dict.fromkeys(block.labels)}
    except InvalidInput:  # told with its image
        yield from ((record, None, objects, labels) for record, objects, labels in block.images())
        return
    shapes = [item for item in block.objects if isinstance(item, Shape)]
    rings = iter(all_points(list(chain.from_iterable([shape.segmentation for shape in shapes]))))
    said = _stated(shapes)
    for record, objects, labels in block.images():
        out: list[str] = []
        group = 0
        for item, label in zip(objects, labels, strict=True):
            if not isinstance(item, Shape) or not item.segmentation:
                continue
            front, stated = fronts[label], next(said)
            parts = len(item.segmentation)
            if parts == 1:
                out.append(f'{front} points="{next(rings)}" z_order="0" {EXTENSION}="{{{stated}}}"/>\n')
                continue
            group += 1
            stated = f",{stated}"
            for part, text in zip(range(1, parts + 1), rings, strict=False):
                out.append(
                    f'{front} group_id="{group}" points="{text}" z_order="0" {EXTENSION}="{{&quot;instance&quot;:&quot;'
                    f"{item.id}&quot;,&quot;part&quot;:{part},&quot;parts&quot;:{parts},&quot;own_group&quot;:true{stated}"
                    '}"/>\n'
                )
                stated = ""
        yield record, out if _are_rings(objects) else None, objects, labels


def _are_rings(objects: Objects) -> bool:
    return all(isinstance(item, Shape) and item.segmentation for item in objects)


def _stated(shapes: Sequence[Shape]) -> Iterator[str]:
    """Of each outlined object what a note says of its numbers (`shapeblocks.facts`), as JSON inside an attribute."""
    outlined = [shape for shape in shapes if shape.segmentation]
    if not outlined:
        return
    areas = _encode([shape.area for shape in outlined])[1:-1].decode().split(",")
    for shape, area, outline, is_hull in zip(outlined, areas, *carried(outlined), strict=True):
        bbox = "" if is_hull else f"&quot;bbox&quot;:&quot;{_encode(shape.bbox).decode()}&quot;,"
        yield f"&quot;stated&quot;:{{&quot;area&quot;:{area},{bbox}&quot;outline&quot;:{outline}}}"


def all_points(rings: Sequence[Sequence[float]]) -> Sequence[str]:
    """Of each ring what `points` makes of it."""
    data = _encode(rings)[len("[[") : -len("]]")].replace(b"],[", b"|") + b"|"
    numbers = sum(map(len, rings))
    if not rings or b"e" in data or b"n" in data or data.count(b".") != numbers:
        return list(map(points, rings))
    text = np.frombuffer(data, np.uint8).copy()
    ends = np.flatnonzero((text == _COMMA) | (text == _BAR))
    after_y = ends[1::2]
    text[after_y[text[after_y] == _COMMA]] = _SEMICOLON
    text = np.insert(text, ends[text[ends - 2] == _POINT], _ZERO)
    return text.tobytes().decode().split("|")[:-1]
