"""Downloads that break off, lie, or come to an end only in the next run: never a wrong byte under the final name."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from annolake.metalake_io.crc32c import crc32c_of
from annolake.metalake_io.errors import PartlyDone
from annolake.metalake_io.landing import Landing
from annolake.metalake_io.partfiles import Leftovers
from annolake.metalake_io.results import DownloadReport, Verified
from annolake.metalake_io.transfer.clock import current_stop
from annolake.schemas.errors import LocalFailure

from ..metalake_io.trees import tree
from . import actions as act
from .desk import Connect
from .faultd import Faultd
from .lake import StorageType

NAME = "Demo_a.png"
CONTENT = random.Random(5).randbytes(150_000).hex().encode()
"""Letters, so that a rule can say them; longer than what is worth to be gone on with."""

OTHER = CONTENT[::-1]
FILE = f"Demo/data/{NAME}"

Get = Callable[[], DownloadReport]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def get(rig: Faultd, connected: Connect, out: Path) -> Get:
    """A new run each time."""
    rig.lake.add(NAME, CONTENT)
    return lambda: connected().downloads.collection("c1", out)


def interrupted(rig: Faultd, get: Get, last: act.Act | None = None, at: float = 0.5) -> None:
    """A run that gets a piece of the file, and then nothing more, or another answer."""
    cut, then = rig.rule("get-file", act.cut(at)), rig.rule("get-file", last or act.reset(), times=99)
    assert not get().complete
    cut.times = then.times = 0


def hidden(out: Path) -> list[str]:
    """What is left beside what was asked for."""
    return [path for path in tree(out) if path not in (FILE, "Demo/Demo.json")]


FRAMINGS: list[tuple[Any, bool]] = [("length", False), ("chunked", False), ("close", False), ("length", True)]


@pytest.mark.parametrize("at", [0, 1, 0.5, -1])
@pytest.mark.parametrize(("framing", "packed"), FRAMINGS)
def test_b5_a_download_that_breaks_off(rig: Faultd, get: Get, out: Path, framing: Any, packed: bool, at: float) -> None:
    rig.rule("get-file", act.cut(at, framing=framing, gzip=packed), times=2)
    report = get()
    assert [(item.state, item.verified_by) for item in report.items] == [("downloaded", "md5")]
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])
    went_on = any(entry.status == 206 for entry in rig.asked("get-file"))
    assert went_on is (at != 0 and not packed and framing != "close")


@pytest.mark.parametrize(("framing", "packed"), [*FRAMINGS, ("close", True)])
def test_b5_a_download_that_always_breaks_off(rig: Faultd, get: Get, out: Path, framing: Any, packed: bool) -> None:
    """Nothing tells its length or a hash, so only the framing, or the packing, can tell."""
    rig.lake.bucket.bare = True
    rig.rule("get-file", act.cut(0.5, framing=framing, gzip=packed), times=99)
    report = get()
    if (framing, packed) == ("close", False):  # nobody can know
        assert (report.complete, report.verified_by) == (True, "none")
        assert tree(out)[FILE] == CONTENT[: len(CONTENT) // 2]
        return
    assert [(item.state, item.retry_helps, item.attempts >= 8) for item in report.items] == [("failed", True, True)]
    assert list(tree(out)) == ["Demo/Demo.json"]


def test_b5_without_any_size_it_is_called_unverified(rig: Faultd, get: Get, out: Path) -> None:
    rig.lake.bucket.bare = True
    rig.rule("get-file", act.framed("close"), times=9)
    assert get().as_json()["verified_by"] == "none"
    rig.lake.objects[0].content = CONTENT[:-1] + b"!"
    report = get()
    assert [item.state for item in report.items] == ["downloaded"], "nothing is known of what is there"
    assert tree(out)[FILE][-1:] == b"!"


CRC = base64.b64encode(crc32c_of(io.BytesIO(b"other")).to_bytes(4, "big")).decode()
WRONG: dict[str, tuple[StorageType, act.Act, str]] = {
    "longer": ("AWS_S3", act.longer(10), "broke"),
    "shorter": ("AWS_S3", act.longer(-10), "not those that are stored|broke"),
    "other bytes, S3": ("AWS_S3", act.wrong_bytes(), "not those that are stored"),
    "other bytes, Google": ("GCP", act.wrong_bytes(), "not those that are stored"),
    "other bytes, Azure": ("AZURE", act.wrong_bytes(), "not those that are stored"),
    "other crc": ("AWS_S3", act.answer(200, CONTENT.decode(), x_goog_hash=f"crc32c={CRC}"), "not those that are"),
    "page": ("AWS_S3", act.html(), "text/html comes instead"),
    "error": ("AWS_S3", act.answer(200, "<Error/>", Content_Type="application/xml"), "application/xml comes instead"),
    "json": ("AWS_S3", act.answer(200, {"message": "no"}), "application/json comes instead"),
    "nothing": ("AWS_S3", act.Act("answer", processed=False, body="", framing="close"), "nothing came"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_b6_other_bytes(tmp_path: Path, connected: Connect, wrong: str) -> None:
    storage, fault, reason = WRONG[wrong]
    with Faultd(storage) as rig:
        rig.lake.add(NAME, CONTENT)
        rule = rig.rule("get-file", fault, times=99)
        report = connected(rig.url).downloads.collection("c1", tmp_path)
        rule.times = 0
        (item,) = report.items
        assert (item.state, item.retry_helps, item.attempts >= 8) == ("failed", True, True)
        assert any(one in (item.reason or "") for one in reason.split("|")), item.reason
        assert [path for path in tree(tmp_path) if not path.endswith(".part")] == ["Demo/Demo.json"]
        with pytest.raises(PartlyDone):
            report.raise_for_failures("files")
        assert connected(rig.url).downloads.collection("c1", tmp_path).complete
        assert tree(tmp_path)[FILE] == CONTENT


def lies(rig: Faultd) -> dict[str, act.Act]:
    """Answers to a request for the rest of the file."""
    rest = CONTENT[len(CONTENT) // 2 :].decode()
    etag, length = rig.lake.bucket.etag(CONTENT), len(CONTENT)
    other: dict[str, Any] = {"ETag": etag, "Content_Range": f"bytes 7-{6 + len(rest)}/{length}"}
    another: dict[str, Any] = {"ETag": '"another"', "Content_Range": f"bytes {length // 2}-{length - 1}/{length}"}
    return {
        "other start": act.answer(206, rest, **other),
        "whole": act.answer(200, CONTENT.decode(), ETag=etag, x_amz_request_id="1"),
        "416": act.answer(416, ""),
        "other etag": act.answer(206, rest, **another),
        "no range": act.answer(206, rest, ETag=etag),
        "no etag": act.answer(206, rest, Content_Range=another["Content_Range"]),
    }


@pytest.mark.parametrize("lie", ["other start", "whole", "416", "other etag", "no range", "no etag"])
def test_b7_a_storage_that_lies_about_ranges(rig: Faultd, get: Get, out: Path, lie: str) -> None:
    rig.rule("get-file", act.cut(0.5))
    rig.rule("get-file", lies(rig)[lie])
    report = get()
    assert [(item.state, item.verified_by) for item in report.items] == [("downloaded", "md5")]
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])
    assert len(rig.asked("get-file")) == (2 if lie == "whole" else 3)


@pytest.mark.parametrize("storage", get_args(StorageType))
def test_a_later_run_goes_on(tmp_path: Path, connected: Connect, storage: StorageType) -> None:
    with Faultd(storage) as rig:
        rig.lake.add(NAME, CONTENT)
        interrupted(rig, lambda: connected(rig.url).downloads.collection("c1", tmp_path))
        assert FILE not in tree(tmp_path)
        (item,) = connected(rig.url).downloads.collection("c1", tmp_path).items
        assert (item.state, item.verified_by, item.size) == ("downloaded", "md5", len(CONTENT))
        assert item.reason == f"{len(CONTENT) // 2 - 1:,} bytes of an earlier run were kept"
        assert rig.asked("get-file")[-1].status == 206
        assert (tree(tmp_path)[FILE], hidden(tmp_path)) == (CONTENT, [])


def test_a_later_run_of_another_state_begins_anew(rig: Faultd, get: Get, out: Path) -> None:
    interrupted(rig, get)
    rig.lake.objects[0].content = OTHER
    (item,) = get().items
    assert (item.state, item.reason, tree(out)[FILE], hidden(out)) == ("downloaded", None, OTHER, [])


def test_a_part_that_was_damaged_on_the_disk_is_noticed(rig: Faultd, get: Get, out: Path) -> None:
    interrupted(rig, get)
    (part,) = hidden(out)
    (out / part).write_bytes(bytes(len(CONTENT) // 2))
    assert get().complete
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])


@pytest.mark.parametrize("what", ["link", "second name"])
def test_a_part_that_is_none_is_not_written_to(rig: Faultd, get: Get, out: Path, what: str) -> None:
    interrupted(rig, get)
    part, elsewhere = out / hidden(out)[0], out.parent / "elsewhere"
    part.rename(elsewhere)
    before = elsewhere.read_bytes()
    if what == "link":
        part.symlink_to(elsewhere)
    else:
        part.hardlink_to(elsewhere)
    assert get().complete
    assert elsewhere.read_bytes() == before
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])


@pytest.mark.parametrize("how", ["taken over", "replaced", "written to"])
def test_a_part_that_another_run_has_taken(rig: Faultd, connected: Connect, out: Path, how: str) -> None:
    """Without a lock: whatever is done to it, it does not get the file's name."""
    rig.lake.add(NAME, CONTENT)

    def other(_: int) -> None:
        for part in out.rglob("*.part"):
            if how == "taken over":
                Leftovers().take(out / FILE)
            elif how == "replaced":
                part.unlink()
                part.write_bytes(b"x")
            else:
                with part.open("ab") as file:
                    file.write(b"x")

    with pytest.raises(LocalFailure, match="part-changed"):
        connected().downloads.collection("c1", out, moved=other)
    assert FILE not in tree(out)
    assert connected().downloads.collection("c1", out).complete
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])


