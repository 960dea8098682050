"""What projection asks of an object: its groups, its own box, what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from ..schemas import geometry
from ..schemas.errors import InvalidInput, Place
from ..schemas.keys import BY_NAME, RINGS
from ..schemas.model import Annotation, Rectangle, objects
from ..schemas.names import is_safe_name
from .carrying import as_read

OF_OUTLINES = RINGS | {"shape", "geometry", "outline", "area", "bbox", "voc_outline"}
"""What is true of an outline, or ties several to one object, and no longer of the box around them."""

_BOX = msgspec.json.Decoder(tuple[int | float, int | float, int | float, int | float])


def groups(annotations: Sequence[Annotation]) -> Sequence[Sequence[Annotation]]:
    for annotation in annotations:
        if "instance" in annotation.metadata:
            return objects(annotations)
    return [(annotation,) for annotation in annotations]


def own_box(group: Sequence[Annotation]) -> tuple[float, float, float, float]:
    """The object's box: the one it came with, if its outline is still as it was, else the hull."""
    first = group[0].metadata
    if "bbox" in first and as_read(group, first.get("outline")):
        with suppress(TypeError, UnicodeError, msgspec.MsgspecError):  # none of its own, or not one that annolake noted
            return _BOX.decode(first["bbox"])
    return geometry.hull_of(a.xy for a in group if not isinstance(a, Rectangle))


def exceeds(low: float, high: float, limit: float, share: float) -> bool:
    """Whether a span reaches more than this share beyond the image on either side, or is that much longer than it."""
    return low < -share * limit or max(high, high - low) > limit + share * limit


def common(annotation: Annotation, without: frozenset[str] = RINGS) -> dict[str, Any]:
    return {
        "label": annotation.label,
        "confidence": annotation.confidence,
        "metadata": {key: value for key, value in annotation.metadata.items() if key not in without},
        "attributes": annotation.attributes,
        "extras": annotation.extras,
    }


def description(annotation: Annotation) -> tuple[Any, ...]:
    """What is said of an annotation beside its ring, and not on the first ring alone."""
    metadata = {k: v for k, v in annotation.metadata.items() if k not in RINGS and _purpose(k) == "meaning"}
    return annotation.label, annotation.confidence, annotation.attributes, metadata, annotation.extras


def check_name(name: str) -> None:
    """Storage paths of the MetaLake may begin with a slash; names of files in a data set may not."""
    if not is_safe_name(name):
        raise InvalidInput(
            "unsafe-name",
            "this name is absolute or leads out of the data set",
            place=Place(image=name),
            hint="use a name relative to the folder of the pictures",
        )


def _purpose(key: str) -> str:
    """What others call their own counts as meaning."""
    return BY_NAME[key].purpose if key in BY_NAME else "meaning"
