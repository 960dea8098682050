"""H2: random plans of faults. Nothing is lost, doubled or corrupted, every report is true, and every run ends."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from annolake.metalake_io import batches, collection_pages, listing

from . import child
from .children import Nursery
from .conftest import Connect
from .faultd import Faultd
from .plans import Plan, Run, plan
from .torture import of_all
from .ventures import PAGE, Venture

REPLAY = 'python -m pytest --torture "tests/faults/test_plans.py::test_h2_a_random_plan_of_faults[{}]"'


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches and pages, in this process as in those that are killed."""
    monkeypatch.setattr(batches.batches, "__defaults__", (child.BATCH, batches.MOST_BYTES))
    monkeypatch.setattr(collection_pages, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(listing, "LARGEST_PAGE", PAGE)


@pytest.mark.parametrize("seed", of_all(range(40), range(1000)))
def test_h2_a_random_plan_of_faults(
    tmp_path: Path, rig: Faultd, connected: Connect, nursery: Nursery, seed: int
) -> None:
    """The runs with faults, and one without: then all is there. What nobody can be asked for may stay uncertain."""
    made = plan(seed)
    venture = Venture(made, rig, tmp_path, connected, nursery)
    for number, run in enumerate([*made.runs, Run()], 1):
        before = venture.seen()
        ended = venture.run(run)
        verdict = venture.verdict(ended, before)
        assert verdict.harmless, told(made, f"run {number}: {verdict}, {ended.error}")
        if ended.complete:
            assert not verdict.lost, told(made, f"run {number} says that all is done: {verdict}")
    if made.what == "named":
        assert ended.report is not None
        unsure = {item.name for item in ended.report.of("uncertain")}
        assert {name.partition(" ")[0] for name in verdict.lost} <= unsure, told(made, str(verdict))
        assert [item.name for item in ended.report.missing if item.name not in unsure] == []
    else:
        assert verdict.clean and ended.complete, told(made, f"in the end: {verdict}, {ended.report}, {ended.error}")
    assert len(rig.log) < 3000, told(made, f"{len(rig.log)} requests")


def told(made: Plan, what: str) -> str:
    return f"{what}\nseed {made.seed}: {msgspec.json.encode(made).decode()}\nagain: {REPLAY.format(made.seed)}"
