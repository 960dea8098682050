"""Blocks of outlined objects as elements of the MetaLake's `images`, as `schemas.metalake_encoding` writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from ..schemas.metalake_encoding import encode_image, wire_of
from ..schemas.metalake_wire import WireAnnotation, WirePolygon, WireRectangle
from .shapeblocks import Shape, ShapeBlock, facts


def elements(block: ShapeBlock) -> Iterator[bytes]:
    """The images of a block."""
    said = iter(facts([item for item in block.objects if isinstance(item, Shape)]))
    for record, objects, labels in block.images():
        annotations: list[WireAnnotation | msgspec.Raw] = []
        for item, label in zip(objects, labels, strict=True):
            if isinstance(item, Shape):
                annotations += _wires(item, label, next(said))
            else:
                annotations += map(wire_of, item)
        yield encode_image(record, annotations)


def _wires(shape: Shape, label: str, said: dict[str, Any]) -> Sequence[WireAnnotation]:
    rings = shape.segmentation
    if not rings:
        return (WireRectangle(shape.bbox, label, UNSET, said, UNSET),)
    if len(rings) == 1:
        return (WirePolygon(_pairs(rings[0]), label, UNSET, said, UNSET),)
    out: list[WireAnnotation] = []
    for part, xy in enumerate(rings, 1):
        said |= {"instance": str(shape.id), "part": part, "parts": len(rings)}
        out.append(WirePolygon(_pairs(xy), label, UNSET, said, UNSET))
        said = {}
    return out


def _pairs(xy: Sequence[float]) -> list[tuple[float, float]]:
    flat = iter(xy)
    return list(zip(flat, flat, strict=True))
