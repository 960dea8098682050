"""COCO results lists: records with a score, over the images and categories of the file they were made for.

Specification: cocodataset.org (format-results), and what pycocotools' `loadRes` makes of it: it numbers the records
from 1 in their order, whatever ids they have. A record is a box, a mask, key points, or several of these; captions are
not read. Polygons, which `loadRes` does not take, are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...schemas import jsontext
from ...schemas.errors import InvalidInput, Place, UsageError
from ..format import Context
from ..ledger import Ledger
from .boxdocument import BoxDocument
from .document import RAW_LIST, Document
from .large import LargeDocument
from .layout import Source
from .places import Places
from .shapedocument import ShapeDocument

_FORM = ("id", "area", "iscrowd", "num_keypoints")
"""Keys that a COCO annotation has and a result need not: those that the source has come home as they were."""
_HEAD = 4096
_NEAR = 1 << 18
_OUTLINE = re.compile(rb'"segmentation"\s*:\s*(?:\[\s*\[|\{)')


def opened(source: Source, categories: str | None, ledger: Ledger, context: Context) -> Document:
    """A file of a data set; a results list over the file that has its images and `categories`. Of the former no more
    is held than the context's memory allows; UsageError (`not-bounded`) for the latter.
    """
    memory = context.memory
    if not _is_list(source.path):
        if categories is not None:
            ledger.decide("coco-categories", "no results list: the file given with --coco-categories is not looked at")
        if memory is not None:
            return LargeDocument(source, ledger, memory)
        if context.boxes and not (context.shapes and _is_outlined(source.path)):
            return BoxDocument(source, ledger, context.jobs)
        return ShapeDocument(source, ledger, context.jobs) if context.shapes else Document(source, ledger)
    if memory is not None:
        raise UsageError("not-bounded", "a COCO results list is held whole", hint="leave --memory out")
    return Results(source, None if categories is None else GroundTruth(Source(Path(categories)), ledger), ledger)


def note_keys(metadata: dict[str, Any], form: dict[str, Any]) -> None:
    """Let keys ride beside those that no rule knows."""
    extra = msgspec.json.decode(metadata.get("coco_extra", "{}"))
    metadata["coco_extra"] = msgspec.json.encode({**extra, **form}).decode()


class GroundTruth(Document):
    """Images and categories of a COCO file; its annotations are not looked at. It may have categories only: then images
    are called by their ids.
    """

    def _members(self) -> dict[str, msgspec.Raw]:
        members = jsontext.members(self.data, self.file)
        if "categories" not in members:
            hint = "--coco-categories wants the COCO file that the results were made for"
            raise InvalidInput("missing-key", "there are no categories in it", place=Place(file=self.file), hint=hint)
        self.nameless = "images" not in members
        members.pop("annotations", None)
        members.setdefault("images", msgspec.Raw(b"[]"))
        return members

    def name(self, ids: Sequence[int | str], ledger: Ledger) -> None:
        """Make images of ids."""
        self.images = [msgspec.Raw(msgspec.json.encode({"id": i, "file_name": str(i)})) for i in ids]
        self.index = {identity: number for number, identity in enumerate(ids)}
        message = f"it has no images: the {len(ids):,} of the results are called by their ids"
        fix = "give the ground-truth file, which has their names and sizes"
        self.problem(ledger, "missing-name", message, Place(file=self.file), fix, "warning")


class Results(Document):
    """A results list."""

    def __init__(self, source: Source, truth: GroundTruth | None, ledger: Ledger) -> None:
        self._open(source, ledger)
        self.annotations = jsontext.decode(RAW_LIST, self.data, self.file)
        self._places = Places(self.data, {}, {"": self.annotations})
        self._check_kind()
        if truth is None:
            message = "a COCO results list: it has no images and no label names of its own"
            hint = "name the file it was made for, which has both: --coco-categories FILE"
            raise InvalidInput("unsupported-variant", message, place=Place(file=self.file), hint=hint)
        self.truth = truth
        heads = self.heads(msgspec.Raw(self.data), ledger)
        if truth.nameless:
            truth.name(list(dict.fromkeys(head.image_id for head in heads if head is not None)), ledger)
        self.images, self.index, self.categories = truth.images, truth.index, truth.categories
        self.head, self.extension, self.next_image_id = truth.head, truth.extension, truth.next_image_id
        self._sort(heads, ledger)
        ledger.decide("results", f"images and categories are those of {truth.file}; its annotations are not looked at")

    @property
    def pictures(self) -> Document:
        return self.truth

    def at(self, number: int) -> tuple[str | int, ...]:
        return (number,)

    def form(self, plain: dict[str, Any]) -> dict[str, Any]:
        return {key: plain[key] for key in _FORM if key in plain}

    def locate(self, place: Place) -> Place:
        return super().locate(place) if place.file == self.file else self.truth.locate(place)

    def _find_doubles(self, heads: list[Any], ledger: Ledger) -> None:
        """The records are numbered in their order, so that they come home in it."""
        self.fresh = {number: number + 1 for number in range(len(heads))}
        self.next_id = len(heads) + 1


def _is_outlined(path: Path) -> bool:
    """Whether there are outlines near the end of a file, where annotations mostly are, or near its beginning. It may be
    wrong.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_NEAR)
            file.seek(max(path.stat().st_size - _NEAR, 0))
            return any(_OUTLINE.search(part) for part in (file.read(_NEAR), head))
    except OSError:
        return False


def _is_list(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    except OSError:
        return False
