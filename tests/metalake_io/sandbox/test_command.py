"""`annolake sandbox`: what it says, how it ends, whose credentials it takes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from annolake.commands import sandbox
from annolake.commands.main import annolake
from annolake.metalake_io.sandbox.serving import listen

from .wire import KEY, SECRET, running

CHECK = "/datalake/api/client/sdk/compatibility/2.3.4"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_when_it_says_so_and_stops_when_told(tmp_path: Path, number: int, workers: str) -> None:
    ready = tmp_path / "ready"
    with running(tmp_path / "lake", "--ready-file", str(ready), "--workers", workers) as server:
        assert ready.read_text() == server.url + "\n"
        assert server.url.startswith("http://127.0.0.1:")
        assert server.get("/client/sdk/compatibility/2.3.4")["isCompatible"]
        server.process.send_signal(number)
        output, said = server.process.communicate(timeout=60)
        assert server.process.returncode == 0
        assert output == ""
        assert said.splitlines()[-1] == "stopped; all is kept in the folder"
        assert SECRET not in said
        assert "of the environment" in said
        assert not ready.exists()
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=60)


def test_without_credentials_it_makes_some_and_keeps_them(tmp_path: Path) -> None:
    """In a file for this user only, which a shell can read; the secret is not shown."""
    nothing = {"METALAKE_API_KEY": "", "METALAKE_SECRET": ""}
    for _ in range(2):
        with running(tmp_path / "lake", "--workers", "1", **nothing) as server:
            file = tmp_path / "lake" / "credentials.sh"
            words = [line.removeprefix("export ").split("=") for line in file.read_text().splitlines()]
            assert [name for name, _ in words] == ["METALAKE_API_KEY", "METALAKE_SECRET"]
            assert requests.get(server.url + CHECK, auth=(KEY, SECRET), timeout=60).status_code == 401
            assert requests.get(server.url + CHECK, auth=(words[0][1], words[1][1]), timeout=60).status_code == 200
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            server.process.terminate()
            _, said = server.process.communicate(timeout=60)
            assert "it made some" in said
            assert str(file) in said
            assert words[1][1] not in said


def test_half_of_the_credentials_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALAKE_API_KEY", "key")
    monkeypatch.delenv("METALAKE_SECRET", raising=False)
    done = CliRunner().invoke(annolake, ["sandbox", "--data", str(tmp_path), "--port", "0"])
    assert done.exit_code == 2
    assert "METALAKE_SECRET is not" in done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(annolake, ["sandbox", "--data", str(tmp_path), "--port", port])
    assert done.exit_code == 9
    assert "cannot-listen" in done.stderr


def test_answers_are_not_held_back() -> None:
    """Nagle's algorithm and delayed acknowledgements together cost 40 ms a request."""
    listener, url = listen("127.0.0.1", 0)
    with listener, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_folder_that_cannot_be_a_lake(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "lake.sqlite").write_bytes(b"no database, " * 1000)
    (tmp_path / "newer").mkdir()
    with closing(sqlite3.connect(tmp_path / "newer" / "lake.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    for name, exit_code, code in (("broken", 9, "sandbox-database"), ("newer", 4, "sandbox-other-version")):
        done = CliRunner().invoke(annolake, ["sandbox", "--data", str(tmp_path / name), "--port", "0"])
        assert (done.exit_code, done.stdout) == (exit_code, "")
        assert code in done.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "find_spec", lambda name: None)
    done = CliRunner().invoke(annolake, ["sandbox", "--data", str(tmp_path / "lake")])
    assert done.exit_code == 2
    assert "pip install 'annolake[sandbox]'" in done.stderr
    assert not (tmp_path / "lake").exists()


def test_json_is_one_document(tmp_path: Path) -> None:
    words = ["-m", "annolake.commands", "sandbox", "--json", "--port", "0", "--data", str(tmp_path), "--workers", "1"]
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, *words, "--ready-file", str(ready)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] not in ("}\n", ""):
            lines.append(process.stdout.readline())
        told = json.loads("".join(lines))
        assert told["url"] == ready.read_text().strip()
        assert (told["data"], told["pid"]) == (str(tmp_path), process.pid)
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert output == ""


def test_it_warns_where_others_can_reach_it(tmp_path: Path) -> None:
    with running(tmp_path, "--host", "0.0.0.0", "--workers", "1") as server:
        server.process.terminate()
        assert "other computers can reach it" in server.process.communicate(timeout=60)[1]


def test_help_is_quick() -> None:
    script = "import sys; from annolake.commands.main import annolake; annolake(sys.argv[1:], standalone_mode=False)"
    heavy = "{'starlette', 'uvicorn', 'anyio', 'sqlite3', 'rich', 'PIL'}"
    ended = subprocess.run(
        [sys.executable, "-c", f"{script}; sys.exit(str({heavy} & set(sys.modules)))", "sandbox", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.strip() == "set()"
    for text in ("annolake sandbox --port 0 --data lake", "METALAKE_API_KEY", "--ready-file"):
        assert text in ended.stdout
