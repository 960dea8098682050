"""Which object of one list is which of another: equal ones first, then those that changed, nearest first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from math import inf

import msgspec

from .likeness import Edges, edges, overlap
from .meaning import Thing

_OVERLAP = 0.5
"""From this intersection over union on, two objects of different label or type are taken for one that changed."""


class Matching(msgspec.Struct):
    """What was found beside the equal pairs, each in the order of its image."""

    changed: list[tuple[Thing, Thing]]
    only_a: list[Thing]
    only_b: list[Thing]


def match(
    a: list[Thing], b: list[Thing], alike: Callable[[Thing, Thing], bool], *, tolerance: float, reach: float
) -> Matching:
    """Pair the objects of an image, each at most once; two that are the same object twice need two partners.

    After the equal ones come those of one type and label whose hulls lie nearest, at most `reach` or their own longer
    side apart; then those that cover each other by more than half, whatever they are called.
    """
    left_a, left_b = _in_place(a, b, alike)
    if left_a and left_b:
        left_a, left_b = _equal(left_a, left_b, alike, tolerance)
    changed: list[tuple[Thing, Thing]] = []
    for candidates in (_near, _covering):
        if left_a and left_b:
            pairs, left_a, left_b = _taken(candidates(left_a, left_b, reach), left_a, left_b)
            changed += pairs
    return Matching(sorted(changed, key=lambda pair: pair[0].number), left_a, left_b)


def _in_place(a: list[Thing], b: list[Thing], alike: Callable[[Thing, Thing], bool]) -> tuple[list[Thing], list[Thing]]:
    """What is left after pairing equals that stand at the same place of both lists: mostly all of them do."""
    unlike = [n for n, (one, other) in enumerate(zip(a, b, strict=False)) if not alike(one, other)]
    shorter = min(len(a), len(b))
    return [a[n] for n in unlike] + a[shorter:], [b[n] for n in unlike] + b[shorter:]


def _equal(
    a: list[Thing], b: list[Thing], alike: Callable[[Thing, Thing], bool], tolerance: float
) -> tuple[list[Thing], list[Thing]]:
    """What is left after pairing equals wherever they stand. Only those with the left edge within tolerance are
    looked at; no rounding, so no border between two roundings.
    """
    places: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for number, thing in enumerate(b):
        places.setdefault((thing.kind, thing.label), []).append((_left(thing), number))
    for place in places.values():
        place.sort()
    slack = tolerance + 1e-9
    left_a: list[Thing] = []
    for thing in a:
        place, at = places.get((thing.kind, thing.label), []), _left(thing)
        index = bisect_left(place, (at - slack, -1))
        while index < len(place) and place[index][0] <= at + slack:
            if alike(thing, b[place[index][1]]):
                del place[index]
                break
            index += 1
        else:
            left_a.append(thing)
    kept = sorted(number for place in places.values() for _, number in place)
    return left_a, [b[number] for number in kept]


Candidate = tuple[float, int, int]
"""How far apart, and the numbers in both lists."""


def _near(a: list[Thing], b: list[Thing], reach: float) -> Iterable[Candidate]:
    """Pairs of one type and label."""
    places: dict[tuple[str, str], list[tuple[int, Edges]]] = {}
    for number, thing in enumerate(b):
        places.setdefault((thing.kind, thing.label), []).append((number, edges(thing.group) or _NOWHERE))
    for one, thing in enumerate(a):
        hull = edges(thing.group) or _NOWHERE
        for other, place in places.get((thing.kind, thing.label), ()):
            apart = _apart(hull, place)
            if apart <= max(reach, _side(hull), _side(place)):
                yield apart, one, other


def _covering(a: list[Thing], b: list[Thing], reach: float) -> Iterable[Candidate]:
    """Pairs that cover each other by more than half; flat ones (lines along an axis, points) that lie on each other."""
    hulls = [edges(thing.group) for thing in b]
    for one, thing in enumerate(a):
        hull = edges(thing.group)
        for other, place in enumerate(hulls):
            if hull is None or place is None:
                continue
            covered = 1.0 if hull == place else overlap(hull, place)
            if covered > _OVERLAP:
                yield 1 - covered, one, other


def _taken(
    candidates: Iterable[Candidate], a: list[Thing], b: list[Thing]
) -> tuple[list[tuple[Thing, Thing]], list[Thing], list[Thing]]:
    """The nearest candidates, each object once, and what is left. Ties fall the same way when a and b change places."""
    partner: dict[int, int] = {}
    used: set[int] = set()
    for _, one, other in sorted(candidates, key=lambda c: (c[0], max(c[1:]), min(c[1:]))):
        if one not in partner and other not in used:
            partner[one] = other
            used.add(other)
    pairs = [(a[one], b[other]) for one, other in partner.items()]
    return (
        pairs,
        [thing for n, thing in enumerate(a) if n not in partner],
        [thing for n, thing in enumerate(b) if n not in used],
    )


_NOWHERE: Edges = (-inf, -inf, -inf, -inf)


def _left(thing: Thing) -> float:
    return (edges(thing.group) or _NOWHERE)[0]


def _apart(a: Edges, b: Edges) -> float:
    """The farthest that an edge of the hull went. Objects without a place are at the same one."""
    return max(abs(p - q) if p != q else 0.0 for p, q in zip(a, b, strict=True))


def _side(hull: Edges) -> float:
    return max(hull[2] - hull[0], hull[3] - hull[1]) if hull != _NOWHERE else 0.0
