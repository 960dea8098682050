"""Where CVAT's XML is looked for, and that no second one is passed over."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from annolake.converters import convert
from annolake.converters.registry import sniff
from annolake.converters.statistics import statistics
from annolake.schemas.errors import InvalidInput

XML = '<annotations><image id="0" name="{}.jpg" width="9" height="9"/></annotations>'


@pytest.mark.parametrize("name", ["out_cvat", "task.txt", "task.json", "task.zip"])
def test_an_xml_is_known_by_its_root_whatever_its_name(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_text(XML.format("a"))
    assert sniff(path).name == "cvat"
    assert statistics(path)["images"] == 1


@pytest.mark.parametrize("name", ["export", "export.xml", "export.ZIP"])
def test_a_zip_is_known_by_its_first_bytes(tmp_path: Path, name: str):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations.xml", XML.format("a"))
    assert sniff(path).name == "cvat"
    assert statistics(path)["images"] == 1


def put(folder: Path, files: dict[str, str], *, packed: bool) -> Path:
    if packed:
        with zipfile.ZipFile(folder / "x.zip", "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return folder / "x.zip"
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_a_second_file_beside_annotations_xml_is_not_passed_over(tmp_path: Path, packed: bool):
    source = put(tmp_path, {"annotations.xml": XML.format("a"), "more.xml": XML.format("b")}, packed=packed)
    with pytest.raises(InvalidInput) as caught:
        convert(source, tmp_path.parent / f"{tmp_path.name}.json", to="metalake", from_="cvat")
    assert "annotations.xml, more.xml" in caught.value.message
    assert "several files" in str(caught.value.hint)
    with pytest.raises(InvalidInput, match="2"):
        sniff(source)


@pytest.mark.parametrize("packed", [False, True])
def test_xml_of_something_else_is_nobodys_second_file(tmp_path: Path, packed: bool):
    files = {"a.xml": "<annotation/>", "annotations.xml": XML.format("a"), "b.xml": "<broken", "c.xml": ""}
    source = put(tmp_path, files, packed=packed)
    convert(source, tmp_path.parent / f"{tmp_path.name}.json", to="metalake", from_="cvat")
    assert statistics(source, "cvat")["images"] == 1
