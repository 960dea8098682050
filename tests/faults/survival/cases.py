"""The faults that both clients go through: what the rig does, and how the story has to end.

The ids are those of the fault tests (A: killed, B: network, C: what the service says, D: this computer, E: two runs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .. import actions as act
from ..actions import Act, Rule
from ..faultd import OPERATIONS, Faultd

Job = Literal["files", "annotations", "download"]
End = Literal["whole", "told"]
"""`whole`: everything is there, once, and success is told. `told`: it cannot be, and no success is told."""

ALWAYS = 1 << 30
UPLOADING = ("version-check", "create-collection", "init", "presign", "put-part", "finalise", "complete")
ANNOTATING = ("label-references", "annotation-batch")
PAGING = ("item-page", "get-file")
ANSWERING = (*UPLOADING[:4], "finalise", "complete", *ANNOTATING)
"""The operations whose answer is a JSON document that says whether it went well."""


@dataclass(frozen=True)
class Case:
    """`runs`: so many, one after the other, of which the last is judged; `at_once` all together. `missing`: so many
    files may be lost. `most`: requests of the last run. `spoil` changes the folder or the lake before.
    """

    id: str
    what: str
    job: Job = "files"
    rules: tuple[Rule, ...] = ()
    end: End = "whole"
    runs: int = 1
    at_once: bool = False
    missing: int = 0
    most: int = ALWAYS
    storage: Any = "AWS_S3"
    annotations: Any = "replace"
    close_after: int = 0
    count: int = 12
    spoil: Callable[[Faultd, Path], None] | None = None
    file_limit: int | None = None


def job_of(operation: str) -> Job:
    return "annotations" if operation in ANNOTATING else "download" if operation in PAGING else "files"


def on(operation: str, does: Act, times: int = 1, skip: int = 0) -> Rule:
    return Rule(OPERATIONS.get(operation, operation), does, times, skip)


def cases() -> Iterator[Case]:
    yield from _killed()
    yield from _network()
    yield from _answers()
    yield from _here()


def _killed() -> Iterator[Case]:
    for moment in ("before", "after", "replied"):
        for operation, skip in (("init", 5), ("put-part", 5), ("finalise", 5), ("complete", 0)):
            what = f"killed at {operation}, {moment}; again"
            yield Case("A1", what, rules=(on(operation, act.kill(moment), skip=skip),), runs=2)
        for mode in ("replace", "append"):
            rule = on("annotation-batch", act.kill(moment), skip=1)
            what = f"killed at a batch of annotations, {moment} ({mode}); again"
            yield Case("A4", what, "annotations", (rule,), runs=2, annotations=mode, count=2_500)
        yield Case(
            "A3", f"killed at a file, {moment}; again", "download", (on("get-file", act.kill(moment), 1, 5),), runs=2
        )
    yield Case("A10", "a finished upload again", runs=2, most=20)


def _network() -> Iterator[Case]:
    for status in (429, 503):
        for operation in ("init", "annotation-batch", "item-page"):
            rule = on(operation, act.answer(status, Retry_After="1"), 3)
            yield Case("B1", f"{status} three times, Retry-After 1: {operation}", job_of(operation), (rule,))
    for operation in OPERATIONS:
        job = job_of(operation)
        yield Case("B2", f"503 twice: {operation}", job, (on(operation, act.answer(503), 2),))
        yield Case(
            "B2", f"reset, then 503: {operation}", job, (on(operation, act.reset()), on(operation, act.answer(503)))
        )
    for operation in ("put-part", "init"):
        rule = on(operation, act.answer(403, "<Error><Code>AccessDenied</Code></Error>"), ALWAYS)
        yield Case("B2", f"403 for good: {operation}", rules=(rule,), end="told", missing=12, most=100)
    for operation in ("init", "finalise", "complete", "create-collection", "label-references"):
        yield Case("B3", f"done, answer lost: {operation}", job_of(operation), (on(operation, act.drop()),))
    for mode in ("replace", "append"):
        rule = on("annotation-batch", act.drop())
        yield Case("B3", f"done, answer lost: annotation-batch ({mode})", "annotations", (rule,), annotations=mode)
    for at in (1, 0.5):
        yield Case("B4", f"reset after {at} of a file that is sent", rules=(on("put-part", act.reset("mid", at=at)),))
    for framing in ("length", "chunked"):
        yield Case(
            "B5", f"a file cut in the middle ({framing})", "download", (on("get-file", act.cut(0.5, framing=framing)),)
        )
    for what, does in (
        ("wrong bytes", act.wrong_bytes()),
        ("a page instead of a file", act.html()),
        ("an error instead of a file", act.answer(500, "<Error><Code>InternalError</Code></Error>")),
        ("nothing instead of a file", act.answer(200, "")),
    ):
        yield Case("B6", what, "download", (on("get-file", does),))
        yield Case("B6", f"{what}, for good", "download", (on("get-file", does, ALWAYS),), end="told", missing=12)
    for operation in ("create-collection", "init", "put-part", "annotation-batch", "get-file"):
        yield Case("B8", f"silence: {operation}", job_of(operation), (on(operation, act.hang(1_000)),))
    for storage, body in (
        ("AWS_S3", "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"),
        ("GCP", "<Error><Code>ExpiredToken</Code></Error>"),
        ("AZURE", "<Error><Code>AuthenticationFailed</Code></Error>"),
    ):
        rule = on("put-part", act.answer(403, body), skip=3)
        yield Case("B9", f"an address expires ({storage})", rules=(rule,), storage=storage)
    yield Case("B9", "an address expires, of a file", "download", (on("get-file", act.answer(403, body), skip=3),))
    yield Case("B10", "the service closes after each answer", close_after=1)
    yield Case("B13", "everything is down for a while", rules=(Rule("", act.reset(), 15, 20),))


def _answers() -> Iterator[Case]:
    for operation in ANSWERING:
        job, lost = job_of(operation), 12 if job_of(operation) == "files" else 0
        for id, what, does in (
            ("C1", "200 and isSuccess false", act.no()),
            ("C2", "a page instead of JSON", act.html()),
        ):
            rule = on(operation, does, ALWAYS)
            yield Case(id, f"{what}, for good: {operation}", job, (rule,), end="told", missing=lost)
    yield Case(
        "C1", "isSuccess false for three files of twelve", rules=(on("finalise", act.no(), 3),), end="told", missing=3
    )
    yield Case("C4", "a label is missing at the service", "annotations", spoil=_no_label, end="told")
    rule = Rule("client/", act.answer(401), ALWAYS, 20)
    yield Case("C5", "401 in the middle", rules=(rule,), end="told", missing=12, most=70)
    rule = on("annotation-batch", act.answer(413))
    yield Case("C6", "413: a batch is too large", "annotations", (rule,), count=1_000)
    yield Case("C7", "a file that was removed there", spoil=_removed, end="told", missing=1)
    rule = on("item-page", act.answer(500), 2, skip=1)
    yield Case("C8", "a page that fails twice", "download", (rule,), count=1_100)
    rule = on("item-page", act.answer(500), ALWAYS, skip=1)
    yield Case("C8", "a page that fails for good", "download", (rule,), end="told", count=1_100, missing=1_100)
    yield Case(
        "C10", "the last call fails for good", rules=(on("complete", act.answer(500), ALWAYS),), end="told", missing=12
    )
    yield Case("C12", "a storage nobody knows", spoil=_other_storage, end="told", missing=12)


def _here() -> Iterator[Case]:
    yield Case("D2", "files may not be larger than 1 kB", "download", end="told", missing=12, file_limit=1_024)
    yield Case("D4", "a dangling link and a folder named like a picture", spoil=_odd_files, end="told")
    yield Case("D8", "names that lead out of the folder", "download", spoil=_hostile, end="told", missing=2)
    yield Case("E1", "two runs at once", at_once=True, runs=2)


def _no_label(rig: Faultd, folder: Path) -> None:
    rig.lake.unknown_labels.add("Car")


def _removed(rig: Faultd, folder: Path) -> None:
    rig.lake.removed.add("Demo_0003.png")


def _other_storage(rig: Faultd, folder: Path) -> None:
    rig.lake.word = "TAPE"


def _odd_files(rig: Faultd, folder: Path) -> None:
    (folder / "pictures" / "gone.png").symlink_to("nowhere.png")
    (folder / "pictures" / "folder.png").mkdir()


def _hostile(rig: Faultd, folder: Path) -> None:
    rig.lake.add("../../../evil.png", b"evil")
    rig.lake.add("../../evil.png", b"evil")
