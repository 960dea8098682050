"""Files that change between runs, before their turn, or while they are read: nothing mixed ever becomes a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import actions as act
from .desk import Desk
from .oracle import Inputs, check
from .torture import of_all

Change = Callable[[Path], None]


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def other(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def secretly_other(path: Path) -> None:
    """Of the same size and, by its time stamp, as old as before."""
    before = path.stat()
    other(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def gone(path: Path) -> None:
    path.unlink()


CHANGES = [longer, shorter, other, secretly_other, gone]


@pytest.mark.parametrize(
    ("change", "part_size", "number"),
    of_all(
        [(change, part_size, 30) for change in CHANGES for part_size in (None, 100)],
        [(change, part_size, number) for change in CHANGES for part_size in (None, 100) for number in (10, 45, 100)],
    ),
)
def test_a9_files_that_change_between_runs(desk: Desk, change: Change, part_size: int | None, number: int) -> None:
    """What had arrived whole is told to have changed; all else is sent as it is now; nothing is mixed."""
    desk.job["part_size"] = part_size
    desk.killed(act.kill("before"), number)
    there = {one.name for one in desk.rig.lake.objects}
    wanted = {name: content for name, content in desk.files.items() if name in there}
    paths = sorted((desk.folder / "pictures").iterdir())
    for path in paths if change is not gone else paths[1:]:
        change(path)
    for path in (desk.folder / "pictures").iterdir():
        wanted.setdefault(f"Demo_{path.name}", path.read_bytes())
    report = desk.again()
    verdict = check(desk.rig.lake, Inputs(wanted))
    assert verdict.clean, verdict
    failed = {f"Demo_{item.name}": item for item in report.of("failed")}
    assert set(failed) == (there if change in (longer, shorter, other) else set())
    assert all("changed since it was uploaded" in (item.reason or "") for item in failed.values())
    assert {item.retry_helps for item in failed.values()} <= {False}


def changing(desk: Desk, name: str, part: int, change: Change) -> None:
    """The file is changed, once, while the storage is being handed that part of it."""
    path, put = desk.folder / "pictures" / name, desk.rig.lake.bucket.serve
    whole = path.read_bytes()

    def serve(asked: Any) -> Any:
        if name in asked.target and f"partNumber={part}" in asked.target and path.read_bytes() == whole:
            change(path)
        return put(asked)

    desk.rig.lake.bucket.serve = serve


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("change", [longer, shorter, other])
def test_a9_a_file_that_changes_while_it_is_read(desk: Desk, part: int, change: Change) -> None:
    desk.job["part_size"] = 300
    path = desk.folder / "pictures" / "007.png"
    changing(desk, "007.png", part, change)
    report = desk.again()
    (failed,) = report.of("failed")
    assert (failed.name, failed.retry_helps) == ("007.png", True)
    assert not report.is_success
    assert "Demo_007.png" not in {one.name for one in desk.rig.lake.objects}
    again = desk.again()
    assert check(desk.rig.lake, Inputs(desk.files | {"Demo_007.png": path.read_bytes()}), again).clean


@pytest.mark.parametrize("change", [longer, shorter, other, gone])
def test_a9_a_file_that_changes_before_its_turn(desk: Desk, change: Change) -> None:
    """After its name was announced, before it is looked at: it is sent as it is then, or told to be missing."""
    path, begin = desk.folder / "pictures" / "007.png", desk.rig.lake.sending.begin

    def begun(asked: Any) -> Any:
        change(path)
        return begin(asked)

    desk.rig.lake.sending.begin = begun
    report = desk.again()
    if change is gone:
        (failed,) = report.of("failed")
        assert (failed.name, failed.reason) == ("007.png", "it cannot be read: No such file or directory")
        assert check(desk.rig.lake, Inputs(desk.files), report).lost == ["Demo_007.png"]
    else:
        wanted = desk.files | {"Demo_007.png": path.read_bytes()}
        assert check(desk.rig.lake, Inputs(wanted), report).clean
