"""Two data sets compared by meaning: what `annolake diff` shows.

Images are matched by name, objects whatever their order and ids (`meaning` says what counts). Both sources are read
side by side, each once; an image waits, packed, until the other side comes to its name.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from ..schemas.errors import InvalidInput, Place, UsageError
from ..schemas.model import Catalog, Coordinates, Record, Rectangle, Tag
from .catalogs import CatalogDifference, compare_catalogs, same_facts
from .coordinates import in_space
from .files import no_gc
from .format import Context, Options
from .ledger import Ledger
from .likeness import edges, moved
from .matching import match
from .meaning import Thing, alike, differences, things
from .opening import Progress, open_source, sized, streamed

TOLERANCE = 0.01
"""Pixels that a coordinate may differ by."""


class Side(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An object as one source has it. `annotation` is the source's id, else its number in the image; `bbox` is the hull
    (x, y, width, height), in pixels unless no size is known.
    """

    annotation: int | str
    label: str
    type: str
    bbox: tuple[float, ...] | None = None
    points: int | None = None


class Change(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One difference: an object of an image that both sources have, or (without `label`) facts of the image itself.

    `fields` says what changed, `keys` which metadata and attributes, `distance_px` how far the farthest point moved.
    """

    image: str
    kind: Literal["added", "removed", "changed"]
    label: str | None = None
    type: str | None = None
    fields: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    distance_px: float | None = None
    a: Side | dict[str, Any] | None = None
    b: Side | dict[str, Any] | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome. Annotations of images that only one source has are counted, but not listed among the changes."""

    equal: bool
    images_only_a: list[str]
    images_only_b: list[str]
    images_changed: list[str]
    only_a: int
    only_b: int
    changed: int
    changes: list[Change]
    catalog: CatalogDifference

    def as_json(self) -> dict[str, Any]:
        """The form of `annolake diff --json`."""
        return {
            "equal": self.equal,
            "images": {
                "only_a": self.images_only_a,
                "only_b": self.images_only_b,
                "changed": self.images_changed,
            },
            "annotations": {"only_a": self.only_a, "only_b": self.only_b, "changed": self.changed},
            "changes": msgspec.to_builtins(self.changes),
            "catalog": msgspec.to_builtins(self.catalog),
        }


def compare(
    a: str | Path,
    b: str | Path,
    *,
    format_a: str | None = None,
    format_b: str | None = None,
    tolerance: float | None = None,
    exact: bool = False,
    context_a: Context | None = None,
    context_b: Context | None = None,
    options_a: Options | None = None,
    options_b: Options | None = None,
    progress: Progress | None = None,
) -> Difference:
    """Compare the data sets at `a` and `b`.

    Coordinates may differ by `tolerance` pixels (0.01), confidences by a millionth. Fractions are brought to pixels
    with the size that either side knows; where both sides are fractions and neither knows it, a millionth is allowed.
    Sizes and splits count where both sides have them, labels as a set. `exact`: ids, book-keeping, order and ids of
    labels, and facts that only one format knows count too.

    InvalidInput if a source is broken, or if the one is in pixels, the other in fractions and a size is missing;
    UsageError if there is no such source, or for a tolerance below zero.
    """
    if tolerance is not None and not tolerance >= 0:
        raise UsageError("tolerance", f"a tolerance is zero or more pixels, not {tolerance}", hint="try 0.01")
    context_a, context_b = context_a or Context(), context_b or Context()
    ledger_a, ledger_b = Ledger(), Ledger()
    with no_gc():
        reading_a = open_source(Path(a), format_a, ledger_a, context_a, options_a)
        reading_b = open_source(Path(b), format_b, ledger_b, context_b, options_b)
        longer = reading_a.images >= reading_b.images
        records_a = streamed(reading_a, ledger_a, progress if longer else None)
        records_b = streamed(reading_b, ledger_b, None if longer else progress)
        comparison = _Comparison(
            reading_a.catalog, reading_b.catalog, TOLERANCE if tolerance is None else tolerance, exact
        )
        comparison.run(
            (sized(record, context_a) for record in records_a), (sized(record, context_b) for record in records_b)
        )
    return comparison.result()


class _Comparison:
    def __init__(self, a: Catalog, b: Catalog, tolerance: float, exact: bool) -> None:
        self.space_a: Coordinates = a.coordinates
        self.space_b: Coordinates = b.coordinates
        self.tolerance = tolerance
        self.exact = exact
        self.catalog = compare_catalogs(a, b)
        self.images_only: tuple[list[str], list[str]] = ([], [])
        self.images_changed: list[str] = []
        self.only = [0, 0]
        self.changed = 0
        self.changes: list[Change] = []

    def run(self, a: Iterator[Record], b: Iterator[Record]) -> None:
        for one, other in _side_by_side(a, b):
            if one is not None and other is not None:
                self._image(one, other)
            elif one is not None:
                self._lonely(0, one)
            elif other is not None:
                self._lonely(1, other)

    def result(self) -> Difference:
        same = not (any(self.images_only) or self.images_changed or any(self.only) or self.changed)
        return Difference(
            equal=same and self.catalog.equal(exact=self.exact),
            images_only_a=self.images_only[0],
            images_only_b=self.images_only[1],
            images_changed=self.images_changed,
            only_a=self.only[0],
            only_b=self.only[1],
            changed=self.changed,
            changes=self.changes,
            catalog=self.catalog,
        )

    def _lonely(self, side: int, record: Record) -> None:
        self.images_only[side].append(record.image)
        self.only[side] += len(things(record))

    def _image(self, a: Record, b: Record) -> None:
        self._facts(a, b)
        if self.space_a == self.space_b and a.annotations == b.annotations and a.tags == b.tags:
            return
        a, b, space = _in_one_space(a, b, self.space_a, self.space_b)
        pixels, exact = space == "pixels", self.exact
        tolerance = self.tolerance if pixels else _TOLERANCE_OF_FRACTIONS

        def same(one: Thing, other: Thing) -> bool:
            return alike(one, other, tolerance, exact=exact)

        matching = match(things(a), things(b), same, tolerance=tolerance, reach=_REACH[space])
        for one, other in matching.changed:
            fields, keys = differences(one, other, tolerance, exact=exact)
            distance = moved(one.group, other.group) if pixels and "geometry" in fields else None
            self.changes.append(
                Change(
                    a.image,
                    "changed",
                    one.label,
                    one.kind,
                    tuple(fields),
                    tuple(keys),
                    None if distance is None else round(distance, _DECIMALS[space]),
                    _side(one, space),
                    _side(other, space),
                )
            )
        self.changed += len(matching.changed)
        self.only[0] += len(matching.only_a)
        self.only[1] += len(matching.only_b)
        for thing in matching.only_a:
            self.changes.append(Change(a.image, "removed", thing.label, thing.kind, a=_side(thing, space)))
        for thing in matching.only_b:
            self.changes.append(Change(a.image, "added", thing.label, thing.kind, b=_side(thing, space)))

    def _facts(self, a: Record, b: Record) -> None:
        """What the two say about the image itself."""
        names = [name for name in _FACTS if (x := getattr(a, name)) != (y := getattr(b, name)) and None not in (x, y)]
        if self.exact:
            names += [name for name in _EXACT_FACTS if not same_facts(getattr(a, name), getattr(b, name))]
        if not names:
            return
        self.images_changed.append(a.image)
        one, other = ({name: getattr(record, name) for name in names} for record in (a, b))
        self.changes.append(Change(a.image, "changed", fields=tuple(names), a=one, b=other))


_FACTS = ("width", "height", "split")
_EXACT_FACTS = ("id", "storage_name", "extras")
_TOLERANCE_OF_FRACTIONS = 1e-6
_REACH: dict[Coordinates, float] = {"pixels": 16.0, "normalized": 0.02}
"""How far a small object may have gone and still be the same one; a large one, as far as it is long."""
_DECIMALS: dict[Coordinates, int] = {"pixels": 3, "normalized": 6}


def _side_by_side(a: Iterator[Record], b: Iterator[Record]) -> Iterator[tuple[Record | None, Record | None]]:
    """Records of one name together, as early as both are known; at the end those that stayed alone."""
    waiting_a: dict[str, bytes] = {}
    waiting_b: dict[str, bytes] = {}
    for one, other in zip_longest(a, b):
        if one is not None and other is not None and one.image == other.image:
            yield one, other
            continue
        if one is not None:
            if (packed := waiting_b.pop(one.image, None)) is not None:
                yield one, pickle.loads(packed)
            else:
                _wait(waiting_a, one)
        if other is not None:
            if (packed := waiting_a.pop(other.image, None)) is not None:
                yield pickle.loads(packed), other
            else:
                _wait(waiting_b, other)
    yield from ((pickle.loads(packed), None) for packed in waiting_a.values())
    yield from ((None, pickle.loads(packed)) for packed in waiting_b.values())


def _wait(waiting: dict[str, bytes], record: Record) -> None:
    if record.image in waiting:
        place = Place(image=record.image)
        raise InvalidInput("duplicate-image", "the image stands twice", place=place, hint="merge the two entries")
    waiting[record.image] = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)


def _in_one_space(
    a: Record, b: Record, space_a: Coordinates, space_b: Coordinates
) -> tuple[Record, Record, Coordinates]:
    """Both in pixels; both as fractions where nobody knows the size."""
    if space_a == space_b == "pixels":
        return a, b, "pixels"
    if not _has_size(a):
        a = replace(a, width=b.width, height=b.height)
    elif not _has_size(b):
        b = replace(b, width=a.width, height=a.height)
    if space_a == space_b and not _has_size(a):
        return a, b, "normalized"
    return in_space(a, space_a, "pixels"), in_space(b, space_b, "pixels"), "pixels"


def _has_size(record: Record) -> bool:
    return bool(record.width and record.height and record.width > 0 and record.height > 0)


def _side(thing: Thing, space: Coordinates) -> Side:
    first, hull, digits = thing.group[0], edges(thing.group), _DECIMALS[space]
    box = None
    if hull is not None:
        left, top, right, bottom = hull
        box = tuple(round(float(value), digits) for value in (left, top, right - left, bottom - top))
    points = None if isinstance(first, Rectangle | Tag) else sum(len(shape.xy) // 2 for shape in thing.group)
    return Side(thing.name, thing.label, thing.kind, box, points)
