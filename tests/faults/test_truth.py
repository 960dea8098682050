"""What is reported is what the service holds: exit 0 if and only if all is there; and a dry run's word is kept."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from . import actions as act
from .faultd import Faultd
from .here import ANNOTATE, NAMES, PUSH, UPLOAD, Run
from .oracle import Inputs, check
from .torture import of_all


def inputs(*, shapes: bool = False) -> Inputs:
    files = {f"Demo_{name}": Path("pictures", name).read_bytes() for name in NAMES}
    return Inputs(files, {(f"Demo_{name}", "op"): n % 3 for n, name in enumerate(NAMES)} if shapes else {})


FAULTS = {
    "refused": act.answer(400),
    "broken": act.answer(500),
    "no": act.no(),
    "reset": act.reset(),
    "done but lost": act.drop(),
    "nonsense": act.html(),
    "forbidden": act.answer(403),
    "unknown": act.answer(401),
}
STEPS = ("create-collection", "init", "presign", "put-part", "finalise", "complete")


EVERY = [(step, fault, times) for step in STEPS for fault in FAULTS for times in (1, 999)]


@pytest.mark.parametrize(("step", "fault", "times"), of_all(random.Random(3).sample(EVERY, 32), EVERY))
def test_i1_files(run: Run, rig: Faultd, step: str, fault: str, times: int) -> None:
    """A fault that comes once, and one that stays, at every step from the third request on."""
    rig.rule(step, FAULTS[fault], skip=0 if step in ("create-collection", "complete") else 2, times=times)
    done = run(*UPLOAD, "--json")
    document = json.loads(done.stdout)
    verdict = check(rig.lake, inputs(), document)
    assert verdict.harmless, verdict
    closed = [upload.completed > 0 for upload in rig.lake.sending.begun.values()][-1:] == [True]
    never_heard_of = (step, fault, times) == ("complete", "done but lost", 999)
    assert (done.exit_code == 0) == (verdict.clean and closed and not never_heard_of), (done.exit_code, verdict)
    counts = {state: sum(item["state"] == state for item in document["items"]) for state in document["summary"]}
    assert document["summary"] == counts
    rig.rules.clear()
    again = run(*UPLOAD, "--json")
    assert again.exit_code == 0, again.stderr
    verdict = check(rig.lake, inputs(), json.loads(again.stdout))
    assert verdict.clean, verdict


ANNOTATING = [
    (step, fault, times) for step in ("label-references", "annotation-batch") for fault in FAULTS for times in (1, 999)
]


@pytest.mark.parametrize(("step", "fault", "times"), of_all(random.Random(4).sample(ANNOTATING, 10), ANNOTATING))
def test_i1_annotations(run: Run, rig: Faultd, step: str, fault: str, times: int) -> None:
    for name in NAMES:
        rig.lake.add(f"Demo_{name}", Path("pictures", name).read_bytes())
    rig.rule(step, FAULTS[fault], times=times)
    done = run(*ANNOTATE, "--json")
    document = json.loads(done.stdout)
    verdict = check(rig.lake, inputs(shapes=True))
    if "items" in document:
        told = check(rig.lake, Inputs(annotations=inputs(shapes=True).annotations), document)
        assert told.misreported == [], told
    assert verdict.harmless, verdict
    assert (done.exit_code == 0) == verdict.clean, (done.exit_code, verdict)
    rig.rules.clear()
    assert run(*ANNOTATE, "--json").exit_code == 0
    verdict = check(rig.lake, inputs(shapes=True))
    assert verdict.clean, verdict


WRITING = "POST|PUT|DELETE|PATCH"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (UPLOAD, None),
        (("upload", "files", "pictures/0.png", "--collection", "Demo"), None),
        (ANNOTATE, None),
        (("upload", "metadata", "meta.json", "--collection", "Demo"), None),
        (("upload", "metadata", "fields.json", "--collection", "Demo", "--whole", "all"), None),
        (PUSH, None),
        (PUSH, "annotations"),
    ],
)
def test_i4_a_dry_run_sends_nothing_and_keeps_its_word(
    run: Run, rig: Faultd, words: tuple[str, ...], part: str | None
) -> None:
    Path("pictures", "notes.txt").write_text("no picture")
    Path("pictures", "lost.png").symlink_to("nowhere")
    entries = [{"file": name, "metadata": {"Camera": "1"}} for name in NAMES]
    Path("meta.json").write_text(json.dumps({"files": entries}))
    Path("fields.json").write_text(json.dumps({"Camera": "1"}))
    if words[0:2] != ("upload", "files"):
        Path("pictures", "lost.png").unlink()
    if words[1:2] in (("annotations",), ("metadata",)):
        for name in NAMES:
            rig.lake.add(f"Demo_{name}", Path("pictures", name).read_bytes())
    dry = run(*words, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.stderr
    assert rig.log == []
    done = run(*words, "--json")

    def rows(result: Result) -> dict[str, Any]:
        document: Any = json.loads(result.stdout)
        items: Any = (document if part is None else document[part])["items"]
        states = {"planned": "uploaded"}
        why = {item["name"]: item["reason"] if item["name"] == "lost.png" else "" for item in items}
        return {item["name"]: (states.get(item["state"], item["state"]), why[item["name"]]) for item in items}

    assert rows(dry) == rows(done)
