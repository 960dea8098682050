"""Polygons as oriented boxes: the smallest rectangle around them, for targets that have no other polygons."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from msgspec.structs import replace

from ..schemas import geometry
from ..schemas.model import Annotation, Coordinates, Polygon, Record


def needs_fitting(annotation: Annotation) -> bool:
    """Whether it is a polygon of more or fewer corners than four."""
    return isinstance(annotation, Polygon) and len(annotation.xy) != 8


def as_oriented_box(
    annotation: Annotation, record: Record, space: Coordinates, limits: tuple[float, float] | None
) -> Annotation:
    """A polygon with four corners; upright where the smallest rectangle would reach out of the image."""
    if not isinstance(annotation, Polygon) or not needs_fitting(annotation):
        return annotation
    fitted = _smallest(annotation.xy, record, space)
    right, bottom = limits or (inf, inf)
    if min(fitted) < 0 or max(fitted[::2]) > right or max(fitted[1::2]) > bottom:
        fitted = geometry.corners(*geometry.hull(annotation.xy))
    return replace(annotation, xy=fitted)


def called_obb(annotation: Annotation) -> Annotation:
    """A polygon whose metadata says that it is an oriented box."""
    if not isinstance(annotation, Polygon) or annotation.metadata.get("shape") == "obb":
        return annotation
    return replace(annotation, metadata={**annotation.metadata, "shape": "obb"})


def _smallest(xy: Sequence[float], record: Record, space: Coordinates) -> Sequence[float]:
    """Right angles are right in pixels: fractions are measured by the image's sides, where those are known."""
    if space == "pixels" or not record.width or not record.height:
        return geometry.smallest_rectangle(xy)
    sx, sy = record.width, record.height
    return geometry.scaled(geometry.smallest_rectangle(geometry.scaled(xy, sx, sy)), 1 / sx, 1 / sy)
