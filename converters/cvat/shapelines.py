"""The lines of outlined objects, of many images at once, letter by letter as `usual` writes them one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import msgspec
import numpy as np

from ...schemas.model import Annotation, Record
from ..shapeblocks import Shape, ShapeBlock, carried
from .elements import group_of
from .notes import EXTENSION
from .numbers import points
from .usual import Usual

_POINT, _COMMA, _SEMICOLON, _BAR, _ZERO = b".,;|0"
_EXACT = 2**53
_encode = msgspec.json.Encoder().encode


Others = Callable[[Record, Sequence[Annotation], int], tuple[list[str], int]]
"""The lines of an object that is no ring or rings, and the group that follows if that was given."""


def shape_lines(block: ShapeBlock, usual: Usual, others: Others) -> Iterator[tuple[Record, list[str]]]:
    """Each image of a block, and the lines of its objects. InvalidInput for a label that XML cannot hold."""
    fronts = {label: usual.polygon(label) for label in dict.fromkeys(block.labels)}
    shapes = [item for item in block.objects if isinstance(item, Shape) and item.segmentation]
    rings = iter(all_points(list(chain.from_iterable([shape.segmentation for shape in shapes]))))
    said = _stated(shapes)
    for record, objects, labels in block.images():
        out: list[str] = []
        following = 1 + max(map(_group_of, objects), default=0)
        for item, label in zip(objects, labels, strict=True):
            if not isinstance(item, Shape) or not item.segmentation:
                annotations = block.to_hub(item, label) if isinstance(item, Shape) else item
                lines, following = others(record, annotations, following)
                out += lines
                continue
            front, stated = fronts[label], next(said)
            parts = len(item.segmentation)
            if parts == 1:
                out.append(f'{front} points="{next(rings)}" z_order="0" {EXTENSION}="{{{stated}}}"/>\n')
                continue
            stated = f",{stated}"
            for part, text in zip(range(1, parts + 1), rings, strict=False):
                out.append(
                    f'{front} group_id="{following}" points="{text}" z_order="0" {EXTENSION}="{{&quot;instance&quot;:'
                    f"&quot;{item.id}&quot;,&quot;part&quot;:{part},&quot;parts&quot;:{parts},&quot;own_group&quot;:true"
                    f'{stated}}}"/>\n'
                )
                stated = ""
            following += 1
        yield record, out


def _group_of(item: Shape | Sequence[Annotation]) -> int:
    return 0 if isinstance(item, Shape) else max(group_of(annotation.metadata) or 0 for annotation in item)


def _stated(shapes: Sequence[Shape]) -> Iterator[str]:
    """Of each outlined object what a note says of its numbers (`shapeblocks.facts`), as JSON inside an attribute."""
    if not shapes:
        return
    areas = _encode([shape.area for shape in shapes])[1:-1].decode().split(",")
    for shape, area, outline, is_hull in zip(shapes, areas, *carried(shapes), strict=True):
        bbox = "" if is_hull else f"&quot;bbox&quot;:&quot;{_encode(shape.bbox).decode()}&quot;,"
        yield f"&quot;stated&quot;:{{&quot;area&quot;:{area},{bbox}&quot;outline&quot;:{outline}}}"


def _as_floats(ring: Sequence[float]) -> Sequence[float]:
    """The ring with no other numbers, unless there are some that no float holds."""
    if set(map(type, ring)) == {float} or max(ring) > _EXACT or min(ring) < -_EXACT:
        return ring
    return list(map(float, ring))


def all_points(rings: Sequence[Sequence[float]]) -> Sequence[str]:
    """Of each ring what `points` makes of it."""
    data = _encode(rings)[len("[[") : -len("]]")].replace(b"],[", b"|") + b"|"
    numbers = sum(map(len, rings))
    if b"e" not in data and data.count(b".") != numbers:
        rings = list(map(_as_floats, rings))
        data = _encode(rings)[len("[[") : -len("]]")].replace(b"],[", b"|") + b"|"
    if not rings or b"e" in data or b"n" in data or data.count(b".") != numbers:
        return list(map(points, rings))
    text = np.frombuffer(data, np.uint8).copy()
    ends = np.flatnonzero((text == _COMMA) | (text == _BAR))
    after_y = ends[1::2]
    text[after_y[text[after_y] == _COMMA]] = _SEMICOLON
    text = np.insert(text, ends[text[ends - 2] == _POINT], _ZERO)
    return text.tobytes().decode().split("|")[:-1]
