"""CVAT files compared by plain ElementTree, which knows nothing of annolake."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.converters import convert

ADDED = {"occluded": "0", "z_order": "0", "source": "file", "outside": "0"}
"""What CVAT always writes on a shape or track, and what it means where a file leaves it out."""
SHAPES = {"box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton", "tag", "track"}

Differ = Callable[[Path, Path], list[str]]


@pytest.fixture(scope="session")
def unlike() -> Differ:
    """(given, written) -> every element, attribute or text of the first that the second has not, and the other way
    round, but for ADDED attributes, ids of tracks and images that had none, and labels and attributes declared anew.
    """

    def unlike(given: Path, written: Path) -> list[str]:
        return _unlike(ET.parse(given).getroot(), ET.parse(written).getroot(), "")

    return unlike


@pytest.fixture
def home(tmp_path: Path) -> Callable[[Path], Path]:
    """Through MetaLake JSON and back."""

    def home(source: Path) -> Path:
        lake, back = tmp_path / "lake.json", tmp_path / "back.xml"
        convert(source, lake, to="metalake", overwrite=True)
        convert(lake, back, to="cvat", overwrite=True)
        return back

    return home


def _unlike(a: ET.Element, b: ET.Element, at: str) -> list[str]:
    at = f"{at}/{a.tag}"
    out: list[str] = []
    if a.tag != b.tag:
        return [f"{at}: {a.tag} became {b.tag}"]
    out += [
        f"{at}@{name}: {text!r} became {b.attrib.get(name)!r}"
        for name, text in a.attrib.items()
        if name not in b.attrib or not _same(text, b.attrib[name])
    ]
    for name in b.attrib.keys() - a.attrib.keys():
        allowed = (a.tag in SHAPES or "label" in a.attrib) and b.attrib[name] == ADDED.get(name)
        if not allowed and not (name == "id" and a.tag in ("track", "image")):
            out.append(f"{at}@{name}: {b.attrib[name]!r} is new")
    if (a.text or "").strip() != (b.text or "").strip() or (a.tag == "attribute" and _value(a) != _value(b)):
        out.append(f"{at}: text {a.text!r} became {b.text!r}")
    left, right = _ordered(a), _ordered(b)
    if a.tag == "annotations" and a.find("meta") is None:
        right = [child for child in right if child.tag != "meta"]
    if a.tag in ("labels", "attributes"):
        names = {child.findtext("name") for child in a}
        right = [child for child in right if child.findtext("name") in names]
    if len(left) != len(right):
        out.append(f"{at}: {[child.tag for child in left]} became {[child.tag for child in right]}")
    for one, other in zip(left, right, strict=False):
        out += _unlike(one, other, at)
    return out


def _ordered(element: ET.Element) -> list[ET.Element]:
    """Children in order; in a picture or track, tags and elements of other programs after the shapes."""
    if element.tag not in ("image", "track"):
        return list(element)
    rank = {"tag": 1, "track": 2}
    return sorted(element, key=lambda child: rank.get(child.tag, 0 if child.tag in SHAPES else 3))


def _value(element: ET.Element) -> str:
    return "" if len(element) else element.text or ""


def _same(a: str, b: str) -> bool:
    if a == b:
        return True
    try:
        return [list(map(float, pair.split(","))) for pair in a.split(";")] == [
            list(map(float, pair.split(","))) for pair in b.split(";")
        ]
    except ValueError:
        return False
