"""What the server says: refusals in a 200 (C1), and answers that make no sense (C2), at every operation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.errors import ProtocolError
from annolake.schemas.errors import AnnolakeError

from . import actions as act
from .desk import Connect
from .faultd import OPERATIONS, Faultd
from .oracle import check
from .typed import PICTURES, Typed, drawn

PUSH = ("push", "lake.json", "--images", "pictures", "--collection", "Demo", "--operation", "op", "--json")
NO = "the lake is being cleaned"


@pytest.mark.parametrize(
    ("operation", "code", "uploaded"),
    [
        ("version-check", 7, 0),
        ("create-collection", 7, 0),
        ("init", 6, 3),
        ("presign", 6, 3),
        ("finalise", 6, 3),
        ("complete", 6, 4),
        ("label-references", 7, 0),
        ("annotation-batch", 6, 4),
    ],
)
def test_c1_a_200_that_says_no(
    rig: Faultd, typed: Typed, tmp_path: Path, operation: str, code: int, uploaded: int
) -> None:
    """The operation failed, its message is shown, and nothing that it should have done is counted as done."""
    rig.rule(operation, act.no(NO))
    done = typed(*PUSH)
    told = json.loads(done.stdout)
    assert (done.exit_code, NO in done.stderr, NO in done.stdout) == (code, True, True)
    states = [one["state"] for one in told.get("items", [])]
    assert states.count("uploaded") == uploaded == len(rig.lake.objects)
    verdict = check(rig.lake, drawn(tmp_path))
    assert verdict.harmless, verdict
    annotated = [one["state"] for one in told.get("annotations", {}).get("items", [])]
    assert annotated.count("uploaded") == len(rig.lake.annotations)
    if operation in ("version-check", "label-references"):
        assert rig.asked("(create-collection|init|PUT)") == []
    assert typed(*PUSH).exit_code == 0
    assert check(rig.lake, drawn(tmp_path)).clean


FINE = ""
"""Expected where the answer will do; else the words that the error has, and the operation's name before them."""

Shape = dict[str, tuple[act.Act, str]]


def shapes(name: str, **other: tuple[act.Act, str]) -> Shape:
    """The six answers of an operation, and what is said to them."""
    usual: Shape = {
        "204": (act.answer(204), f"{name}: the answer is empty"),
        "empty": (act.answer(200, ""), f"{name}: the answer is empty"),
        "not JSON": (act.html(), f"{name}: the answer is not JSON"),
        "one more": (act.changed("/surprise", [1, {"a": None}]), FINE),
    }
    return usual | {key.replace("_", " "): value for key, value in other.items()}


def order(name: str, said: str = "`isSuccess` is neither true nor false") -> Shape:
    """The service need say no more than yes: nothing at all is a yes, and nobody knows a key that must be there."""
    return shapes(name) | {
        "204": (act.answer(204, processed=True), FINE),
        "empty": (act.answer(200, "", processed=True), FINE),
        "missing": (act.answer(200, {}, processed=True), FINE),
        "wrong type": (act.answer(200, {"isSuccess": 5}), f"{name}: {said}"),
    }


ANSWERS: dict[str, Shape] = {
    "version-check": shapes(
        "connect to .*",
        missing=(act.lacking("/isCompatible"), "connect to .*: .*isCompatible"),
        wrong_type=(act.changed("/isCompatible", "perhaps"), "connect to .*: .*isCompatible"),
    ),
    "create-collection": shapes(
        "begin the upload",
        missing=(act.lacking("/uploadId"), "begin the upload: .*uploadId"),
        wrong_type=(act.changed("/storageType", 5), "begin the upload: .*storageType"),
    ),
    "init": shapes(
        "begin 'p0.png'",
        missing=(act.lacking("/fileKey"), "begin 'p0.png': .*fileKey"),
        wrong_type=(act.changed("/isExisting", "no"), "begin 'p0.png': .*isExisting"),
    ),
    "presign": shapes(
        "addresses for 'p0.png'",
        missing=(act.lacking("/parts/0/signedUrl"), "addresses for 'p0.png': .*signedUrl"),
        wrong_type=(act.changed("/parts", {"1": "http"}), "addresses for 'p0.png': .*parts"),
    ),
    "finalise": order("finalise 'p0.png'"),
    "complete": order("complete the upload")
    | {
        "wrong type": (act.answer(200, {"uploadedFileList": 5}), "complete the upload: .*uploadedFileList"),
        "one more": (act.answer(200, {"surprise": 1}, processed=True), FINE),
    },
    "label-references": shapes(
        "look up labels",
        missing=(act.lacking("/Car/ref"), "look up labels: .*ref"),
        wrong_type=(act.changed("/Car/ref", 5), "look up labels: .*ref"),
    )
    | {"204": (act.answer(204), r"no key for 1 labels.* Car \(4"), "empty": (act.answer(200, ""), "no key .* Car")},
    "annotation-batch": order("send annotations"),
    "item-page": shapes(
        "page 0 of the collection",
        missing=(act.lacking("/data/nextPage"), "page 0 of the collection: .*nextPage"),
        wrong_type=(act.changed("/data/resourceArray/0/fileName", 5), "page 0 of the collection: .*fileName"),
    ),
    "put-part": {
        "204": (act.answer(204), "part 1 .*204"),
        "empty": (act.answer(200, ""), "no ETag"),
        "not JSON": (act.html(), "no ETag"),
        "missing": (act.Act("pass", headers={"ETag": ""}), "no ETag"),
        "wrong type": (act.Act("pass", headers={"ETag": '"' + "0" * 32 + '"'}), "part 1 arrives damaged"),
        "one more": (act.Act("pass", headers={"X-Surprise": "1"}), FINE),
    },
    "get-file": {
        "204": (act.answer(204), "download 'Demo_p0.png': nothing came"),
        "not JSON": (act.html(), "download 'Demo_p0.png': text/html comes instead"),
        "missing": (act.framed("close"), FINE),
        "wrong type": (
            act.other_body("{}", Content_Type="application/json"),
            "download 'Demo_p0.png': application/json",
        ),
        "one more": (act.Act("pass", headers={"X-Surprise": "1"}), FINE),
    },
}
CASES = [(operation, shape, *ANSWERS[operation][shape]) for operation in ANSWERS for shape in ANSWERS[operation]]


