"""What projection leaves of what is said of an annotation: confidence, attributes, metadata, key points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec.structs import replace

from ..schemas.keys import BOOKKEEPING, BY_NAME, RINGS
from . import lowering
from .fidelity import Fidelity
from .keypoints import says_nothing, without_visibility

Carry = Literal["full", "lean"]
_MASK = frozenset(("shape", "geometry"))
"""What a mask is to a format that has masks: no matter of what is carried beside it."""
_SHAPES = frozenset(("rectangle", "polygon", "line", "points"))


def keeps_all(fidelity: Fidelity, carry: Carry) -> bool:
    """Whether nothing of a record is lost or altered but the space of its coordinates."""
    every_shape = fidelity.shapes == _SHAPES and fidelity.holes == "rings" and not fidelity.inside
    return every_shape and fidelity.metadata is True and not fidelity.without and carry == "full"


class Describer:
    """`needed`: whether a target of that fidelity leaves anything at all; `forgetful`: whether it holds none of the
    book-keeping; `telling`: where any key rides along, those at which it is asked what becomes of the annotation.
    Losses are booked with `book(code, detail)`.
    """

    def __init__(self, fidelity: Fidelity, carry: Carry, book: Callable[..., None]) -> None:
        self.fidelity = fidelity
        self.carry = carry
        self.book = book
        self.any_metadata = fidelity.metadata is True and not fidelity.without and carry == "full"
        self.needed = not (self.any_metadata and fidelity.confidence and fidelity.attributes)
        special = RINGS | {"iscrowd", "keypoints"} | (fidelity.without - BOOKKEEPING)
        self.telling = special if fidelity.metadata is True and carry == "full" else None
        self.forgetful = not any(self.holds(key) for key in BOOKKEEPING)

    def described(self, annotation: Any) -> Any:
        """An annotation or tag without the facts that the target has no place for."""
        fidelity = self.fidelity
        changes: dict[str, Any] = {}
        if annotation.confidence is not None and not fidelity.confidence:
            self.book("confidence-dropped", repr(annotation.confidence))
            changes["confidence"] = None
        if annotation.attributes and not fidelity.attributes:
            self.book("attribute-dropped", ", ".join(annotation.attributes))
            changes["attributes"] = {}
        metadata = annotation.metadata
        if metadata and not self.any_metadata:
            kept = self._kept(metadata)
            if kept != metadata:
                changes["metadata"] = kept
        if annotation.extras and not fidelity.attributes:
            self.book("metadata-dropped", ", ".join(annotation.extras))
            changes["extras"] = None
        return replace(annotation, **changes) if changes else annotation

    def _kept(self, metadata: dict[str, Any]) -> dict[str, Any]:
        if self.forgetful and metadata.keys() <= BOOKKEEPING:
            return {}
        crowded = self.fidelity.crowd == "objects"  # told where it was decided
        if "keypoints" in metadata and self.fidelity.metadata is not True and says_nothing(metadata["keypoints"]):
            metadata = {key: value for key, value in metadata.items() if key not in ("keypoints", "shape")}
        kept: dict[str, Any] = {}
        lost: list[str] = []
        told = lowering.told_by_others(metadata)
        own = _MASK if self.fidelity.holes == "masks" and metadata.get("shape") == "mask" else frozenset[str]()
        for key, value in metadata.items():
            if self.holds(key) or key in own:
                kept[key] = value
            elif key not in told and not (crowded and key == "iscrowd"):
                lost.append(key)
        if "keypoints" in kept and not self.fidelity.visibility:
            points = without_visibility(kept["keypoints"])
            if points != kept["keypoints"]:
                self.book("visibility-dropped")
                kept["keypoints"] = points
        turned = self.fidelity.oriented and metadata.get("shape") == "obb"  # four corners say it all
        if "geometry" in metadata and "geometry" not in kept and not turned:
            self.book("mask-reduced" if metadata.get("shape") == "mask" else "shape-reduced")
        if "keypoints" in metadata and "keypoints" not in kept:
            self.book("keypoints-dropped")
        if lost:
            self.book("metadata-dropped", ", ".join(lost))
        return kept

    def holds(self, key: str) -> bool:
        """Whether a metadata key rides along."""
        fidelity = self.fidelity
        if self.carry == "lean" and key in BY_NAME and BY_NAME[key].purpose != "meaning":
            return False
        return (
            fidelity.holds(key)
            or (key == "keypoints" and fidelity.keypoints)
            or (key in RINGS and fidelity.multi_part)
            or (key == "iscrowd" and fidelity.crowd is True)
        )
