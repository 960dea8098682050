"""The rig itself: it keeps what it is sent, fails as it is told, and its judge sees what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import requests

from . import actions as act
from .desk import Connect
from .faultd import OPERATIONS, Faultd
from .lake import AUTHORIZATION, Lake, StorageType
from .oracle import Inputs, check

CHECK = "/datalake/api/client/sdk/compatibility/2.3.4"


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = AUTHORIZATION
        yield session


@pytest.mark.parametrize("storage", get_args(StorageType))
def test_an_upload_without_faults_is_clean(
    storage: StorageType, connected: Connect, pictures: dict[str, bytes], tmp_path: Path
) -> None:
    with Faultd(storage) as rig:
        report = connected(rig.url).parts.uploads.files(tmp_path / "pictures", "image", "Demo")
        assert check(rig.lake, Inputs(pictures), report).clean, check(rig.lake, Inputs(pictures), report)
        assert {name: len(rig.asked(name)) for name in OPERATIONS} == {
            "version-check": 1,
            "create-collection": 1,
            "init": 4,
            "presign": 4,
            "put-part": 4,
            "finalise": 4,
            "complete": 1,
            "label-references": 0,
            "annotation-batch": 0,
            "item-page": 0,
            "get-file": 0,
        }
        assert {one.connection for one in rig.asked("put-part")} and rig.connections <= 8


def test_the_judge_sees_what_is_wrong() -> None:
    lake = Lake()
    for name, content in (("Demo_a", b"a"), ("Demo_b", b"b"), ("Demo_b", b"b"), ("Demo_c", b"x"), ("Demo_z", b"z")):
        lake.add(name, content)
    lake.annotations["Demo_a", "op"] = [{"id": "1"}, {"id": "1"}]
    wanted = Inputs({f"Demo_{name}": name.encode() for name in "abcd"}, {("Demo_a", "op"): 1})
    report = {"items": [{"name": name, "state": "uploaded"} for name in "abcdd"]}
    verdict = check(lake, wanted, report)
    assert verdict.lost == ["Demo_d"]
    assert verdict.duplicated == ["Demo_b", "Demo_a op"]
    assert verdict.corrupted == ["Demo_c"]
    assert verdict.unexpected == ["Demo_z"]
    assert verdict.misreported == ["d: told 2 times", "d: uploaded, but missing"]
    assert not verdict.clean and not verdict.harmless


@pytest.mark.parametrize("fault", [act.reset("before"), act.reset("mid", 0.5), act.reset("after"), act.drop()])
def test_connections_break(fault: act.Act, rig: Faultd, session: requests.Session) -> None:
    rig.rule("", fault)
    with pytest.raises(requests.ConnectionError):
        session.get(rig.url + CHECK, data=b"x" * 100)
    rig.settle()
    assert rig.log[0].done is (fault == act.drop())
    assert session.get(rig.url + CHECK).json()["isCompatible"] is True


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("packed", [False, True])
def test_answers_are_framed_and_cut(framing: Any, packed: bool, rig: Faultd, session: requests.Session) -> None:
    rig.rule("", act.framed(framing, gzip=packed))
    assert session.get(rig.url + CHECK).json()["isCompatible"] is True
    rig.rule("", act.cut(0.5, framing=framing, gzip=packed))
    whole = b'{"isCompatible": true, "message": ""}'
    if framing == "close":
        got = session.get(rig.url + CHECK, stream=True).raw.read()
        assert len(got) < len(whole)
    else:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(rig.url + CHECK)


def test_rules_skip_and_end(rig: Faultd, session: requests.Session) -> None:
    rig.rule("version-check", act.answer(503, Retry_After="2"), skip=1, times=2)
    answers = [session.get(rig.url + CHECK) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "2"


def test_addresses_expire_and_ranges_are_kept(rig: Faultd, session: requests.Session) -> None:
    rig.lake.add("a.png", b"0123456789")
    del session.headers["Authorization"]
    url = rig.lake.bucket.sign("a.png")
    piece = session.get(url, headers={"Range": "bytes=4-"})
    assert (piece.status_code, piece.content) == (206, b"456789")
    assert session.get(url, headers={"Range": "bytes=4-", "If-Range": '"other"'}).status_code == 200
    assert session.get(url, headers={"Range": "bytes=10-"}).status_code == 416
    rig.lake.expire()
    assert "Request has expired" in session.get(url).text
    assert session.get(rig.lake.bucket.sign("a.png"), headers={"Authorization": "x"}).status_code == 400


def test_a_process_is_told_and_tells(session: requests.Session, root: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.server", "--annotations", "append"]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        rules = [{"match": "GET .*compat", "act": {"kind": "kill", "moment": "after"}}]
        session.post(f"{url}/__rig__/rules", data=json.dumps(rules))
        session.post(f"{url}/__rig__/victim", data=json.dumps({"pid": victim.pid}))
        with pytest.raises(requests.ConnectionError):
            session.get(url + CHECK)
        assert victim.wait(20) == -9
        assert victim.stdin is not None
        victim.stdin.close()
        assert session.get(f"{url}/__rig__/state").json()["files"] == {}
        assert [one["act"] for one in session.get(f"{url}/__rig__/log").json()] == ["kill"]
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait(20) == 0
