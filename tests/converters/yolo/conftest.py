"""Data sets as dictionaries of files, and the format's own entrance to read and write them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.yolo import FORMAT, Options
from annolake.schemas.model import Annotation, Catalog, Record, Rectangle


@dataclass
class Read:
    catalog: Catalog
    records: list[Record]
    ledger: Ledger

    @property
    def images(self) -> list[str]:
        return [record.image for record in self.records]

    @property
    def rows(self) -> list[list[tuple[str, tuple[float, ...]]]]:
        """Label and numbers of every annotation, image by image."""
        return [[(a.label, numbers(a)) for a in record.annotations] for record in self.records]

    def codes(self, severity: str = "warning") -> list[str]:
        return [problem.code for problem in self.ledger.problems if problem.severity == severity]

    def decided(self) -> list[str]:
        return [decision.code for decision in self.ledger.decisions]


def numbers(annotation: Annotation) -> tuple[float, ...]:
    return annotation.bbox if isinstance(annotation, Rectangle) else tuple(annotation.xy)


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of files; text, bytes, or None for a small PNG of 20 by 10 pixels."""

    def make(files: dict[str, Any], folder: str = "set") -> Path:
        for name, content in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                buffer = io.BytesIO()
                Image.new("RGB", (20, 10)).save(buffer, "PNG")
                content = buffer.getvalue()
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / folder

    return make


@pytest.fixture
def read() -> Callable[..., Read]:
    """Reads a whole data set; `lenient` collects problems as `validate` does."""

    def whole(path: Path, *, lenient: bool = False, context: Context | None = None, **options: Any) -> Read:
        ledger = Ledger(lenient=lenient)
        reading = FORMAT.read(path, Options(**options), context or Context(), ledger)
        records = list(reading.records(ledger))
        assert ledger.seen["images"] == len(records) == reading.images
        return Read(reading.catalog, records, ledger)

    return whole


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Settles the options and writes; the target folder is new each time."""
    count = iter(range(1000))

    def whole(catalog: Catalog, records: list[Record], **options: Any) -> Path:
        assert FORMAT.settle is not None
        settled = FORMAT.settle(Options(**options), catalog, lambda: iter(records), Ledger())
        target = tmp_path / f"written{next(count)}"
        written = FORMAT.write(target, settled, Context(), catalog, records)
        assert written.images == len(records)
        assert written.annotations == sum(len(record.annotations) for record in records)
        return target

    return whole


@pytest.fixture(scope="session")
def ultralytics() -> Callable[..., dict[str, dict[str, list[list[float]]]]]:
    """An independent reader with Ultralytics' rules."""
    return accepted


Rows = dict[str, dict[str, list[list[float]]]]


def accepted(folder: Path, keypoints: int = 0, size: int = 3, more: int = 0) -> Rows:
    """Rows by image and split, as Ultralytics finds and accepts them (`check_det_dataset`, `img2label_paths`,
    `verify_image_label`), written down anew from its rules. Fails where Ultralytics would skip or refuse; the last
    `more` columns, which make it a set of predictions, are passed over.
    """
    data = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    assert {"train", "val", "names"} <= data.keys()
    names = data["names"]
    assert all(isinstance(name, str) for name in names.values())
    assert sorted(names) == list(range(len(names))) and data["nc"] == len(names)
    assert "path" not in data
    out: dict[str, dict[str, list[list[float]]]] = {}
    for key in ("train", "val", "test"):
        if key not in data:
            continue
        listing = folder / data[key]
        out[key] = {}
        for line in listing.read_text(encoding="utf-8").split("\n")[:-1]:
            assert line.startswith("./")
            image = f"{listing.parent}{os.sep}{line[2:]}"
            head, _, tail = image.rpartition("/images/")
            label = Path(f"{head}/labels/{tail}".rsplit(".", 1)[0] + ".txt")
            rows = [
                row.split()[: -more or None] for row in label.read_text(encoding="utf-8").strip().splitlines() if row
            ]
            out[key][line] = [list(map(float, row)) for row in rows]
            assert len({tuple(row) for row in rows}) == len(rows), "Ultralytics drops repeated rows"
            check_rows(out[key][line], len(names), keypoints * size)
    return out


def check_rows(rows: list[list[float]], classes: int, of_points: int) -> None:
    polygons = not of_points and any(len(row) > 6 for row in rows)
    for row in rows:
        assert row[0].is_integer() and 0 <= row[0] < classes
        if polygons:
            assert len(row) >= 7 and len(row) % 2 == 1, "labels mix segment and detection rows"
            numbers = [(min(row[a::2]), max(row[a::2])) for a in (1, 2)]
            checked = [n for low, high in numbers for n in ((low + high) / 2, high - low)]
        else:
            assert len(row) == 5 + of_points
            checked = row[1:5]
        assert max(checked) <= 1.01 and min(checked) >= -0.01
