"""What users install: the wheel holds the packages, their data and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

ROOMS = ["schemas", "converters", "metalake_io", "commands"]


@pytest.fixture(scope="module")
def names(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Member names of a wheel built from a copy of the sources, without a network."""
    try:
        setuptools = int(version("setuptools").split(".")[0])
    except PackageNotFoundError:
        setuptools = 0
    if setuptools < 77:
        pytest.skip("building a wheel needs setuptools >= 77 in this environment")
    # A copy: setuptools leaves `build/` behind and would pack what an earlier build left there.
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, source)
    for folder in [*ROOMS, "tests", "fixtures", "benchmarks"]:
        shutil.copytree(root / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__", "data"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    result = subprocess.run(
        [*command, "--wheel-dir", str(target), str(source)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (wheel,) = target.glob("annolake-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_only_annolake_lands_in_site_packages(names: list[str], pyproject: dict[str, Any]) -> None:
    meta = f"annolake-{pyproject['project']['version']}.dist-info"
    assert {name.split("/")[0] for name in names} == {"annolake", meta}
    assert {name.split("/")[1] for name in names if name.startswith("annolake/")} == set(ROOMS)


def test_every_module_schema_and_type_mark_is_inside(names: list[str], root: Path) -> None:
    expected = [
        f"annolake/{path.relative_to(root).as_posix()}"
        for room in ROOMS
        for path in (root / room).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed" or path.name.endswith(".schema.json")
    ]
    assert sorted(name for name in names if name.startswith("annolake/")) == sorted(expected)


def test_licence_and_command_are_inside(names: list[str]) -> None:
    endings = {name.split(".dist-info/")[-1] for name in names if ".dist-info/" in name}
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= endings
