"""G1: the look for secrets after every test sees them wherever they may be."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from annolake.metalake_io.errors import NetworkGaveUp, NotAuthorised
from annolake.metalake_io.results import Item, UploadReport
from annolake.metalake_io.transfer.exchange import Fault

from ..metalake_io.overheard import Heard, listening
from . import actions as act
from .desk import Connect
from .faultd import Faultd
from .lake import StorageType
from .oracle import Inputs, check

NEEDLE = "a-needle-that-nobody-else-says"
Leak = Callable[[Path], object]


def _raised(_: Path) -> None:
    try:
        try:
            raise OSError(NEEDLE)
        except OSError:
            raise NetworkGaveUp("network", "x") from None
    except NetworkGaveUp:
        pass


def _reported(_: Path) -> None:
    error = NetworkGaveUp("network", "x")
    error.report = UploadReport(items=[Item(name="a", state="failed", reason=NEEDLE)])


def _journal(folder: Path) -> sqlite3.Connection:
    """What was committed stands in the write-ahead log only, as after a kill."""
    database = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE t (x)")
    database.execute("INSERT INTO t VALUES (?)", (NEEDLE,))
    return database


def _command(_: Path) -> None:
    CliRunner().invoke(click.Command("x", callback=lambda: click.echo(NEEDLE, err=True)))


def _process(_: Path) -> None:
    subprocess.run([sys.executable, "-c", f"print({NEEDLE!r})"], capture_output=True, check=True)


@pytest.mark.parametrize(
    ("where", "leak"),
    [
        ("log", lambda _: logging.getLogger("urllib3.connectionpool").debug("GET %s", NEEDLE)),
        ("NetworkGaveUp", lambda _: NetworkGaveUp("network", "x", hint=NEEDLE)),
        ("NetworkGaveUp", _raised),
        ("NetworkGaveUp", _reported),
        ("Fault", lambda _: Fault("reset", NEEDLE, sent=True)),
        ("command", _command),
        ("process", _process),
        ("journal.sqlite-wal", _journal),
        ("left.json", lambda folder: (folder / "left.json").write_text(NEEDLE)),
    ],
)
def test_g1_the_look_for_secrets_sees_them(where: str, leak: Leak, tmp_path: Path) -> None:
    with listening() as heard:
        kept = leak(tmp_path)
    assert heard.leaks([NEEDLE], tmp_path) == [f"{where}: {NEEDLE}"]
    assert heard.leaks(["another"], tmp_path) == []
    del kept


def test_g1_reports_are_looked_at(connected: Connect, pictures: dict[str, bytes], tmp_path: Path) -> None:
    with listening() as heard:
        connected().files.run(tmp_path / "pictures", "image", "Demo")
    assert {leak.partition(":")[0] for leak in heard.leaks(["p0.png"])} >= {"UploadReport", "log"}


@pytest.mark.parametrize("storage", ["AWS_S3", "GCP", "AZURE"])
@pytest.mark.parametrize("match", ["put-part", "get-file", "finalise", "item-page"])
@pytest.mark.parametrize("fault", [act.reset("mid", 0.5), act.answer(500, "x"), act.answer(403, "x"), act.cut(0.5)])
def test_g1_signed_addresses_stay_untold(
    storage: StorageType, match: str, fault: act.Act, connected: Connect, pictures: dict[str, bytes], tmp_path: Path
) -> None:
    """All that a fault lets us say and keep is looked through by the fixture; here it must be harmless, too."""
    with Faultd(storage) as rig:
        rig.rule(match, fault, times=2)
        client = connected(rig.url)
        with suppress(NotAuthorised):
            client.files.run(tmp_path / "pictures", "image", "Demo", journal=tmp_path / "state" / "demo.sqlite")
        assert check(rig.lake, Inputs(pictures)).harmless
        rig.lake.add("Demo_p4.png", b"picture 4")
        with suppress(NotAuthorised):
            client.downloads.collection("c1", tmp_path / "out")
        assert rig.rules[0].times < 2


def test_g1_a_client_does_not_tell_its_key(connected: Connect, heard: Heard) -> None:
    client = connected()
    assert repr(client) == f"<MetaLakeClient {client.parts.service.base_url}>"
