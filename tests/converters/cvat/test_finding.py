"""Where CVAT's XML is looked for, and that no second one is passed over."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from annolake.converters.registry import sniff
from annolake.converters.statistics import statistics

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
