"""The table of faults is whole, and what it says is there is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .matrix import CHECKS, IDS, MATRIX
from .seeded_bugs import BUGS

NAMED = re.compile(r"test_([a-h]\d+)_")
"""A test named after a fault: `test_a1_killed_at_every_request`."""


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_fault_has_a_line() -> None:
    assert (list(MATRIX), len(IDS)) == (IDS, 68)
    assert [one for one, fault in MATRIX.items() if not fault.what or not (fault.shown or fault.left)] == []


def test_every_test_that_is_named_is_there(root: Path) -> None:
    named = {test for fault in (*MATRIX.values(), *CHECKS.values()) for test in fault.shown}
    files = {name: functions(root / "tests" / name) for name in {test.partition("::")[0] for test in named}}
    assert [test for test in sorted(named) if test.partition("::")[2] not in files[test.partition("::")[0]]] == []


def test_every_test_with_the_name_of_a_fault_is_in_its_line(root: Path) -> None:
    tests = root / "tests"
    missing = [
        f"{path.relative_to(tests).as_posix()}::{name}"
        for folder in ("faults", "metalake_io")
        for path in sorted((tests / folder).rglob("test_*.py"))
        for name in sorted(functions(path))
        if (found := NAMED.match(name)) and f"{path.relative_to(tests).as_posix()}::{name}" not in _shown(found[1])
    ]
    assert missing == []


def test_every_seeded_bug_has_its_place(root: Path) -> None:
    assert len(BUGS) >= 15
    assert [bug.what for bug in BUGS if (root / bug.file).read_text(encoding="utf-8").count(bug.right) != 1] == []


def test_every_seeded_bug_has_tests_that_may_catch_it(root: Path) -> None:
    without: list[str] = []
    for bug in BUGS:
        words, _, keyword = bug.tests.partition(" -k ")
        names = {name for word in words.split() for name in (*functions(root / word), Path(word).stem)}
        if not any(part in name for name in names for part in keyword.split("_or_")):
            without.append(bug.what)
    assert without == []


def _shown(fault: str) -> tuple[str, ...]:
    found = (MATRIX | CHECKS).get(fault.upper())
    return () if found is None else found.shown
