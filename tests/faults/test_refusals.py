"""What the server says in the middle of things: 401 (C5), names that clash (C7), jobs and uploads that do not end
(C9, C10), clocks that differ (C11), words that nobody knows (C12).
"""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.results import UploadReport
from annolake.metalake_io.transfer.redaction import basic
from annolake.schemas.errors import UsageError

from ..metalake_io.clock import FakeClock
from . import actions as act
from .desk import Connect
from .faultd import Faultd
from .oracle import Inputs, check
from .typed import BOX, PICTURES, Typed, drawn

PUSH = ("push", "lake.json", "--images", "pictures", "--collection", "Demo", "--operation", "op", "--json")
UPLOAD = ("upload", "files", "pictures", "--collection", "Demo", "--json")
OTHER_KEY, OTHER_SECRET = "key_of_tomorrow", "secret_of_tomorrow"
DATA = {"json_data_file_path": "lake.json", "operation_unique_id": "op"}


@pytest.mark.parametrize("calls", [4, 30, 90, 127])
def test_c5_401_on_the_way(
    rig: Faultd, typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, calls: int
) -> None:
    """Among 40 files and their annotations: it stops at once, and goes on with a new key where it was."""
    names = [f"{number:02}.png" for number in range(40)]
    for old in PICTURES:
        Path("pictures", old).unlink()
    for number, name in enumerate(names):
        Image.new("RGB", (8 + number, 8)).save(Path("pictures", name))
    Path("lake.json").write_text(json.dumps({"images": [{"image": name, "annotations": [BOX]} for name in names]}))
    wanted = Inputs(
        {f"Demo_{name}": Path("pictures", name).read_bytes() for name in names},
        {(f"Demo_{name}", "op"): 1 for name in names},
    )
    workers = 8
    rig.modes.latency = 0.01
    withdrawn = rig.rule("/datalake/api/", act.answer(401), skip=calls, times=1 << 30)
    done = typed(*PUSH, "--at-once", workers)
    ended = time.monotonic()
    first = next(one for one in rig.log if one.status == 401)
    assert done.exit_code == 5, done.stderr
    assert ended - first.end <= 2
    assert len([one for one in rig.log if one.begin > first.end]) <= workers
    assert check(rig.lake, wanted).harmless
    rig.settle()
    there = {one.name for one in rig.lake.objects}
    before = len(rig.log)

    withdrawn.times = 0
    rig.lake.authorization = basic(OTHER_KEY, OTHER_SECRET)
    monkeypatch.setenv("METALAKE_API_KEY", OTHER_KEY)
    monkeypatch.setenv("METALAKE_SECRET", OTHER_SECRET)
    again = typed(*PUSH)
    assert again.exit_code == 0, again.stderr
    verdict = check(rig.lake, wanted, json.loads(again.stdout))
    assert verdict.clean, verdict
    assert [one.target for one in rig.log[before:] if one.method == "PUT" and _name(one.target) in there] == []


def _name(target: str) -> str:
    return "Demo_" + target.partition("?")[0].rpartition("/")[2]


def again_and_again(typed: Typed, *words: Any) -> list[tuple[int, dict[str, Any]]]:
    """Twice the same; the rows by name, the exit code before them."""
    runs = [typed(*words) for _ in range(2)]
    return [(run.exit_code, {one["name"]: one for one in json.loads(run.stdout).get("items", [])}) for run in runs]


def test_c7_a_name_that_the_collection_has_already(rig: Faultd, typed: Typed, tmp_path: Path) -> None:
    rig.lake.add("Demo_p0.png", b"somebody else's")
    for code, rows in again_and_again(typed, *UPLOAD):
        assert (code, rows["p0.png"]["state"], rows["p0.png"]["verified_by"]) == (0, "skipped", "none")
        assert "its content was not compared" in rows["p0.png"]["reason"]
    assert rig.lake.content("Demo_p0.png") == b"somebody else's"
    assert rig.asked("PUT .*p0.png") == []
    assert check(rig.lake, Inputs({**drawn(tmp_path).files, "Demo_p0.png": b"somebody else's"})).clean


