"""`annolake download`, `trash` and `jobs` against a lake on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from annolake.commands.main import annolake

from .lake import Lake
from .overheard import Heard
from .settings import settings
from .wire import Answer, js, refusal

Run = Callable[..., Result]


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command as typed, with the lake's address and credentials in the environment."""
    settings(monkeypatch, lake.url, tmp_path)
    return lambda *words: CliRunner().invoke(annolake, [str(word) for word in words])


@pytest.fixture
def full(lake: Lake) -> Lake:
    lake.files = {"Demo_a.png": b"picture a", "Demo_b.png": b"picture b"}
    lake.pages = [lake.page(*lake.files)]
    return lake


def test_download_of_a_collection(run: Run, full: Lake, tmp_path: Path) -> None:
    words = ("download", "collection", "c1", tmp_path / "out", "--json")
    done = run(*words)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["summary"] == {"downloaded": 2, "skipped": 0, "failed": 0, "uncertain": 0}
    assert (tmp_path / "out" / "Demo" / "data" / "Demo_a.png").read_bytes() == b"picture a"
    assert json.loads(run(*words).stdout)["summary"]["skipped"] == 2
    full.rule("GET /bucket/Demo_a", Answer(404), times=9)
    assert run("download", "collection", "c1", tmp_path / "other").exit_code == 6


def test_what_is_not_verified_is_said(run: Run, full: Lake, tmp_path: Path) -> None:
    full.rule("GET /bucket/Demo_a", Answer(200, b"picture a", bare=True))
    done = run("download", "collection", "c1", tmp_path / "out", "--json")
    assert "1 file unverified" in done.stderr
    assert json.loads(done.stdout)["verified_by"] == "none"


