"""Each case gives exactly the records, the catalogue and the books that stand beside it."""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar

import pytest

from ...schemas.jsontext import as_list, as_object
from ..format import Format
from ..ledger import Ledger
from .cases import EXPECT, LOSSES, Case, expected_lines, json_of, lines_of, loss_counts, read_all

_CLOSE = 1e-9
"""How far a number may be from the one that was written down: binary fractions are not decimal ones."""


class Goldens:
    format: ClassVar[Format]

    def test_reads_as_expected(self, case: Case, request: pytest.FixtureRequest) -> None:
        """`--accept` writes down what was read; whoever reviews the change compares it with the specification."""
        ledger = Ledger(complete=True)
        data = read_all(self.format, case.source, case.options(self.format), ledger)
        lines, counts = expected_lines(data), loss_counts(ledger)
        if request.config.getoption("--accept", default=False):
            (case.folder / EXPECT).write_text("\n".join([*lines, ""]), encoding="utf-8")
            (case.folder / LOSSES).write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
        expected = list(lines_of(case.folder / EXPECT))
        different = [
            f"line {number}:\n  read     {read}\n  expected {wanted}"
            for number, (read, wanted) in enumerate(zip(lines, expected, strict=False), 1)
            if not same_json(json.loads(read), json.loads(wanted))
        ]
        assert "\n".join(different) == ""
        assert len(lines) == len(expected)
        assert counts == json_of(case.folder / LOSSES)


def same_json(a: Any, b: Any) -> bool:
    """Whether two JSON documents say the same: numbers to nine decimals, objects whatever the order of their keys, and
    texts that are JSON themselves whatever their spelling.
    """
    one, other = as_object(a), as_object(b)
    if one is not None and other is not None:
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    left, right = as_list(a), as_list(b)
    if left is not None and right is not None:
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(a, str) and isinstance(b, str) and a != b and a[:1] == b[:1] and a[:1] in ("[", "{"):
        return same_json(json.loads(a), json.loads(b))
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, int | float) or not isinstance(b, int | float):
        return type(a) is type(b) and a == b
    return a == b or math.isclose(a, b, rel_tol=0, abs_tol=_CLOSE)
