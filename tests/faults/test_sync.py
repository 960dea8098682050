"""A download outlives a power cut: its bytes are on the disk before they bear the name, names before the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .desk import Connect
from .faultd import Faultd


def test_synced_before_the_name_and_the_folder_at_the_end(
    rig: Faultd, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.lake.add("Demo_a.png", b"picture")
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        sync(descriptor)
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")

    def replaced(old: Path, new: Path) -> None:
        replace(old, new)
        done.append(f"name {Path(new).name} for {Path(old).name}")

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    connected().downloads.collection("c1", tmp_path)
    (named,) = [one for one in done if one.startswith("name Demo_a.png ")]
    part = named.rpartition(" ")[2]
    assert done.index(f"sync {part}") < done.index(named) < done.index("sync data")