def test_c7_a_file_that_was_removed(rig: Faultd, typed: Typed, tmp_path: Path) -> None:
    rig.lake.removed = {"Demo_p1.png"}
    for code, rows in again_and_again(typed, *UPLOAD):
        assert (code, rows["p1.png"]["state"], rows["p1.png"]["retry_helps"]) == (6, "failed", False)
        assert "does not take it again" in rows["p1.png"]["reason"]
    assert rig.asked("PUT .*p1.png") == []
    wanted = {name: content for name, content in drawn(tmp_path).files.items() if name != "Demo_p1.png"}
    assert check(rig.lake, Inputs(wanted)).clean


def test_c7_a_name_twice_in_a_list(rig: Faultd, typed: Typed, tmp_path: Path) -> None:
    for name in PICTURES:
        rig.lake.add(f"Demo_{name}", name.encode())
    rig.rule("item-page", act.changed("/data/resourceArray/1/fileName", "Demo_p0.png"), times=2)
    for run in range(2):
        done = typed("download", "collection", "c1", tmp_path / "out", "--json")
        rows = [(one["name"], one["state"]) for one in json.loads(done.stdout)["items"]]
        assert (done.exit_code, rows.count(("Demo_p0.png", "failed"))) == (6, 1)
        assert rows.count(("Demo_p0.png", ["downloaded", "skipped"][run])) == 1
        assert "two files of this name" in done.stderr
        assert (tmp_path / "out" / "Demo" / "data" / "Demo_p0.png").read_bytes() == b"p0.png"


def test_c7_two_pictures_that_would_have_one_name(rig: Faultd, typed: Typed) -> None:
    Path("pictures", "park").mkdir()
    for name in ("park/a.png", "park_a.png"):
        Image.new("RGB", (8, 8)).save(Path("pictures", name))
    images = [{"image": name, "annotations": [BOX]} for name in ("park/a.png", "park_a.png")]
    Path("lake.json").write_text(json.dumps({"images": images}))
    for code, _ in again_and_again(typed, *PUSH):
        assert code == 4
    assert rig.log == []


def test_c9_a_job_that_fails(rig: Faultd, typed: Typed) -> None:
    rig.lake.job_states = [1, 4]
    done = typed("jobs", "wait", "j1", "--json")
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (7, "FAILED")
    push = typed(*PUSH)
    told = json.loads(push.stdout)
    assert (push.exit_code, rig.lake.annotations) == (6, {})
    assert {one["state"] for one in told["items"]} == {"uploaded"}
    assert {(one["state"], one["reason"]) for one in told["annotations"]["items"]} == {
        ("failed", "the service failed to process the files; not sent")
    }


def test_c9_a_job_that_never_ends(
    rig: Faultd, connected: Connect, clock: FakeClock, typed: Typed, tmp_path: Path
) -> None:
    """Given up after an hour; the files are there, and the next run sends what belongs to them."""
    rig.lake.job_states = [1]
    assert typed("jobs", "wait", "j1", "--deadline", "0.5").exit_code == 8
    with pytest.raises(NetworkGaveUp) as caught:
        connected().files.run(Path("pictures"), "image", "Demo", annotation_data=AnnotationData.of(DATA))
    assert (caught.value.code, caught.value.exit_code) == ("job-unfinished", 8)
    assert 3500 <= clock.passed <= 3600
    report = caught.value.report
    assert isinstance(report, UploadReport) and report.annotations is not None
    assert {one.state for one in report.items} == {"uploaded"}
    assert {one.state for one in report.annotations.items} == {"not begun"}
    rig.lake.job_states = [2]
    assert connected().files.run(Path("pictures"), "image", "Demo", annotation_data=AnnotationData.of(DATA)).is_success
    assert check(rig.lake, drawn(tmp_path)).clean


