"""What the README and `annolake formats` say is what the formats declare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from annolake.converters import registry
from annolake.converters.described import FACTS, fidelity_table
from annolake.converters.fidelity import Fidelity
from annolake.converters.testing.marked import marked

HEAVY = ("numpy", "lxml", "PIL", "yaml", "pycocotools", "pytest", "hypothesis")


def test_the_readme_has_the_table(root: Path) -> None:
    """Between two comments; after a change of a declaration, put what `fidelity_table()` returns there."""
    text = (root / "README.md").read_text(encoding="utf-8")
    assert marked(text, "formats").strip() == fidelity_table().strip()


def test_the_table_says_what_is_declared() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in fidelity_table().splitlines()]
    table = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}
    assert table["shapes"]["coco"] == "polygon, rectangle"
    assert (table["holes"]["metalake"], table["holes"]["coco"]) == ("as rings", "in masks")
    assert table["coordinates"]["metalake"] == "pixels, normalized"
    assert table["metadata"]["metalake"] == "any"
    assert (table["shapes"]["yolo detect"], table["shapes"]["yolo segment"]) == ("rectangle", "polygon, rectangle")
    assert (table["key points"]["yolo pose"], table["key points"]["yolo detect"]) == ("yes", "-")


def test_every_declared_fact_has_words() -> None:
    """A new field of `Fidelity` that nobody describes would be a promise that nobody reads."""
    unsaid = {"overhang"}  # a rounding tolerance
    default, changed = Fidelity(shapes=frozenset()), {}
    other = {
        "shapes": frozenset("a"),
        "holes": "rings",
        "metadata": True,
        "without": frozenset(("pose",)),
        "coordinates": ("normalized",),
        "decimals": 3,
        "required": frozenset(("confidence",)),
    }
    for field in Fidelity.__struct_fields__:
        value = other.get(field, not getattr(default, field))
        fidelity = Fidelity(**{"shapes": frozenset(), field: value})
        changed[field] = [fact for fact, words in FACTS.items() if words(fidelity) != words(default)]
    assert {field for field, facts in changed.items() if not facts} == unsaid


def test_the_command_says_the_same() -> None:
    command = [sys.executable, "-m", "annolake.commands", "formats", "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert [format_["name"] for format_ in said["formats"]] == registry.formats()


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Importing the converters and asking for the names of the formats loads no format and nothing heavy."""
    modules = [*registry.BUILT_IN.values(), *HEAVY]
    code = (
        "import sys; from annolake.converters import registry; registry.formats(); "
        f"print(*(m for m in {modules!r} if m in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.mark.parametrize("module", ["voc.reading", "yolo.reading", "coco.writing", "voc.writing", "yolo.writing"])
def test_boxes_are_carried_without_numpy(module: str) -> None:
    code = f"import sys, annolake.converters.{module}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
