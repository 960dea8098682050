"""Blocks of plain boxes to COCO annotations, as `restoring` has them one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import TYPE_CHECKING, Any

from ...schemas.model import Metadata, Rectangle
from ..blocks import Block
from .attributes import RESERVED_ATTRIBUTES
from .restoring import USUAL_AREA, Attributed, Usual, to_coco

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows = Callable[[Iterable[Any], Iterable[Any], Iterable[Any]], Iterable[Usual]]
_ALIKE = frozenset(RESERVED_ATTRIBUTES) - {"rotation"}
"""Metadata that becomes attributes whatever the box is."""


def box_rows(block: Block) -> Rows | None:
    """What makes the annotations of a block from the ids of their images, of their categories, and their own, each one
    a box; None where a box takes a closer look.
    """
    areas = _areas(block.bbox)
    attributes = _attributes(block.metadata)
    if areas is None or attributes is None:
        return None
    columns = repeat(()), areas, repeat(0)
    boxes: list[list[Any]] = block.bbox.tolist()
    if not attributes:
        return lambda images, categories, ids: map(Usual, *columns, images, boxes, categories, ids)
    said = repeat(attributes)
    return lambda images, categories, ids: map(Attributed, *columns, images, boxes, categories, ids, said)


def _areas(bbox: NDArray[Any]) -> list[Any] | None:
    import numpy as np

    width, height = bbox[:, 2], bbox[:, 3]
    with np.errstate(all="ignore"):
        rough = width.astype(np.float64) * height
        if not (np.abs(rough) < USUAL_AREA).all():
            return None
        return (width * height).tolist()


def _attributes(metadata: Metadata) -> dict[str, Any] | None:
    """The attributes of a box of which this is said; None where it would have other keys, too."""
    if not metadata:
        return {}
    if not metadata.keys() <= _ALIKE:
        return None
    example = to_coco((Rectangle((0, 0, 1, 1), label="", metadata=metadata),), 0, 0, 0)
    if isinstance(example, Attributed):
        return example.attributes
    if isinstance(example, Usual) or example.keys() - set(Usual.__struct_fields__) != {"attributes"}:
        return None
    return example["attributes"]