@pytest.mark.parametrize("where", [[], ["--collection", "c1"]])
def test_files(run: Run, full: Lake, tmp_path: Path, where: list[str]) -> None:
    done = run("download", "files", tmp_path / "out", *where, "--query", "x=y", "--annotated-by", "human", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["downloaded"] == 2
    assert full.asked("objects/list")[0].json["filterData"]["annotationTypes"] == [2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["Demo_a.png", "Demo_b.png"]


def test_a_list_that_never_ends(run: Run, full: Lake, tmp_path: Path) -> None:
    full.rule("POST .*objects/list", lambda _: js(full.listed()), times=99)
    done = run("download", "files", tmp_path / "out", "--json")
    assert done.exit_code == 7
    assert "page-repeats" in done.stdout
    assert len(full.asked("objects/list")) == 2


LISTING = [("download", "files", "{out}"), ("download", "files", "{out}", "--collection", "c1"), ("trash", "lake")]


@pytest.mark.parametrize("words", [*LISTING, ("trash", "collection", "c1")])
@pytest.mark.parametrize("answer", [refusal(406, "bad query"), js({"isSuccess": False, "message": "bad query"})])
@pytest.mark.parametrize("pages", [0, 1])
def test_a_refused_list_is_no_end_of_it(
    run: Run, full: Lake, tmp_path: Path, words: tuple[str, ...], answer: Answer, pages: int
) -> None:
    full.rule("POST .*objects/list", answer, skip=pages)
    done = run(*(word.format(out=tmp_path / "out") for word in words), "--query", "foo bar baz")
    assert done.exit_code == 7
    assert "bad query" in done.stderr


@pytest.mark.parametrize("words", [*LISTING, ("trash", "collection", "c1"), ("trash", "collection", "c1", "--all")])
@pytest.mark.parametrize("flags", [
    ("--query", " "), ("--from-date", "yesterday"), ("--to-date", ""), ("--from-date", "2023-1-1"),
])  # fmt: skip
def test_what_cannot_be_meant_asks_nobody(
    run: Run, full: Lake, tmp_path: Path, words: tuple[str, ...], flags: tuple[str, str]
) -> None:
    done = run(*(word.format(out=tmp_path / "out") for word in words), *flags)
    assert done.exit_code == 2
    assert flags[0] == "--query" or "2022-08-02" in done.stderr
    assert full.wire.asked == []


@pytest.mark.parametrize("words", [("lake", "--query", "x=y"), ("collection", "c1", "--query", "x=y")])
def test_nothing_to_trash_is_no_failure(run: Run, lake: Lake, words: tuple[str, ...]) -> None:
    for yes in ([], ["--yes"]):
        done = run("trash", *words, *yes, "--json")
        assert done.exit_code == 0
        assert json.loads(done.stdout) == {"selected": 0, "first": [], "trashed": False, "message": None}
        assert "--yes does it" not in done.stderr
    assert lake.asked("getSelectionId") == []


def test_an_empty_collection_can_go(run: Run, lake: Lake) -> None:
    assert run("trash", "collection", "c1", "--all", "--yes").exit_code == 0
    assert lake.trashed[0]["objectIdList"] == ["c1"]


def test_the_count_is_told_before_anything_is_moved(run: Run, full: Lake) -> None:
    full.rule("POST .*file/trash", refusal(406, "no"))
    done = run("trash", "lake", "--query", "x=y", "--yes")
    assert done.exit_code == 7
    assert done.stderr.index("2 objects selected") < done.stderr.index("trash: no")


@pytest.mark.parametrize(("count", "rest"), [(10, ""), (11, "and 1 more"), (2010, "and 2,000 more")])
def test_the_first_ten_are_shown_before_anything_is_moved(run: Run, lake: Lake, count: int, rest: str) -> None:
    lake.files = {f"Demo_{number:04}.png": b"" for number in range(count)}
    done = run("trash", "lake", "--query", "x=y")
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert lines[0] == f"{count:,} objects selected"
    assert lines[1:11] == [f"Demo_{number:04}.png" for number in range(10)]
    assert lines[11:] == [*filter(None, [rest]), "nothing was moved; --yes does it"]


@pytest.mark.parametrize("what", ["collection", "files"])
def test_a_file_in_the_place_of_the_folder(run: Run, full: Lake, tmp_path: Path, what: str) -> None:
    (tmp_path / "there").write_bytes(b"mine")
    words = ("collection", "c1") if what == "collection" else ("files",)
    done = run("download", *words, tmp_path / "there")
    assert done.exit_code == 2
    assert "there' is a file" in done.stderr
    assert (full.wire.asked, (tmp_path / "there").read_bytes()) == ([], b"mine")


def test_a_url(run: Run, full: Lake, no_secret_is_told: Heard) -> None:
    no_secret_is_told.may_say.append(full.media("Demo_a.png"))
    done = run("download", "url", "Demo_a.png")
    assert done.stdout.strip() == full.media("Demo_a.png")
    assert run("download", "url", "nope").exit_code == 7


def test_trash_shows_a_count_first(run: Run, full: Lake) -> None:
    for words in (("collection", "c1", "--query", "x=y"), ("collection", "c1", "--all"), ("lake", "--query", "x=y")):
        shown = run("trash", *words, "--json")
        assert shown.exit_code == 0, shown.stderr
        told = {"selected": 2, "first": ["Demo_a.png", "Demo_b.png"], "trashed": False, "message": None}
        assert json.loads(shown.stdout) == told
        assert full.trashed == []
        assert json.loads(run("trash", *words, "--yes", "--json").stdout)["trashed"] is True
        full.trashed.clear()


@pytest.mark.parametrize("said", ["1 objects successfully trashed, 1,200 objects failed to trash", "1 object failed"])
def test_what_could_not_be_trashed_is_no_success(run: Run, full: Lake, said: str) -> None:
    full.rule("POST .*file/trash", js({"isSuccess": True, "message": said}))
    done = run("trash", "lake", "--query", "x=y", "--yes", "--json")
    assert done.exit_code == 6
    assert json.loads(done.stdout)["message"] == said
    assert said in done.stderr


@pytest.mark.parametrize("words", [("collection", "c1"), ("lake",), ("collection", "c1", "--all", "--query", "x")])
def test_trash_wants_a_selection(run: Run, full: Lake, words: tuple[str, ...]) -> None:
    assert run("trash", *words, "--yes").exit_code == 2
    assert full.wire.asked == []


@pytest.mark.parametrize(("state", "code"), [(2, 0), (4, 7)])
def test_jobs(run: Run, lake: Lake, state: int, code: int) -> None:
    lake.job_states = [state]
    done = run("jobs", "wait", "j1", "--json")
    assert done.exit_code == code
    assert json.loads(done.stdout)["status"] == ("COMPLETED" if code == 0 else "FAILED")


@pytest.mark.parametrize(
    "words", ["download collection", "download files", "download url", "trash collection", "trash lake", "jobs wait"]
)
def test_help(run: Run, words: str) -> None:
    done = run(*words.split(), "--help")
    assert done.exit_code == 0
    assert f"annolake {words}" in done.stdout


def test_login_keeps_a_profile_that_only_its_owner_reads(
    run: Run, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_secret_is_told: Heard
) -> None:
    done = run("login", "--profile", "work")
    assert done.exit_code == 0, done.stderr
    (file,) = (tmp_path / "config").rglob("profiles.json")
    no_secret_is_told.may_hold.append(file)
    assert file.stat().st_mode & 0o777 == 0o600
    for name in ("METALAKE_URL", "METALAKE_API_KEY", "METALAKE_SECRET"):
        monkeypatch.delenv(name)
    assert run("jobs", "wait", "j1", "--profile", "work").exit_code == 0
    assert run("jobs", "wait", "j1", "--profile", "other").exit_code == 2
    assert run("jobs", "wait", "j1").exit_code == 2
    assert run("jobs", "wait", "j1", "--profile", "work", "--url", "http://127.0.0.1:1").exit_code == 2
    lake.wire.asked.clear()
    assert run("jobs", "wait", "j1", "--profile", "work").exit_code == 0
    assert [one.path for one in lake.wire.asked][:1] == ["/datalake/api/client/sdk/compatibility/2.3.4"]
    file.chmod(0o644)
    refused = run("jobs", "wait", "j1", "--profile", "work")
    assert (refused.exit_code, "profile-open" in refused.stderr) == (2, True)


@pytest.mark.parametrize("words", [(), ("--prefix", "/datalake/api"), ("--prefix", "/api")])
@pytest.mark.parametrize("prefixes", [["/datalake/api", "/api"], ["/api"]])
def test_login_with_a_wrong_secret_keeps_nothing(
    run: Run,
    lake: Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    prefixes: list[str],
) -> None:
    lake.prefixes = prefixes
    lake.rule("GET .*compatibility", Answer(404), times=2)
    monkeypatch.setenv("METALAKE_SECRET", "wrong_secret")
    assert run("login", *words).exit_code in (5, 7)
    assert list((tmp_path / "config").rglob("*")) == []


def test_a_profile_keeps_the_prefix_of_its_service(
    run: Run, lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_secret_is_told: Heard
) -> None:
    no_secret_is_told.may_hold += [tmp_path / "config" / "annolake" / "profiles.json"]
    lake.prefixes = ["/api"]
    assert run("login", "--prefix", "/api").exit_code == 0
    for name in ("METALAKE_URL", "METALAKE_API_KEY", "METALAKE_SECRET"):
        monkeypatch.delenv(name)
    lake.wire.asked.clear()
    assert run("jobs", "wait", "j1").exit_code == 0
    asked = ["/api/client/sdk/compatibility/2.3.4", "/api/client/jobs/j1/getStatus"]
    assert [one.path for one in lake.wire.asked] == asked
