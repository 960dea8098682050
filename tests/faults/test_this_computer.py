"""What this computer refuses while something is downloaded: told at once, with path and number; nothing half done."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.partfiles import write_all
from annolake.schemas.errors import LocalFailure

from ..metalake_io.trees import tree
from .children import Nursery
from .desk import Connect
from .faultd import Faultd
from .here import NAMES, UPLOAD, Run
from .oracle import Inputs, check
from .torture import of_all

SIZE = 300_000
FILES = {f"Demo_{number}.png": random.Random(number).randbytes(SIZE) for number in range(5)}


@pytest.fixture
def full(rig: Faultd) -> Faultd:
    for name, content in FILES.items():
        rig.lake.add(name, content)
    return rig


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A small disk of its own, made or changed by options of `mount`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def made(options: str) -> Path:
        nonlocal mounted
        command = ["mount", "-t", "tmpfs", "-o", f"{'remount,' if mounted else ''}{options}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount")
        if done.returncode:
            pytest.skip("only root mounts a disk")
        mounted = True
        return folder

    yield made
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def traced(tmp_path: Path) -> Callable[..., tuple[int, str, int]]:
    """A command in a process of its own, whose calls of the system are tampered with: its exit code, what it said, and
    how many calls were.
    """
    strace = shutil.which("strace")
    if (
        strace is None
        or subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("strace is not here, or may not trace")

    def run(inject: str, *words: str) -> tuple[int, str, int]:
        calls = inject.partition("=")[2].partition(":")[0]
        command = [strace, "-f", "-o", str(tmp_path / "trace"), "-e", f"trace={calls}", "-e", inject]
        command += [sys.executable, "-m", "annolake.commands", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr, (tmp_path / "trace").read_text().count("INJECTED")

    return run


def refused(client: MetaLakeClient, out: Path) -> tuple[LocalFailure, Any]:
    """The error of a download, and its report; only whole files stand there."""
    with pytest.raises(LocalFailure) as caught:
        client.downloads.collection("c1", out)
    assert caught.value.exit_code == 9
    there = {Path(path).name: content for path, content in tree(out).items()}
    assert {name: content for name, content in there.items() if FILES.get(name) != content} == {}
    report: Any = caught.value.report  # type: ignore[attr-defined]
    assert {item.name for item in report.of("downloaded")} == set(there)
    assert {item.name for item in report.items} == set(FILES)
    return caught.value, report


def asked_once(rig: Faultd) -> bool:
    """No file was asked for again because the disk did not take it."""
    targets = [entry.target.partition("?")[0] for entry in rig.asked("get-file")]
    return len(targets) == len(set(targets))


def test_d1_a_full_disk(full: Faultd, connected: Connect, disk: Callable[[str], Path]) -> None:
    out = disk("size=1m")
    error, report = refused(connected(at_once=1), out)
    assert "No space left on device; " in error.message and f" of {SIZE:,} bytes are not written" in error.message
    assert error.place.file is not None and error.place.file.startswith(f"{out}/Demo/data/Demo_")
    assert len(report.of("downloaded")) == 3
    assert asked_once(full)
    disk("size=4m")
    assert connected().downloads.collection("c1", out).complete
    assert {Path(path).name for path in tree(out)} == {*FILES, "Demo.json"}


@pytest.mark.parametrize("number", of_all([1, 2, 11, 23], list(range(1, 26))))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_d1_no_space_at_the_nth_write(
    full: Faultd, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    count = 0

    def no_space(file: Any, data: bytes) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise OSError(code, os.strerror(code))
        write_all(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("annolake.metalake_io.landing.write_all", no_space)
        error, report = refused(connected(at_once=1), tmp_path)
    assert os.strerror(code) in error.message and "bytes are not written" in error.message
    assert len(report.of("failed")) == 1
    assert asked_once(full)
    assert connected().downloads.collection("c1", tmp_path).complete


@pytest.mark.parametrize("number", of_all([1, 5, 20], list(range(1, 41))))
def test_d1_no_space_for_the_journal(
    rig: Faultd, run: Run, traced: Callable[..., tuple[int, str, int]], number: int
) -> None:
    """From the nth write of a thread on. What has arrived by then is not sent again by the next run."""
    files = {f"Demo_{name}": Path("pictures", name).read_bytes() for name in NAMES}
    code, said, injected = traced(f"inject=pwrite64:error=ENOSPC:when={number}+", *UPLOAD)
    assert injected <= 3, "while it undoes a write, SQLite may write once or twice more"
    rig.settle(alone=True)
    if code == 0:
        assert check(rig.lake, Inputs(files)).clean, "only what would be kept for the next run may be lost"
    else:
        assert (code, injected > 0) == (9, True)
        assert "the journal cannot be kept" in said and ".sqlite" in said
    assert run(*UPLOAD).exit_code == 0
    assert check(rig.lake, Inputs(files)).clean
    assert len(rig.asked("finalise")) == len(files)


def test_d2_files_may_not_be_so_large(full: Faultd, connected: Connect, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        error, _ = refused(connected(at_once=1), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.message == f"File too large; {SIZE - 100_000:,} of {SIZE:,} bytes are not written"
    assert asked_once(full)
    assert connected().downloads.collection("c1", tmp_path).complete


@pytest.mark.parametrize("number", [1, 3])
def test_d2_the_disk_fails_when_it_must_be_sure(
    full: Faultd, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sync, count = os.fsync, 0

    def fails(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise OSError(errno.EIO, "Input/output error")
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        error, report = refused(connected(at_once=1), tmp_path)
    assert error.message.startswith("Input/output error")
    assert len(report.of("downloaded")) == number - 1
    assert connected().downloads.collection("c1", tmp_path).complete


def test_d2_a_disk_that_is_only_for_reading(full: Faultd, connected: Connect, disk: Callable[[str], Path]) -> None:
    out = disk("size=4m")
    disk("ro")
    with pytest.raises(LocalFailure, match="Read-only file system") as caught:
        connected().downloads.collection("c1", out)
    assert caught.value.place.file == str(out / "Demo")
    assert not full.asked("get-file")


@pytest.mark.parametrize("what", ["collection", "list"])
def test_d3_few_files_may_be_open(rig: Faultd, nursery: Nursery, tmp_path: Path, what: str) -> None:
    for number in range(100):
        rig.lake.add(f"Demo_{number}.png", b"x" * 1000)
    job = {"what": what, "url": rig.url, "folder": str(tmp_path / "out"), "at_once": 32, "open_files": 64}
    process = nursery.start(job, tmp_path)
    assert process.wait() == 0, process.stderr
    assert len([path for path in tree(tmp_path / "out") if path.endswith(".png")]) == 100
    assert len({entry.connection for entry in rig.asked("get-file")}) < 20


def test_d3_too_few_files_may_be_open(full: Faultd, connected: Connect, tmp_path: Path) -> None:
    client = connected(at_once=2)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/dev/fd"))) + 1, hard))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(LocalFailure) as caught:
            client.downloads.collection("c1", tmp_path)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "ulimit -n" in (caught.value.hint or "")
    assert client.downloads.collection("c1", tmp_path).complete
