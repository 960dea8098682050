"""Data sets as dictionaries of files, and the format's own entrance to read and write them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
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
