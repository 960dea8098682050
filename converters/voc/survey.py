"""One quick look at every file before the first is read: what images are called, which labels there are, and what
tells the convention. What is broken is passed over here, and said when it is read.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...schemas.errors import AnnolakeError, Place
from ...schemas.problems import Problem
from ..files import read_bytes
from ..images import is_image_name
from ..ledger import Ledger
from ..text import FILE_LIMIT
from ..xmltext import parsed
from .convention import Evidence
from .elements import Element, without_namespaces
from .layout import Entry, Pictures
from .naming import USUAL_EXTENSION, name_of


class Survey(NamedTuple):
    """`names`: of the images, in the order of the entries; `fronted`: a split was put in front of some."""

    names: list[str]
    labels: set[str]
    evidence: Evidence
    fronted: bool


class ImageNote(msgspec.Struct, frozen=True, omit_defaults=True, rename={"storage_name": "storageName"}):
    """The element `<annolake>` of an image: facts of other formats, and its name where no rule gives it."""

    image: str | None = None
    storage_name: str | None = None
    extras: dict[str, object] = {}


_NOTE = msgspec.json.Decoder(ImageNote)


def look(entries: list[Entry], pictures: Pictures, ledger: Ledger) -> Survey:
    """Every file once. Two images of one name are a problem, unless their folders are splits."""
    evidence, labels = Evidence(), set[str]()
    names: list[str] = []
    typeless = 0
    for entry in entries:
        name, guessed = _look_at(entry, pictures, labels, evidence)
        names.append(entry.root.prefix + name)
        typeless += guessed
    if typeless:
        text = f"{typeless} images have no picture and nothing says of what type: {USUAL_EXTENSION}, as in the devkit"
        ledger.decide("picture-type", text)
    return Survey(names, labels, evidence, _fronted(entries, names, ledger))


def opened(path: str) -> Element:
    """The root of an XML file, without namespaces. InvalidInput where it is broken, LocalFailure where it is not
    readable.
    """
    data = read_bytes(Path(path), FILE_LIMIT)
    root = parsed(data, path)
    if b"xmlns" in data:
        without_namespaces(root)
    return root


def note_of(root: Element) -> ImageNote:
    """What annolake noted in an image's file; nothing where that is broken."""
    element = root.find("annolake")
    if element is None:
        return ImageNote()
    try:
        return _NOTE.decode(element.text or "")
    except (msgspec.MsgspecError, UnicodeError):
        return ImageNote()


def _look_at(entry: Entry, pictures: Pictures, labels: set[str], evidence: Evidence) -> tuple[str, bool]:
    root: Element | None = None
    if entry.xml is not None:
        try:
            root = opened(entry.xml)
        except AnnolakeError:
            root = None
    filename = path = None
    if root is not None:
        note = note_of(root)
        boxed, zero = _labels_and_zero(root, labels)
        filename, path = root.findtext("filename"), root.findtext("path")
        database = root.findtext("source/database") or ""
        evidence.add(entry.xml or "", boxed=boxed, zero=zero, database=database, mark=_mark(root, path, database))
        if note.image is not None:
            return note.image, False
    name = name_of(entry.id, filename)
    if name is not None:
        return name, False
    extension = _extension(entry, pictures, path)
    return entry.id + (extension or USUAL_EXTENSION), not extension


def _extension(entry: Entry, pictures: Pictures, path: str | None) -> str:
    """Of the picture with the XML's stem; else of the one that `<path>` names, if it has this stem too."""
    found = pictures.by_stem(entry)
    if found is not None:
        return os.path.splitext(found)[1]
    named = name_of(entry.id, (path or "").replace("\\", "/").rpartition("/")[2])
    if named is not None and is_image_name(named) and os.path.splitext(named)[0] == entry.id:
        return os.path.splitext(named)[1]
    return ""


def _labels_and_zero(root: Element, labels: set[str]) -> tuple[bool, bool]:
    """Whether there are objects, and whether a coordinate of theirs is 0 or below; their labels join the others."""
    boxed = zero = False
    for element in root.iterfind("object"):
        boxed = True
        label = element.findtext("name")
        if label:
            labels.add(label_text(label))
        for part in element.iterfind("part"):
            if label := part.findtext("name"):
                labels.add(label_text(label))
            zero = zero or _has_zero(part.find("bndbox"))
        zero = zero or _has_zero(element.find("bndbox")) or _has_zero(element.find("polygon"))
    return boxed, zero


def label_text(text: str) -> str:
    """A label as it stands; line breaks around it are layout."""
    return text.strip() if text[:1] in "\r\n" or text[-1:] in "\r\n" else text


def _has_zero(element: Element | None) -> bool:
    if element is None:
        return False
    for child in element:
        text = child.text
        if text and text.strip()[:1] in "-0." and isinstance(child.tag, str):
            try:
                if float(text) <= 0:
                    return True
            except ValueError:
                continue
    return False


def _mark(root: Element, path: str | None, database: str) -> str:
    """What tells a tool that names no database of its own: labelImg's path, CVAT's three unknowns."""
    if root.get("verified") is not None or (path and database == "Unknown"):
        return "labelImg"
    if database == "Unknown" and root.findtext("source/annotation") == root.findtext("source/image") == "Unknown":
        return "CVAT"
    return ""


def _fronted(entries: list[Entry], names: list[str], ledger: Ledger) -> bool:
    """Put the split in front of names that several split folders share; say what else stands twice."""
    counts = Counter(names)
    clashing = {name for name, count in counts.items() if count > 1}
    if not clashing:
        return False
    fronted = 0
    if any(entry.root.by_folder for entry in entries):
        for number, entry in enumerate(entries):
            front = f"{entry.split}/" if entry.root.by_folder and entry.split else ""
            if front and (names[number] in clashing or names[number].startswith(front)):
                names[number] = front + names[number]
                fronted += 1
    if fronted:
        text = f"{fronted} images share their name: their split stands in front of it"
        ledger.decide("split-in-name", text)
    first: dict[str, Entry] = {}
    for entry, name in zip(entries, names, strict=True):
        other = first.setdefault(name, entry)
        if other is not entry:
            message = f"the same image as in {other.xml or other.id}"
            place = Place(file=entry.xml or entry.root.path, image=name)
            fix = "give each file its own <filename>, or take one of them out"
            ledger.problem(Problem(code="duplicate-image", severity="error", message=message, place=place, fix=fix))
    return fronted > 0
