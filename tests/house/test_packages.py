"""The package list equals the tree; files stay short; only the command line talks to the world outside."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Module

ROOMS = ["schemas", "converters", "metalake_io", "commands"]
LONGEST = 320
LONGEST_TEST = 400
"""Tests are tables; a longer one is still read a row at a time."""


def test_every_folder_with_modules_is_listed(root: Path, pyproject: dict[str, Any]) -> None:
    tree = {
        "annolake." + Path(folder).relative_to(root).as_posix().replace("/", "."): Path(folder)
        for room in ROOMS
        for folder, _, names in os.walk(root / room)
        if any(name.endswith(".py") for name in names)
    }
    listed = pyproject["tool"]["setuptools"]
    assert sorted(listed["packages"]) == sorted(tree)
    assert {name: root / folder for name, folder in listed["package-dir"].items()} == tree


def test_every_package_has_an_init_and_the_namespace_has_none(root: Path, pyproject: dict[str, Any]) -> None:
    folders = pyproject["tool"]["setuptools"]["package-dir"].values()
    assert [folder for folder in folders if not (root / folder / "__init__.py").is_file()] == []
    assert not (root / "__init__.py").exists()


def test_every_room_is_marked_as_typed(root: Path, pyproject: dict[str, Any]) -> None:
    """PEP 561: the mark counts for the sub-packages below it, but not from a namespace package."""
    assert [room for room in ROOMS if not (root / room / "py.typed").is_file()] == []
    data = pyproject["tool"]["setuptools"]["package-data"]
    assert [room for room in ROOMS if "py.typed" not in data[f"annolake.{room}"]] == []


def test_files_are_short(root: Path) -> None:
    long = [
        f"{path}: {lines} lines"
        for folder in [*ROOMS, "tests", "fixtures", "benchmarks"]
        for path in sorted((root / folder).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > (LONGEST_TEST if folder == "tests" else LONGEST)
    ]
    assert long == []


def test_only_commands_print_exit_or_look_around(modules: list[Module]) -> None:
    outside = [module for module in modules if module.room != "commands"]
    assert [place for module in outside for place in _worldly(module)] == []


def test_library_code_asserts_nothing(modules: list[Module]) -> None:
    """`python -O` removes asserts. The contract suite is a test suite and may have them."""
    places = [
        f"{module.path}:{node.lineno}"
        for module in modules
        if not module.name.startswith("annolake.converters.testing")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assert)
    ]
    assert places == []


def _worldly(module: Module) -> list[str]:
    found: list[str] = []
    for node in ast.walk(module.tree):
        text = ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
        if text in {"print", "input", "exit", "sys.exit", "sys.argv", "os.environ", "os.getenv", "os._exit"}:
            found.append(f"{module.path}:{getattr(node, 'lineno', 0)} {text}")
    return found
