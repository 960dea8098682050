"""Many files and large ones: how soon, over how many connections, with how many calls, in how much memory.

The rig is a process of its own. What is run always is a hundredth of what is asked for; the rest is torture.
Times are of the client's processor, which other work on the machine does not lengthen; the clock's are told.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from annolake.commands import journals
from annolake.metalake_io.journal import keeping
from annolake.metalake_io.journal_rows import FileRow, PartRow, UploadRow
from annolake.metalake_io.kinds import collection_target

from .apart import Apart
from .children import Child, Nursery
from .lake import KEY, SECRET
from .torture import of_all

WORKERS, FULL = 16, 100_000


def _times(done: Child) -> str:
    return f"{done.ended - done.began:.1f} s ({done.seconds:.1f} s of processor), {done.memory:.0f} MB"


class Store:
    """A folder with many small files, and commands over it."""

    def __init__(self, folder: Path, nursery: Nursery, count: int) -> None:
        self.folder, self.nursery, self.count = folder, nursery, count
        (folder / "many").mkdir()
        for number in range(count):
            (folder / "many" / f"{number:06}.png").write_bytes(number.to_bytes(4, "big") * 256)

    def upload(self, url: str, *more: str, kind: str = "image", what: str = "many") -> Child:
        environ = {"METALAKE_URL": url, "METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET}
        environ |= {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config")}
        words = ["upload", "files", what, "--type", kind, "--collection", "Demo", "--at-once", str(WORKERS), *more]
        job: dict[str, Any] = {"argv": [*words, "--json"], "folder": str(self.folder), "environ": environ}
        started = self.nursery.start(job, self.folder)
        started.wait(7200)
        return started

    def remember(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A journal as a run leaves it that has brought everything."""
        monkeypatch.setenv("XDG_STATE_HOME", str(self.folder / "state"))
        what = collection_target("Demo", "image")
        with keeping(journals.path(url, what), url, what) as journal:
            journal.put(UploadRow("u1", 0, self.count, "c1", "j1", closed=1))
            for path in (self.folder / "many").iterdir():
                found, file_id = path.stat(), f"f{path.name}"
                row = FileRow(path.name, found.st_size, found.st_mtime_ns, "done", "u1", file_id, "key", 100 << 20)
                journal.put(row, PartRow(file_id, 1, "etag", "00" * 16, "md5"))


@pytest.mark.parametrize("count", of_all([500], [FULL]))
def test_f5_f6_f8_many_small_files(tmp_path: Path, nursery: Nursery, count: int) -> None:
    store = Store(tmp_path, nursery, count)
    with Apart() as rig:
        done = store.upload(rig.url)
        assert done.returncode == 0, done.stderr
        told, files = rig.summary(), len(rig.state().files)
    asked = told["asked"]
    first = told["first"]["put-part"] - done.began
    print(f"{count} files in {_times(done)}, first byte after {first:.2f} s")
    assert json.loads(done.stdout)["summary"]["uploaded"] == files == count
    assert told["finalised"] == 1
    assert told["connections"] <= WORKERS + 4
    assert asked["init"] + asked["presign"] + asked["finalise"] <= 4 * count
    bookkeeping = sum(asked.get(name, 0) for name in ("create-collection", "complete", "version-check", "other"))
    assert bookkeeping <= max(5, count // 100), (
        "pages of the list, in which what stands twice is looked for, and the rest"
    )
    assert done.memory <= 150
    assert count < FULL or first <= 2 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), "others work here, too"
    assert count / done.seconds >= 150


@pytest.mark.parametrize("count", of_all([5_000], [FULL]))
def test_a10_d7_a_finished_job_again(
    tmp_path: Path, nursery: Nursery, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    store = Store(tmp_path, nursery, count)
    with Apart("--files", str(count)) as rig:
        store.remember(rig.url, monkeypatch)
        done = store.upload(rig.url)
        assert done.returncode == 0, done.stderr
        asked = rig.summary()["asked"]
    print(f"{count} files again in {_times(done)}")
    assert json.loads(done.stdout)["summary"]["skipped"] == count
    assert {name: asked.get(name, 0) for name in ("put-part", "finalise", "init", "create-collection")} == {
        "put-part": 0, "finalise": 0, "init": 0, "create-collection": 0
    }  # fmt: skip
    assert done.seconds <= 20
    assert done.memory <= 150


@pytest.mark.parametrize("size", of_all([200 << 20], [5 << 30]))
def test_d7_a_large_file(tmp_path: Path, nursery: Nursery, size: int) -> None:
    """Sparse, so that it takes no room here; the rig keeps no bytes of it."""
    store = Store(tmp_path, nursery, 0)
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(size)
    with Apart("--forget") as rig:
        done = store.upload(rig.url, kind="other", what="large.bin")
        assert done.returncode == 0, done.stderr
        assert rig.summary()["finalised"] == 1
    print(f"{size / 1e9:.1f} GB in {_times(done)}")
    assert json.loads(done.stdout)["items"][0]["verified_by"] == "md5"
    assert done.memory <= 150
