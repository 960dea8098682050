"""A polygon with holes drawn as a mask, for targets whose only holes are those of masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..schemas.figures import figure_of
from ..schemas.keys import RINGS
from ..schemas.model import Annotation, Polygon, Record
from .carrying import as_read, fingerprint, mask_as_read


def needs_drawing(group: Sequence[Annotation]) -> bool:
    """Whether an object has an outline that is neither that of a mask it carries nor that of a rotated box."""
    first = group[0]
    if not isinstance(first, Polygon):
        return False
    metadata, mask = first.metadata, first.metadata.get("geometry")
    if metadata.get("shape") == "mask" and isinstance(mask, str):
        return not (as_read(group, metadata.get("outline")) or mask_as_read(group, mask))
    turned = figure_of(first) if len(group) == 1 else None
    return turned is None or turned.shape != "obb" or not turned.rotation


def drawn(group: Sequence[Annotation], record: Record) -> list[Annotation] | None:
    """An object in pixels as the outline of its mask on the image's pixels, run lengths in `geometry`.

    None where the image's size is not known or nothing of it covers the centre of a pixel. Rings with whole numbers
    come back as they were.
    """
    from ..schemas import masks

    rings = [a for a in group if isinstance(a, Polygon)]
    if not record.width or not record.height or len(rings) != len(group):
        return None
    width, height = int(record.width), int(record.height)
    numbers = {str(a.metadata.get("part")): n for n, a in enumerate(rings)}
    outlines = [
        masks.Ring(
            tuple(a.xy),
            numbers.get(str(a.metadata["hole_of"]), len(rings)) if "hole_of" in a.metadata else None,
        )
        for a in rings
    ]
    try:
        rle = masks.from_rings(outlines, height, width)
        traced = masks.rings(rle)
    except masks.MaskError:
        return None
    if not traced:
        return None
    first = rings[0]
    instance = first.metadata.get("instance", f"mask of {first.metadata.get('coco_id', fingerprint([first.xy]))}")
    shapes = [ring.xy for ring in traced]
    each = {key: value for key, value in first.metadata.items() if key not in RINGS}
    geometry = msgspec.json.encode({"size": [height, width], "counts": masks.compressed(rle)}).decode()
    form: dict[str, Any] = {"shape": "mask", "geometry": geometry, "outline": fingerprint(shapes)}
    if len(traced) == 1:
        return [msgspec.structs.replace(first, xy=shapes[0], metadata={**each, **form})]
    out: list[Annotation] = []
    for number, (ring, xy) in enumerate(zip(traced, shapes, strict=True), 1):
        parts: dict[str, Any] = {"instance": instance, "part": number, "parts": len(traced)}
        if ring.hole_of is not None:
            parts["hole_of"] = ring.hole_of + 1
        out.append(msgspec.structs.replace(first, xy=xy, metadata={**each, **(form if number == 1 else {}), **parts}))
    return out
