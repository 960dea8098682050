"""B2 to B4: what can succeed is tried again, what cannot is asked once, and nothing is done twice."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from annolake.metalake_io.errors import NotAuthorised, ServiceRefused, TransferError
from annolake.metalake_io.transfer.policy import Policy

from . import actions as act
from .desk import Connect
from .faultd import OPERATIONS, Faultd
from .journeys import PASSED_BY, Journey, What

MANY = 1 << 16
"""Bytes of a body after which it breaks off: 64 K."""

LASTING = (400, 401, 403, 404, 409, 413, 422)
WRITING = ("create-collection", "init", "finalise", "complete", "label-references", "annotation-batch")

Start = Callable[..., Journey]


@pytest.fixture
def start(tmp_path: Path, rig: Faultd, connected: Connect) -> Start:
    def begin(what: What, **options: Any) -> Journey:
        return Journey(rig, tmp_path, lambda: connected(at_once=1, policy=Policy()), what, **options)

    return begin


def broken(operation: str) -> act.Act:
    """The stream breaks after 64 K of it, or before its last byte."""
    if operation in ("put-part", "create-collection", "init", "presign", "finalise"):
        return act.reset("mid", at=MANY)
    if operation in ("label-references", "annotation-batch"):
        return act.reset("mid", at=-1)
    if operation == "complete":  # its own answer is empty
        return msgspec.structs.replace(act.answer(200, {"uploadedFileList": []}), longer=5, close=True)
    return act.cut(MANY if operation == "get-file" else -1)


TRANSIENT: dict[str, Callable[[str], list[act.Act]]] = {
    "503,503": lambda _: [act.answer(503), act.answer(503)],
    "reset,reset": lambda _: [act.reset(), act.reset()],
    "reset,503": lambda _: [act.reset("after"), act.answer(503)],
    "408": lambda _: [act.answer(408)],
    "503 after 64 K": lambda _: [act.early(503, MANY)],
    "broken after 64 K": lambda operation: [broken(operation)],
}


@pytest.mark.parametrize(
    ("operation", "faults"),
    [pytest.param(one, faults, id=f"B2[{one}, {faults}]") for one in OPERATIONS for faults in TRANSIENT],
)
def test_b2_what_can_succeed_is_tried_again(rig: Faultd, start: Start, operation: str, faults: str) -> None:
    """And in the end everything is as if nothing had been."""
    acts = TRANSIENT[faults](operation)
    for one in acts:
        rig.rule(operation, one)
    journey = start(PASSED_BY[operation])
    report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    assert report.complete
    assert all(rule.times == 0 for rule in rig.rules), "not every fault was met"
    assert len(rig.asked(operation)) == 1 + len(acts)
    assert set(rig.lake.sending.finalised.values()) <= {1}


@pytest.mark.parametrize(
    ("operation", "status"),
    [pytest.param(one, status, id=f"B2[{one}, {status}]") for one in OPERATIONS for status in LASTING],
)
def test_b2_what_cannot_is_asked_once(rig: Faultd, start: Start, operation: str, status: int) -> None:
    rig.rule(operation, act.answer(status), times=99)
    journey = start(PASSED_BY[operation])
    error: TransferError | None = None
    report: Any = None
    try:
        report = journey.run()
    except TransferError as caught:
        error, report = caught, caught.report
    assert len(rig.asked(operation)) == asked(operation, status)
    verdict = journey.verdict()
    assert verdict.harmless, verdict
    if (operation, status) == ("version-check", 404):
        assert error is None and report.complete, "a service without that call is a newer one"
        return
    if status in (401, 403) and operation not in ("put-part", "get-file"):
        assert isinstance(error, NotAuthorised) and error.exit_code == 5
    elif operation in ("version-check", "create-collection", "label-references", "item-page"):
        assert type(error) is ServiceRefused and error.exit_code == 7
    else:
        assert error is None
    if error is not None:
        assert (error.status, error.attempts) == (status, 1)
        assert str(status) in str(error) or "made up" in str(error) or status in (401, 403)
    elif operation == "complete":
        assert not report.finished and any(f"made up {status}" in note for note in report.notes)
    else:
        (failed,) = report.of("failed")
        assert failed.status == status and not failed.retry_helps
        assert journey.verdict(report).misreported == []


def asked(operation: str, status: int) -> int:
    """Once; a second address of the storage is worth a try, and so is the other prefix of the API."""
    if operation in ("put-part", "get-file") and status in (401, 403):
        return 2
    return 2 if (operation, status) == ("version-check", 404) else 1


def test_b2_a_batch_that_is_too_large_is_split(rig: Faultd, start: Start) -> None:
    rig.rule("annotation-batch", act.answer(413))
    journey = start("annotations", count=4)
    report = journey.run()
    assert journey.verdict(report).clean
    assert len(rig.asked("annotation-batch")) == 3


@pytest.mark.parametrize(
    ("operation", "mode"),
    [pytest.param(one, mode, id=f"B3[{one}, {mode}]") for one in WRITING for mode in ("replace", "append")],
)
def test_b3_a_reply_that_is_lost(
    tmp_path: Path, connected: Connect, operation: str, mode: Literal["replace", "append"]
) -> None:
    """It was done, and nobody knows: in the end it is done once."""
    with Faultd(annotations=mode) as rig:
        rig.rule(operation, act.drop())
        journey = Journey(rig, tmp_path, lambda: connected(rig.url, policy=Policy()), "both", count=3)
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert report.complete and report.finished
        assert rig.rules[0].times == 0
        assert rig.lake.names == {"Demo": ["c1"]}
        assert set(rig.lake.sending.finalised.values()) == {1}


@pytest.mark.parametrize(
    ("at", "part"),
    [
        pytest.param(at, part, id=f"B4[{words} of part {part + 1}]")
        for at, words in ((0, "nothing"), (1, "1 byte"), (0.5, "half"), (-1, "all but 1 byte"))
        for part in range(3)
    ],
)
def test_b4_the_connection_breaks_within_a_part(rig: Faultd, start: Start, at: float, part: int) -> None:
    """The whole part goes again. A body that is read up already would send nothing, and be thanked for it."""
    rig.rule("put-part", act.reset("mid", at=at), skip=part)
    journey = start("files", size=250_000, part_size=100_000)
    report = journey.run()
    verdict = journey.verdict(report)
    assert verdict.clean, verdict
    (content,) = journey.files.values()
    pieces = [content[begin : begin + 100_000] for begin in range(0, len(content), 100_000)]
    sent = [hashlib.md5(piece).hexdigest() for piece in pieces]
    stored = [one.md5 for one in rig.asked("put-part") if one.done]
    assert stored == sent
    assert len(rig.asked("put-part")) == 4
    assert {item.verified_by for item in report.items} == {"md5"}


@pytest.mark.parametrize("fault", [act.cut(0.5), act.cut(0.5, framing="chunked"), act.drop(), act.reset("mid", at=0.5)])
def test_a_client_that_is_closed_has_no_connections(rig: Faultd, connected: Connect, fault: act.Act) -> None:
    """Errors before leave things that only the garbage collector finds, and that hold connections."""
    gc.disable()
    try:
        client = connected(policy=Policy())
        rig.rule("POST .*getCollectionIdByName", fault)
        assert client.collections.id_of("Demo") == "c1"
        client.close()
        rig.settle(alone=True)
    finally:
        gc.enable()