def test_two_runs_without_a_lock(rig: Faultd, connected: Connect, out: Path) -> None:
    """The second comes while the first is under way: one may fail, and what stands there is right."""
    rig.lake.add(NAME, CONTENT)
    second: list[DownloadReport] = []

    def other(_: int) -> None:
        if not second:
            second.append(connected().downloads.collection("c1", out))

    with pytest.raises(LocalFailure, match="part-changed"):
        connected().downloads.collection("c1", out, moved=other)
    assert second[0].complete
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])


@pytest.mark.parametrize(
    ("last", "at", "kept"),
    [(act.reset(), 0.5, 1), (act.answer(403, ""), 0.5, 1), (act.answer(404, ""), 0.5, 0), (act.reset(), 1000, 0)],
)
def test_what_is_kept_is_of_use(rig: Faultd, get: Get, out: Path, last: act.Act, at: float, kept: int) -> None:
    """An address that has expired may be good tomorrow; a file that is gone is gone; little is as good as nothing."""
    interrupted(rig, get, last, at)
    assert len(hidden(out)) == kept
    rig.lake.objects.clear()
    rig.lake.add("Demo_b.png", b"b")
    assert get().complete
    assert hidden(out) == ["Demo/data/Demo_b.png"], "nobody wants the rest any more"


