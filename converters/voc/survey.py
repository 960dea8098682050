"""One quick look at every file before the first is read: what images are called, which labels there are, and what
tells the convention. What is broken is passed over here, and said when it is read.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from contextlib import suppress
from typing import Any, NamedTuple, Self

from ...schemas.errors import AnnolakeError, Place
from ...schemas.problems import Problem
from ..format import Context
from ..images import is_image_name
from ..ledger import Ledger
from ..parallel import looked_over
from .convention import Evidence
from .glance import Glance, glance_at
from .layout import Entry, Pictures
from .naming import USUAL_EXTENSION, name_of
from .ordinary import kept

_KEPT = 64 << 20


class Survey(NamedTuple):
    """`names`: of the images, in the order of the entries; `kept`: what their files say, where they are ordinary, so
    that they need not be read again; `objects`: how many each has, parts included; `fronted`: a split was put in front
    of some names.
    """

    names: list[str]
    kept: list[bytes | None]
    objects: array[int]
    labels: set[str]
    evidence: Evidence
    fronted: bool


def look(entries: list[Entry], pictures: Pictures, context: Context, ledger: Ledger) -> Survey:
    """Every file once. Two images of one name are a problem, unless their folders are splits."""

    def through(start: int, stop: int) -> _Look:
        room = 0 if context.memory is not None else _KEPT * (stop - start) // len(entries)
        return _Look(pictures, room).through(entries[start:stop])

    looks = looked_over(through, len(entries), context, ledger) if entries else []
    evidence = Evidence()
    for each in looks:
        evidence.join(each.evidence)
    typeless = sum(each.typeless for each in looks)
    if typeless:
        text = f"{typeless} images have no picture and nothing says of what type: {USUAL_EXTENSION}, as in the devkit"
        ledger.decide("picture-type", text)
    names = [name for each in looks for name in each.names]
    kept = [file for each in looks for file in each.kept]
    labels = set[str]().union(*(each.labels for each in looks))
    objects = sum((each.objects for each in looks), start=array("L"))
    return Survey(names, kept, objects, labels, evidence, _fronted(entries, names, ledger))


class _Look:
    """Looks at a run of files; of what they say, up to `room` bytes are kept."""

    def __init__(self, pictures: Pictures, room: int) -> None:
        self.evidence, self.labels = Evidence(), set[str]()
        self.names: list[str] = []
        self.kept: list[bytes | None] = []
        self.objects = array("L")
        self.typeless = 0
        self._pictures = pictures
        self._room = room

    def through(self, entries: list[Entry]) -> Self:
        for entry in entries:
            self.names.append(entry.root.prefix + self._name(entry, self._glance(entry)))
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What another process wants to know."""
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def _glance(self, entry: Entry) -> Glance:
        glance = Glance()
        if entry.xml is not None:
            with suppress(AnnolakeError):
                glance = glance_at(entry.xml)
            self.labels |= glance.labels
            self.evidence.add(
                entry.xml, boxed=bool(glance.labels), zero=glance.zero, database=glance.database, mark=_mark(glance)
            )
        file = None if glance.plain is None or self._room <= 0 else kept(glance.plain)
        self._room -= 0 if file is None else len(file)
        self.kept.append(file)
        self.objects.append(glance.objects)
        return glance

    def _name(self, entry: Entry, glance: Glance) -> str:
        if glance.image is not None:
            return glance.image
        name = name_of(entry.id, glance.filename)
        if name is not None:
            return name
        extension = _extension(entry, self._pictures, glance.path)
        self.typeless += not extension
        return entry.id + (extension or USUAL_EXTENSION)


def _extension(entry: Entry, pictures: Pictures, path: str | None) -> str:
    """Of the picture with the XML's stem; else of the one that `<path>` names, if it has this stem too."""
    found = pictures.by_stem(entry)
    if found is not None:
        return os.path.splitext(found)[1]
    named = name_of(entry.id, (path or "").replace("\\", "/").rpartition("/")[2])
    if named is not None and is_image_name(named) and os.path.splitext(named)[0] == entry.id:
        return os.path.splitext(named)[1]
    return ""


def _mark(glance: Glance) -> str:
    """What tells a tool that names no database of its own: labelImg's path, CVAT's three unknowns."""
    if glance.verified or (glance.path and glance.database == "Unknown"):
        return "labelImg"
    return "CVAT" if glance.database == "Unknown" and glance.unknown else ""


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
