"""YOLO written from every format, as a strict reader with Ultralytics' rules accepts it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings

from annolake.converters import convert
from annolake.converters.testing.cases import DataSet
from annolake.converters.testing.passing import lowered, pictures, target_in, write_out
from annolake.converters.testing.roundtrips import Column, columns
from annolake.converters.testing.scenes import scenes
from annolake.schemas.model import Catalog, Record

SOURCES = [column for column in columns() if column.format.name != "yolo"]
TASKS = [column for column in columns() if column.format.name == "yolo"]


@pytest.mark.parametrize("source", SOURCES, ids=[column.name for column in SOURCES])
@settings(max_examples=6, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
@given(made=scenes())
def test_ultralytics_takes_it(ultralytics: Any, source: Column, made: tuple[Catalog, list[Record]]):
    with TemporaryDirectory() as folder:
        start = target_in(Path(folder), source.format, source.options, "start")
        write_out(source.format, lowered(source.format, source.options, DataSet(*made)), start)
        images = pictures(Path(folder) / "pictures", made[1])
        for task in TASKS:
            target, options = Path(folder) / task.name, {"yolo": task.options}
            report = convert(start, target, to="yolo", images=images, options=options, allow_loss=True)
            files = [path.read_text().splitlines() for path in (target / "labels").rglob("*.txt")]
            assume(all(len(set(rows)) == len(rows) for rows in files))  # the same object twice: rows are dropped
            assert sum(map(len, files)) == report.written["annotations"]
            points = yaml.safe_load((target / "data.yaml").read_text(encoding="utf-8")).get("kpt_shape", [0, 3])
            ultralytics(target, *points)
