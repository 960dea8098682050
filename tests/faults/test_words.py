"""What an error says: what was done, to which thing, where, how the service answered, and what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from . import actions as act
from .faultd import Faultd
from .here import ANNOTATE, NAMES, PUSH, UPLOAD, Run


class Case(NamedTuple):
    """`words` are typed after `arrange`; `exit_code` comes, and everything in `said` stands on the screen."""

    arrange: Callable[[Faultd], object]
    words: tuple[str, ...]
    exit_code: int
    said: tuple[str, ...]


BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}


def nothing(_: Faultd) -> None:
    pass


def fault(step: str, what: act.Act, *, skip: int = 0, times: int = 999) -> Callable[[Faultd], object]:
    return lambda rig: rig.rule(step, what, skip=skip, times=times)


def written(text: str) -> Callable[[Faultd], object]:
    return lambda _: Path("lake.json").write_text(text)


def images(**changes: object) -> Callable[[Faultd], object]:
    return written(json.dumps({"images": [{"image": "0.png", "annotations": [{**BOX, **changes}]}]}, indent=1))


def there(rig: Faultd) -> None:
    for name in NAMES:
        rig.lake.add(f"Demo_{name}", b"there")


def there_and(more: Callable[[Faultd], object]) -> Callable[[Faultd], object]:
    return lambda rig: (there(rig), more(rig))


def refused(status: int, message: str) -> act.Act:
    return act.answer(status, {"error": {"statusCode": status, "message": message}}, x_request_id="r-17")


CASES = {
    # Before anything is sent
    "no path": Case(nothing, ("upload", "files", "no where", "--collection", "D"), 2, ("no where", "check the path")),
    "no pictures": Case(
        lambda _: Path("docs").mkdir(), ("upload", "files", "docs", "--collection", "D"), 4,
        ("no image file to upload", "at: docs", "images end with jpg, jpeg, png"),
    ),
    "no name": Case(nothing, (*UPLOAD[:-1], ""), 2, ("the name of the collection is empty", "hint: ")),
    "broken JSON": Case(
        written('{"images": [\n{"image": "a.png", }]}'), ANNOTATE, 4, ("at: lake.json:2:20", "hint: "),
    ),
    "an unknown shape": Case(
        images(type="circle"), ANNOTATE, 4, ("lake.json:7:14", 'image "0.png", annotation 1', "circle", "rectangle"),
    ),
    "a box of three": Case(
        images(bbox=[1, 2, 3]), ANNOTATE, 4,
        ("lake.json:8:14", 'image "0.png", annotation 1', "must have 4: x, y, width, height"),
    ),
    "a negative width": Case(images(bbox=[1, 2, -3, 4]), ANNOTATE, 4, ("lake.json", "0.png", "width")),
    "a picture that is missing": Case(
        lambda _: Path("pictures/3.png").unlink(), PUSH, 4, ("there is no such picture", "3.png", "--only-images"),
    ),
    "no address": Case(lambda _: os.environ.pop("METALAKE_URL"), UPLOAD, 2, ("which service?", "annolake login")),
    "no key": Case(lambda _: os.environ.pop("METALAKE_SECRET"), UPLOAD, 2, ("key and secret", "METALAKE_SECRET")),
    "no encryption": Case(nothing, (*UPLOAD, "--url", "http://lake.example"), 2, ("lake.example", "--insecure-http")),
    "two ways": Case(nothing, (*ANNOTATE, "--unique-name"), 2, ("how does the file name them?", "give one of --coll")),
    # The connection
    "an unknown key": Case(
        fault("version-check", refused(401, "no such key")), UPLOAD, 5,
        ("does not know this key and secret", "no such key", "answer: status 401", "check the API key"),
    ),
    "not a MetaLake": Case(fault("version-check", act.html()), UPLOAD, 7, ("connect to http://127", "status 200")),
    "out of order": Case(
        fault("create-collection", act.answer(503)), UPLOAD, 8,
        ("begin the upload", "answer: status 503", "attempts", "check the address and the network", "to go on"),
    ),
    "a long pause": Case(
        fault("create-collection", act.answer(429, Retry_After="100000")), UPLOAD, 8,
        ("begin the upload", "100,000 seconds", "status 429"),
    ),
    # What the service says
    "no room": Case(
        fault("create-collection", refused(406, "no room")), UPLOAD, 7,
        ("begin the upload: no room", "answer: status 406, request r-17"),
    ),
    "an unknown storage": Case(
        fault("create-collection", act.answer(200, {
            "storageType": "FTP", "uploadId": "u", "collectionId": "c", "jobId": "j"
        }, processed=True)), UPLOAD, 7, ("'FTP'", "known are AWS_S3"),
    ),
    "a file refused": Case(
        fault("init", refused(406, "name taken"), skip=2, times=1), (*UPLOAD, "--at-once", "1"), 6,
        ("failed  2.png: name taken (status 406, request r-17)",),
    ),
    "a no with 200": Case(
        fault("init", act.no("quota reached"), times=1), (*UPLOAD, "--at-once", "1"), 6,
        ("failed  0.png: quota reached (status 200)",),
    ),
    "no sense": Case(
        fault("presign", act.html(), times=1), (*UPLOAD, "--at-once", "1"), 6,
        ("failed  0.png: addresses for '0.png': the answer is not JSON (status 200)",),
    ),
    "a key is missing": Case(
        fault("presign", act.answer(200, {"part": []}), times=1), (*UPLOAD, "--at-once", "1"), 6,
        ("failed  0.png: addresses for '0.png'", "`parts`"),
    ),
    "storage refuses": Case(
        fault("put-part", act.answer(400, "<Code>InvalidDigest</Code>", x_amz_request_id="AB12"), times=1),
        (*UPLOAD, "--at-once", "1"), 6,
        ("failed  0.png: the storage refuses part 1 with status 400 (InvalidDigest)", "request AB12"),
    ),
    "storage is broken": Case(
        fault("put-part", act.answer(500)), (*UPLOAD, "--at-once", "1"), 6,
        ("failed  0.png: store part 1 of '0.png': the server answers 500", "status 500, 8 attempts", "to go on"),
    ),
    "not finalised": Case(
        fault("finalise", refused(400, "InvalidPart"), times=1), (*UPLOAD, "--at-once", "1"), 6,
        ("failed  0.png: InvalidPart (status 400, request r-17)",),
    ),
    "not completed": Case(
        fault("complete", refused(400, "not now")), UPLOAD, 6, ("complete the upload: not now", "to go on"),
    ),
    "no such collection": Case(
        lambda rig: rig.lake.names.clear(), ANNOTATE, 7,
        ("look up the collection 'Demo': Collection not found", "answer: status 406"),
    ),
    "an unknown label": Case(
        there_and(lambda rig: rig.lake.unknown_labels.add("Car")), ANNOTATE, 4,
        ("no key for 1 labels or attributes: Car", "lake.json", "create them in the service"),
    ),
    "a batch refused": Case(
        there_and(fault("annotation-batch", refused(400, "bad shape"))), ANNOTATE, 6,
        ("failed  0.png: bad shape (status 400, request r-17)", "and 1 more"),
    ),
    "too large": Case(
        there_and(fault("annotation-batch", refused(413, "too large"))), ANNOTATE, 6,
        ("failed  0.png: too large (status 413, request r-17)",),
    ),
    # This computer
    "a link to nowhere": Case(
        lambda _: Path("pictures/x.png").symlink_to("no"), UPLOAD, 6,
        ("failed  x.png: it cannot be read: No such file or directory",),
    ),
    "a pipe": Case(lambda _: os.mkfifo("pictures/x.png"), UPLOAD, 6, ("failed  x.png: no regular file",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_i3_an_error_says_all_that_helps(run: Run, rig: Faultd, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    case = CASES[name]
    monkeypatch.setenv("KEPT", "")  # so that what a case takes out of the environment comes back
    for variable in ("METALAKE_URL", "METALAKE_SECRET"):
        monkeypatch.setenv(variable, os.environ[variable])
    case.arrange(rig)
    done = run(*case.words)
    assert done.exit_code == case.exit_code, done.stderr
    missing = [fragment for fragment in case.said if fragment not in done.stderr]
    assert missing == [], done.stderr
    assert "Traceback" not in done.stderr
