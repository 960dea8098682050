"""COCO's run-length encoding of masks: read with suspicion, measure, decode, encode, outline.

Runs alternate background, object, background, ... and always start with background (the first may be 0). They
go down each column, then to the next column, and together cover height x width pixels. In the compressed text
each run (from the fourth on, its difference to the run two places earlier) is written in groups of five bits,
lowest first; a character is 48 + the five bits, + 32 while more groups follow; bit 16 of the last group is
the sign. The rule is that of pycocotools' maskApi.c.

Outlines follow the edge model and the semantics of `outlines`, whose names are offered here as well.
"""

from collections.abc import Sequence
from importlib import import_module
from reprlib import repr as shortened
from typing import Annotated, Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

from .geometry import clip_ring
from .outlines import PIXEL_LIMIT, Mask, MaskError, Ring, check_size, families, rasterise, trace
from .plain import ready

__all__ = [
    "PIXEL_LIMIT", "Mask", "MaskError", "Ring", "Rle", "area", "bbox", "compressed", "decode", "encode",
    "from_polygons", "from_rings", "parse", "rasterise", "rings",
]  # fmt: skip


class Rle(msgspec.Struct, frozen=True, gc=False):
    """A mask of `height` x `width` pixels as runs down the columns, the first of them background.

    Made by `parse` or `encode`; the functions here rely on their checks.
    """

    height: int
    width: int
    counts: tuple[int, ...]


def parse(size: Sequence[object], counts: Sequence[object] | str, *, limit: int = PIXEL_LIMIT) -> Rle:
    """The mask of a COCO `segmentation`: `size` is [height, width], `counts` a list of runs or their text.

    The text form of Python bytes, b'...', which some tools store, is accepted as the text inside. Nothing is
    allocated beyond the runs themselves. Raises MaskError when the size is not two whole numbers from 1 on or
    exceeds `limit` pixels, when a run is not a whole number from 0 on, when the text is malformed, or when
    the runs do not add up to the size.
    """
    if len(size) != 2 or not all(type(number) is int for number in size):
        raise MaskError(f"the mask size {shortened(size)} is not [height, width]; give two whole numbers")
    height, width = cast(tuple[int, int], tuple(size))
    check_size(height, width, limit)
    pixels = height * width
    runs = _from_text(counts, pixels) if isinstance(counts, str) else _from_list(counts, pixels)
    if sum(runs) != pixels:
        raise MaskError(
            f"the runs add up to {sum(runs)} pixels, the size [{height}, {width}] to {pixels}; "
            "check that size is [height, width] of this image and that no run is missing"
        )
    return Rle(height, width, runs)


def compressed(rle: Rle) -> str:
    """The runs as COCO's compressed text, the same as pycocotools writes."""
    text = bytearray()
    for index, run in enumerate(rle.counts):
        value = run - rle.counts[index - 2] if index > 2 else run
        while True:
            group = value & 31
            value >>= 5
            if value == (-1 if group & 16 else 0):
                text.append(48 + group)
                break
            text.append(48 + group + 32)
    return text.decode("ascii")


def area(rle: Rle) -> int:
    """The number of object pixels."""
    return sum(rle.counts[1::2])


def bbox(rle: Rle) -> tuple[int, int, int, int]:
    """The smallest box (x, y, w, h) around the object pixels; (0, 0, 0, 0) for an empty mask."""
    bounds = np.cumsum((0, *rle.counts))
    starts, ends = bounds[1:-1:2], bounds[2::2]
    held = ends > starts
    if not held.any():
        return 0, 0, 0, 0
    left, top = np.divmod(starts[held], rle.height)
    right, bottom = np.divmod(ends[held] - 1, rle.height)
    # A run that goes on into the next column holds the foot of one column and the head of the other.
    wraps = bool((right > left).any())
    x, y = int(left[0]), 0 if wraps else int(top.min())
    return x, y, int(right[-1]) + 1 - x, (rle.height if wraps else int(bottom.max()) + 1) - y


def decode(rle: Rle) -> Mask:
    """The mask as an array of shape (height, width), True on the object."""
    is_object = np.arange(len(rle.counts)) % 2 == 1
    return np.repeat(is_object, rle.counts).reshape(rle.width, rle.height).T


