"""Which images of a block of outlined objects surely are without a mistake, told for all of them at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice

import numpy as np

from ..schemas.model import Coordinates
from ..schemas.shapes import extent
from ..schemas.soundness import KINDS, Shapes, judged
from ..schemas.validation import image_mistakes, label_mistakes
from .images import ImageFinder
from .pictures import fitted
from .shapeblocks import Shape, ShapeBlock

_BOX, _RING = KINDS.index("rectangle"), KINDS.index("polygon")
_EXACT = 2**53
"""Numbers up to it are the same for everybody."""


class ShapeSieve:
    """Looks over blocks of one data set. `labels` are the allowed ones, if only some are."""

    def __init__(self, finder: ImageFinder | None, *, coordinates: Coordinates, labels: Collection[str] | None) -> None:
        self._finder = finder
        self._coordinates: Coordinates = coordinates
        self._labels = labels
        self._good: dict[str, bool] = {}

    def clean(self, block: ShapeBlock) -> Iterator[bool]:
        """Of each image, whether it surely has no mistake by itself."""
        fitting = [fitted(record, self._finder) for record in block.records]
        rings = [_rings(item) for item in block.objects]
        counts = np.fromiter(map(len, chain.from_iterable(rings)), np.int64)
        numbers = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), np.float64, int(counts.sum()))
        kinds = [_RING if isinstance(item, Shape) and item.segmentation else _BOX for item in block.objects]
        extents = np.array([extent(record, self._coordinates) for record, _ in fitting], np.float64)
        parts = [len(own) for own in rings]
        owners = np.repeat(np.arange(len(block.counts)), block.counts)
        shapes = Shapes(numbers, counts, np.repeat(kinds, parts), extents[np.repeat(owners, parts)])
        sound, begin, _ = judged(shapes)
        verdicts = zip(sound, begin, strict=True)
        sizes = iter(parts)
        for (record, objects, labels), (sized, found) in zip(block.images(), fitting, strict=True):
            beginnings: set[object] = set()
            clean, all_rings = not found, 0
            for item, label in zip(objects, labels, strict=True):
                size = next(sizes)
                all_rings += size
                clean = clean and isinstance(item, Shape) and self._is_good(label) and _is_exact(item)
                for is_sound, start in islice(verdicts, size):
                    clean = clean and is_sound
                    beginnings.add((label, start))
            sized_or_empty = not objects or record.width is not None or record.height is not None
            clean = clean and len(beginnings) == all_rings and sized_or_empty
            yield clean and not any(image_mistakes(sized, self._coordinates))

    def _is_good(self, label: str) -> bool:
        good = self._good.get(label)
        if good is None:
            good = self._good[label] = not any(label_mistakes(label, self._labels))
        return good


def _rings(item: object) -> list[list[float]]:
    if not isinstance(item, Shape):
        return []
    return item.segmentation or [list(item.bbox)]


def _is_exact(shape: Shape) -> bool:
    return -_EXACT < shape.id < _EXACT and shape.area < _EXACT