@pytest.mark.parametrize(("operation", "shape", "answer", "said"), CASES, ids=[f"{one[0]}-{one[1]}" for one in CASES])
def test_c2_answers_that_make_no_sense(
    rig: Faultd,
    connected: Connect,
    typed: Typed,
    tmp_path: Path,
    operation: str,
    shape: str,
    answer: act.Act,
    said: str,
) -> None:
    """An error that names operation and field; what more there is does not matter; no other exception comes out."""
    rig.rule(operation, answer, times=99)
    down = operation in ("item-page", "get-file")
    if down:
        for name in PICTURES:
            rig.lake.add(f"Demo_{name}", name.encode())
    told = outcome(lambda: connected(at_once=1), tmp_path, down=down)
    if said == FINE:
        assert told == ""
    else:
        assert re.search(said, told), told
    if not down:
        verdict = check(rig.lake, drawn(tmp_path))
        assert verdict.clean if said == FINE else verdict.harmless, verdict
    assert rig.asked(operation)


def outcome(client: Callable[[], MetaLakeClient], folder: Path, *, down: bool) -> str:
    """What is said of it; nothing where all went well."""
    try:
        if down:
            report = client().downloads.collection("c1", folder / "out")
        else:
            data = AnnotationData.of({"json_data_file_path": "lake.json", "operation_unique_id": "op"})
            report = client().files.run(folder / "pictures", "image", "Demo", annotation_data=data)
    except AnnolakeError as error:
        assert isinstance(error, ProtocolError) or error.code == "unknown-label"
        return error.message
    if report.complete and getattr(report, "is_success", True):
        return ""
    return "\n".join([*report.notes, *(item.reason or "" for part in report.parts().values() for item in part.items)])


def test_c2_all_operations_have_their_six() -> None:
    kinds = {"204", "empty", "not JSON", "missing", "wrong type", "one more"}
    lacking = {(name, kind) for name in OPERATIONS for kind in kinds - set(ANSWERS[name])}
    assert lacking == {("get-file", "empty")}, "no bytes instead of a file: see B6"


@pytest.mark.parametrize("answer", [act.html(), act.answer(200, []), act.answer(200, {"isSuccess": 5})])
@pytest.mark.parametrize("operation", ["finalise", "annotation-batch"])
def test_c2_what_was_done_although_the_answer_makes_no_sense(
    rig: Faultd, typed: Typed, tmp_path: Path, operation: str, answer: act.Act
) -> None:
    """The service is asked whether it has it."""
    rig.rule(operation, structs.replace(answer, processed=True), times=99)
    done = typed(*PUSH)
    assert done.exit_code == 0, done.stderr
    verdict = check(rig.lake, drawn(tmp_path), json.loads(done.stdout))
    assert verdict.clean, verdict


@pytest.mark.parametrize("label", ["error", "isSuccess", "message", "images"])
def test_c2_labels_with_the_names_of_members(rig: Faultd, typed: Typed, tmp_path: Path, label: str) -> None:
    """The answer with the keys of labels has the labels as its members."""
    Path("lake.json").write_text(Path("lake.json").read_text().replace('"Car"', json.dumps(label)))
    assert typed(*PUSH).exit_code == 0
    assert check(rig.lake, drawn(tmp_path)).clean
