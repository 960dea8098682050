"""A client killed without warning, at any point; then the same again: everything is there, and nothing twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from annolake.metalake_io import batches

from . import actions as act
from . import child
from .children import Nursery
from .conftest import Connect
from .faultd import Faultd
from .oracle import Inputs, check
from .torture import of_all

FILES = 12
FAULTLESS = 3 + 4 * FILES
"""Requests of an upload: the check of versions, begin, complete, and four for each file."""

POINTS = [(moment, number) for number in range(FAULTLESS) for moment in get_args(act.Moment)]
FEW = random.Random(1).sample(POINTS, 20)


class Desk:
    """A folder of pictures with annotations, a rig, and jobs over them."""

    def __init__(self, folder: Path, rig: Faultd, connected: Connect, nursery: Nursery, count: int = FILES) -> None:
        self.rig, self.folder, self.nursery = rig, folder, nursery
        self._connected = connected
        pictures = folder / "pictures"
        pictures.mkdir()
        self.files: dict[str, bytes] = {}
        for number in range(count):
            content = f"picture {number} ".encode() * (40 + number)
            (pictures / f"{number:03}.png").write_bytes(content)
            self.files[f"Demo_{number:03}.png"] = content
        box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
        images = [{"image": f"{n:03}.png", "annotations": [box] * (n % 3)} for n in range(count)]
        (folder / "annotations.json").write_text(json.dumps({"images": images}))
        self.shapes = {(f"Demo_{n:03}.png", "op"): n % 3 for n in range(count)}
        self.job: dict[str, Any] = {
            "url": rig.url,
            "folder": str(pictures),
            "annotations": str(folder / "annotations.json"),
            "journal": str(folder / "state" / "demo.sqlite"),
            "what": "files",
        }

    def killed(self, kill: act.Act, skip: int, match: str = "") -> bool:
        """Run it in a process that dies at that request; whether it did."""
        rule = self.rig.rule(match, kill, skip=skip)
        self.rig.victim = None  # until its number is known, nobody is to be killed
        process = self.nursery.start(self.job, self.folder)
        self.rig.victim = process.pid
        assert process.wait() in (0, -9), process.stderr
        self.rig.settle(alone=True)
        rule.times = 0
        return process.returncode == -9

    def again(self) -> Any:
        """Run it here."""
        return child.run(self._connected(self.rig.url, at_once=4), self.job)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches.batches, "__defaults__", (child.BATCH, batches.MOST_BYTES))


@pytest.fixture
def desk(tmp_path: Path, rig: Faultd, connected: Connect, nursery: Nursery) -> Desk:
    return Desk(tmp_path, rig, connected, nursery)


@pytest.mark.parametrize(("moment", "number"), of_all(FEW, POINTS))
def test_a1_killed_at_every_request(desk: Desk, moment: act.Moment, number: int) -> None:
    assert desk.killed(act.kill(moment), number)
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(desk.files), report)
    assert verdict.clean, verdict
    assert report.is_success
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


@pytest.mark.parametrize("seed", of_all([1, 2], list(range(50))))
def test_a6_the_recovery_is_killed_too(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        desk.killed(act.kill(chance.choice(get_args(act.Moment))), chance.randrange(FAULTLESS))
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(desk.files), report)
    assert verdict.clean, verdict
    assert set(desk.rig.lake.sending.finalised.values()) == {1}


def test_a10_a_finished_job_again(desk: Desk) -> None:
    desk.again()
    before = len(desk.rig.log)
    report = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files), report).clean
    assert [item.state for item in report.items] == ["skipped"] * FILES
    assert {item.verified_by for item in report.items} == {"md5"}
    asked = [one.target.rpartition("/")[2] for one in desk.rig.log[before:]]
    assert asked == ["2.3.4", "getCollectionDetails", "list", "list"]


def test_a_file_that_has_gone_from_the_service_is_sent_again(desk: Desk) -> None:
    """The journal is believed only as far as the service confirms it."""
    desk.again()
    desk.rig.lake.lose("Demo_005.png")
    report = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files), report).clean
    assert len(report.of("uploaded")) == 1


def test_parts_that_the_storage_has_are_not_sent_again(desk: Desk) -> None:
    desk.job |= {"part_size": 100, "at_once": 1}
    assert desk.killed(act.kill("before"), skip=FILES * 4, match="PUT ")
    sent = Counter(one.md5 for one in desk.rig.asked("PUT ") if one.done)
    report = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files), report).clean
    again = Counter(one.md5 for one in desk.rig.asked("PUT ") if one.done) - sent
    lost = sum((again & sent).values())
    assert lost <= 50, "more than a transaction of the journal was lost"


@pytest.mark.parametrize("moment", get_args(act.Moment))
@pytest.mark.parametrize("batch", range(3))
@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.usefixtures("small_batches")
def test_a4_killed_in_the_annotations(
    tmp_path: Path, connected: Connect, nursery: Nursery, mode: Any, batch: int, moment: act.Moment
) -> None:
    with Faultd(annotations=mode) as rig:
        desk = Desk(tmp_path, rig, connected, nursery)
        for name, content in desk.files.items():
            rig.lake.add(name, content)
        desk.job["what"] = "annotations"
        assert desk.killed(act.kill(moment), batch, "annotation-batch")
        before = {one.md5 for one in rig.asked("annotation-batch")}
        report = desk.again()
        verdict = check(rig.lake, Inputs(desk.files, desk.shapes), report)
        assert verdict.clean, verdict
        if moment == "before":
            assert len({one.md5 for one in rig.asked("annotation-batch")} - before) == 2 - batch, "no replay is another"


@pytest.mark.parametrize("what", ["both", "annotations"])
@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.usefixtures("small_batches")
def test_a4_a_reply_that_is_lost(tmp_path: Path, connected: Connect, nursery: Nursery, mode: Any, what: str) -> None:
    with Faultd(annotations=mode) as rig:
        desk = Desk(tmp_path, rig, connected, nursery)
        if what == "annotations":
            for name, content in desk.files.items():
                rig.lake.add(name, content)
        desk.job["what"] = what
        rig.rule("annotation-batch", act.drop(), skip=1)
        rig.rule("annotation-batch", act.answer(502))
        report = desk.again()
        verdict = check(rig.lake, Inputs(desk.files, desk.shapes), report.annotations if what == "both" else report)
        assert verdict.clean, verdict


Change = Callable[[Path], None]


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def _other(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


@pytest.mark.parametrize("change", [_longer, _other])
@pytest.mark.parametrize("part_size", [None, 100])
@pytest.mark.parametrize("number", [10, 30])
def test_a9_files_that_change_between_runs(desk: Desk, change: Change, part_size: int | None, number: int) -> None:
    """What had arrived whole is told to have changed; all else is sent as it is now; nothing is mixed."""
    desk.job["part_size"] = part_size
    desk.killed(act.kill("before"), number)
    there = {one.name for one in desk.rig.lake.objects}
    wanted = dict(desk.files)
    for path in (desk.folder / "pictures").iterdir():
        change(path)
        if f"Demo_{path.name}" not in there:
            wanted[f"Demo_{path.name}"] = path.read_bytes()
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(wanted))
    assert verdict.clean, verdict
    assert {f"Demo_{item.name}" for item in report.of("failed")} == there
    assert all("changed since it was uploaded" in (item.reason or "") for item in report.of("failed"))


@pytest.mark.parametrize("part", range(2))
def test_a9_a_file_that_changes_while_it_is_read(desk: Desk, part: int) -> None:
    desk.job["part_size"] = 300
    path = desk.folder / "pictures" / "007.png"
    whole = path.read_bytes()
    desk.rig.lake.bucket.sign  # noqa: B018
    put = desk.rig.lake.bucket.serve

    def serve(asked: Any) -> Any:
        if "007.png" in asked.target and f"partNumber={part + 1}" in asked.target and path.read_bytes() == whole:
            path.write_bytes(whole[::-1])
        return put(asked)

    desk.rig.lake.bucket.serve = serve
    report = desk.again()
    (failed,) = report.of("failed")
    assert (failed.name, failed.retry_helps) == ("007.png", True)
    assert "Demo_007.png" not in {one.name for one in desk.rig.lake.objects}
    again = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files | {"Demo_007.png": whole[::-1]}), again).clean
