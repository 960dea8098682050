"""A reader of VOC that shares nothing with ours: ElementTree, and what is found below an element by its path."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

ALWAYS = Counter({("segmented", "0.0"): 1})
"""What is written of an image whether its source said it or not."""

OF_OBJECT = (("object/pose", "Unspecified"), ("object/truncated", "0.0"), ("object/difficult", "0.0"))


def boxes(path: Path) -> list[tuple[str, str, list[float]]]:
    """File, label and xmin, ymin, xmax, ymax of every object below a folder, by file and order."""
    out: list[tuple[str, str, list[float]]] = []
    for file in sorted(path.rglob("*.xml")):
        for element in ElementTree.parse(file).getroot().iter("object"):
            numbers = [float(element.findtext(f"bndbox/{name}") or "nan") for name in ("xmin", "ymin", "xmax", "ymax")]
            out.append((file.name, element.findtext("name") or "", numbers))
    return out


def texts(file: Path) -> Counter[tuple[str, str]]:
    """Every text of a file with the path of its element; numbers by their value, empty elements by their name."""
    found: Counter[tuple[str, str]] = Counter()

    def walk(element: ElementTree.Element, at: str) -> None:
        for name, value in element.attrib.items():
            found[f"{at}@{name}", value] += 1
        if len(element) == 0:
            found[at, _value(element.text or "")] += 1
        for child in element:
            walk(child, f"{at}/{child.tag}".lstrip("/"))

    walk(ElementTree.parse(file).getroot(), "")
    return found


def lost(before: Path, after: Path) -> Counter[tuple[str, str]]:
    """Texts of the one file that the other does not have."""
    return texts(before) - texts(after)


def added(before: Path, after: Path) -> Counter[tuple[str, str]]:
    """Texts of the other file that the one does not have, but for what is always written."""
    extra = texts(after) - texts(before) - ALWAYS
    return Counter({key: count for key, count in extra.items() if key not in OF_OBJECT})


def _value(text: str) -> str:
    try:
        return repr(float(text))
    except ValueError:
        return text
