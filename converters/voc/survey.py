"""One quick look at every file before the first is read: what images are called, which labels there are, and what
tells the convention. What is broken is passed over here, and said when it is read.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from typing import Any, NamedTuple, Self

from ...schemas.errors import AnnolakeError, Place
from ...schemas.problems import Problem
from .. import blocks
from ..files import read_bytes
from ..format import Context
from ..images import is_image_name
from ..ledger import Ledger
from ..parallel import looked_over
from ..text import FILE_LIMIT
from .columns import Columns, columns, kept
from .convention import Evidence
from .glance import Glance, glance_at, glance_at_ordinary, has_low
from .layout import Entry, Pictures
from .naming import USUAL_EXTENSION, name_of, plain_id
from .ordinary import Ordinary
from .outlined import outlined

_KEPT = 64 << 20
_AT_ONCE = 4 << 20
"""Bytes of files that are taken apart together, with one more file at most: it takes ten times the memory."""


class Run(NamedTuple):
    """Entries `start` to `stop` (excluded), and what their files say, as `columns.kept` has it, where that is kept."""

    start: int
    stop: int
    kept: bytes | None


class Survey(NamedTuple):
    """`names`: of the images, in the order of the entries; `runs`: what their files say, so that ordinary ones need not
    be read again; `objects`: how many each has, parts included; `fronted`: a split was put in front of some names.
    """

    names: list[str]
    runs: list[Run]
    objects: array[int]
    labels: set[str]
    evidence: Evidence
    fronted: bool


def look(entries: list[Entry], pictures: Pictures, context: Context, ledger: Ledger) -> Survey:
    """Every file once. Two images of one name are a problem, unless their folders are splits."""

    def through(start: int, stop: int) -> _Look:
        room = 0 if context.memory is not None else _KEPT * (stop - start) // len(entries)
        return _Look(pictures, room).through(entries, start, stop)

    looks = looked_over(through, len(entries), context, ledger) if entries else []
    evidence = Evidence()
    for each in looks:
        evidence.join(each.evidence)
    typeless = sum(each.typeless for each in looks)
    if typeless:
        text = f"{typeless} images have no picture and nothing says of what type: {USUAL_EXTENSION}, as in the devkit"
        ledger.decide("picture-type", text)
    names = [name for each in looks for name in each.names]
    runs = [run for each in looks for run in each.runs]
    labels = set[str]().union(*(each.labels for each in looks))
    objects = sum((each.objects for each in looks), start=array("L"))
    return Survey(names, runs, objects, labels, evidence, _fronted(entries, names, ledger))


class _Look:
    """Looks at a run of files; of what they say, up to `room` bytes are kept."""

    def __init__(self, pictures: Pictures, room: int) -> None:
        self.evidence, self.labels = Evidence(), set[str]()
        self.names: list[str] = []
        self.runs: list[Run] = []
        self.objects = array("L")
        self.typeless = 0
        self._pictures = pictures
        self._room = room

    def through(self, entries: list[Entry], start: int, stop: int) -> Self:
        doubtful = False
        while start < stop:
            files: list[bytes | None] = []
            room = _AT_ONCE
            for entry in entries[start : min(start + blocks.IMAGES, stop)]:
                files.append(data := data_of(entry))
                room -= 0 if data is None else len(data)
                if room < 0:
                    break
            said = columns(files, doubtful=doubtful)
            doubtful = len(said.odd) > len(files) // 2
            self._look_at(entries[start : start + len(files)], files, said)
            held = kept(said) if self._room > 0 else None
            self._room -= 0 if held is None else len(held)
            self.runs.append(Run(start, start + len(files), held))
            start += len(files)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What another process wants to know."""
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def _look_at(self, entries: list[Entry], files: list[bytes | None], said: Columns) -> None:
        if (
            said.odd
            or not all(map(str.strip, set(said.labels)))
            or (not self.evidence.zero and has_low(said.numbers()))
        ):
            for entry, data, plain in zip(entries, files, said.files(), strict=True):
                self._note(entry, Glance() if data is None else _glance(str(entry.xml), data, plain))
            return
        self.labels.update(said.labels)
        self.objects.extend(said.counts)
        self.evidence.boxed += len(said.counts) - said.counts.count(0)
        marks = zip(said.source, map(bool, said.path), [each is not None for each in said.verified], strict=True)
        for (source, path, verified), count in Counter(marks).items():
            glance = Glance(path="a path" if path else None, verified=verified)
            glance.tell_source(None if source is None else said.trees[source])
            self.evidence.mark(glance.database, _mark(glance), count)
        for entry, filename, path in zip(entries, said.filename, said.path, strict=True):
            self._name(entry, None, filename, path)

    def _note(self, entry: Entry, glance: Glance) -> None:
        if entry.xml is not None:
            self.labels |= glance.labels
            self.evidence.add(
                entry.xml, boxed=bool(glance.labels), zero=glance.zero, database=glance.database, mark=_mark(glance)
            )
        self.objects.append(glance.objects)
        self._name(entry, glance.image, glance.filename, glance.path)

    def _name(self, entry: Entry, noted: str | None, filename: str | None, path: str | None) -> None:
        """`noted`: the name that annolake noted."""
        name = noted
        if name is None and filename is not None and plain_id(filename) == entry.id:
            name = filename
        if name is None:
            name = name_of(entry.id, filename)
        if name is None:
            extension = _extension(entry, self._pictures, path)
            self.typeless += not extension
            name = entry.id + (extension or USUAL_EXTENSION)
        self.names.append(entry.root.prefix + name)


def _glance(path: str, data: bytes, plain: Ordinary | None) -> Glance:
    """What a file says. `plain`: the same, where it is of the ordinary form."""
    if plain is not None:
        return glance_at_ordinary(plain)
    rings = outlined(data)
    return glance_at(path, data) if rings is None else rings.glance()


def data_of(entry: Entry) -> bytes | None:
    """The bytes of its file; None where there is none, or it cannot be read, which is said when it is needed."""
    if entry.xml is None:
        return None
    try:
        return read_bytes(entry.xml, FILE_LIMIT)
    except AnnolakeError:
        return None


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
