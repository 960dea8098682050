"""Odd entries in a folder that is uploaded, and links that go round: each is told, and all others arrive."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from .desk import Connect
from .faultd import Faultd

GOOD = 91


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with 91 good files."""
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(GOOD):
        (made / f"{number:03}.png").write_bytes(f"picture {number}".encode())
    return made


def odd(folder: Path, rig: Faultd, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Nine odd entries; what is told of each."""
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may not be long
        listening.bind("socket.png")
        os.chdir(here)
    (folder / "unreadable.png").write_bytes(b"secret")
    (folder / "unreadable.png").chmod(0)
    access = os.access  # root may read everything
    monkeypatch.setattr(os, "access", lambda path, mode: "unreadable" not in str(path) and access(path, mode))
    (folder / "circle.png").symlink_to("circle.png")
    (folder / "out.png").symlink_to(folder.parent)
    for name in ("vanishes.png", "grows.png"):
        (folder / name).write_bytes(b"picture")
    put = rig.lake.sending.presign

    def presign(asked: Any) -> Any:
        """Something happens to files that have been looked at already."""
        if "vanishes.png" in str(asked.json):
            (folder / "vanishes.png").unlink(missing_ok=True)
        if "grows.png" in str(asked.json):
            with (folder / "grows.png").open("ab") as file:
                file.write(b" and more")
        return put(asked)

    monkeypatch.setattr(rig.lake.sending, "presign", presign)
    return {
        "dangling.png": "No such file", "folder.png": "a folder", "pipe.png": "no regular file",
        "socket.png": "no regular file", "unreadable.png": "no permission", "circle.png": "circle",
        "out.png": "leads out of the folder", "vanishes.png": "No such file", "grows.png": "changed while",
    }  # fmt: skip


def test_d4_odd_entries_among_good_files(
    rig: Faultd, connected: Connect, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = odd(folder, rig, monkeypatch)
    began = time.monotonic()
    report = connected().files.run(folder, "image", "Demo")
    assert time.monotonic() - began < 20
    assert len(report.of("uploaded")) == GOOD
    left_out = {item.name: item for item in report.of("failed", "skipped", "uncertain")}
    assert set(left_out) == set(told)
    assert {name: item.reason for name, item in left_out.items() if told[name] not in (item.reason or "")} == {}
    assert {item.state for item in left_out.values()} == {"failed", "skipped"}
    assert [item.name for item in report.of("skipped")] == ["folder.png"]
    assert len(rig.lake.objects) == GOOD
    assert not report.complete
    assert max(item.attempts for item in left_out.values()) <= 1, "nothing of it is tried again"


def test_d4_a_file_of_no_bytes_is_a_file(rig: Faultd, connected: Connect, folder: Path, tmp_path: Path) -> None:
    """There and back."""
    (folder / "empty.png").write_bytes(b"")
    assert connected().files.run(folder, "image", "Demo").complete
    report = connected().downloads.collection("c1", tmp_path / "out")
    assert report.complete
    assert (tmp_path / "out" / "Demo" / "data" / "Demo_empty.png").read_bytes() == b""


@pytest.mark.parametrize("link", ["to itself", "to the folder above", "to another file inside"])
def test_d6_links(rig: Faultd, connected: Connect, folder: Path, link: str) -> None:
    target = {"to itself": "link.png", "to the folder above": "..", "to another file inside": "000.png"}[link]
    (folder / "link.png").symlink_to(target)
    report = connected().files.run(folder, "image", "Demo")
    assert len(report.items) == GOOD + 1
    assert report.complete is (link == "to another file inside")
    assert len(rig.lake.objects) == GOOD + report.complete


def test_d6_a_loop_in_what_is_downloaded_to(rig: Faultd, connected: Connect, tmp_path: Path) -> None:
    rig.lake.add("Demo_a.png", b"picture")
    (tmp_path / "Demo").mkdir()
    (tmp_path / "Demo" / "data").symlink_to(tmp_path / "Demo")
    report = connected().downloads.collection("c1", tmp_path)
    assert [item.state for item in report.items] == ["failed"]
    assert sorted(path.name for path in (tmp_path / "Demo").iterdir()) == ["Demo.json", "data"]
