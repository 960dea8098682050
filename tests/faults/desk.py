"""A folder of pictures with annotations, a rig, and jobs over them: killed in processes of their own, and done here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..metalake_io.settings import Connect
from . import actions as act
from . import child
from .children import Child, Nursery
from .faultd import Faultd
from .lake import KEY, SECRET

FILES = 12
FAULTLESS = 3 + 4 * FILES
"""Requests of an upload: the check of versions, begin, complete, and four for each file."""

UPLOAD = ("upload", "files", "pictures", "--collection", "Demo", "--at-once", "4", "--json")


class Desk:
    """`files` are the bytes by their unique names, `shapes` how many there are in the file `annotations.json`."""

    def __init__(self, folder: Path, rig: Faultd, connected: Connect, nursery: Nursery, count: int = FILES) -> None:
        self.rig, self.folder, self.nursery = rig, folder, nursery
        self._connected = connected
        pictures = folder / "pictures"
        pictures.mkdir()
        self.files: dict[str, bytes] = {}
        for number in range(count):
            content = f"picture {number} ".encode() * (40 + number)
            (pictures / f"{number:03}.png").write_bytes(content)
            self.files[f"Demo_{number:03}.png"] = content
        box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
        images = [{"image": f"{n:03}.png", "annotations": [box] * (n % 3)} for n in range(count)]
        (folder / "annotations.json").write_text(json.dumps({"images": images}))
        self.shapes = {(f"Demo_{n:03}.png", "op"): n % 3 for n in range(count)}
        self.job: dict[str, Any] = {
            "url": rig.url,
            "folder": str(pictures),
            "annotations": str(folder / "annotations.json"),
            "journal": str(folder / "state" / "demo.sqlite"),
            "what": "files",
        }

    @property
    def journal(self) -> Path:
        return Path(self.job["journal"])

    def begun(self) -> Child:
        """The job, begun in a process of its own, which can be killed."""
        self.rig.victim = None  # until its number is known, nobody is to be killed
        process = self.nursery.start(self.job, self.folder)
        self.rig.victim = process.pid
        return process

    def killed(self, kill: act.Act, skip: int, match: str = "") -> bool:
        """Run it in a process that dies at that request; whether it did."""
        rule = self.rig.rule(match, kill, skip=skip)
        process = self.begun()
        assert process.wait() in (0, -9), process.stderr
        self.rig.settle(alone=True)
        rule.times = 0
        return process.returncode == -9

    def again(self) -> Any:
        """Run it here."""
        return child.run(self._connected(self.rig.url, at_once=4), self.job)

    def typed(self, *words: str, **environ: str) -> Child:
        """A command, typed in the folder, in a process of its own. `--collection Demo` has no journal in common with
        the jobs.
        """
        self.rig.victim = None
        started = self.nursery.start(self.typing(*words, **environ), self.folder)
        self.rig.victim = started.pid
        return started

    def typing(self, *words: str, **environ: str) -> dict[str, Any]:
        """The same as a job, for another nursery."""
        known = {"METALAKE_URL": self.rig.url, "METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET}
        known |= {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config")}
        return {"argv": words, "folder": str(self.folder), "environ": known | environ}
