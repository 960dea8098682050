"""Runs of images of whose annotations nothing is said but labels and boxes, the boxes of all of them in columns.

What a data set for detectors holds is mostly such, and to read, project and write it a few hundred images at a time
costs a fraction of doing it box by box. A block says exactly what its records would say one by one (`expanded`), and
whatever is odd about an image keeps it out of a block: nobody need have words for it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from ..schemas.model import Annotation, Boxes, Metadata, Record, Rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .fidelity import Fidelity
    from .format import Blocks, Context, Format, Options, Reading
    from .ledger import Ledger

IMAGES = 256
"""In a block, at most."""

FEWEST = 1_000
"""Images of a set that is worth columns: below, loading numpy takes longer than all the boxes."""


class Block(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Images in order, as records without annotations and tags, and how many boxes each has (`counts`).

    `labels` holds the label of each box, `bbox` its `(x, y, width, height)`: an array (boxes, 4) of finite floats, or
    of whole numbers (int64, below 2**53) where the source says whole numbers. `metadata` is said of every box alike,
    and has neither key points nor an instance. `files`: the file of each image, where they are several; `ids`: what
    each box is called in the books, its `coco_id`, an array too.
    """

    records: Sequence[Record]
    counts: Sequence[int]
    labels: Sequence[str]
    bbox: NDArray[Any]
    metadata: Metadata = {}
    files: Sequence[str] | None = None
    ids: NDArray[Any] | None = None

    def cut(self, start: int, stop: int) -> Block:
        """The images `start` to `stop` (excluded)."""
        first = sum(self.counts[:start])
        last = first + sum(self.counts[start:stop])
        return Block(
            records=self.records[start:stop],
            counts=self.counts[start:stop],
            labels=self.labels[first:last],
            bbox=self.bbox[first:last],
            metadata=self.metadata,
            files=None if self.files is None else self.files[start:stop],
            ids=None if self.ids is None else self.ids[first:last],
        )

    def expanded(self, ledger: Ledger) -> Iterator[Record]:
        """The same images one by one; the books are told of which file."""
        boxes: list[list[Any]] = self.bbox.tolist()
        ids: list[int] | None = None if self.ids is None else self.ids.tolist()
        start = 0
        for place, (record, count) in enumerate(zip(self.records, self.counts, strict=True)):
            if self.files is not None:
                ledger.file = self.files[place]
            own = slice(start, start + count)
            each = zip(boxes[own], self.labels[own], strict=True)
            start += count
            annotations: list[Annotation] | Boxes
            if ids is not None:
                annotations = [
                    Rectangle(tuple(box), label=label, metadata={**self.metadata, "coco_id": identity})
                    for (box, label), identity in zip(each, ids[own], strict=True)
                ]
            elif self.metadata:
                annotations = [Rectangle(tuple(box), label=label, metadata=dict(self.metadata)) for box, label in each]
            else:
                annotations = Boxes([Rectangle(tuple(box), label=label) for box, label in each])
            yield replace(record, annotations=annotations)


def wanted(
    reading: Reading, writer: Format, options: Options, fidelity: Fidelity, context: Context
) -> Callable[[Fidelity], Blocks] | None:
    """What a conversion to that fidelity goes by: blocks of boxes or of shapes, where both sides can, and the set is
    large enough to gain from it; None where it goes image by image.
    """
    if reading.images < FEWEST or context.images is not None or context.memory is not None:
        return None
    carried = fidelity.metadata is True or not fidelity.multi_part
    if reading.spelled_for is not None and writer.spelled(options) and carried:
        return reading.spelled_for
    if reading.shapes_for is not None and writer.shapes(options) and carried:
        return reading.shapes_for
    if reading.blocks_for is not None and writer.blocks(options):
        import_module("numpy")  # now: processes that are started would each load it
        return reading.blocks_for
    return None
