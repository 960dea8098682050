"""Lowering a record to what a target can hold, booking every loss where it happens.

A writer is handed nothing it cannot write, so that no writer holds loss code and no forecast can drift from what is
done: `--dry-run` is this pass without the writer. Projecting twice changes nothing and books nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec.structs import replace

from ..schemas import geometry
from ..schemas.keys import BOOKKEEPING, BY_NAME, RINGS
from ..schemas.model import Annotation, Coordinates, Line, Points, Polygon, Record, Rectangle, objects
from .coordinates import in_space, limits
from .fidelity import Fidelity
from .ledger import Ledger

Carry = Literal["full", "lean"]

_FEWEST = {Polygon: 3, Line: 2, Points: 1}
_STANDARD_IMAGE_FACTS = frozenset(("license", "flickr_url", "coco_url", "date_captured"))


def projector(
    fidelity: Fidelity, ledger: Ledger, *, coordinates: Coordinates, target: Coordinates, carry: Carry = "full"
) -> Callable[[Record], Record]:
    """The projection of a whole run: `record in -> record the target can hold`.

    `coordinates` is the space of the incoming records, `target` the space wanted; a record whose size is needed to go
    from one to the other and not known is an InvalidInput (`size-missing`).
    """
    everything = (
        carry == "full"
        and coordinates == target
        and fidelity.metadata is True
        and fidelity.holes == "rings"
        and len(fidelity.shapes) == len(_WORDS)
        and not fidelity.inside
    )
    if everything:
        return lambda record: record

    def project(record: Record) -> Record:
        sized = in_space(_Projection(record, fidelity, ledger, coordinates, carry).result(), coordinates, target)
        return sized if fidelity.image_size else replace(sized, width=None, height=None)

    return project


_WORDS = {Rectangle: "rectangle", Polygon: "polygon", Line: "line", Points: "points"}


class _Projection:
    def __init__(self, record: Record, fidelity: Fidelity, ledger: Ledger, space: Coordinates, carry: Carry) -> None:
        self.record = record
        self.fidelity = fidelity
        self.ledger = ledger
        self.carry = carry
        self.limits = limits(record, space) if fidelity.inside else None
        self.number: int | str | None = None

    def result(self) -> Record:
        record, fidelity = self.record, self.fidelity
        kept: list[Annotation] = []
        for number, group in enumerate(objects(record.annotations), 1):
            self.number = group[0].metadata.get("coco_id", number)
            kept.extend(self._object(group))
        changes: dict[str, Any] = {}
        if record.tags and not fidelity.tags:
            self._book("tag-unsupported", count=len(record.tags), annotation=None)
            changes["tags"] = ()
        if record.extras or record.storage_name is not None:
            changes.update(self._facts())
        if not fidelity.ids:
            changes["id"] = None
        if not fidelity.splits:
            changes["split"] = None
        return replace(record, annotations=kept, **changes)

    def _book(self, code: str, detail: str | None = None, count: int = 1, annotation: Any = ...) -> None:
        where = self.number if annotation is ... else annotation
        self.ledger.book(code, image=self.record.image, annotation=where, detail=detail, count=count)

    def _facts(self) -> dict[str, Any]:
        """What becomes of facts of the image that only one format, or nobody, knows."""
        record = self.record
        if self.fidelity.image_facts:
            return {"extras": {}} if self.carry == "lean" else {}
        coco = record.extras.get("coco", {})
        lost = [key for key in coco if key not in _STANDARD_IMAGE_FACTS]
        lost += [key for key in record.extras if key != "coco"]
        if record.storage_name is not None:
            lost.append("storageName")
        if lost:
            self._book("image-fact-dropped", ", ".join(sorted(lost)), annotation=None)
        return {"extras": {}, "storage_name": None}

    def _object(self, group: list[Annotation]) -> Sequence[Annotation]:
        """One object in, what the target can hold of it out."""
        fidelity = self.fidelity
        if not fidelity.crowd and any(a.metadata.get("iscrowd") for a in group):
            self._book("crowd-skipped")
            return ()
        shaped = self._shaped(group)
        if len(shaped) > 1 and fidelity.holes != "rings":
            shaped = self._without_holes(shaped)
        if self.limits is not None:
            shaped = self._inside(shaped)
        if len(shaped) > 1 and not fidelity.multi_part and "polygon" in fidelity.shapes:
            self._book("multi-part-split", f"{len(shaped)} parts")
            self.ledger.added += len(shaped) - 1
        return [self._described(annotation) for annotation in shaped]

    def _shaped(self, group: list[Annotation]) -> list[Annotation]:
        """The object in shapes that the target knows."""
        fidelity = self.fidelity
        first = group[0]
        word = _WORDS[type(first)]
        if all(_WORDS[type(a)] in fidelity.shapes for a in group):
            return group
        if isinstance(first, Polygon) and "rectangle" in fidelity.shapes:
            box = geometry.hull_of(a.xy for a in group if isinstance(a, Polygon))
            self._book("polygon-boxed")
            return [Rectangle(bbox=box, **_common(first))]
        if isinstance(first, Rectangle) and "polygon" in fidelity.shapes:
            return [Polygon(xy=geometry.corners(*first.bbox), **_common(first))]
        self._book(f"{word}-unsupported")
        return []

    def _without_holes(self, group: list[Annotation]) -> list[Annotation]:
        """Without the rings that are holes, unless the target keeps the mask they came from."""
        solid = [a for a in group if "hole_of" not in a.metadata]
        holes = len(group) - len(solid)
        if not holes or (self.fidelity.holes == "masks" and "geometry" in group[0].metadata):
            return group
        self._book("hole-dropped", f"{holes} holes")
        if len(solid) == 1:
            return [_whole(solid[0])]
        number = {a.metadata.get("part"): n for n, a in enumerate(solid, 1)}
        return [
            replace(a, metadata={**a.metadata, "part": number[a.metadata.get("part")], "parts": len(solid)})
            for a in solid
        ]

    def _inside(self, group: list[Annotation]) -> list[Annotation]:
        """Cut at the edges of the image. What has no area is left out, and said."""
        width, height = self.limits or (0, 0)
        out: list[Annotation] = []
        clipped = degenerate = 0
        for annotation in group:
            cut: Annotation | None = annotation
            if isinstance(annotation, Rectangle):
                x, y, w, h = annotation.bbox
                if w <= 0 or h <= 0:
                    degenerate += 1
                    continue
                if x < 0 or y < 0 or x + w > width * _SLACK or y + h > height * _SLACK:
                    clipped += 1
                    box = geometry.clip_box(annotation.bbox, width, height)
                    cut = None if box is None else replace(annotation, bbox=box)
            else:
                xy = annotation.xy
                if len(xy) < 2 * _FEWEST[type(annotation)]:
                    degenerate += 1
                    continue
                if min(xy) < 0 or max(xy[::2]) > width * _SLACK or max(xy[1::2]) > height * _SLACK:
                    clipped += 1
                    ring = geometry.clip_ring(xy, width, height)
                    cut = replace(annotation, xy=ring) if len(ring) >= 2 * _FEWEST[type(annotation)] else None
            if cut is not None:
                out.append(cut)
        if not out:
            self._book("empty-after-clip" if clipped else "degenerate")
        elif clipped:
            self._book("clipped")
        return out

    def _described(self, annotation: Annotation) -> Annotation:
        """Without the facts about it that the target has no place for."""
        fidelity = self.fidelity
        changes: dict[str, Any] = {}
        if annotation.confidence is not None and not fidelity.confidence:
            self._book("confidence-dropped", repr(annotation.confidence))
            changes["confidence"] = None
        if annotation.attributes and not fidelity.attributes:
            self._book("attribute-dropped", ", ".join(annotation.attributes))
            changes["attributes"] = {}
        metadata = annotation.metadata
        if metadata and (fidelity.metadata is not True or self.carry == "lean"):
            kept = self._kept_metadata(annotation)
            if len(kept) != len(metadata):
                changes["metadata"] = kept
        if annotation.extras and not fidelity.attributes:
            self._book("metadata-dropped", ", ".join(annotation.extras))
            changes["extras"] = None
        return replace(annotation, **changes) if changes else annotation

    def _kept_metadata(self, annotation: Annotation) -> dict[str, Any]:
        fidelity, metadata = self.fidelity, annotation.metadata
        kept: dict[str, Any] = {}
        lost: list[str] = []
        for key, value in metadata.items():
            known = BY_NAME.get(key)
            lean = self.carry == "lean" and known is not None and known.purpose != "meaning"
            if not lean and (
                fidelity.holds(key)
                or (key == "keypoints" and fidelity.keypoints)
                or (key in RINGS and fidelity.multi_part)
                or (key == "iscrowd" and fidelity.crowd)
            ):
                kept[key] = value
            elif key not in BOOKKEEPING and key not in RINGS and key != "geometry":
                lost.append(key)
        if "shape" in lost:
            lost.remove("shape")
            if "geometry" in metadata:
                self._book("mask-reduced" if metadata["shape"] == "mask" else "shape-reduced")
        if "keypoints" in lost:
            lost.remove("keypoints")
            self._book("keypoints-dropped")
        if lost:
            self._book("metadata-dropped", ", ".join(lost))
        return kept


_SLACK = 1 + 1e-9
"""Sums of floats overshoot the edge by less than this; nothing is cut for it."""


def _common(annotation: Annotation) -> dict[str, Any]:
    return {
        "label": annotation.label,
        "confidence": annotation.confidence,
        "metadata": _whole_metadata(annotation),
        "attributes": annotation.attributes,
        "extras": annotation.extras,
    }


def _whole(annotation: Annotation) -> Annotation:
    return replace(annotation, metadata=_whole_metadata(annotation))


def _whole_metadata(annotation: Annotation) -> dict[str, Any]:
    """Metadata of a shape that is the whole object again."""
    metadata = annotation.metadata
    return {key: value for key, value in metadata.items() if key not in RINGS} if "part" in metadata else metadata
