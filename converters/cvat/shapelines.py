"""The lines of outlined objects, of many images at once, letter by letter as `usual` writes them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec
import numpy as np

from ...schemas.errors import InvalidInput
from ...schemas.model import Annotation, Record
from ..shapeblocks import Shape, ShapeBlock, facts
from .notes import EXTENSION, Mark, as_text
from .numbers import points
from .usual import Usual, attribute

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
    said = facts(shapes)
    for record, objects, labels in block.images():
        out: list[str] = []
        group = 0
        for item, label in zip(objects, labels, strict=True):
            if not isinstance(item, Shape):
                continue
            stated = {key: value for key, value in sorted(next(said).items()) if key != "coco_id"}
            parts = len(item.segmentation)
            texts = [next(rings) for _ in range(parts)]
            front = fronts[label]
            if parts == 1:
                out.append(f'{front} points="{texts[0]}" z_order="0"{_note(stated)}/>\n')
                continue
            group += 1
            for part, text in enumerate(texts, 1):
                mark = Mark(instance=str(item.id), part=part, parts=parts, own_group=True, stated=stated)
                note = attribute(EXTENSION, as_text(mark))
                out.append(f'{front} group_id="{group}" points="{text}" z_order="0"{note}/>\n')
                stated = {}
        yield record, out if _are_rings(objects) else None, objects, labels


def _are_rings(objects: Objects) -> bool:
    return all(isinstance(item, Shape) and item.segmentation for item in objects)


def _note(stated: dict[str, float | str]) -> str:
    text = _encode(stated).decode()
    if "bbox" in stated:
        return attribute(EXTENSION, f'{{"stated":{text}}}')
    quoted = text.replace('"', "&quot;")
    return f' {EXTENSION}="{{&quot;stated&quot;:{quoted}}}"'


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
