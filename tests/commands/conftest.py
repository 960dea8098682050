"""A folder with small data sets, and the commands run there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from annolake.commands.main import annolake


def coco() -> dict[str, Any]:
    """Two pictures; on the first a car as a polygon, and a crowd as a mask: the picture's first column, 80 high."""
    return {
        "info": {"year": 2024},
        "images": [
            {"id": 1, "file_name": "a.png", "width": 100, "height": 80},
            {"id": 2, "file_name": "b.png", "width": 100, "height": 80},
        ],
        "annotations": [
            {
                "id": 7, "image_id": 1, "category_id": 3, "iscrowd": 0, "area": 600,
                "bbox": [10, 10, 20, 30], "segmentation": [[10, 10, 30, 10, 30, 40, 10, 40]],
            },
            {
                "id": 8, "image_id": 1, "category_id": 3, "iscrowd": 1, "area": 80,
                "bbox": [0, 0, 1, 80], "segmentation": {"size": [80, 100], "counts": [0, 80, 7920]},
            },
        ],
        "categories": [{"id": 3, "name": "car"}],
    }  # fmt: skip


def lake() -> dict[str, Any]:
    """One picture with one box."""
    box = {"type": "rectangle", "bbox": [10, 10, 20, 30], "label": "car"}
    return {"images": [{"image": "a.png", "width": 100, "height": 80, "annotations": [box]}]}


@dataclass
class Desk:
    """The current folder. `coco` and `lake` are the documents in `instances.json` and `lake.json`, to be changed."""

    path: Path
    coco: dict[str, Any]
    lake: dict[str, Any]

    def run(self, *words: str | Path) -> Result:
        """A command as typed, without `annolake`; standard output and standard error apart."""
        return CliRunner().invoke(annolake, [str(word) for word in words])

    def put(self, name: str, content: Any) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    def get(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def names(self) -> list[str]:
        """All that is in the folder, hidden files too, but what was there from the start."""
        start = {"instances.json", "lake.json"}
        return sorted(path.name for path in self.path.iterdir() if path.name not in start)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANNOLAKE_DEBUG", raising=False)
    desk = Desk(tmp_path, coco(), lake())
    desk.put("instances.json", desk.coco)
    desk.put("lake.json", desk.lake)
    return desk
