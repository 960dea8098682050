"""Imports go down the ladder: commands -> metalake_io -> converters -> schemas; never between formats."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Module

LADDER = ["schemas", "converters", "metalake_io", "commands"]
NETWORK = {"http", "httpx", "requests", "socket", "socketserver", "ssl", "urllib.request", "urllib3"}
COMMAND_LINE = {"argparse", "click", "rich"}
FORBIDDEN = {
    "schemas": NETWORK | COMMAND_LINE,
    "converters": NETWORK | COMMAND_LINE,
    "metalake_io": COMMAND_LINE,
    "commands": set[str](),
}


def test_imports_go_down_the_ladder_only(modules: list[Module]) -> None:
    assert _upward(modules) == []


@pytest.mark.parametrize("statement", ["from ..converters import files", "from .. import commands"])
def test_an_upward_import_is_seen_even_inside_a_function(modules: list[Module], statement: str) -> None:
    module = next(module for module in modules if module.name == "annolake.schemas.errors")
    assert _upward([replace(module, tree=ast.parse(f"def f():\n    {statement}"))])


def test_imports_within_the_package_are_relative(modules: list[Module]) -> None:
    absolute = [
        f"{module.path}:{node.lineno}"
        for module in modules
        for name, node in module.imports()
        if name.split(".")[0] == "annolake" and not getattr(node, "level", 0)
    ]
    assert absolute == []


def test_no_format_imports_another(modules: list[Module]) -> None:
    formats = _formats(modules)
    crossing = [
        f"{module.name} imports {name}"
        for module in modules
        for name, _ in module.imports()
        if _format_of(name, formats) and _format_of(module.name, formats)
        if _format_of(name, formats) != _format_of(module.name, formats)
    ]
    assert crossing == []


def test_what_formats_share_imports_no_format(modules: list[Module]) -> None:
    """The registry imports formats by name, when first asked; a statement would make them all eager."""
    formats = _formats(modules)
    eager = [
        f"{module.name} imports {name}"
        for module in modules
        if module.room == "converters" and not _format_of(module.name, formats)
        for name, _ in module.imports()
        if _format_of(name, formats)
    ]
    assert eager == []


def test_lower_rooms_know_neither_network_nor_command_line(modules: list[Module]) -> None:
    found = [
        f"{module.path}:{node.lineno} imports {name}"
        for module in modules
        for name, node in module.imports()
        if any(f"{name}.".startswith(f"{forbidden}.") for forbidden in FORBIDDEN[module.room])
    ]
    assert found == []


def _upward(modules: list[Module]) -> list[str]:
    return [
        f"{module.name} imports {name} (line {node.lineno})"
        for module in modules
        for name, node in module.imports()
        if name.startswith("annolake.")
        if LADDER.index(name.split(".")[1]) > LADDER.index(module.room)
    ]


def _formats(modules: list[Module]) -> set[str]:
    """A format is a module of converters with a `FORMAT` of its own, or a sub-package but the test suite."""
    found: set[str] = set()
    for module in modules:
        parts = module.name.split(".")
        if parts[1] != "converters" or len(parts) < 3 or parts[2] == "testing":
            continue
        if len(parts) > 3 or module.path.name == "__init__.py" or _assigns(module.tree, "FORMAT"):
            found.add(parts[2])
    return found


def _format_of(name: str, formats: set[str]) -> str | None:
    parts = name.split(".")
    return parts[2] if parts[:2] == ["annolake", "converters"] and formats & set(parts[2:3]) else None


def _assigns(tree: ast.Module, name: str) -> bool:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
