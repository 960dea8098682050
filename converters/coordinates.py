"""Pixels to fractions of the image and back. The only place that knows which facts of an annotation scale with it."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from itertools import cycle
from math import isfinite
from typing import Any

import msgspec
from msgspec.structs import replace

from ..schemas.errors import InvalidInput, Place
from ..schemas.model import Annotation, Boxes, Coordinates, Record, Rectangle

Scale = Callable[[float, float], float]

_operators: Any = operator
_TIMES: Scale = _operators.mul
_OVER: Scale = _operators.truediv
"""Without a frame of Python's: they are called for each number of a data set."""


def in_space(record: Record, coordinates: Coordinates, target: Coordinates) -> Record:
    """The record with its coordinates in the `target` space. InvalidInput (`size-missing`) without the image's size."""
    if coordinates == target or not record.annotations:
        return record
    return replace(record, annotations=rescaled(record.annotations, record, coordinates, target))


def rescaled(
    annotations: Sequence[Annotation], record: Record, coordinates: Coordinates, target: Coordinates
) -> Sequence[Annotation]:
    """Annotations of a record in the `target` space; InvalidInput as `in_space`."""
    if coordinates == target or not annotations:
        return annotations
    size = size_of(record)
    if type(annotations) is Boxes and (boxes := scaled_boxes(annotations, size, target)) is not None:
        return boxes
    scale = _TIMES if target == "pixels" else _OVER
    try:
        return [_scaled(annotation, size, scale) for annotation in annotations]
    except InvalidInput as error:
        error.place = Place(image=record.image)
        raise


def limits(record: Record, space: Coordinates) -> tuple[float, float] | None:
    """Where the image ends, in coordinates of that space; None where its size is not known."""
    if space == "normalized":
        return 1.0, 1.0
    return (record.width, record.height) if record.width and record.height else None


def size_of(record: Record) -> tuple[float, float]:
    """Width and height in pixels; InvalidInput where they are not known or make no sense."""
    if record.width is None or record.height is None or record.width <= 0 or record.height <= 0:
        raise InvalidInput(
            "size-missing",
            "to go between pixels and fractions takes the image's size, and neither source nor picture has it",
            place=Place(image=record.image),
            hint="say where the pictures are with --images DIR",
        )
    return record.width, record.height


def scaled_boxes(boxes: Boxes, size: tuple[float, float], target: Coordinates) -> Boxes | None:
    """All boxes of an image of that size from the other space to `target`; None where a number is none any more."""
    width, height = size
    held = [box.bbox for box in boxes]
    if target == "pixels":
        scaled = [(x * width, y * height, w * width, h * height) for x, y, w, h in held]
    else:
        scaled = [(x / width, y / height, w / width, h / height) for x, y, w, h in held]
    if not isfinite(sum(map(sum, scaled))):
        return None
    return Boxes([Rectangle(bbox, label=box.label) for box, bbox in zip(boxes, scaled, strict=True)])


def scaled_ring(xy: Sequence[float], size: tuple[float, float]) -> list[float] | None:
    """A ring in pixels of an image of that size as fractions; None where a number is none any more."""
    ring = list(map(_OVER, xy, cycle(size)))
    return ring if isfinite(sum(ring)) else None


def _scaled(annotation: Annotation, size: tuple[float, float], scale: Scale) -> Annotation:
    changes: dict[str, Any] = {}
    if isinstance(annotation, Rectangle):
        (x, y, w, h), (width, height) = annotation.bbox, size
        changes["bbox"] = (scale(x, width), scale(y, height), scale(w, width), scale(h, height))
        total = sum(changes["bbox"])
    else:
        changes["xy"] = list(map(scale, annotation.xy, cycle(size)))
        total = sum(changes["xy"])
    if not isfinite(total):
        message = "a coordinate is more than a number can say, in pixels of this image"
        raise InvalidInput("not-finite", message, hint="are these coordinates meant?")
    keypoints = annotation.metadata.get("keypoints")
    if isinstance(keypoints, str):
        changes["metadata"] = {**annotation.metadata, "keypoints": _scaled_keypoints(keypoints, size, scale)}
    return replace(annotation, **changes)


def _scaled_keypoints(text: str, size: tuple[float, float], scale: Scale) -> str:
    """Triples of x, y and visibility; points that are not labelled stay at 0, 0. What is no list of numbers stays."""
    try:
        flat = _TRIPLES.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return text
    for start in range(0, len(flat) - 2, 3):
        x, y = flat[start : start + 2]
        if x is not None and y is not None:
            flat[start : start + 2] = scale(x, size[0]), scale(y, size[1])
    return json.dumps(flat)


_TRIPLES = msgspec.json.Decoder(list[int | float | None])
