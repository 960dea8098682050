"""Commands as they are typed, in this process, in a folder with pictures and their annotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands.main import annolake

from ..metalake_io.clock import FakeClock
from ..metalake_io.settings import settings
from .faultd import Faultd

Run = Callable[..., Result]

NAMES = [f"{number}.png" for number in range(6)]
UPLOAD = ("upload", "files", "pictures", "--collection", "Demo")
ANNOTATE = ("upload", "annotations", "lake.json", "--collection", "Demo", "--operation", "op")
PUSH = ("push", "lake.json", "--images", "pictures", "--collection", "Demo", "--operation", "op")


def commands(folder: Path, rig: Faultd, patch: pytest.MonkeyPatch) -> Run:
    """`folder` becomes the current one, and the rig the service. Nothing is waited for."""
    settings(patch, rig.url, folder, timeout="5")
    patch.setattr("annolake.metalake_io.connecting.WallClock", FakeClock)
    patch.chdir(folder)
    Path("pictures").mkdir()
    for number, name in enumerate(NAMES):
        Image.new("RGB", (8 + number, 8)).save(Path("pictures", name))
    box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}
    images = [{"image": name, "annotations": [box] * (number % 3)} for number, name in enumerate(NAMES)]
    Path("lake.json").write_text(json.dumps({"images": images}))
    return lambda *words: CliRunner().invoke(annolake, words)
