"""Lowering a record to what a target can hold, booking every loss where it happens.

A writer is handed nothing it cannot write, so that no writer holds loss code and no forecast can drift from what is
done: `--dry-run` is this pass without the writer. Projecting twice changes nothing and books nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ..schemas import geometry
from ..schemas.keys import BOOKKEEPING, IMAGE_BOOKKEEPING
from ..schemas.model import Annotation, Boxes, Coordinates, Line, Points, Polygon, Record, Rectangle
from . import lowering
from .clipping import FEWEST, inside
from .coordinates import in_space, limits, rescaled, scaled_boxes, scaled_ring, size_of
from .describing import Carry, Describer, keeps_all
from .drawing import drawn, needs_drawing
from .fidelity import Fidelity
from .fitting import as_oriented_box, called_obb, needs_fitting
from .grid import is_solid, on_whole_pixels, with_area
from .joining import joined
from .ledger import Ledger
from .lowering import within

_WORDS: dict[type, str] = {Rectangle: "rectangle", Polygon: "polygon", Line: "line", Points: "points"}


def projector(
    fidelity: Fidelity, ledger: Ledger, *, coordinates: Coordinates, target: Coordinates, carry: Carry = "full"
) -> Callable[[Record], Record]:
    """The projection of a whole run: `record in -> record the target can hold`.

    `coordinates` is the space of the incoming records, `target` the space wanted; a record whose size is needed to go
    from one to the other and not known is an InvalidInput (`size-missing`).
    """
    if keeps_all(fidelity, carry):
        return lambda record: in_space(record, coordinates, target)
    return _Projector(fidelity, ledger, coordinates, target, carry).project


class _Projector:
    """Works in pixels where either side has them: on the way from them nothing has been rounded yet, on the way to them
    a mask is drawn on the pixels that its outline is written with. `record` and `number` say where it is.
    """

    def __init__(
        self, fidelity: Fidelity, ledger: Ledger, space: Coordinates, target: Coordinates, carry: Carry
    ) -> None:
        self.fidelity = fidelity
        self.ledger = ledger
        self.source: Coordinates = space
        self.space: Coordinates = "pixels" if target == "pixels" else space
        self.target: Coordinates = target
        self.carry = carry
        self.kinds = frozenset(kind for kind, word in _WORDS.items() if word in fidelity.shapes)
        self.describer = Describer(fidelity, carry, self._book)
        self.forgotten = frozenset(key for key in BOOKKEEPING if not self.describer.holds(key))
        self.telling = self.describer.telling
        asks = fidelity.oriented or fidelity.required or fidelity.masks_only or fidelity.whole
        self.usual_kinds = frozenset[type]() if asks else self.kinds & {Rectangle, Polygon}
        self.limits: tuple[float, float] | None = None
        self.size: tuple[float, float] | None = None
        self.record: Record
        self.number: int | str = 0

    def project(self, record: Record) -> Record:
        fidelity = self.fidelity
        lowering.check_name(record.image)
        self.record = record = in_space(record, self.source, self.space)
        self.limits = limits(record, self.space) if fidelity.inside else None
        self.size = None
        if type(record.annotations) is Boxes and (boxes := self._boxes(record.annotations)) is not None:
            return replace(record, annotations=boxes, **self._facts())
        kept: list[Annotation] = []
        for number, group in enumerate(lowering.groups(record.annotations), 1):
            first = group[0]
            if len(group) == 1 and (usual := self._usual(first)) is not None:
                kept.append(usual)
                continue
            self.number = first.metadata.get("coco_id", number)
            shapes = rescaled(self._object(group), record, self.space, self.target)
            kept += on_whole_pixels(shapes, lambda: self._book("rounded")) if fidelity.whole else shapes
        return replace(record, annotations=kept, **self._facts())

    def _boxes(self, boxes: Boxes) -> Boxes | None:
        """The same for all boxes of an image; None where one of them takes a closer look."""
        fidelity, edges = self.fidelity, self.limits
        if Rectangle not in self.usual_kinds or (fidelity.inside and edges is None):
            return None
        for x, y, w, h in [box.bbox for box in boxes] if fidelity.solid or fidelity.inside else ():
            if not (w > 0 and h > 0):
                return None
            if fidelity.inside and edges and (x < 0 or y < 0 or x + w > edges[0] or y + h > edges[1]):
                return None
        if self.target == self.space or not boxes:
            return boxes
        return scaled_boxes(boxes, size_of(self.record), self.target)

    def _usual(self, shape: Annotation) -> Annotation | None:
        """The shape as the target holds it, where nothing is to be done but to forget bookkeeping: most are such, and
        are seen quickly. None where it takes a closer look.
        """
        if type(shape) not in self.usual_kinds or shape.confidence is not None or shape.attributes or shape.extras:
            return None
        metadata = shape.metadata
        if metadata.keys() <= self.forgotten:
            kept: dict[str, Any] = {}
        elif self.telling is None or not self.telling.isdisjoint(metadata):
            return None
        elif self.forgotten.isdisjoint(metadata):
            kept = metadata
        else:
            kept = {key: value for key, value in metadata.items() if key not in self.forgotten}
        same = len(kept) == len(metadata)
        fidelity = self.fidelity
        if isinstance(shape, Rectangle):
            x, y, w, h = shape.bbox
            if (fidelity.solid or fidelity.inside) and not (w > 0 and h > 0):
                return None
            if fidelity.inside and (
                self.limits is None or x < 0 or y < 0 or x + w > self.limits[0] or y + h > self.limits[1]
            ):
                return None
            if self.target != self.space:
                if kept:
                    return None
                width, height = self.size = self.size or size_of(self.record)
                return Rectangle(bbox=(x / width, y / height, w / width, h / height), label=shape.label)
            return shape if same else Rectangle(bbox=shape.bbox, label=shape.label, metadata=kept)
        if not isinstance(shape, Polygon) or (fidelity.solid and not is_solid(shape)):
            return None
        xy = shape.xy
        if fidelity.inside and not (self.limits and len(xy) >= FEWEST[Polygon] and within(xy, *self.limits)):
            return None
        if self.target != self.space:
            ring = scaled_ring(xy, size_of(self.record)) if fidelity.inside and not kept else None
            return None if ring is None else Polygon(xy=ring, label=shape.label)
        return shape if same else Polygon(xy=xy, label=shape.label, metadata=kept)

    def _facts(self) -> dict[str, Any]:
        """What becomes of the facts of the image."""
        record, fidelity = self.record, self.fidelity
        changes: dict[str, Any] = {}
        if record.tags:
            changes["tags"] = self._tags()
        if not fidelity.ids:
            changes["id"] = None
        if not fidelity.image_size:
            changes["width"] = changes["height"] = None
        elif fidelity.real_sizes and (said := lowering.unreal_size(record)):
            self.ledger.book("image-fact-dropped", image=record.image, detail=said)
            changes["width"] = changes["height"] = None
        if not fidelity.splits:
            changes["split"] = None
        if fidelity.image_facts:
            if self.carry == "lean" and not record.extras.keys().isdisjoint(IMAGE_BOOKKEEPING):
                changes["extras"] = {k: v for k, v in record.extras.items() if k not in IMAGE_BOOKKEEPING}
                self._book_facts({k: v for k, v in record.extras.items() if k in IMAGE_BOOKKEEPING}, None)
        elif record.extras or record.storage_name is not None:
            self._book_facts(record.extras, record.storage_name)
            changes["extras"], changes["storage_name"] = {}, None
        return changes

    def _book_facts(self, extras: Mapping[str, Any], storage_name: str | None) -> None:
        if lost := lowering.lost_facts(extras, storage_name):
            self.ledger.book("image-fact-dropped", image=self.record.image, detail=", ".join(sorted(lost)))

    def _tags(self) -> tuple[Any, ...]:
        if not self.fidelity.tags:
            for tag in self.record.tags:
                self.ledger.book("tag-unsupported", image=self.record.image, detail=tag.label)
            return ()
        return tuple(self.describer.described(tag) for tag in self.record.tags if not self._lacks(tag))

    def _book(self, code: str, detail: str | None = None) -> None:
        self.ledger.book(code, image=self.record.image, annotation=self.number, detail=detail)

    def _object(self, group: Sequence[Annotation]) -> Sequence[Annotation]:
        """One object in, what the target can hold of it out."""
        fidelity = self.fidelity
        if len(group) > 1 and (other := lowering.disagreeing(group)) is not None:
            self._book("parts-disagree", f"{other.label}, part {other.metadata.get('part')}")
            group = lowering.agreeing(group)
        if (
            fidelity.holes != "rings"
            and "hole_of" in group[0].metadata
            and all("hole_of" in annotation.metadata for annotation in group)
        ):
            self._book("stray-hole")
            return ()
        if self._lacks(group[0]):
            return ()
        for annotation in group:
            if annotation.metadata.get("iscrowd") and fidelity.crowd is not True:
                if not fidelity.crowd:
                    self._book("crowd-skipped")
                    return ()
                if annotation is group[0]:
                    self._book("crowd-as-object")
            if type(annotation) not in self.kinds:
                group = self._shaped(group)
                if not group:
                    return ()
                break
        if len(group) > 1 and fidelity.holes != "rings":
            group = self._without_holes(group)
        if fidelity.solid:
            group = with_area(group, self._book)
        if group and self.limits is not None:
            group = inside(group, self.limits, fidelity, self._book)
        if fidelity.masks_only:
            group = self._masked(group)
        if len(group) > 1 and fidelity.joined:
            self._book("parts-joined", f"{len(group)} parts")
            group = joined(group)
        if len(group) > 1 and not fidelity.multi_part:
            self._book("multi-part-split", f"{len(group)} parts")
            self.ledger.added += len(group) - 1
            group = [lowering.apart(annotation) for annotation in group]
        if fidelity.oriented:
            group = self._oriented(group)
        if self.describer.needed:
            group = [self.describer.described(annotation) for annotation in group]
        return [called_obb(annotation) for annotation in group] if fidelity.oriented else group

    def _lacks(self, item: Any) -> bool:
        missing = lowering.lacking(item, self.fidelity.required)
        if missing:
            self._book(missing)
        return missing is not None

    def _shaped(self, group: Sequence[Annotation]) -> Sequence[Annotation]:
        """The object in shapes that the target knows."""
        first = group[0]
        if isinstance(first, Polygon) and Rectangle in self.kinds:
            return self._boxed(group)
        if isinstance(first, Rectangle) and Polygon in self.kinds:
            return (Polygon(xy=geometry.corners(*first.bbox), **lowering.common(first)),)
        self._book(f"{_WORDS[type(first)]}-unsupported")
        return ()

    def _boxed(self, group: Sequence[Annotation]) -> Sequence[Annotation]:
        self._book("polygon-boxed")
        return (lowering.as_box(group),)

    def _without_holes(self, group: Sequence[Annotation]) -> Sequence[Annotation]:
        """Without the rings that are holes, unless the target keeps them in a mask."""
        solid = [a for a in group if isinstance(a, Polygon) and "hole_of" not in a.metadata]
        holes = len(group) - len(solid)
        if not holes:
            return group
        if self.fidelity.holes == "masks":
            if "geometry" in group[0].metadata:
                return group
            masked = drawn(group, self.record) if self.space == "pixels" else None
            if masked is not None:
                self._book("hole-rasterised", f"{holes} holes")
                return masked
        self._book("hole-dropped", f"{holes} holes")
        return lowering.renumbered([lowering.apart(a) for a in solid] if self.describer.holds("geometry") else solid)

    def _masked(self, group: Sequence[Annotation]) -> Sequence[Annotation]:
        """Outlines as masks; as boxes where the image's size is not known or no pixel's centre is covered."""
        if not needs_drawing(group):
            return group
        masked = drawn(group, self.record) if self.space == "pixels" else None
        if masked is None:
            return self._boxed(group)
        self._book("polygon-rasterised")
        return masked

    def _oriented(self, group: Sequence[Annotation]) -> Sequence[Annotation]:
        for annotation in group:
            if needs_fitting(annotation):
                self._book("polygon-fitted")
        return [as_oriented_box(annotation, self.record, self.space, self.limits) for annotation in group]
