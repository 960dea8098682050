"""Whether what was carried beside a shape still belongs to it.

A COCO area, an own bounding box, a mask's run lengths ride in metadata while the shape may be edited in between. The
fingerprint of the coordinates says whether they are still as they were read.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from struct import Struct

from ..schemas.model import Annotation, Polygon, Rectangle

_QUIET = 9
"""Decimals of a pixel that going to fractions and back leaves alone."""


def fingerprint(parts: Iterable[Sequence[float]]) -> int:
    """CRC-32 of all coordinates of an object, as little-endian doubles."""
    value = 0
    for xy in parts:
        value = zlib.crc32(_packer(len(xy))(*xy), value)
    return value


@lru_cache(maxsize=1024)
def _packer(count: int) -> Callable[..., bytes]:
    """Packs so many little-endian doubles; where they are the processor's own, without naming an order, which is
    several times faster.
    """
    return Struct(f"{count}d" if sys.byteorder == "little" else f"<{count}d").pack


def as_read(group: Sequence[Annotation], outline: object) -> bool:
    """Whether an object's shapes are those whose fingerprint is `outline`, but for the noise of having been
    fractions.
    """
    if not isinstance(outline, int | float):
        return False
    shapes = [a.bbox if isinstance(a, Rectangle) else a.xy for a in group]
    if fingerprint(shapes) == outline:
        return True
    return fingerprint(map(quiet, shapes)) == outline


def quiet(xy: Sequence[float]) -> list[float]:
    """Coordinates without the noise of having been fractions."""
    return [round(value, _QUIET) for value in xy]


def mask_as_read(group: Sequence[Annotation], geometry: str) -> bool:
    """Whether an object's rings are those a run-length encoded mask is traced to, within what a service may round."""
    from ..schemas import masks

    try:
        given = json.loads(geometry)
        rings = masks.rings(masks.parse(given["size"], given["counts"]))
    except (ValueError, KeyError, TypeError):
        return False
    shapes = [a.xy for a in group if isinstance(a, Polygon)]
    if [len(xy) for xy in shapes] != [len(ring.xy) for ring in rings]:
        return False
    pairs = zip(chain.from_iterable(shapes), chain.from_iterable(ring.xy for ring in rings), strict=True)
    return all(abs(a - b) <= _ROUNDED for a, b in pairs)


_ROUNDED = 0.05
