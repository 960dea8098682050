"""What can become of a fact on its way, each with a stable code.

`carried`: it rides in metadata or in the catalogue and comes home exactly. `approximated`: something like it is
written. `dropped`: it is gone. Only the first is done without being asked. What the user wants to be left out or
renamed is dropped or approximated by wish: booked like the rest, and never refused.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Fate = Literal["carried", "approximated", "dropped"]
What = Literal["annotation", "image", "property"]


class LossCode(msgspec.Struct, frozen=True):
    code: str
    fate: Fate
    what: What
    sentence: str
    by_wish: bool = False


TABLE = (
    LossCode("mask-outlined", "carried", "annotation", "mask written as its pixel-edge outline, RLE kept beside it"),
    LossCode("mask-reduced", "approximated", "annotation", "mask written as its pixel-edge outline, RLE not kept"),
    LossCode("ellipse-outlined", "carried", "annotation", "ellipse written as a polygon, its numbers kept beside it"),
    LossCode("cuboid-outlined", "carried", "annotation", "cuboid written as its outline, its numbers kept beside it"),
    LossCode("skeleton-boxed", "carried", "annotation", "skeleton written as a rectangle, its elements kept beside it"),
    LossCode("outside-skipped", "carried", "annotation", "shape of a track where its object is not visible"),
    LossCode("keypoints-boxed", "carried", "annotation", "key points ride beside a rectangle"),
    LossCode("shape-reduced", "approximated", "annotation", "original numbers of the shape not kept, outline only"),
    LossCode("polygon-boxed", "approximated", "annotation", "polygon written as its bounding box"),
    LossCode("polygon-fitted", "approximated", "annotation", "polygon written as the smallest rectangle around it"),
    LossCode("multi-part-split", "approximated", "annotation", "parts of one object written as separate objects"),
    LossCode("parts-joined", "approximated", "annotation", "parts of one object joined to one ring by bridges"),
    LossCode("part-dropped", "approximated", "annotation", "parts of the object without an area left out"),
    LossCode("polygon-rasterised", "approximated", "annotation", "polygon drawn on the pixel grid, as a mask"),
    LossCode("rounded", "approximated", "annotation", "corners moved to whole pixels"),
    LossCode("hole-rasterised", "approximated", "annotation", "holes drawn on the pixel grid, as a mask"),
    LossCode("hole-dropped", "approximated", "annotation", "hole filled: the target has no holes"),
    LossCode("label-merged", "approximated", "property", "labels of one name told apart by ids become one"),
    LossCode("parts-disagree", "dropped", "property", "what only later rings of the object say of it left out"),
    LossCode("crowd-as-object", "approximated", "property", "crowd region written as one object", by_wish=True),
    LossCode("visibility-dropped", "approximated", "property", "hidden key points written as visible ones"),
    LossCode("stray-hole", "dropped", "annotation", "a hole without the ring it is a hole of"),
    LossCode("clipped", "approximated", "annotation", "cut at the edge of the image"),
    LossCode("empty-after-clip", "dropped", "annotation", "nothing of it lies inside the image"),
    LossCode("degenerate", "dropped", "annotation", "no area: width or height is not above zero, or too few points"),
    LossCode("crowd-skipped", "dropped", "annotation", "crowd region: the target would take it for one object"),
    LossCode("confidence-missing", "dropped", "annotation", "no confidence, and the target is a list of them"),
    LossCode("track-missing", "dropped", "annotation", "no track id that is a number, and every row has one"),
    LossCode("line-unsupported", "dropped", "annotation", "the target has no lines"),
    LossCode("points-unsupported", "dropped", "annotation", "the target has no points"),
    LossCode("rectangle-unsupported", "dropped", "annotation", "the target has no rectangles"),
    LossCode("polygon-unsupported", "dropped", "annotation", "the target has no polygons"),
    LossCode("tag-unsupported", "dropped", "annotation", "the target has no image-level classes"),
    LossCode("keypoints-dropped", "dropped", "property", "key points left out"),
    LossCode("confidence-dropped", "dropped", "property", "confidence left out"),
    LossCode("attribute-dropped", "dropped", "property", "attributes left out"),
    LossCode("metadata-dropped", "dropped", "property", "metadata left out"),
    LossCode("image-fact-dropped", "dropped", "property", "facts of the image left out"),
    LossCode("catalog-dropped", "dropped", "property", "facts of the data set left out"),
    LossCode("empty-image-dropped", "dropped", "image", "image without annotations left out"),
    LossCode("track-gap", "dropped", "annotation", "frames between key frames that nobody defines how to compute"),
    LossCode("label-left-out", "dropped", "annotation", "its label is not among those to keep", by_wish=True),
    LossCode("image-left-out", "dropped", "image", "not among the images to keep", by_wish=True),
    LossCode("label-renamed", "approximated", "property", "label renamed", by_wish=True),
    LossCode("split-changed", "approximated", "property", "image dealt to another split", by_wish=True),
    LossCode("caption-unsupported", "dropped", "annotation", "a caption has no geometry and no label"),
)

BY_CODE = {loss.code: loss for loss in TABLE}
