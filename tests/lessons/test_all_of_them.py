"""Every defect of the list, D1 to D33, has a test here that bears its number."""

from __future__ import annotations

import ast
import re
from pathlib import Path

DEFECTS = 33


def test_no_defect_is_forgotten():
    tested: dict[int, list[str]] = {number: [] for number in range(1, DEFECTS + 1)}
    for file in Path(__file__).parent.glob("test_defects*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (found := re.match(r"test((?:_d\d+[a-z]?)+)_", node.name)):
                for number in re.findall(r"_d(\d+)", found.group(1)):
                    tested[int(number)].append(node.name)
    assert [f"D{number}" for number, tests in tested.items() if not tests] == []
