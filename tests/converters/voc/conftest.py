"""Making VOC files, and reading them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import voc
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.opening import streamed
from annolake.converters.testing.cases import DataSet
from annolake.schemas.errors import InvalidInput

Make = Callable[..., Path]
Read = Callable[..., DataSet]


def bndbox(xmin: object, ymin: object, xmax: object, ymax: object) -> str:
    return f"<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>"


def document(*objects: str, filename: str = "a.jpg", more: str = "") -> str:
    """A file of an image of 100 x 80 pixels."""
    size = "<size><width>100</width><height>80</height><depth>3</depth></size>"
    inner = "".join(f"<object>\n{element}\n</object>\n" for element in objects)
    return f"<annotation>\n<filename>{filename}</filename>{size}{more}\n{inner}</annotation>"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """({path: content}) -> a folder with these files."""

    def make(files: dict[str, str | bytes], name: str = "set") -> Path:
        for path, content in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return make


@pytest.fixture
def read() -> Read:
    """(path, ledger, **options) -> its catalogue and records."""

    def read(path: Path, ledger: Ledger | None = None, **options: Any) -> DataSet:
        ledger = ledger or Ledger()
        reading = voc.FORMAT.read(path, voc.Options(**options), Context(), ledger)
        return DataSet(reading.catalog, list(streamed(reading, ledger)))

    return read


@pytest.fixture
def refusal(make: Make, read: Read) -> Callable[..., InvalidInput]:
    """(content) -> the error of a set with one fine file and that one."""

    def refusal(content: str | bytes, **options: Any) -> InvalidInput:
        folder = make({"a.xml": document(), "b.xml": content})
        with pytest.raises(InvalidInput) as caught:
            read(folder, **options)
        error = caught.value
        assert error.place.file == (folder / "b.xml").as_posix()
        assert error.hint
        ledger = Ledger(lenient=True)
        data = read(folder, ledger, **options)
        assert "a.jpg" in [record.image for record in data.records]
        assert error.code in [problem.code for problem in ledger.problems]
        return error

    return refusal