@pytest.mark.parametrize("storage", get_args(StorageType))
def test_b9_an_address_that_expires_on_the_way(tmp_path: Path, connected: Connect, storage: StorageType) -> None:
    """Another one is asked for, and the download goes on where it was."""
    with Faultd(storage) as rig:
        rig.lake.add(NAME, CONTENT)
        rig.lake.uses = 1
        rig.rule("get-file", act.cut(0.5))
        (item,) = connected(rig.url).downloads.collection("c1", tmp_path).items
        assert (item.state, item.verified_by, tree(tmp_path)[FILE] == CONTENT) == ("downloaded", "md5", True)
        assert [entry.status for entry in rig.asked("get-file")] == [200, 403 if storage != "GCP" else 400, 206]
        assert len(rig.asked("GET .*downloadUrl")) == 1


def test_b9_addresses_that_expire_again_and_again(tmp_path: Path, rig: Faultd, get: Get, out: Path) -> None:
    """Each time some of the file has come: a large one may outlive many."""
    rig.lake.uses = 1
    for number in range(3):
        rig.rule("get-file", act.cut(20_000), skip=number)
    (item,) = get().items
    assert (item.state, item.verified_by, tree(out)[FILE] == CONTENT) == ("downloaded", "md5", True)
    assert [entry.status for entry in rig.asked("get-file")] == [200, 403, 206, 403, 206, 403, 206]
    assert len(rig.asked("GET .*downloadUrl")) == 3


