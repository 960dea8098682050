"""Any data set, on the way from any format to any other and home again.

Never a crash; the books balance, also against a count of what was written; what differs is booked for the image it
is of, and where nothing was booked nothing differs; the same bytes again. `--hypothesis-profile=thorough` tries more.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from msgspec.structs import replace

from annolake.converters import convert
from annolake.converters.comparing import Change, Difference, Side, compare
from annolake.converters.format import Context
from annolake.converters.images import ImageFinder
from annolake.converters.ledger import is_refused
from annolake.converters.report import Report
from annolake.converters.statistics import statistics
from annolake.converters.testing.cases import DataSet
from annolake.converters.testing.passing import contents, lowered, pictures, target_in, write_out
from annolake.converters.testing.roundtrips import Column, columns
from annolake.converters.testing.scenes import scenes
from annolake.schemas.model import Catalog, Category, Polygon, Record, objects

COLUMNS = columns()
EXAMPLES = max(1, settings.default.max_examples // 25) if settings.default else 4


SQUARES = (
    {
        "instance": "m",
        "part": 1,
        "parts": 2,
        "shape": "mask",
        "geometry": '{"size": [24, 24], "counts": "03e0000h00XO000h<"}',
    },
    {"instance": "m", "part": 2, "parts": 2},
)
TWO_SQUARES = (
    Catalog(labels=(Category(name="person", id=0),), coordinates="pixels"),
    [
        Record(
            image="figures (1).png",
            width=24,
            height=24,
            annotations=[
                Polygon(xy=(x, 0.0, x + 3, 0.0, x + 3, 3.0, x, 3.0), label="person", metadata=metadata)
                for x, metadata in zip((0.0, 4.0), SQUARES, strict=True)
            ],
        )
    ],
)
"""A mask of two squares, which a format without masks makes two outlines."""

EVERY_SOURCE = pytest.mark.parametrize("source", COLUMNS, ids=[column.name for column in COLUMNS])
FEW = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])


@EVERY_SOURCE
@FEW
@given(made=scenes())
@example(made=TWO_SQUARES)
def test_what_differs_is_booked(source: Column, made: tuple[Catalog, list[Record]]):
    with TemporaryDirectory() as folder:
        start = _written(source, DataSet(*made), Path(folder))
        images = pictures(Path(folder) / "pictures", made[1])
        for target in _targets(source):
            journey = _Journey(source, target, images, Path(folder) / target.name)
            there, back = journey.there(start), journey.back()
            difference = journey.difference(start)
            unexplained = _differing(difference) - _booked((there, back))
            if target.name == "yolo obb":
                unexplained -= _called_otherwise(
                    difference, lowered(source.format, source.options, DataSet(*made)).data
                )
            changes = [change for change in difference.changes if change.image in unexplained]
            assert unexplained == set(), f"{target.name}: {changes}, labels {difference.catalog}"


@EVERY_SOURCE
@FEW
@given(made=scenes(skeletons=False))
def test_what_both_hold_comes_home_and_nothing_is_refused(source: Column, made: tuple[Catalog, list[Record]]):
    with TemporaryDirectory() as folder:
        images = pictures(Path(folder) / "pictures", made[1])
        for target in _targets(source):
            data = DataSet(*made)
            for column in (source, target, source, target):
                data = _sized(lowered(column.format, column.options, data).data, made[1])
            place = Path(folder) / target.name
            journey = _Journey(source, target, images, place, allow_loss=False)
            start = _written(source, data, place)
            journey.there(start)
            journey.back()
            difference = journey.difference(start)
            assert difference.equal, f"{target.name}: {difference.changes}, labels {difference.catalog}"


class _Journey:
    def __init__(self, source: Column, target: Column, images: Path, place: Path, *, allow_loss: bool = True) -> None:
        self.source, self.target, self.images, self.allow_loss = source, target, images, allow_loss
        self.middle, self.again = (target_in(place, target.format, target.options, name) for name in ("there", "again"))
        self.home = target_in(place, source.format, source.options, "home")
        place.mkdir()

    def there(self, start: Path) -> Report:
        """Twice: the same bytes and books, and as many objects as a count of the file says."""
        report = self._convert(start, self.middle, self.source, self.target)
        assert self._convert(start, self.again, self.source, self.target).losses == report.losses
        assert contents(self.again) == contents(self.middle)
        said = statistics(self.middle, self.target.format.name)
        counted = said["annotations"] + said.get("tags", 0) + said.get("parts", 0)
        assert (counted, said["images"]) == (report.written["annotations"], report.written["images"]), self.target.name
        return report

    def back(self) -> Report:
        return self._convert(self.middle, self.home, self.target, self.source)

    def difference(self, start: Path) -> Difference:
        context = Context(images=ImageFinder(self.images, "turned"))
        name = self.source.format.name
        return compare(start, self.home, format_a=name, format_b=name, context_a=context, context_b=context)

    def _convert(self, source: Path, target: Path, reader: Column, writer: Column) -> Report:
        return convert(
            source,
            target,
            to=writer.format.name,
            from_=reader.format.name,
            allow_loss=self.allow_loss,
            images=self.images,
            options={writer.format.name: writer.options},
            jobs=1,
        )


def _targets(source: Column) -> list[Column]:
    """From one flavour of a format to another leads no direct way."""
    return [t for t in COLUMNS if t.name == source.name or t.format.name != source.format.name]


def _written(source: Column, data: DataSet, folder: Path) -> Path:
    start = target_in(folder, source.format, source.options, "start")
    write_out(source.format, lowered(source.format, source.options, data), start)
    return start


def _sized(data: DataSet, known: Iterable[Record]) -> DataSet:
    """With the sizes that a format without them has forgotten, and the pictures have not."""
    sizes = {record.image: (record.width, record.height) for record in known}
    records = [replace(r, width=sizes[r.image][0], height=sizes[r.image][1]) for r in data.records]
    return DataSet(data.catalog, records)


def _differing(difference: Difference) -> set[str]:
    """Names of the images that differ; the empty name for the labels."""
    names = {change.image for change in difference.changes}
    names |= {*difference.images_only_a, *difference.images_only_b}
    return names if difference.catalog.equal(exact=False) else names | {""}


def _called_otherwise(difference: Difference, data: DataSet) -> set[str]:
    """Names of the images of which outlines that are rectangles have come home as turned boxes, corner by corner the
    same, and nothing else differs: what they are called follows from the target, and nothing was said of it before.
    """
    things = {record.image: objects(record.annotations) for record in data.records}
    own = frozenset(("shape", "geometry"))

    def is_only_called(change: Change) -> bool:
        if change.fields != ("metadata",) or not own.issuperset(change.keys) or not isinstance(change.a, Side):
            return False
        numbered = enumerate(things[change.image], 1)
        known = {group[0].metadata.get("coco_id", number): group for number, group in numbered}
        every = [annotation for group in known.values() for annotation in group]
        named = known.get(change.a.annotation, every)  # ids are given anew where one stands twice
        return not any(annotation.metadata.keys() & own for annotation in named)

    other = {change.image for change in difference.changes if not is_only_called(change)}
    return things.keys() - other - {*difference.images_only_a, *difference.images_only_b}


def _booked(reports: Iterable[Report]) -> set[Any]:
    """Names of the images of which something was booked that wants to be allowed; the empty name for the data set."""
    losses = [loss for report in reports for loss in report.losses if is_refused(loss["code"])]
    return {example.get("image", "") for loss in losses for example in loss["examples"]}