@pytest.mark.parametrize("fault", [act.answer(500), act.reset("before"), act.drop()])
def test_c10_an_upload_that_cannot_be_closed(
    rig: Faultd, connected: Connect, typed: Typed, tmp_path: Path, fault: act.Act
) -> None:
    journal = tmp_path / "state" / "demo.sqlite"
    rule = rig.rule("complete", fault, times=1 << 30)
    with pytest.raises(NetworkGaveUp) as caught:
        connected().files.run(Path("pictures"), "image", "Demo", journal=journal)
    assert caught.value.exit_code == 8
    assert 8 <= len(rig.asked("complete")) <= 30
    report = caught.value.report
    assert isinstance(report, UploadReport)
    assert ([one.state for one in report.items], report.is_success) == (["uploaded"] * 4, False)
    rule.times = 2
    assert connected().files.run(Path("pictures"), "image", "Demo", journal=journal).is_success
    assert [upload.completed > 0 for upload in rig.lake.sending.begun.values()] == [True]
    assert check(rig.lake, Inputs(drawn(tmp_path).files)).clean


@pytest.mark.parametrize("hours", [-24, 24])
def test_c11_a_server_in_another_day(
    rig: Faultd, connected: Connect, clock: FakeClock, typed: Typed, tmp_path: Path, hours: int
) -> None:
    """A date to wait for is measured by the server's own."""
    there = clock.time() + hours * 3600
    date, later = (formatdate(when, usegmt=True) for when in (there, there + 20))
    rig.rule("init", act.answer(503, Date=date, Retry_After=later))
    assert connected(at_once=1).files.run(Path("pictures"), "image", "Demo").is_success
    assert 20 <= clock.passed <= 26


class Jumping(FakeClock):
    """Somebody sets it whenever it is looked at."""

    def __init__(self, jump: float) -> None:
        super().__init__()
        self._jump = jump

    def time(self) -> float:
        self.now += self._jump
        return super().time()


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_c11_our_clock_jumps(rig: Faultd, connected: Connect, typed: Typed, tmp_path: Path, jump: float) -> None:
    """Waiting is not measured by the time of day."""
    clock = Jumping(jump)
    rig.rule("", act.answer(503, Retry_After="2"), skip=5, times=3)
    rig.lake.job_states = [1, 1, 3, 2]
    run = connected(clock=clock, at_once=1).files.run
    assert run(Path("pictures"), "image", "Demo", annotation_data=AnnotationData.of(DATA)).is_success
    assert 3 * 2 + 7 <= clock.passed <= 3 * 3 + 7
    assert check(rig.lake, drawn(tmp_path)).clean


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (86400, "your clock is off by 24 h 0 min, it is behind"),
        (-5400, "your clock is off by 1 h 30 min, it is ahead"),
        (30, "your clock is right, the service's is off"),
    ],
)
def test_c11_a_storage_that_minds_the_time(
    rig: Faultd, connected: Connect, clock: FakeClock, typed: Typed, seconds: int, said: str
) -> None:
    xml = "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"
    date = formatdate(clock.time() + seconds, usegmt=True)
    rig.rule("put-part", act.answer(403, xml, Date=date), times=1 << 30)
    report = connected().files.run(Path("pictures"), "image", "Demo")
    assert {one.state for one in report.items} == {"failed"}
    assert all(said in (one.reason or "") for one in report.items)
    assert len(rig.asked("put-part")) == 2 * len(PICTURES)


@pytest.mark.parametrize("word", ["OSS", "", "aws_S3"])
def test_c12_a_storage_that_nobody_knows(rig: Faultd, typed: Typed, word: str) -> None:
    rig.lake.word = word
    done = typed(*UPLOAD)
    assert done.exit_code == 7
    assert f"keeps its files in {word!r}" in done.stderr
    assert rig.asked("(PUT|init)") == [] == rig.lake.objects
    assert {one["state"] for one in json.loads(done.stdout)["items"]} == {"not begun"}


@pytest.mark.parametrize("flags", [{"is_model_run": 3}, {"is_model_run": "human"}, {"operationMode": 2}])
def test_c12_a_mode_that_nobody_knows(rig: Faultd, connected: Connect, typed: Typed, flags: dict[str, Any]) -> None:
    client = connected()
    with pytest.raises(UsageError):
        client.upload_files_to_collection("pictures", "image", "Demo", annotation_data=DATA | flags)
    assert len(rig.log) == 1
    assert typed(*PUSH, "--operation-mode", "3").exit_code == 2
