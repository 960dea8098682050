"""`--help`: quick, complete, and its examples run."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from annolake.converters import formats, get

if TYPE_CHECKING:
    from .conftest import Desk

COMMANDS = ["formats", "convert", "validate", "stats", "diff"]
EXAMPLES = [text for name in COMMANDS for text in import_module(f"annolake.commands.{name}").command.examples]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(desk: Desk, example: str) -> None:
    """In a folder with a COCO file, the same as MetaLake JSON, unless the example writes that, and a folder."""
    program, command, *words = shlex.split(example)
    (desk.path / "pictures").mkdir()
    (desk.path / "lake.json").unlink()
    if (command, *words[1:2]) != ("convert", "lake.json"):
        desk.run("convert", "instances.json", "lake.json", "--to", "metalake")
    done = desk.run(command, *words)
    assert program == "annolake"
    assert (done.exit_code, done.exception) == (0, None), done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_two_sentences_and_its_examples(desk: Desk, name: str) -> None:
    text = desk.run(name, "--help").stdout
    command: Any = import_module(f"annolake.commands.{name}").command
    assert command.help.count(".") >= 2
    assert all(example in text for example in command.examples)
    assert command.examples


def test_every_field_of_every_format_is_a_flag_of_convert(desk: Desk) -> None:
    text = desk.run("convert", "--help").stdout
    for name in formats():
        assert f"Options of {name}:" in text
        for field in msgspec.structs.fields(get(name).options):
            assert f"--{name}-{field.name}".replace("_", "-") in text


def test_help_loads_neither_formats_nor_heavy_libraries() -> None:
    script = "import sys; from annolake.commands.main import annolake; annolake(['--help'], standalone_mode=False)"
    heavy = "{'numpy', 'lxml', 'PIL', 'rich', 'jsonschema', 'pycocotools', 'yaml', 'annolake.converters'}"
    ended = subprocess.run(
        [sys.executable, "-c", f"{script}; sys.exit(str({heavy} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.strip() == "set()"
    assert all(name in ended.stdout for name in COMMANDS)


def test_version_as_a_module() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "annolake.commands", "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == f"annolake {version('annolake')}\n"
