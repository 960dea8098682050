"""One run at a time writes to a folder, and what a killed export leaves in it is gone after the next."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.commands.journals import only_run

from ..metalake_io.trees import tree
from . import actions as act
from .children import Child, Nursery
from .faultd import Faultd
from .lake import KEY, SECRET
from .pictures import png
from .torture import of_all

Typed = Callable[..., Child]

COMMANDS = [
    ("download", "collection", "c1", "out"),
    ("download", "files", "out", "--collection", "c1"),
    ("export", "c1", "out", "--to", "yolo", "--allow-loss"),
]
FILES = {f"Demo_{number}.png": png() + bytes([number]) for number in range(12)}


@pytest.fixture
def typed(rig: Faultd, nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A command, in a process of its own, with a lake of twelve pictures."""
    for name, content in FILES.items():
        rig.lake.add(name, content)
        box: dict[str, Any] = {"x": 1, "y": 1, "w": 3, "h": 3}
        shape = {"id": name, "type": "rectangle", "label": {"labelText": "Bird"}, "boxBoundariesAndDimensions": box}
        rig.lake.annotations[name, "op"] = [shape]
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    environ = {
        "METALAKE_URL": rig.url,
        "METALAKE_API_KEY": KEY,
        "METALAKE_SECRET": SECRET,
        "ANNOLAKE_TIMEOUT": "5",
        "XDG_STATE_HOME": str(state),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }

    def start(*words: str) -> Child:
        job = {"argv": [*words, "--json", "--at-once", "4"], "folder": str(tmp_path), "environ": environ}
        return nursery.start(job, tmp_path)

    return start


@pytest.mark.parametrize("words", COMMANDS)
def test_e1_another_run_works_on_the_folder(rig: Faultd, typed: Typed, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "same").symlink_to("out")
    with only_run(tmp_path / "same", wait=False):
        second = typed(*words)
        assert second.wait() == 10, second.stderr
        assert second.ended - rig.log[0].begin < 4
        assert "since 20" in json.loads(second.stdout)["error"]["message"]
        assert "the folder out already" in second.stderr
        assert tree(tmp_path / "out") == {}
        waiting = typed(*words, "--wait")
        assert not waiting.ends_within(1.5)
    assert waiting.wait() == 0, waiting.stderr
    assert "waiting for another run" in waiting.stderr
    assert len([path for path in tree(tmp_path / "out") if path.endswith(".png")]) == len(FILES)


@pytest.mark.parametrize("number", of_all([0, 3, 9, 14, 16], range(18)))
@pytest.mark.parametrize("to", ["yolo", "coco"])
def test_a3_an_export_killed_at_any_request(rig: Faultd, typed: Typed, tmp_path: Path, to: str, number: int) -> None:
    words = ("export", "c1", "out", "--to", to, "--allow-loss")
    out = tmp_path / "out"
    rig.rule("", act.kill(random.Random(number).choice(["before", "after", "replied"])), skip=number)
    rig.victim = None
    first = typed(*words)
    rig.victim = first.pid
    assert first.wait() == (-9 if number < 17 else 0), first.stderr
    rig.settle(alone=True)
    rig.rules.clear()
    there = {path.name: path.read_bytes() for path in out.rglob("*.png")}
    assert {name: content for name, content in there.items() if FILES[f"Demo_{name}"] != content} == {}
    again = typed(*words)
    assert again.wait() == 0, again.stderr
    assert {f"Demo_{path.name}": path.read_bytes() for path in out.rglob("*.png")} == FILES
    assert [path for path in tree(out) if ".annolake" in path] == [".annolake-export.json"]
    assert json.loads(again.stdout)["summary"]["downloaded"] >= len(FILES) - len(there)


@pytest.mark.parametrize("number", [3, 8])
@pytest.mark.parametrize("words", COMMANDS)
def test_e4_stopped_while_files_come(
    rig: Faultd, typed: Typed, tmp_path: Path, words: tuple[str, ...], number: int
) -> None:
    """What has not come is told, the same command fetches it, and nothing is left beside it."""
    rig.rule("get-file", act.interrupt(signal.SIGINT, hang=60), skip=number)
    rig.victim = None
    stopped = typed(*words)
    rig.victim = stopped.pid
    assert stopped.wait() == 130, stopped.stderr
    assert stopped.ended - rig.asked("get-file")[-1].begin < 5
    states = {row["name"]: row["state"] for row in json.loads(stopped.stdout)["items"]}
    there = {path.name for path in (tmp_path / "out").rglob("*.png")}
    assert {name for name, state in states.items() if state == "downloaded"} == {
        name for name in FILES if name in there or name.removeprefix("Demo_") in there
    }
    assert set(states) == set(FILES)
    again = typed(*words)
    assert again.wait() == 0, again.stderr
    assert json.loads(again.stdout)["summary"]["downloaded"] == len(FILES) - len(there)
    assert [path for path in tree(tmp_path / "out") if path.endswith(".part")] == []


def test_an_export_that_is_refused_leaves_no_folder(rig: Faultd, typed: Typed, tmp_path: Path) -> None:
    line: dict[str, Any] = {"type": "line", "label": {"labelText": "Road"}, "points": [[1, 1], [5, 5]]}
    rig.lake.annotations["Demo_3.png", "op"] = [line]
    refused = typed("export", "c1", "out", "--to", "yolo")
    assert refused.wait() == 3, refused.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".annolake-export.json", "images"]
    refused = typed("export", "c1", "other", "--to", "yolo", "--no-images")
    assert refused.wait() == 3, refused.stderr
    assert not (tmp_path / "other").exists()
