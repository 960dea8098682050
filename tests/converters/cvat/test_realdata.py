"""Every public CVAT file beside the project: its counts, and every element and attribute home again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.converters.comparing import compare
from annolake.converters.statistics import statistics

LEAST_FILES = 11

Differ = Callable[[Path, Path], list[str]]
Home = Callable[[Path], Path]


def entries(realdata: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for entry in json.loads((realdata / "index.json").read_text()):
        if entry["format"] == "cvat":
            path = realdata / entry["path"]
            yield path, entry["annotations"]


def xml_of(path: Path) -> Path:
    return path if path.is_file() else next(iter(sorted(path.glob("*.xml"))))


@pytest.mark.realdata
def test_the_counts_are_those_of_the_index(realdata: Path):
    seen = 0
    for path, counted in entries(realdata):
        stats = statistics(path)
        seen += 1
        shapes = counted.get("visible_track_shapes", sum(counted.get("shapes", {}).values()))
        assert stats["annotations"] == shapes, path
        assert stats["images"] == counted.get("frames_named", counted["images"]), path
        assert stats.get("tracks", 0) == counted.get("tracks", 0), path
        if "track_shapes" not in counted:
            by_label = {name or "(no label)": count for name, count in counted["labels"].items()}
            assert stats["by_label"] == by_label, path
    assert seen >= LEAST_FILES


@pytest.mark.realdata
def test_every_element_and_attribute_comes_home(realdata: Path, unlike: Differ, home: Home):
    for path, _ in entries(realdata):
        assert unlike(xml_of(path), home(path)) == [], path


@pytest.mark.realdata
def test_it_means_the_same(realdata: Path, home: Home):
    for path, _ in entries(realdata):
        assert compare(path, home(path)).equal, path
