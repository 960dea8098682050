"""The one-pixel question: pixels counted from 1 with both ends included, or edges. Decided once for a data set, by
evidence, and said.

A coordinate 0 cannot be a pixel counted from 1. The PASCAL VOC database counts from 1. labelImg, CVAT, Roboflow and
Darwin write edges. Where nothing tells, edges are taken, as most files in the wild come from such tools.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from ...schemas.errors import Place
from ...schemas.model import Catalog
from ...schemas.problems import Problem
from ..ledger import Ledger
from .notes import Convention, notes_of

_PASCAL = re.compile(r"pascal|\bvoc\s?20\d\d", re.IGNORECASE)
_MARKS = re.compile(r"(roboflow|labelimg|label studio|cvat|darwin|datumaro|supervisely|makesense)", re.IGNORECASE)
_MEANING = {
    "devkit": "pixels counted from 1, both ends included: 1 is taken off the minima",
    "edges": "edges, nothing is shifted",
}


class Evidence(msgspec.Struct):
    """What the files of a set say: how many have boxes, how many are of each kind, and the first with a coordinate 0
    or below.
    """

    boxed: int = 0
    zero: str = ""
    pascal: int = 0
    tools: int = 0
    tool: str = ""

    def add(self, file: str, *, boxed: bool, zero: bool, database: str, mark: str) -> None:
        """Count one file: whether it has boxes, and a coordinate 0; its database, and another mark of a tool."""
        self.boxed += boxed
        if zero and not self.zero:
            self.zero = file
        self.mark(database, mark)

    def mark(self, database: str, mark: str, files: int = 1) -> None:
        """Count so many files by their database, and another mark of a tool."""
        if _PASCAL.search(database):
            self.pascal += files
        elif found := _MARKS.search(database):
            self.tools += files
            self.tool = self.tool or found[0]
        elif mark:
            self.tools += files
            self.tool = self.tool or mark

    def join(self, later: Evidence) -> None:
        """Take over what later files of the set say."""
        self.boxed += later.boxed
        self.zero = self.zero or later.zero
        self.pascal += later.pascal
        self.tools += later.tools
        self.tool = self.tool or later.tool


def to_read(
    wanted: Literal["auto", "devkit", "edges"], noted: Convention | None, evidence: Evidence, file: str, ledger: Ledger
) -> Convention:
    """The convention of a source, recorded as a decision with its reason."""
    if wanted != "auto":
        return _decided(wanted, "as asked for", ledger)
    if noted is not None:
        return _decided(noted, "as annolake noted when it wrote them", ledger)
    if evidence.zero:
        return _decided("edges", f"{evidence.zero} has a coordinate 0 or below", ledger)
    if evidence.pascal > evidence.tools:
        other = f", {evidence.tools} the mark of a tool ({evidence.tool})" if evidence.tools else ""
        return _decided("devkit", f"{evidence.pascal} files name the PASCAL VOC database{other}", ledger)
    if evidence.tools:
        other = f", {evidence.pascal} name the PASCAL VOC database" if evidence.pascal else ""
        return _decided("edges", f"{evidence.tools} files have the mark of a tool ({evidence.tool}){other}", ledger)
    if not evidence.boxed:
        return _decided("edges", "there are no boxes", ledger)
    ledger.problem(
        Problem(
            code="convention-unknown",
            severity="notice",
            message="nothing tells whether numbers are edges or pixels counted from 1; edges are taken",
            place=Place(file=file),
            fix="give --voc-convention devkit if they are from the devkit or made like it, else edges",
        )
    )
    return _decided("edges", "nothing tells; --voc-convention devkit if they count from 1", ledger)


def to_write(wanted: Literal["auto", "devkit", "edges"], catalog: Catalog, ledger: Ledger) -> Convention:
    """The convention to write with: the one asked for, else that of the source, else edges."""
    noted = notes_of(catalog).convention
    reason = "as asked for" if wanted != "auto" else "as the source was read" if noted else "as annotation tools write"
    convention = wanted if wanted != "auto" else noted or "edges"
    ledger.decide("voc-convention-written", f"numbers are written as {convention}: {reason}")
    return convention


def _decided(convention: Convention, reason: str, ledger: Ledger) -> Convention:
    ledger.decide("voc-convention", f"numbers are read as {convention} ({_MEANING[convention]}): {reason}")
    return convention
