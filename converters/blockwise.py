"""The projection of whole blocks: `projection` for many images at once, where nothing is to be lost or looked at.

An image of which a box would be booked, refused or altered but by scaling is taken out and projected by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ..schemas.keys import BOOKKEEPING
from ..schemas.model import Annotation, Coordinates, Metadata, Record
from ..schemas.names import are_plain
from .blocks import Block
from .describing import Carry, Describer, keeps_all
from .fidelity import Fidelity
from .format import Item
from .ledger import Ledger
from .lowering import check_name, groups, unreal_size
from .projection import projector
from .ringblocks import RingBlock
from .shapeblocks import OutlinedBlock, ShapeBlock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .ringwise import RingProjection

B = TypeVar("B", bound=OutlinedBlock[Any])

_EXACT = 2.0**53
"""Below it every whole number is a float."""
_NOTED = frozenset(("area", "bbox", "outline"))
"""What shapes say of their numbers (`shapeblocks.facts`), but for their ids."""


class BlockProjection:
    """Projects what a source streams, blocks and single records, keeping the books of `ledger`; as `projector`."""

    def __init__(
        self,
        fidelity: Fidelity,
        ledger: Ledger,
        *,
        coordinates: Coordinates,
        target: Coordinates,
        carry: Carry = "full",
    ) -> None:
        self.fidelity, self.ledger = fidelity, ledger
        self.one: Callable[[Record], Record] = projector(
            fidelity, ledger, coordinates=coordinates, target=target, carry=carry
        )
        self.scaled_up = (coordinates, target) == ("normalized", "pixels")
        self.scaled_down = (coordinates, target) == ("pixels", "normalized")
        self.in_pixels = coordinates == "pixels" or self.scaled_up
        describer = Describer(fidelity, carry, ledger.book)
        self.telling = describer.telling
        self.forgotten = frozenset(key for key in BOOKKEEPING if not describer.holds(key))
        asks = fidelity.oriented or fidelity.required or fidelity.masks_only or fidelity.whole
        self.able = "rectangle" in fidelity.shapes and not asks
        self.keeps_all = keeps_all(fidelity, carry)
        self.facts_stay = fidelity.image_facts and carry == "full"
        self.heads_stay = fidelity.image_size and fidelity.splits
        self.scales = coordinates != target
        self.shapes_stay = not self.scales and self.facts_stay and _holds_shapes(fidelity)

    @cached_property
    def rings(self) -> RingProjection | None:
        """For outlines, where the target has one ring an object, and asks no more of it than this is made for."""
        from .ringwise import RingProjection  # which loads numpy

        fidelity = self.fidelity
        if not _holds_rings(fidelity) or "coco_id" not in self.forgotten:
            return None
        if self.scales and not (self.scaled_down and fidelity.inside):
            return None
        noted = _NOTED - self.forgotten
        if noted and noted != _NOTED:
            return None
        return RingProjection(fidelity, self.ledger, self.one, self._head, scaled=self.scaled_down, noted=bool(noted))

    def project(self, item: Item) -> Iterator[Item | RingBlock]:
        """What the target holds of it, in order."""
        if isinstance(item, Record):
            yield self.one(item)
            return
        if isinstance(item, OutlinedBlock):
            if self.shapes_stay:
                yield self._shapes(item)
            elif self.rings is not None and isinstance(item, ShapeBlock):
                yield from self.rings.project(item)
            else:
                yield from map(self.one, item.expanded())
            return
        kept = self._kept(item)
        judged = self._judged(item) if self.able and kept is not None else None
        if kept is None or judged is None:
            yield from map(self.one, item.expanded(self.ledger))
            return
        bbox, odd = judged
        projected = replace(item, bbox=bbox, metadata=kept, ids=None)
        done = 0
        for index in odd:
            if done < index:
                yield self._with_facts(projected.cut(done, index))
            yield from map(self.one, item.cut(index, index + 1).expanded(self.ledger))
            done = index + 1
        if done < len(item.records):
            yield self._with_facts(projected.cut(done, len(item.records)) if done else projected)

    def _kept(self, block: Block) -> Metadata | None:
        """What the target keeps of what is said of each box; None where that takes a closer look."""
        metadata = block.metadata
        if block.ids is not None and "coco_id" not in self.forgotten:
            return None
        if self.keeps_all or not metadata:
            return metadata
        if metadata.keys() <= self.forgotten:
            return {}
        if self.telling is None or not self.telling.isdisjoint(metadata) or self.scaled_down:
            return None
        return {key: value for key, value in metadata.items() if key not in self.forgotten}

    def _judged(self, block: Block) -> tuple[NDArray[Any], list[int]] | None:
        """The boxes in the space of the target, and the numbers of images that take a closer look; None where all do.
        What is compared is what `projection` compares, in the same order, so that the last digits are the same.
        """
        import numpy as np

        fidelity, bbox = self.fidelity, block.bbox
        if not len(bbox):
            return bbox, []
        odd = np.zeros(len(bbox), bool)
        sides = edges = None
        if self.scaled_up or self.scaled_down or (fidelity.inside and self.in_pixels):
            try:
                sizes = np.array([(record.width, record.height) for record in block.records], np.float64)
            except OverflowError:
                return None
            edges = sides = np.repeat(sizes, block.counts, axis=0)
            odd |= _missing((sides > 0) & (sides < _EXACT))
        with np.errstate(all="ignore"):
            if self.scaled_up and sides is not None:
                if bbox.dtype != np.float64:
                    return None
                bbox = bbox * np.tile(sides, 2)
                odd |= _missing(np.isfinite(bbox))
            if fidelity.solid or fidelity.inside:
                odd |= _missing(bbox[:, 2:] > 0)
            if fidelity.inside:
                edges = 1.0 if edges is None or not self.in_pixels else edges
                odd |= _missing(~(bbox[:, :2] < 0)) | _missing(~(bbox[:, :2] + bbox[:, 2:] > edges))
            if self.scaled_down and sides is not None:
                bbox = bbox / np.tile(sides, 2)
                odd |= _missing(np.isfinite(bbox))
        if not odd.any():
            return bbox, []
        owners = np.repeat(np.arange(len(block.counts)), block.counts)
        images: list[int] = np.unique(owners[odd]).tolist()
        return (bbox, images) if 2 * len(images) <= len(block.counts) else None

    def _with_facts(self, block: Block) -> Block:
        """With what the target keeps of the images; what it does not is booked."""
        if self.keeps_all:
            return block
        if all(map(self._stays, block.records)) and are_plain([record.image for record in block.records]):
            self.ledger.file = block.files[-1] if block.files else self.ledger.file
            return block
        heads: list[Record] = []
        for place, record in enumerate(block.records):
            if block.files is not None:
                self.ledger.file = block.files[place]
            heads.append(self._head(record))
        return replace(block, records=heads)

    def _shapes(self, block: B) -> B:
        """Shapes stay as they are, and of other objects what the target holds."""
        if self.keeps_all:
            return block
        counts = list(block.counts)
        objects: list[Any] = []
        labels: list[str] = []
        ends = list(accumulate(counts))
        done = 0
        for place in [place for place, item in enumerate(block.objects) if not isinstance(item, Struct)]:
            image, item = bisect_right(ends, place), block.objects[place]
            kept = groups(self.one(replace(block.records[image], annotations=item)).annotations)
            counts[image] += len(kept) - 1
            objects += [*block.objects[done:place], *kept]
            labels += [*block.labels[done:place], *[block.labels[place]] * len(kept)]
            done = place + 1
        objects += block.objects[done:]
        labels += block.labels[done:]
        heads = list(map(self._head, block.records))

        def to_hub(shape: Any, label: str) -> Sequence[Annotation]:
            return [self._forgetful(annotation) for annotation in block.to_hub(shape, label)]

        return replace(block, records=heads, counts=counts, objects=objects, labels=labels, to_hub=to_hub)

    def _forgetful(self, annotation: Annotation) -> Annotation:
        kept = {key: value for key, value in annotation.metadata.items() if key not in self.forgotten}
        return annotation if len(kept) == len(annotation.metadata) else replace(annotation, metadata=kept)

    def _stays(self, record: Record) -> bool:
        """Whether the target keeps all of an image that has a good name."""
        facts = self.facts_stay or not (record.extras or record.storage_name is not None)
        return facts and self.heads_stay and (record.id is None or self.fidelity.ids) and self._is_sized(record)

    def _is_sized(self, record: Record) -> bool:
        return not self.fidelity.real_sizes or not unreal_size(record)

    def _head(self, record: Record) -> Record:
        fidelity = self.fidelity
        facts_go = (record.extras or record.storage_name is not None) and not self.facts_stay
        if facts_go or not self._is_sized(record):
            return self.one(record)
        check_name(record.image)
        if self._stays(record):
            return record
        return Record(
            image=record.image,
            width=record.width if fidelity.image_size else None,
            height=record.height if fidelity.image_size else None,
            id=record.id if fidelity.ids else None,
            split=record.split if fidelity.splits else None,
            storage_name=record.storage_name,
            extras=record.extras,
        )


def _missing(said: NDArray[np.bool_]) -> Any:
    """An array of the boxes of which something is not said; False where all is, as is seen sooner."""
    return False if said.all() else ~said.all(axis=1)


def _holds_rings(fidelity: Fidelity) -> bool:
    """Whether boxes and rings stay as they are, and each ring of an object is one."""
    asks = fidelity.oriented or fidelity.required or fidelity.masks_only or fidelity.whole or fidelity.joined
    return fidelity.shapes >= {"rectangle", "polygon"} and not (fidelity.multi_part or asks)


def _holds_shapes(fidelity: Fidelity) -> bool:
    """Whether boxes and rings, the numbers they came with, and objects of several rings stay as they are."""
    asks = fidelity.oriented or fidelity.required or fidelity.masks_only or fidelity.whole or fidelity.joined
    holds = fidelity.shapes >= {"rectangle", "polygon"} and fidelity.multi_part and fidelity.metadata is True
    rides = not fidelity.without - {"coco_id", "coco_category_id"}
    return holds and rides and not (asks or fidelity.inside or fidelity.solid)
