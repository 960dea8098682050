"""The table of faults survived stays true: annolake survives all, the official SDK does not (or the rig is too mild).

What each case is stands in `survival/cases.py`; `python -m tests.faults.survival` makes the table.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..metalake_io.sandbox.official import python_with
from .survival.cases import Case, cases
from .survival.trial import tried

ALL = list(cases())
SOME = ALL[::8]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case.id}-{case.what}", marks=() if case in SOME else pytest.mark.torture)
        for case in ALL
    ],
)
def test_annolake_survives(case: Case) -> None:
    outcome = tried(case, "annolake", sys.executable)
    assert outcome.wrong == []
    assert not outcome.leaked


@pytest.mark.torture
@pytest.mark.referee
def test_the_official_sdk_does_not() -> None:
    """The negative control: a rig that the official SDK passes would let our own mistakes pass too."""
    python = python_with("2.3.4")
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda case: tried(case, "layernext", python), ALL))
    assert sum(bool(outcome.wrong) for outcome in outcomes) >= 25
