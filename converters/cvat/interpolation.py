"""What stands between two key frames of a track, by CVAT's rule.

With t = (f - a) / (b - a): boxes, ellipses, cuboids and single points move linearly in their stored coordinates,
rotation by the shortest arc, each element of a skeleton on its own; several points stay as they are at a. Nobody
defines it for the rest. Computed coordinates have four decimals.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from .forms import NUMBERED, Form
from .skeletons import Point

_DECIMALS = 4


def between(a: Form, b: Form, t: float) -> Form | None:
    """The form at the share `t` of the way from `a` to `b`; None where nobody defines it."""
    if a.kind != b.kind:
        return None
    if a.kind == "skeleton":
        return replace(a, elements=_elements(a.elements, b.elements, t))
    if a.kind == "points" and (len(a.numbers) > 2 or len(b.numbers) > 2):
        return a
    if a.kind not in NUMBERED and a.kind != "points":
        return None
    turn = (b.rotation - a.rotation + 180) % 360 - 180
    rotation = round((a.rotation + turn * t) % 360, _DECIMALS) if turn else a.rotation
    return replace(a, numbers=_linear(a.numbers, b.numbers, t), rotation=rotation % 360 if turn else rotation)


def _elements(a: Sequence[Point], b: Sequence[Point], t: float) -> tuple[Point, ...]:
    there = {element.label: element for element in b}
    out: list[Point] = []
    for element in a:
        other = there.get(element.label)
        moves = other is not None and not element.outside and not other.outside
        if moves and other is not None and len(element.points) == len(other.points) == 2:
            element = replace(element, points=_linear(element.points, other.points, t))
        out.append(element)
    return tuple(out)


def _linear(a: Sequence[float], b: Sequence[float], t: float) -> tuple[float, ...]:
    return tuple(x if x == y else round(x + (y - x) * t, _DECIMALS) for x, y in zip(a, b, strict=True))
