"""One small data set that every format can hold some of."""

from __future__ import annotations

from collections.abc import Sequence

from ...schemas.model import Annotation, Catalog, Category, Polygon, Record, Rectangle
from .cases import DataSet

NAMES = ("Straße 1.jpg", "sub folder/ä.b.png", "empty.jpg", "last one.jpg")


def sample(names: Sequence[str] = NAMES, splits: Sequence[str | None] = ("train", "val")) -> DataSet:
    """An image of 64 x 48 pixels for each name, in the splits by turns; each third has no annotations."""
    given = [splits[number % len(splits)] for number in range(len(names))]
    records = [
        Record(image=name, annotations=() if number % 3 == 2 else _SHAPES, width=64, height=48, split=split)
        for number, (name, split) in enumerate(zip(names, given, strict=True))
    ]
    labels = (Category("traffic light"), Category("Fußgänger"), Category("unused"))
    known = dict.fromkeys(split for split in given if split is not None)
    return DataSet(Catalog(labels=labels, splits=tuple(known)), records)


_SHAPES: tuple[Annotation, ...] = (
    Rectangle(bbox=(8, 6, 16, 12), label="traffic light"),
    Polygon(xy=(0, 0, 64, 0, 32, 48), label="Fußgänger"),
)
