"""The key `segmentation` to rings: polygons as they are, masks traced along their pixel edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ...schemas.geometry import corners
from ...schemas.plain import is_list, is_number, is_object

if TYPE_CHECKING:
    from ...schemas.masks import Ring, Rle

    Traced = tuple[Rle, list[Ring]]

Number = int | float
Outline = Literal["traced", "rough", "none"]
"""What is made of a mask, which is checked in any case: its outline, the box around its pixels, nothing."""


class Rings(msgspec.Struct, frozen=True):
    """Flat rings of one object; `holes` maps the number of a ring (from 1) to that of the ring it is a hole of."""

    rings: list[Any] = []
    holes: dict[int, int] = {}


class Unreadable(ValueError):
    """Why an annotation cannot be read: a code, a sentence, the steps below the annotation, and what to do."""

    def __init__(self, code: str, message: str, steps: tuple[str | int, ...], hint: str) -> None:
        super().__init__(code, message, steps, hint)
        self.code, self.message, self.steps, self.hint = code, message, steps, hint


def read_segmentation(
    plain: Mapping[str, Any],
    extra: dict[str, Any],
    bookkeeping: dict[str, Any],
    size: tuple[Any, Any],
    *,
    outline: Outline = "traced",
    traced: Traced | None = None,
) -> tuple[Rings, list[str]]:
    """Rings, and the codes of what was carried. A form that the rings alone do not give back is noted in `extra`.
    `traced`: its mask and its outline, where they are known already.
    """
    given = plain.get("segmentation")
    if given is None or given == [] or given == [[]]:
        return Rings(), []
    if is_object(given):
        return _from_mask(given, bookkeeping, size, outline, traced), ["mask-outlined"]
    if not is_list(given):
        raise _unreadable("wrong-type", "segmentation is a list of rings or a run-length encoded mask")
    parts = given
    if not any(is_list(part) for part in parts):
        extra["segmentation"] = given
        parts = [parts]
    rings: list[list[Number]] = []
    closed = 0
    for number, part in enumerate(parts):
        if part == []:
            extra["segmentation"] = given
            continue
        ring = _checked(part, number)
        if len(ring) > 6 and ring[0] == ring[-2] and ring[1] == ring[-1]:
            closed += 1
            ring = ring[:-2]
        rings.append(ring)
    if closed:
        extra["segmentation"] = given
    return Rings(rings), []


def _checked(part: Any, number: int) -> list[Number]:
    if not is_list(part):
        raise _unreadable("wrong-type", "a ring is a flat list of numbers x1, y1, x2, y2, ...", number)
    for index, value in enumerate(part):
        if not is_number(value):
            raise _unreadable("wrong-type", "a coordinate is a finite number", number, index)
    if len(part) % 2:
        raise _unreadable("odd-ring", f"a ring has x and y for each point, and this one {len(part)} numbers", number)
    return part


def _from_mask(
    given: dict[str, Any],
    bookkeeping: dict[str, Any],
    size: tuple[Any, Any],
    outline: Outline,
    traced: Traced | None,
) -> Rings:
    from ...schemas import masks

    shape, counts = given.get("size"), given.get("counts")
    if not is_list(shape) or not (is_list(counts) or isinstance(counts, str)):
        raise _unreadable("broken-mask", "a mask has a `size` [height, width] and `counts`, a list of runs or a text")
    try:
        rle = traced[0] if traced else masks.parse(shape, counts)
        width, height = size
        if width and height and (abs(rle.width - width) >= 1 or abs(rle.height - height) >= 1):
            raise masks.MaskError(
                f"the mask is {rle.width} x {rle.height}, the image {width:g} x {height:g}; make them agree"
            )
        rings = (traced[1] if traced else masks.rings(rle)) if outline == "traced" else []
    except masks.MaskError as error:
        raise _unreadable("broken-mask", str(error)) from None
    bookkeeping["shape"] = "mask"
    bookkeeping["geometry"] = msgspec.json.encode(given).decode()
    if outline == "rough":
        box = masks.bbox(rle)
        return Rings([corners(*box)] if box[2] else [])
    holes = {number: ring.hole_of + 1 for number, ring in enumerate(rings, 1) if ring.hole_of is not None}
    return Rings([ring.xy for ring in rings], holes)


def _unreadable(code: str, message: str, *steps: int) -> Unreadable:
    return Unreadable(code, message, ("segmentation", *steps), "mend the outline, or remove the annotation")
