"""A polygon with holes drawn as a mask, for targets whose only holes are those of masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..schemas.keys import RINGS
from ..schemas.model import Annotation, Polygon, Record
from .carrying import fingerprint


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
    shapes = [ring.xy for ring in traced]
    each = {key: value for key, value in first.metadata.items() if key not in RINGS}
    geometry = msgspec.json.encode({"size": [height, width], "counts": masks.compressed(rle)}).decode()
    form: dict[str, Any] = {"shape": "mask", "geometry": geometry, "outline": fingerprint(shapes)}
    if len(traced) == 1:
        return [msgspec.structs.replace(first, xy=shapes[0], metadata={**each, **form})]
    out: list[Annotation] = []
    for number, (ring, xy) in enumerate(zip(traced, shapes, strict=True), 1):
        parts: dict[str, Any] = {"instance": first.metadata["instance"], "part": number, "parts": len(traced)}
        if ring.hole_of is not None:
            parts["hole_of"] = ring.hole_of + 1
        out.append(msgspec.structs.replace(first, xy=xy, metadata={**each, **(form if number == 1 else {}), **parts}))
    return out
