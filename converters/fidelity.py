"""What a format can hold, as data. Projection, forecast, refusal, `annolake formats` and tests all read this value."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..schemas.model import Coordinates


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """What one format, in one flavour, can write and read back.

    `crowd`: regions of many objects are told apart from objects, or become such (`objects`). `visibility`: a key point
    may be hidden. `metadata` is True where any key rides along, else the set of keys that have a place of their own;
    keys in `without` do not ride even where any other does. `decimals` is the number of decimals that survive (None:
    all). `inside` means that coordinates must lie within the image; `overhang` is the share of its width and height by
    which they, and sizes, may exceed it all the same. `oriented`: every polygon is an oriented box, of four corners and
    with the shape `obb`. `joined`: the parts of one object become one ring. `masks_only`: every outline is a mask.
    Annotations that lack a `required` fact (`confidence`, `track_id`) have no place. `solid`: boxes, and those around
    rings, have a width and a height above zero. `whole`: corners lie on whole pixels. `real_sizes`: width and height of
    an image are above zero, or both are left out.
    """

    shapes: frozenset[str]
    multi_part: bool = False
    holes: Literal["rings", "masks", "none"] = "none"
    crowd: bool | Literal["objects"] = False
    keypoints: bool = False
    visibility: bool = True
    tags: bool = False
    confidence: bool = False
    attributes: bool = False
    metadata: bool | frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    image_size: bool = False
    image_facts: bool = False
    ids: bool = False
    splits: bool = False
    empty_images: bool = True
    coordinates: tuple[Coordinates, ...] = ("pixels",)
    decimals: int | None = None
    inside: bool = False
    overhang: float = 0.0
    oriented: bool = False
    joined: bool = False
    masks_only: bool = False
    required: frozenset[str] = frozenset()
    unique_stems: bool = False
    solid: bool = False
    whole: bool = False
    real_sizes: bool = False

    @property
    def boxes_only(self) -> bool:
        """Whether outlines become boxes."""
        return "rectangle" in self.shapes and "polygon" not in self.shapes

    def holds(self, key: str) -> bool:
        """Whether an annotation's metadata key survives."""
        if isinstance(self.metadata, bool):
            return self.metadata and key not in self.without
        return key in self.metadata
