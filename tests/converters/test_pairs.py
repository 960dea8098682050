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
from hypothesis import HealthCheck, given, settings

from annolake.converters import convert
from annolake.converters.comparing import Difference, compare
from annolake.converters.format import Context
from annolake.converters.images import ImageFinder
from annolake.converters.ledger import is_refused
from annolake.converters.report import Report
from annolake.converters.statistics import statistics
from annolake.converters.testing.cases import DataSet
from annolake.converters.testing.passing import contents, lowered, pictures, target_in, write_out
from annolake.converters.testing.roundtrips import Column, columns
from annolake.converters.testing.scenes import scenes
from annolake.schemas.model import Catalog, Record

COLUMNS = columns()
EXAMPLES = max(1, settings.default.max_examples // 25) if settings.default else 4


@pytest.mark.parametrize("source", COLUMNS, ids=[column.name for column in COLUMNS])
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
@given(made=scenes())
def test_there_and_back_for_every_target(source: Column, made: tuple[Catalog, list[Record]]):
    with TemporaryDirectory() as folder:
        start = target_in(Path(folder), source.format, source.options, "start")
        write_out(source.format, lowered(source.format, source.options, DataSet(*made)), start)
        images = pictures(Path(folder) / "pictures", made[1])
        for target in COLUMNS:
            if target.name == source.name or target.format.name != source.format.name:
                place = Path(folder) / target.name
                place.mkdir()
                _journey(source, target, start, images, place)


def _journey(source: Column, target: Column, start: Path, images: Path, place: Path) -> None:
    middle, again = (target_in(place, target.format, target.options, name) for name in ("middle", "again"))
    home = target_in(place, source.format, source.options, "home")
    there = _convert(start, middle, source, target, images)
    assert _convert(start, again, source, target, images).losses == there.losses
    assert contents(again) == contents(middle)
    said = statistics(middle, target.format.name)
    counted = said["annotations"] + said.get("tags", 0) + said.get("parts", 0)
    assert (counted, said["images"]) == (there.written["annotations"], there.written["images"]), target.name
    back = _convert(middle, home, target, source, images)
    context = Context(images=ImageFinder(images, "turned"))
    name = source.format.name
    difference = compare(start, home, format_a=name, format_b=name, context_a=context, context_b=context)
    unexplained = _differing(difference) - _booked((there, back))
    changes = [change for change in difference.changes if change.image in unexplained]
    assert unexplained == set(), f"{target.name}: {changes}, labels {difference.catalog}"


def _convert(source: Path, target: Path, reader: Column, writer: Column, images: Path) -> Report:
    return convert(
        source,
        target,
        to=writer.format.name,
        from_=reader.format.name,
        allow_loss=True,
        images=images,
        options={writer.format.name: writer.options},
        jobs=1,
    )


def _differing(difference: Difference) -> set[str]:
    """Names of the images that differ; the empty name for the labels."""
    names = {change.image for change in difference.changes}
    names |= {*difference.images_only_a, *difference.images_only_b}
    return names if difference.catalog.equal(exact=False) else names | {""}


def _booked(reports: Iterable[Report]) -> set[Any]:
    """Names of the images of which something was booked that wants to be allowed; the empty name for the data set."""
    losses = [loss for report in reports for loss in report.losses if is_refused(loss["code"])]
    return {example.get("image", "") for loss in losses for example in loss["examples"]}
