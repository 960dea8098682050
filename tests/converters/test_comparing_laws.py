"""Laws of `compare`: any data set, written as it is, and written with one thing done to it."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from annolake.converters import registry
from annolake.converters.comparing import Difference, compare
from annolake.converters.format import Context
from annolake.converters.testing.strategies import EVERYTHING, datasets
from annolake.schemas.model import Catalog, Polygon, Record, Tag

Dataset = tuple[Catalog, list[Record]]

SOME = settings(max_examples=25)
FILLED = datasets(replace(EVERYTHING, empty_images=False, multi_part=False), fewest=1)
PIXELS = replace(EVERYTHING, empty_images=False, multi_part=False, coordinates=("pixels",))
RINGS = datasets(replace(PIXELS, shapes=frozenset(("polygon", "line", "points"))), fewest=1)
BOXES = datasets(replace(PIXELS, shapes=frozenset(("rectangle",))), fewest=1)


def _numbers(found: Difference) -> tuple[bool, int, int, int]:
    return found.equal, found.only_a, found.only_b, found.changed


def _compared(a: Dataset, b: Dataset, **settings: Any) -> Difference:
    writer = registry.get("metalake")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("a.json", "b.json")]
        for path, (catalog, found) in zip(paths, (a, b), strict=True):
            writer.write(path, writer.options(), Context(), catalog, found)
        return compare(*paths, **settings)


def _first(dataset: Dataset) -> Any:
    return dataset[1][0].annotations[0]


def _with(dataset: Dataset, *shapes: Any) -> Dataset:
    """The data set with other annotations in the place of its first."""
    catalog, (record, *others) = dataset
    return catalog, [replace(record, annotations=[*shapes, *record.annotations[1:]]), *others]


@SOME
@given(datasets())
def test_everything_equals_itself(dataset: Dataset) -> None:
    assert _compared(dataset, dataset, exact=True).equal


@SOME
@given(datasets(), st.randoms(use_true_random=False))
def test_order_start_and_direction_mean_nothing(dataset: Dataset, chance: random.Random) -> None:
    catalog, found = dataset
    mixed: list[Record] = []
    for record in found:
        shapes: list[Any] = []
        for shape in record.annotations:
            if isinstance(shape, Polygon):
                at = 2 * chance.randrange(len(shape.xy) // 2)
                xy = [*shape.xy[at:], *shape.xy[:at]]
                points = [xy[n : n + 2] for n in range(0, len(xy), 2)]
                shape = replace(shape, xy=[v for p in (points[::-1] if chance.random() < 0.5 else points) for v in p])
            shapes.append(shape)
        tags = list(record.tags)
        chance.shuffle(shapes)
        chance.shuffle(tags)
        mixed.append(replace(record, annotations=shapes, tags=tuple(tags)))
    chance.shuffle(mixed)
    assert _compared(dataset, (catalog, mixed)).equal


@SOME
@given(RINGS, st.sampled_from((1.0, 3.0)))
def test_one_vertex_moved_is_one_change(dataset: Dataset, by: float) -> None:
    x, *others = _first(dataset).xy
    moved = replace(_first(dataset), xy=[x + by, *others])
    found = _compared(dataset, _with(dataset, moved))
    assert _numbers(found) == (False, 0, 0, 1)
    assert (found.changes[0].fields, found.changes[0].distance_px) == (("geometry",), by)


@SOME
@given(BOXES, st.sampled_from((0.009, 0.011)))
def test_the_tolerance_is_a_hundredth_of_a_pixel(dataset: Dataset, by: float) -> None:
    x, *others = _first(dataset).bbox
    moved = replace(_first(dataset), bbox=(x + by, *others))
    assert _compared(dataset, _with(dataset, moved)).changed == (by > 0.01)


@SOME
@given(FILLED)
def test_one_object_dropped_is_missing_on_one_side(dataset: Dataset) -> None:
    assert _numbers(_compared(dataset, _with(dataset))) == (False, 1, 0, 0)
    assert _numbers(_compared(_with(dataset), dataset)) == (False, 0, 1, 0)


@SOME
@given(FILLED)
def test_one_object_doubled_is_one_more(dataset: Dataset) -> None:
    first = _first(dataset)
    assert _numbers(_compared(dataset, _with(dataset, first, first))) == (False, 0, 1, 0)


@SOME
@given(FILLED, st.sampled_from(("label", "confidence", "metadata", "attributes")))
def test_one_description_changed_is_one_change(dataset: Dataset, field: str) -> None:
    first = _first(dataset)
    other: dict[str, Any] = {"label": "other", "confidence": 0.12345}
    other |= {"metadata": {**first.metadata, "new": 1}, "attributes": {"new": ()}}
    changed = replace(first, **{field: other[field]})
    assert [change.fields for change in _compared(dataset, _with(dataset, changed)).changes] == [(field,)]


@SOME
@given(FILLED)
def test_an_image_left_out_is_named(dataset: Dataset) -> None:
    catalog, found = dataset
    difference = _compared(dataset, (catalog, found[1:]))
    assert (difference.equal, difference.images_only_a) == (False, [found[0].image])


@SOME
@given(FILLED)
def test_one_tag_more(dataset: Dataset) -> None:
    catalog, (first, *others) = dataset
    tag = Tag(label=catalog.names()[0])
    more = [replace(first, tags=(*first.tags, tag)), *others]
    assert _numbers(_compared(dataset, (catalog, more))) == (False, 0, 1, 0)


@SOME
@given(datasets(), datasets())
def test_both_sides_see_the_same(a: Dataset, b: Dataset) -> None:
    b = (replace(b[0], coordinates=a[0].coordinates), b[1])
    one, other = _compared(a, b), _compared(b, a)
    assert _numbers(one) == (other.equal, other.only_b, other.only_a, other.changed)
    assert one.images_only_a == other.images_only_b
