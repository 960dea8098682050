"""Which images of a block of outlined objects surely are without a mistake, told for all of them at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

    def clean(self, block: ShapeBlock) -> Sequence[bool]:
        """Of each image, whether it surely has no mistake by itself."""
        fitting = [fitted(record, self._finder) for record in block.records]
        objects = block.objects
        rings = [_rings(item) for item in objects]
        parts = np.fromiter(map(len, rings), np.int64, len(rings))
        flat = list(chain.from_iterable(rings))
        counts = np.fromiter(map(len, flat), np.int64, len(flat))
        numbers = np.fromiter(chain.from_iterable(flat), np.float64, int(counts.sum()))
        kinds = [_RING if isinstance(item, Shape) and item.segmentation else _BOX for item in objects]
        extents = np.array([extent(record, self._coordinates) for record, _ in fitting], np.float64)
        owners = np.repeat(np.arange(len(block.counts)), block.counts)
        of_ring = np.repeat(owners, parts)
        shapes = Shapes(numbers, counts, np.repeat(kinds, parts), extents[of_ring])
        sound, begin, _ = judged(shapes)
        clean = np.ones(len(fitting), bool)
        clean[of_ring[~np.array(sound, bool)]] = False
        clean[_with_doubles(of_ring, np.repeat(_numbered(block.labels), parts), begin)] = False
        clean[owners[~np.fromiter(map(_is_exact, objects), bool, len(objects))]] = False
        if not all(map(self._is_good, set(block.labels))):
            clean[owners[[not self._is_good(label) for label in block.labels]]] = False
        return [
            is_clean
            and not found
            and (not count or record.width is not None or record.height is not None)
            and not any(image_mistakes(sized, self._coordinates))
            for is_clean, record, count, (sized, found) in zip(
                clean.tolist(), block.records, block.counts, fitting, strict=True
            )
        ]

    def _is_good(self, label: str) -> bool:
        good = self._good.get(label)
        if good is None:
            good = self._good[label] = not any(label_mistakes(label, self._labels))
        return good


def _rings(item: object) -> list[list[float]]:
    if not isinstance(item, Shape):
        return []
    return item.segmentation or [list(item.bbox)]


def _is_exact(item: object) -> bool:
    return isinstance(item, Shape) and -_EXACT < item.id < _EXACT and item.area < _EXACT


def _numbered(labels: Sequence[str]) -> NDArray[np.int64]:
    """A number for each label, the same for the same."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.fromiter(map(numbers.__getitem__, labels), np.int64, len(labels))


def _with_doubles(owners: NDArray[np.int64], labels: NDArray[np.int64], begin: Sequence[tuple[float, float]]) -> Any:
    """The images in which two rings of one label begin at the same point."""
    if len(begin) < 2:
        return []
    x, y = np.array(begin).T
    order = np.lexsort((y, x, labels, owners))
    same = np.ones(len(begin) - 1, bool)
    for values in (owners, labels, x, y):
        ordered = values[order]
        same &= ordered[1:] == ordered[:-1]
    return owners[order[1:][same]]