def test_b9_an_address_that_is_refused_is_asked_again_once(rig: Faultd, get: Get) -> None:
    rig.rule("get-file", act.answer(403, "<Error><Code>AccessDenied</Code></Error>"), times=99)
    (item,) = get().items
    assert (item.state, item.status, item.attempts) == ("failed", 403, 2)
    assert (len(rig.asked("get-file")), len(rig.asked("GET .*downloadUrl"))) == (2, 1)


def test_much_that_comes_is_not_given_up(rig: Faultd, get: Get, out: Path) -> None:
    """Twelve breaks, each after a good piece, where a request is tried eight times."""
    for _ in range(12):
        rig.rule("get-file", act.cut(20_000))
    assert get().complete
    assert tree(out)[FILE] == CONTENT


KNOWN: list[tuple[StorageType, str, Verified]] = [
    ("AWS_S3", "", "md5"),
    ("GCP", "", "md5"),
    ("AZURE", "", "md5"),
    ("GCP", "composed", "crc32c"),
    ("AWS_S3", "parts", "size"),
    ("AWS_S3", "kms", "size"),
]


@pytest.mark.parametrize(("storage", "object_", "verified"), KNOWN)
def test_a_file_that_is_there_is_verified(
    tmp_path: Path, connected: Connect, storage: StorageType, object_: str, verified: Verified
) -> None:
    """By its hash where one is told; then another file of the same size is noticed."""
    with Faultd(storage) as rig:
        rig.lake.add(NAME, CONTENT)
        rig.lake.bucket.object = object_
        first = connected(rig.url).downloads.collection("c1", tmp_path)
        again = connected(rig.url).downloads.collection("c1", tmp_path)
        assert [(item.state, item.verified_by) for item in first.items] == [("downloaded", verified)]
        assert [(item.state, item.verified_by) for item in again.items] == [("skipped", verified)]
        assert (first.verified_by, again.as_json()["verified_by"]) == (verified, verified)
        for content in (OTHER, b"short"):
            (tmp_path / FILE).write_bytes(content)
            (item,) = connected(rig.url).downloads.collection("c1", tmp_path).items
            expected = "skipped" if (verified, content) == ("size", OTHER) else "downloaded"
            assert (item.state, tree(tmp_path)[FILE] == CONTENT) == (expected, expected == "downloaded")


def test_the_weakest_proof_is_told(rig: Faultd, get: Get) -> None:
    rig.lake.add("Demo_b.png", b"b")
    rig.rule("GET .*Demo_b", act.other_body("b", ETag='"made up"'))
    report = get()
    assert sorted(str(item.verified_by) for item in report.items) == ["md5", "size"]
    assert report.verified_by == "size"


def test_a_file_that_is_whole_only_when_the_run_has_been_stopped_gets_no_name(
    get: Get, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow disk its report, that it was called off, is made by then."""
    receive = Landing.receive

    def received_late(self: Landing, *given: Any) -> None:
        receive(self, *given)
        stop = current_stop.get()
        assert stop is not None
        stop.set()

    with monkeypatch.context() as patch:
        patch.setattr(Landing, "receive", received_late)
        report = get()
    assert [(item.state, item.reason) for item in report.items] == [("failed", "called off on its way")]
    assert FILE not in tree(out)
    assert get().complete
    assert (tree(out)[FILE], hidden(out)) == (CONTENT, [])
