"""Objects cut at the edges of the image, for targets whose coordinates lie within it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from msgspec.structs import replace

from ..schemas.geometry import clip_box, clip_ring
from ..schemas.model import Annotation, Line, Points, Polygon, Rectangle
from .fidelity import Fidelity
from .keypoints import with_points_inside
from .lowering import exceeds, led_by

FEWEST: dict[type, int] = {Polygon: 6, Line: 4, Points: 2}
"""Numbers of a shape that is one."""
_SLACK = 1e-9
"""Sums of floats overshoot the edge by less than this share of the image; nothing is cut for it."""


def inside(
    group: Sequence[Annotation], limits: tuple[float, float], fidelity: Fidelity, book: Callable[..., None]
) -> Sequence[Annotation]:
    """An object cut at the edges of an image that ends there. What has no area is left out, and booked."""
    width, height = limits
    share = fidelity.overhang + _SLACK
    kept: list[Sequence[Annotation]] = []
    cut, flat = False, 0
    for annotation in group:
        if isinstance(annotation, Rectangle):
            x, y, w, h = annotation.bbox
            is_flat = w <= 0 or h <= 0
            beyond = exceeds(x, x + w, width, share) or exceeds(y, y + h, height, share)
        else:
            xs, ys = annotation.xy[::2], annotation.xy[1::2]
            is_flat = len(annotation.xy) < FEWEST[type(annotation)]
            beyond = not is_flat and (
                exceeds(min(xs), max(xs), width, share) or exceeds(min(ys), max(ys), height, share)
            )
        flat += is_flat
        cut = cut or (beyond and not is_flat)
        kept.append(() if is_flat else _cut(annotation, width, height) if beyond else (annotation,))
    out: Sequence[Annotation] = list(chain.from_iterable(kept))
    if cut:
        book("clipped" if out else "empty-after-clip")
    elif not out:
        book("degenerate")
    if flat and out:
        book("part-dropped", f"{flat} of {len(group)} parts")
    out = out if kept[0] else led_by(group[0], out)
    return [with_points_inside(one, width, height, share, book) for one in out] if fidelity.keypoints else out


def _cut(annotation: Annotation, width: float, height: float) -> Sequence[Annotation]:
    """What is left of a shape; nothing where that is none."""
    if isinstance(annotation, Rectangle):
        box = clip_box(annotation.bbox, width, height)
        return () if box is None else (replace(annotation, bbox=box),)
    ring = clip_ring(annotation.xy, width, height)
    return (replace(annotation, xy=ring),) if len(ring) >= FEWEST[type(annotation)] else ()
