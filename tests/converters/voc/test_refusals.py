"""What is wrong with a file is said with file and line, and the others are read where problems are collected."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.converters import convert
from annolake.converters.ledger import Ledger
from annolake.schemas.errors import InvalidInput

from .conftest import Make, Read, bndbox, document

Refusal = Callable[..., InvalidInput]


@pytest.mark.parametrize(
    ("element", "code", "line"),
    [
        (f"<name>x</name>\n{bndbox(1, 2, 1, 4)}", "not-positive", 5),
        (f"<name>x</name>\n{bndbox(5, 2, 1, 4)}", "not-positive", 5),
        (f"<name>x</name>\n{bndbox('1,5', 2, 3, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('nan', 2, 3, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('inf', 2, 3, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('1e999', 2, 3, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('1_0', 2, 30, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('٣', 2, 30, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('', 2, 3, 4)}", "not-a-number", 5),
        (f"<name>x</name>\n{bndbox('left', 2, 3, 4)}", "not-a-number", 5),
        ("<name>x</name>\n<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax></bndbox>", "coordinate-missing", 5),
        (f"<name>x</name>\n{bndbox(1, 2, 3, 4).replace('ymax', 'xmax')}", "duplicate-element", 5),
        (f"<name>x</name>\n{bndbox(1, 2, 3, 4)}\n{bndbox(1, 2, 3, 4)}", "duplicate-element", 6),
        (f"{bndbox(1, 2, 3, 4)}", "label-missing", 3),
        (f"<name> </name>{bndbox(1, 2, 3, 4)}", "label-missing", 4),
        ("<name>x</name>", "box-missing", 3),
        ("<name>x</name><polygon><x1>1</x1><y1>1</y1></polygon>", "odd-polygon", 4),
        ("<name>x</name><polygon><pt><x>1</x><y>1</y></pt></polygon>", "unsupported-variant", 4),
        ("<name>x</name><robndbox><cx>5</cx><cy>5</cy><w>0</w><h>2</h><angle>0</angle></robndbox>", "not-positive", 4),
        ("<name>x</name><robndbox><cx>5</cx><cy>5</cy><w>1</w><h>2</h></robndbox>", "coordinate-missing", 4),
        (f"<name>x</name>{bndbox(1, 2, 3, 4)}<part><name>y</name>\n{bndbox(9, 9, 9, 9)}</part>", "not-positive", 5),
    ],
)
def test_an_object(refusal: Refusal, element: str, code: str, line: int) -> None:
    error = refusal(document(element, filename="b.jpg"))
    assert (error.code, error.place.line, error.place.annotation, error.place.image) == (code, line, 1, "b.jpg")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "not-well-formed"),
        ("<annotation>\n<filename>x & y.jpg</filename></annotation>", "not-well-formed"),
        (document(filename="b.jpg")[:-5], "not-well-formed"),
        (document("<name>\xfcbel</name>").encode("latin-1"), "not-well-formed"),
        ("<annotations><image/></annotations>", "not-voc"),
        (document(filename="b.jpg").replace("100", "wide"), "not-a-number"),
        (document(filename="b.jpg", more="\n<size><width>1</width></size>"), "duplicate-element"),
        (document(filename="b.jpg", more="\n<size/>"), "duplicate-element"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotation><filename>&x;</filename></annotation>', "dtd-refused"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "not-well-formed"),
        ("<annotation>" + "<a>" * 5000 + "</a>" * 5000 + "</annotation>", "not-well-formed"),
    ],
)
def test_a_file(refusal: Refusal, content: str | bytes, code: str) -> None:
    error = refusal(content)
    assert (error.code, error.place.line is not None) == (code, True)


def test_a_bomb_is_not_lit(refusal: Refusal) -> None:
    lines = ['<!ENTITY a0 "boom">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))]
    started = time.process_time()
    refusal(f"<!DOCTYPE x [{''.join(lines)}]><annotation><filename>&a11;</filename></annotation>")
    assert time.process_time() - started < 5


def test_two_images_of_one_name(make: Make, read: Read) -> None:
    folder = make({"a.xml": document(), "b.xml": document()})
    with pytest.raises(InvalidInput, match=r"a\.xml") as caught:
        read(folder)
    assert (caught.value.code, caught.value.place.file) == ("duplicate-image", str(folder / "b.xml"))


def test_nothing_is_written_where_one_of_many_is_broken(make: Make, tmp_path: Path) -> None:
    folder = make({f"{n:03}.xml": document(filename=f"{n:03}.jpg") for n in range(50)} | {"049.xml": "<annotation>"})
    with pytest.raises(InvalidInput, match=r"049\.xml"):
        convert(folder, tmp_path / "lake.json", to="metalake")
    assert not (tmp_path / "lake.json").exists()


def test_empty_boxes_can_be_dropped_and_are_booked(make: Make, read: Read) -> None:
    ledger = Ledger()
    content = document(f"<name>x</name>{bndbox(3, 1, 3, 2)}", f"<name>y</name>{bndbox(1, 1, 2, 2)}")
    data = read(make({"a.xml": content}), ledger, empty_boxes="drop")
    assert [a.label for a in data.records[0].annotations] == ["y"]
    assert (ledger.losses["degenerate"].count, ledger.seen["annotations dropped"]) == (1, 1)


def test_a_single_pixel_is_a_box_where_pixels_are_counted(make: Make, read: Read) -> None:
    folder = make({"a.xml": document(f"<name>x</name>{bndbox(3, 4, 3, 4)}")})
    assert read(folder, convention="devkit").records[0].annotations[0].bbox == (2, 3, 1, 1)  # type: ignore[union-attr]


def test_a_folder_or_a_pipe_called_xml(make: Make, read: Read) -> None:
    folder = make({"a.xml": document(), "x.xml/b.xml": document(filename="b.jpg")})
    assert [record.image for record in read(folder).records] == ["a.jpg", "x.xml/b.jpg"]
    os.mkfifo(folder / "pipe.xml")
    with pytest.raises(InvalidInput, match="regular file"):
        read(folder)


def test_a_flag_may_be_a_decimal(make: Make, read: Read) -> None:
    ledger = Ledger()
    element = f"<name>x</name><truncated>0.0</truncated><difficult>1.0</difficult>{bndbox(1, 2, 3, 4)}"
    metadata = read(make({"a.xml": document(element)}), ledger).records[0].annotations[0].metadata
    assert metadata == {"difficult": True, "voc_extra": '{"truncated":"0.0","difficult":"1.0"}'}
    assert not [p for p in ledger.problems if p.code == "odd-flag"]


def test_odd_flags_are_kept_with_a_warning(make: Make, read: Read) -> None:
    ledger = Ledger()
    element = f"<name>x</name><truncated>-1</truncated><difficult>true</difficult>{bndbox(1, 2, 3, 4)}"
    metadata = read(make({"a.xml": document(element)}), ledger).records[0].annotations[0].metadata
    assert metadata == {"difficult": True, "voc_extra": '{"truncated":"-1","difficult":"true"}'}
    warnings = [(p.code, p.severity) for p in ledger.problems if p.severity == "warning"]
    assert warnings == [("odd-flag", "warning")]
