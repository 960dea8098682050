"""Annotations by unique name, by path or by job: nobody can be asked what has arrived; nothing goes twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from annolake.metalake_io import batches, checks
from annolake.metalake_io.annotation_wire import Address
from annolake.metalake_io.errors import NetworkGaveUp

from ..metalake_io.clock import FakeClock
from . import actions as act
from . import child
from .conftest import Connect
from .desk import Desk
from .faultd import Faultd
from .oracle import Inputs, check
from .typed import BOX, PICTURES, Typed

WAYS = [("--unique-name",), ("--storage-path",), ("--job", "j1")]
LOST = {
    "drop": act.drop(),
    "502": act.answer(502, processed=True),
    "500": act.answer(500, processed=True),
    "nonsense": act.answer(200, "<html>", processed=True),
    "cut": act.cut(0.5),
}
THERE = Inputs(annotations={(name, "op"): 1 for name in PICTURES})


@pytest.fixture(autouse=True)
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches.batches, "__defaults__", (2, batches.MOST_BYTES))
    monkeypatch.setattr("annolake.metalake_io.connecting.WallClock", FakeClock)


@pytest.fixture(params=["replace", "append"])
def lake(rig: Faultd, request: pytest.FixtureRequest) -> Faultd:
    """The rig, in either mode."""
    rig.lake.mode = request.param
    return rig


def words(*way: str) -> tuple[str, ...]:
    return ("upload", "annotations", "lake.json", *way, "--operation", "op", "--json")


def states(done: Result) -> list[str]:
    rows = {one["name"]: one["state"] for one in json.loads(done.stdout)["items"]}
    return [rows[name] for name in PICTURES]


OPEN = ["uncertain", "uncertain", "uploaded", "uploaded"]
STILL_OPEN = ["uncertain", "uncertain", "skipped", "skipped"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lost", LOST)
def test_b3_a_reply_that_is_lost_and_cannot_be_asked_for(
    lake: Faultd, typed: Typed, way: tuple[str, ...], lost: str
) -> None:
    """The images of that batch are uncertain, the others go on; the same again leaves them; `--fresh` sends all."""
    lake.rule("annotation-batch", LOST[lost])
    done = typed(*words(*way))
    verdict = check(lake.lake, THERE, json.loads(done.stdout))
    assert (done.exit_code, states(done), verdict.clean) == (6, OPEN, True), verdict
    rows = {one["name"]: one for one in json.loads(done.stdout)["items"]}
    assert rows["p0.png"]["retry_helps"] is False
    assert "nobody can be asked whether it has arrived" in rows["p0.png"]["reason"]
    assert "--fresh, which sends all again" in rows["p0.png"]["reason"]
    again = typed(*words(*way))
    verdict = check(lake.lake, THERE, json.loads(again.stdout))
    assert (again.exit_code, states(again), verdict.clean) == (6, STILL_OPEN, True), verdict
    assert '"reason": "the service took them from an earlier run"' in again.stdout
    if lake.lake.mode == "replace":
        fresh = typed(*words(*way), "--fresh")
        assert (fresh.exit_code, states(fresh)) == (0, ["uploaded"] * 4)
        assert check(lake.lake, THERE, json.loads(fresh.stdout)).clean


@pytest.mark.parametrize("moment", ["before", "after", "replied"])
def test_a4_killed_where_nobody_can_be_asked(lake: Faultd, desk: Desk, moment: act.Moment) -> None:
    """What was sent and not acknowledged stays open, what was not sent is sent, nothing goes twice."""
    images = json.loads((desk.folder / "annotations.json").read_text())
    lake.rule("annotation-batch", act.kill(moment), skip=1)
    command = ("upload", "annotations", "annotations.json", "--unique-name", "--operation", "op", "--json")
    assert desk.typed(*command).wait() == -9
    lake.settle(alone=True)
    again = desk.typed(*command)
    assert again.wait() == 6, again.stderr
    document = json.loads(again.stdout)
    wanted = {(one["image"], "op"): len(one["annotations"]) for one in images["images"]}
    verdict = check(lake.lake, Inputs(annotations=wanted), document)
    assert (verdict.duplicated, verdict.misreported) == ([], []), verdict
    unsure = {one["name"] for one in document["items"] if one["state"] == "uncertain"}
    names = [name for name, _ in wanted]
    batches = [names[start : start + child.BATCH] for start in range(0, len(names), child.BATCH)]
    # Once it has the answer, the client may have noted it and sent the next batch before it is gone.
    struck = batches[1:] if moment == "replied" else batches[1:2]
    assert unsure - set(batches[0]) in [{name for name in batch if wanted[name, "op"]} for batch in struck]
    assert {name.partition(" ")[0] for name in verdict.lost} <= unsure


def test_what_was_surely_not_taken_goes_with_the_next_run(lake: Faultd, typed: Typed) -> None:
    lake.rule("annotation-batch", act.answer(400, {"error": {"message": "not now"}}))
    first = typed(*words("--unique-name"))
    assert (first.exit_code, states(first)) == (6, ["failed", "failed", "uploaded", "uploaded"])
    lake.rule("annotation-batch", act.answer(503), times=99)
    assert typed(*words("--unique-name")).exit_code == 8
    lake.rules.clear()
    last = typed(*words("--unique-name"))
    assert (last.exit_code, states(last)) == (0, ["uploaded", "uploaded", "skipped", "skipped"])
    assert check(lake.lake, THERE, json.loads(last.stdout)).clean


def test_an_outage_costs_no_further_batch_its_answer(rig: Faultd, typed: Typed) -> None:
    """Between a lost answer and the next batch the service is asked something harmless, as often as need be."""
    rig.rule("annotation-batch", act.drop())
    rig.rule("version-check", act.answer(502), skip=1, times=5)
    done = typed(*words("--unique-name"))
    assert (done.exit_code, states(done)) == (6, OPEN)
    assert len(rig.asked("annotation-batch")) == 2


def sent(connect: Connect, address: Address) -> Any:
    """Without a journal."""
    client = connect()
    read = checks.read_annotations(Path("lake.json"), normalized=False)
    return client.annotations.send(read, address, "op", normalized=False, model_run=False)


def test_without_a_journal_the_same_call_sends_all_again(rig: Faultd, connected: Connect, typed: Typed) -> None:
    rig.rule("annotation-batch", act.drop())
    report = sent(connected, Address(target="object_key"))
    (reason,) = {item.reason for item in report.of("uncertain")}
    assert [item.state for item in report.items] == OPEN
    assert "running it again does no harm" in reason and report.missing[0].retry_helps
    assert sent(connected, Address(target="object_key")).complete
    assert check(rig.lake, THERE).clean


@pytest.mark.parametrize("status", [403, 404])
def test_a_service_that_does_not_let_us_read(lake: Faultd, connected: Connect, typed: Typed, status: int) -> None:
    """By collection, the same."""
    lake.rule("item-page", act.answer(status), times=99)
    lake.rule("annotation-batch", act.drop())
    report = sent(connected, connected().annotations.to_collection("Demo"))
    assert [item.state for item in report.items] == OPEN
    assert check(lake.lake, Inputs(annotations={(f"Demo_{name}", "op"): 1 for name in PICTURES}), report).clean


def test_a_service_that_falls_silent_before_it_can_be_asked(lake: Faultd, connected: Connect, typed: Typed) -> None:
    lake.rule("annotation-batch", act.drop())
    pages = lake.rule("item-page", act.answer(503), times=99)
    wanted = Inputs(annotations={(f"Demo_{name}", "op"): 1 for name in PICTURES})
    with pytest.raises(NetworkGaveUp) as caught:
        sent(connected, connected().annotations.to_collection("Demo"))
    report = caught.value.report
    assert report is not None
    assert [item.state for item in report.items] == ["uncertain", "uncertain", "not begun", "not begun"]
    assert check(lake.lake, wanted, report).misreported == []
    pages.times = 0


@pytest.mark.parametrize("status", [400, 413])
def test_images_without_shapes_do_not_show(lake: Faultd, connected: Connect, typed: Typed, status: int) -> None:
    """They may have arrived with an answer that was lost, whatever is said to the next attempt."""
    images = [{"image": name, "annotations": [BOX] * (name == PICTURES[3])} for name in PICTURES]
    Path("lake.json").write_text(json.dumps({"images": images}))
    lake.rule("annotation-batch", act.drop())
    lake.rule("annotation-batch", act.answer(status), times=3)
    report = sent(connected, connected().annotations.to_collection("Demo"))
    wanted = Inputs(annotations={(f"Demo_{one['image']}", "op"): len(one["annotations"]) for one in images})
    verdict = check(lake.lake, wanted, report)
    assert verdict.misreported == [], verdict
    assert [item.state for item in report.items[:2]] == ["uncertain", "uncertain"]
