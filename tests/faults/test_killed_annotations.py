"""A client killed between batches of annotations, or whose answers are lost: each image has its annotations once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from annolake.metalake_io import batches

from . import actions as act
from . import child
from .children import Nursery
from .desk import Connect, Desk
from .faultd import Faultd
from .oracle import Inputs, check

IMAGES = 16
BATCHES = IMAGES // child.BATCH


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches.batches, "__defaults__", (child.BATCH, batches.MOST_BYTES))


@pytest.mark.parametrize("moment", get_args(act.Moment))
@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.usefixtures("small_batches")
def test_a4_killed_in_the_annotations(
    tmp_path: Path, connected: Connect, nursery: Nursery, mode: Any, batch: int, moment: act.Moment
) -> None:
    with Faultd(annotations=mode) as rig:
        desk = Desk(tmp_path, rig, connected, nursery, IMAGES)
        for name, content in desk.files.items():
            rig.lake.add(name, content)
        desk.job["what"] = "annotations"
        assert desk.killed(act.kill(moment), batch, "annotation-batch")
        before = {one.md5 for one in rig.asked("annotation-batch")}
        report = desk.again()
        verdict = check(rig.lake, Inputs(desk.files, desk.shapes), report)
        assert verdict.clean, verdict
        if moment == "before":
            assert len({one.md5 for one in rig.asked("annotation-batch")} - before) == BATCHES - 1 - batch, (
                "no replay is another"
            )


@pytest.mark.parametrize("what", ["both", "annotations"])
@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.usefixtures("small_batches")
def test_a4_a_reply_that_is_lost(tmp_path: Path, connected: Connect, nursery: Nursery, mode: Any, what: str) -> None:
    with Faultd(annotations=mode) as rig:
        desk = Desk(tmp_path, rig, connected, nursery, IMAGES)
        if what == "annotations":
            for name, content in desk.files.items():
                rig.lake.add(name, content)
        desk.job["what"] = what
        rig.rule("annotation-batch", act.drop(), skip=1)
        rig.rule("annotation-batch", act.answer(502))
        report = desk.again()
        verdict = check(rig.lake, Inputs(desk.files, desk.shapes), report.annotations if what == "both" else report)
        assert verdict.clean, verdict