def encode(mask: npt.NDArray[Any]) -> Rle:
    """The runs of a mask of shape (height, width), non-zero on the object; MaskError for a bad size."""
    height, width = mask.shape
    check_size(height, width)
    pixels = mask.ravel(order="F").astype(np.bool_)
    changes = np.flatnonzero(np.diff(pixels, prepend=False))
    counts: list[int] = np.diff(changes, prepend=0, append=pixels.size).tolist()
    return Rle(height, width, tuple(counts))


def rings(rle: Rle) -> list[Ring]:
    """The exact outline of the mask along pixel edges in whole numbers, outer rings clockwise, holes not.

    Order, corners that touch and the meaning of `hole_of` are those of `outlines.trace`.
    """
    return trace(rle.counts, rle.height, rle.width)


def from_polygons(parts: Sequence[Sequence[float]], height: int, width: int) -> Rle:
    """The union of polygons as pycocotools draws it, which is how COCO reads a `segmentation` of parts.

    Each part is a flat ring in the edge model. Raises MaskError for a bad size, and for a part with fewer
    than 3 points, an odd count of numbers or a number that is not finite.
    """
    check_size(height, width)
    for part in parts:
        if len(part) < 6 or len(part) % 2 or not np.isfinite(part).all():
            raise MaskError(f"the polygon {shortened(part)} is not 3 or more points of finite x and y; mend it")
    near = [_near(part, height, width) for part in parts]
    drawn = [list(part) for part in near if len(part) >= 6]
    if not drawn:
        return Rle(height, width, (height * width,))
    pycocotools: Any = import_module("pycocotools.mask")
    runs: dict[str, Any] = pycocotools.merge(pycocotools.frPyObjects(drawn, height, width))
    return parse(runs["size"], cast(bytes, runs["counts"]).decode("ascii"))


def from_rings(outlines: Sequence[Ring], height: int, width: int) -> Rle:
    """The union of outer rings, each minus its holes, every ring drawn as pycocotools draws it.

    Exactly undoes `rings`. Raises MaskError as `from_polygons` does, and when a `hole_of` names no outer
    ring.
    """
    whole = [outer.xy for outer, holes in families(outlines) if not holes]
    mask = decode(from_polygons(whole, height, width))
    for outer, holes in families(outlines):
        if holes:
            gaps = decode(from_polygons([hole.xy for hole in holes], height, width))
            mask |= decode(from_polygons([outer.xy], height, width)) & ~gaps
    return encode(mask)


def _from_list(counts: Sequence[object], pixels: int) -> tuple[int, ...]:
    try:
        runs = msgspec.convert(counts, ready(_Runs))
        if max(runs, default=0) <= pixels:
            return runs
    except msgspec.ValidationError:
        pass  # the loop finds the place
    for index, run in enumerate(counts):
        if type(run) is not int or not 0 <= run <= pixels:
            raise MaskError(f"run {index} is {shortened(run)}; runs are whole numbers from 0 to {pixels}")
    return cast(tuple[int, ...], tuple(counts))


_Runs = tuple[Annotated[int, msgspec.Meta(ge=0)], ...]


def _from_text(text: str, pixels: int) -> tuple[int, ...]:
    if text[:2] in ("b'", 'b"') and text[-1] == text[1] and len(text) > 2:
        text = text[2:-1].replace("\\\\", "\\")
    runs: list[int] = []
    value = shift = 0
    for index, character in enumerate(text):
        code = ord(character) - 48
        if not 0 <= code < 64:
            raise MaskError(f"character {index} of the run-length text is {character!r}; only '0' to 'o' occur")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            if shift > _LONGEST_NUMBER:
                raise MaskError(f"run {len(runs)} has too many digits; the run-length text is damaged")
            continue
        if code & 16:
            value -= 1 << shift
        if len(runs) > 2:
            value += runs[-2]
        if not 0 <= value <= pixels:
            raise MaskError(f"run {len(runs)} is {value}, not 0 to {pixels}; the run-length text is damaged")
        runs.append(value)
        value = shift = 0
    if shift:
        raise MaskError("the run-length text ends within a number; it has been cut off")
    return tuple(runs)


_LONGEST_NUMBER = 60  # bits, plenty for any mask; without a bound a long text would make one huge number


def _near(part: Sequence[float], height: int, width: int) -> Sequence[float]:
    """The part, cut to the image if it reaches so far out that drawing it would take much memory."""
    reach = 2 * max(height, width)
    if all(-reach <= value <= 2 * reach for value in part):
        return part
    return clip_ring(part, width, height)
