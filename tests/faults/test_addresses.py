"""B9 and B12: signed addresses that expire, and servers that send us elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from annolake.metalake_io.transfer.policy import Policy

from ..metalake_io.wire import Answer, Asked
from . import actions as act
from .conftest import Connect
from .faultd import Faultd
from .journeys import Journey
from .lake import StorageType

STORAGES = get_args(StorageType)
READING = ("item-page", "get-file")


def in_parts(rig: Faultd, folder: Path, connected: Connect) -> Journey:
    """A file of five parts."""
    return Journey(
        rig, folder, lambda: connected(rig.url, at_once=1, policy=Policy()), "files", size=450_000, part_size=100_000
    )


@pytest.mark.parametrize(
    ("storage", "after"),
    [pytest.param(one, after, id=f"B9[{one}, after {after} parts]") for one in STORAGES for after in (0, 1, 3, 4)],
)
def test_b9_addresses_expire_on_the_way(tmp_path: Path, connected: Connect, storage: StorageType, after: int) -> None:
    with Faultd(storage) as rig:
        serve, parts = rig.lake.bucket.serve, iter(range(99))

        def expiring(asked: Asked) -> Answer:
            if next(parts) == after:
                rig.lake.expire()
            return serve(asked)

        rig.lake.bucket.serve = expiring
        journey = in_parts(rig, tmp_path, connected)
        report = journey.run()
        verdict = journey.verdict(report)
        assert verdict.clean, verdict
        assert len(rig.asked("presign")) == 2
        assert len(rig.asked("put-part")) == 6
        assert set(rig.lake.bucket.puts.values()) == {1}, "a part that was stored was sent again"


@pytest.mark.parametrize("storage", [pytest.param(one, id=f"B9[{one}]") for one in STORAGES])
def test_b9_addresses_that_are_old_when_they_come(tmp_path: Path, connected: Connect, storage: StorageType) -> None:
    """Two new ones for a part, then it is no accident."""
    with Faultd(storage) as rig:
        rig.lake.uses = 0
        report = in_parts(rig, tmp_path, connected).run()
        (failed,) = report.of("failed")
        assert failed.status in (400, 403)
        assert (len(rig.asked("presign")), len(rig.asked("put-part"))) == (3, 3)


@pytest.mark.parametrize("storage", [pytest.param(one, id=f"B9[{one}]") for one in STORAGES])
def test_b9_no_access_is_no_expiry(tmp_path: Path, connected: Connect, storage: StorageType) -> None:
    with Faultd(storage) as rig:
        denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        rig.rule("put-part", act.answer(403, denied), times=99)
        report = in_parts(rig, tmp_path, connected).run()
        (failed,) = report.of("failed")
        assert failed.status == 403 and "AccessDenied" in (failed.reason or "")
        assert (len(rig.asked("presign")), len(rig.asked("put-part"))) == (2, 2)


@pytest.mark.parametrize("composed", [False, True], ids=["md5", "crc32c alone"])
def test_b9_google_proves_whole_files(tmp_path: Path, connected: Connect, composed: bool) -> None:
    """Its hash is that of the object, not of the part that came last; of composed objects it has no MD5."""
    with Faultd("GCP") as rig:
        rig.lake.bucket.object = "composed" if composed else ""
        journey = in_parts(rig, tmp_path, connected)
        report = journey.run()
        assert journey.verdict(report).clean
        assert [item.verified_by for item in report.items] == ["crc32c" if composed else "md5"]
        assert len(rig.asked("put-part")) == 5


@pytest.mark.parametrize(
    ("operation", "status"),
    [pytest.param(one, status, id=f"B12[{one}, {status}]") for one in READING for status in (301, 302, 303, 307, 308)],
)
def test_b12_another_server_never_gets_the_key(
    tmp_path: Path, rig: Faultd, connected: Connect, operation: str, status: int
) -> None:
    with Faultd() as other:
        other.lake = rig.lake
        other.lake.authorization = rig.lake.authorization
        rig.rule(operation, act.redirect(f"{other.url}/elsewhere", status))
        journey = Journey(rig, tmp_path, lambda: connected(at_once=1, policy=Policy()), "download")
        other.weather = lambda _: act.answer(404)
        try:
            journey.run()
        except Exception as error:  # noqa: BLE001
            assert "404" in str(error)
        assert [one.authorization for one in other.log] == [None]


@pytest.mark.parametrize("status", [307, 308])
def test_b12_a_writing_call_goes_to_no_other_server(
    tmp_path: Path, rig: Faultd, connected: Connect, status: int
) -> None:
    with Faultd() as other:
        for operation in ("create-collection", "put-part"):
            rig.rule(operation, act.redirect(f"{other.url}/elsewhere", status))
        for number in range(2):
            folder = tmp_path / str(number)
            folder.mkdir()
            journey = Journey(rig, folder, lambda: connected(at_once=1, policy=Policy()), "files")
            try:
                report = journey.run()
            except Exception as error:  # noqa: BLE001
                assert number == 0 and "redirect" in str(error)
            else:
                assert number == 1 and report.of("failed")[0].status == status
        assert other.log == []


def test_b12_a_body_goes_whole_where_it_is_sent_on(tmp_path: Path, rig: Faultd, connected: Connect) -> None:
    journey = Journey(rig, tmp_path, lambda: connected(at_once=1, policy=Policy()), "annotations", count=50)
    rig.rule("annotation-batch", act.redirect("?again=1", 307))
    report = journey.run()
    assert journey.verdict(report).clean
    first, second = rig.asked("annotation-batch")
    assert first.md5 == second.md5 and first.size == second.size > 1000
    assert second.authorization == rig.lake.authorization


def test_b12_a_loop_ends(tmp_path: Path, rig: Faultd, connected: Connect) -> None:
    rig.rule("item-page", act.redirect("?"), times=99)
    journey = Journey(rig, tmp_path, lambda: connected(at_once=1, policy=Policy()), "download")
    with pytest.raises(Exception, match="more than 5 redirects"):
        journey.run()
    assert len(rig.asked("item-page")) == 6


@pytest.mark.parametrize(
    ("operation", "target"),
    [
        pytest.param(one, target, id=f"B12[{one}, {target}]")
        for one in READING
        for target in ("file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:1")
    ],
)
def test_b12_only_http_is_followed(
    tmp_path: Path, rig: Faultd, connected: Connect, operation: str, target: str
) -> None:
    rig.rule(operation, act.redirect(target), times=99)
    journey = Journey(rig, tmp_path, lambda: connected(at_once=1, policy=Policy()), "download")
    said: Any
    try:
        said = journey.run().of("failed")[0].reason
    except Exception as error:  # noqa: BLE001
        said = str(error)
    assert "a redirect away from a trusted connection" in said
    assert len(rig.asked(operation)) == 1
