"""Where key and secret come from (G5), and keys, names and addresses that would be more than that (G7)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from annolake.commands import profiles
from annolake.commands.main import annolake
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.transfer.redaction import basic
from annolake.schemas.errors import UsageError

from ..metalake_io.overheard import Heard
from .faultd import Faultd
from .lake import KEY, SECRET
from .typed import Typed

ASK = ("jobs", "wait", "j1")
PAIRS = {name: (f"key_of_{name}", f"secret_of_{name}") for name in ("environment", "default", "work")}


@pytest.fixture
def kept(rig: Faultd, heard: Heard) -> Path:
    """The file of profiles: `default` and `work`, each with a key of its own."""
    for name in ("default", "work"):
        file = profiles.save(name, profiles.Profile(rig.url, *PAIRS[name], "/datalake/api"))
    heard.may_hold.append(file)
    return file


@pytest.fixture
def bare(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    """Commands in an environment without keys."""
    for name in ("API_KEY", "SECRET", "URL"):
        monkeypatch.delenv(f"METALAKE_{name}")
    old = os.umask(0)
    yield typed
    os.umask(old)


def in_environment(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, value in zip(("API_KEY", "SECRET", "URL"), (*PAIRS["environment"], url), strict=True):
        monkeypatch.setenv(f"METALAKE_{name}", value)


def entered_with(rig: Faultd) -> list[str]:
    """Whose key the service has seen."""
    known = {basic(*pair): name for name, pair in PAIRS.items()}
    return sorted({known.get(one.authorization or "", str(one.authorization)) for one in rig.log})


def test_g5_what_is_given_beats_the_environment(rig: Faultd, monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch, "http://127.0.0.1:1")
    with MetaLakeClient(KEY, SECRET, rig.url) as client:
        assert client.jobs.wait("j1") == "COMPLETED"


@pytest.mark.usefixtures("kept")
def test_g5_the_environment_beats_the_profile(rig: Faultd, bare: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch, rig.url)
    assert bare(*ASK).exit_code == 5  # the rig knows another key
    assert entered_with(rig) == ["environment"]


@pytest.mark.usefixtures("kept")
def test_g5_a_profile_that_is_named_beats_the_environment(
    rig: Faultd, bare: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_environment(monkeypatch, "http://127.0.0.1:1")
    assert bare(*ASK, "--profile", "work").exit_code == 5
    assert entered_with(rig) == ["work"]


@pytest.mark.usefixtures("kept")
def test_g5_the_default_profile(rig: Faultd, bare: Typed) -> None:
    assert bare(*ASK).exit_code == 5
    assert entered_with(rig) == ["default"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_g5_a_file_that_others_may_use_is_refused(rig: Faultd, bare: Typed, kept: Path, mode: int) -> None:
    kept.chmod(mode)
    done = bare(*ASK)
    assert (done.exit_code, rig.log) == (2, [])
    assert f"chmod 600 {kept}" in done.stderr


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("words", [(), ("--profile", "work")])
def test_g5_a_profiles_secret_goes_to_its_own_address(rig: Faultd, bare: Typed, words: tuple[str, ...]) -> None:
    with Faultd() as other:
        done = bare(*ASK, "--url", other.url, *words)
        assert (done.exit_code, "key and secret are not set" in done.stderr, other.log) == (2, True, [])


def test_g5_half_a_pair_is_none(rig: Faultd, bare: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALAKE_URL", rig.url)
    monkeypatch.setenv("METALAKE_API_KEY", KEY)
    assert (bare(*ASK).exit_code, rig.log) == (2, [])


def test_g5_login_keeps_it_for_its_owner_alone(
    rig: Faultd, bare: Typed, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    """Whatever the user's mask; and whoever may not write there learns why."""
    monkeypatch.setenv("METALAKE_API_KEY", KEY)
    monkeypatch.setenv("METALAKE_SECRET", SECRET)
    done = bare("login", "--url", rig.url)
    assert done.exit_code == 0, done.stderr
    file = profiles.path()
    heard.may_hold.append(file)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["profiles.json"]


def test_g5_no_key_on_the_command_line() -> None:
    """Others see what is typed there, and shells keep it."""
    commands = {" ".join(words): command for words, command in _all((), annolake)}
    assert {"login", "push", "upload files"} <= set(commands)
    flags = {flag for one in commands.values() for param in one.params for flag in param.opts}
    assert [flag for flag in sorted(flags) if any(word in flag for word in ("secret", "passw", "token", "api"))] == []
    assert [flag for flag in sorted(flags) if flag.startswith("-") and flag.endswith("key")] == []
    for words in ("--secret x", "--api-key x", "--key x", "--password x"):
        assert _run("push", "a", *words.split()).exit_code == 2


def _all(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _all((*words, name), found)
    else:
        yield words, command


def _run(*words: str) -> Result:
    return CliRunner().invoke(annolake, words)


HOSTILE = ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x1b[31m", "ключ", "é", "\ud800"]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("which", ["METALAKE_API_KEY", "METALAKE_SECRET"])
def test_g7_keys_that_would_be_headers(
    rig: Faultd, typed: Typed, monkeypatch: pytest.MonkeyPatch, text: str, which: str
) -> None:
    pair = (text, SECRET) if which.endswith("KEY") else (KEY, text)
    with pytest.raises(UsageError, match="bad-credentials"):
        MetaLakeClient(*pair, rig.url)
    if "\0" not in text:  # no environment can hold it
        monkeypatch.setenv(which, text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
        done = typed(*ASK)
        assert (done.exit_code, "bad-credentials" in done.stderr) == (2, True)
    assert rig.log == []


@pytest.mark.parametrize("text", ["http://127.0.0.1\r\nX-Evil: 1", "http://127.0.0.1/a b", "http://127.0.0.1/\x1b[31m"])
def test_g7_addresses_that_would_be_headers(rig: Faultd, typed: Typed, text: str) -> None:
    with pytest.raises(UsageError, match="bad-url"):
        MetaLakeClient(KEY, SECRET, text)
    done = typed(*ASK, "--url", text)
    assert (done.exit_code, "\x1b" in done.stderr) == (2, False)


@pytest.mark.parametrize("name", [one for one in HOSTILE if not one.isprintable()], ids=ascii)
def test_g7_names_that_would_be_headers(rig: Faultd, typed: Typed, name: str) -> None:
    for words in (
        ("upload", "files", "pictures", "--collection", name),
        ("upload", "annotations", "lake.json", "--collection", name, "--operation", "op"),
        ("push", "lake.json", "--images", "pictures", "--collection", name, "--operation", "op"),
        ("upload", "annotations", "lake.json", "--collection", "Demo", "--operation", name),
    ):
        done = typed(*words)
        assert done.exit_code == 2, (words, done.stderr)
        assert rig.log == []
        assert all(line.isprintable() for line in done.stderr.splitlines())


@pytest.mark.parametrize("name", ["Straße", "été 2026", "公园", "a/b", "100 %", "x" * 200])
def test_g7_names_in_any_letters_arrive(rig: Faultd, typed: Typed, name: str) -> None:
    done = typed("upload", "files", "pictures", "--collection", name)
    assert done.exit_code == 0, done.stderr
    assert name in rig.lake.names
