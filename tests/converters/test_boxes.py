"""Boxes of which nothing else is said take a short way, which leads where the long one does."""

from __future__ import annotations

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from annolake.converters import registry
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.opening import open_source
from annolake.converters.projection import projector
from annolake.schemas.errors import AnnolakeError
from annolake.schemas.model import Boxes, Catalog, Category, Record, Rectangle, count_objects

TARGETS = [("coco", {}), ("cvat", {}), ("metalake", {}), ("yolo", {"task": "detect", "decimals": 6})]
TARGETS += [("yolo", {"task": "segment", "decimals": 12}), ("voc", {"convention": "devkit"})]
TARGETS += [("voc", {"convention": "edges"}), ("voc", {"numbers": "int"})]
LABELS = ["car", "Fußgänger", "100% <a & b>", " car", '"', "é\u2028"]

_pixels = st.one_of(
    st.integers(-3, 120),
    st.integers(0, 960).map(lambda eighths: eighths / 8),
    st.floats(-2, 120),
    st.sampled_from([0.1 + 0.2, 21.95, 1e-7, 1e16, 10**16, 1e155, 1e308]),
)
_fractions = st.one_of(st.floats(0, 1), st.integers(0, 10**6).map(lambda millionths: millionths / 10**6))


@st.composite
def _images(draw: st.DrawFn, space: str) -> list[Record]:
    number = _pixels if space == "pixels" else _fractions
    boxes = st.lists(
        st.builds(lambda label, *box: Rectangle(box, label=label), st.sampled_from(LABELS), *[number] * 4), max_size=9
    )
    sizes = st.sampled_from([(100, 80), (640, 427), (None, None), (7, 3)])
    records: list[Record] = []
    for index in range(draw(st.integers(1, 3))):
        width, height = draw(sizes)
        records.append(Record(image=f"{index}.jpg", annotations=[*draw(boxes)], width=width, height=height))
    return records


def _written(records: list[Record], catalog: Catalog, to: str, chosen: dict[str, Any]) -> Any:
    """What becomes of the records: files and books, or the error."""
    format_ = registry.get(to)
    options, ledger = format_.options(**chosen), Ledger(complete=True)
    fidelity = format_.fidelity(options)
    space = catalog.coordinates if catalog.coordinates in fidelity.coordinates else fidelity.coordinates[0]
    project = projector(fidelity, ledger, coordinates=catalog.coordinates, target=space)
    with TemporaryDirectory() as folder:
        path = Path(folder, "out")
        try:
            projected = list(map(project, records))
            written = format_.write(path, options, Context(), replace(catalog, coordinates=space), projected)
        except (AnnolakeError, ValueError) as error:  # the latter: sums of numbers that no picture has
            return type(error), str(error), getattr(error, "place", None)
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        texts = [(str(file.relative_to(folder)), file.read_bytes()) for file in files if file.is_file()]
    return projected, written, texts, ledger.losses_json(), ledger.added, ledger.dropped


@pytest.mark.parametrize("space", ["pixels", "normalized"])
@pytest.mark.parametrize(("to", "chosen"), TARGETS)
@settings(max_examples=40)
@given(data=st.data())
def test_is_written_and_booked_the_same(space: Any, to: str, chosen: dict[str, Any], data: st.DataObject) -> None:
    records = data.draw(_images(space))
    catalog = Catalog(labels=tuple(map(Category, LABELS)), coordinates=space)
    held: list[Any] = [record.annotations for record in records]
    quick = [replace(record, annotations=Boxes(boxes)) for record, boxes in zip(records, held, strict=True)]
    assert _written(quick, catalog, to, chosen) == _written(records, catalog, to, chosen)


def test_are_counted_and_travel() -> None:
    record = Record(image="a.jpg", annotations=Boxes([Rectangle((1, 2, 3, 4), label="car")]))
    assert count_objects(record) == 1
    assert type(pickle.loads(pickle.dumps(record)).annotations) is Boxes


@pytest.mark.parametrize(
    ("name", "text", "others"),
    [
        ("labels/a.txt", "0 0.5 0.5 0.2 0.2\n", {"data.yaml": "train: images\nnames: [car]\n"}),
        (
            "a.xml",
            "<annotation><filename>a.jpg</filename><object><name>car</name><bndbox><xmin>1</xmin><ymin>2</ymin>"
            "<xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>",
            {},
        ),
    ],
)
def test_are_what_usual_files_hold(tmp_path: Path, name: str, text: str, others: dict[str, str]) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    for file, content in {name: text, **others}.items():
        (tmp_path / file).write_text(content)
    [record] = open_source(tmp_path, None, Ledger()).records(Ledger())
    assert type(record.annotations) is Boxes


def test_a_file_that_says_more_holds_no_such_boxes(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        "<annotation><filename>a.jpg</filename><object><name>car</name><truncated>1</truncated><bndbox><xmin>1</xmin>"
        "<ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>"
    )
    [record] = open_source(tmp_path, None, Ledger()).records(Ledger())
    assert type(record.annotations) is list
    assert record.annotations[0].metadata == {"truncated": True}
