"""CVAT files to records. One pass tells what is in the file; pictures are then read one by one, tracks are held."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Catalog, Category
from ...schemas.problems import Problem
from ..format import Context, Reading
from ..ledger import Ledger
from .forms import SHAPES
from .framenames import frame_name
from .meta import Meta, read_meta
from .notes import DEFAULT_FRAMES, FrameNote, LabelNote, Notes
from .numbers import Unreadable
from .pictures import Pictures
from .shapes import UNLABELLED, as_xml
from .skimming import Skimmed, skimmed
from .stream import Element, children, children_in, line_of
from .tracks import Track, read_track
from .video import Video


class Survey:
    """What the first pass finds."""

    def __init__(self) -> None:
        self.meta = Meta()
        self.head: list[str] = []
        self.tail: list[str] = []
        self.names: list[tuple[str, str | None]] = []
        self.lines: list[int | None] = []
        self.tracks: list[tuple[Track, int | None, str | None, str | None]] = []
        self.used: dict[str, int | None] = {}
        self.points: dict[str, dict[str, None]] = {}
        self.noted: dict[tuple[str | None, int], FrameNote] = {}
        self.images = 0
        self.skimmed: Skimmed | None = None

    def label(self, name: str, element: Element) -> None:
        self.used.setdefault(name, line_of(element))

    def skeleton(self, label: str, element: Element) -> None:
        """Elements of a skeleton whose label does not declare them."""
        known = self.points.setdefault(label, {})
        for child in element:
            if child.tag != "attribute" and (name := child.get("label")):
                known.setdefault(name)


def read_file(path: Path, ledger: Ledger, *, fill: bool, frames: str | None, context: Context | None = None) -> Reading:
    """The file opened. InvalidInput where it is broken as a whole."""
    file = str(path)
    survey = _skimmed(path, context or Context()) or _survey(path, ledger, fill=fill)
    meta = survey.meta
    if survey.images and survey.tracks:
        message = "the file has pictures and tracks: it is of both forms, which CVAT never writes"
        hint = "put <image> and <track> elements into files of their own"
        raise InvalidInput("mixed-forms", message, place=Place(file=file), hint=hint)
    video = bool(survey.tracks or meta.extension.pictures) or (not survey.images and meta.interpolation)
    categories = _categories(survey, file, ledger)
    names = {category.name: tuple(category.keypoints) for category in categories if category.keypoints}
    pattern = frames or meta.extension.frames or DEFAULT_FRAMES
    _check_pattern(pattern, file)
    notes = Notes(
        form="video" if video else "images",
        head=tuple(survey.head),
        tail=tuple(survey.tail),
        step=meta.frames[None].step if video else 1,
        last=meta.frames[None].last if video else None,
        frames=pattern,
    )
    own = meta.extension
    extras: dict[str, Any] = dict(own.extras)
    if video:
        source = Video(file, survey.tracks, meta, notes, names, ledger, fill=fill)
        notes = source.notes
        splits = source.splits()
    else:
        source = Pictures(path, survey.names, survey.lines, survey.skimmed, names, ledger, numbered=own.numbered)
        notes = msgspec.structs.replace(notes, fronted=source.split_in_name)
        splits = dict.fromkeys(split for _, split in survey.names if split is not None)
    extras["cvat"] = msgspec.to_builtins(notes)
    catalog = Catalog(
        labels=tuple(categories),
        splits=tuple(dict.fromkeys([*own.splits, *splits])),
        split_in_name=source.split_in_name,
        extras=extras,
    )
    blocks_for = source.blocks_for if isinstance(source, Pictures) and source.in_columns else None
    shapes = None if survey.skimmed is None else survey.skimmed.shapes
    return Reading(
        catalog=catalog,
        records=source.records,
        images=source.images,
        blocks_for=blocks_for,
        before=None if shapes is None else lambda start: sum(shapes[:start]),
    )


def _check_pattern(pattern: str, file: str) -> None:
    try:
        frame_name(pattern, 0)
    except InvalidInput as error:
        error.place = Place(file=file)
        raise


def _skimmed(path: Path, context: Context) -> Survey | None:
    """What there is in an ordinary file; None for any other, and where something is to be told."""
    found, survey = skimmed(path, context), Survey()
    if found is None:
        return None
    try:
        for element in children_in(BytesIO(found.head + b"</annotations>"), str(path)):
            _beside(element, survey, str(path))
    except InvalidInput:
        return None
    known = {category.name for category in survey.meta.categories}
    if not known.issuperset(found.labels):
        return None
    survey.images, survey.names, survey.skimmed = len(found.names), found.names, found
    survey.lines = [None] * survey.images
    return survey


def _survey(path: Path, ledger: Ledger, *, fill: bool) -> Survey:
    survey, file = Survey(), str(path)
    for element in children(path):
        if element.tag == "image":
            survey.images += 1
            survey.names.append((element.get("name") or "", element.get("subset")))
            survey.lines.append(line_of(element))
            _look(element, survey)
        elif element.tag == "track":
            _track(element, survey, file, ledger, fill=fill)
        else:
            _beside(element, survey, file)
    return survey


def _beside(element: Element, survey: Survey, file: str) -> None:
    if element.tag == "meta":
        survey.meta = read_meta(element, file)
        survey.noted = {(note.task, note.frame): note for note in survey.meta.extension.pictures}
        survey.head.append(survey.meta.xml)
    else:
        (survey.tail if survey.images or survey.tracks else survey.head).append(as_xml(element))


def _look(image: Element, survey: Survey) -> None:
    for shape in image:
        label = shape.get("label")
        if label is not None and (shape.tag in SHAPES or shape.tag == "tag"):
            survey.label(label, shape)
            if shape.tag == "skeleton" and label not in survey.meta.sub_labels:
                survey.skeleton(label, shape)


def _track(element: Element, survey: Survey, file: str, ledger: Ledger, *, fill: bool) -> None:
    task, subset = element.get("task_id"), element.get("subset")
    frames = survey.meta.frames.get(task, survey.meta.frames[None])
    place = Place(file=file, line=line_of(element), annotation=element.get("id"))

    def size_of(frame: int) -> tuple[Any, Any]:
        noted = survey.noted.get((task, frame))
        return (noted and noted.width) or frames.width, (noted and noted.height) or frames.height

    try:
        track = read_track(element, frames, size_of, fill=fill)
    except Unreadable as error:
        ledger.problem(Problem.of(InvalidInput(error.code, error.message, place=place, hint=error.hint)))
        return
    survey.label(track.label, element)
    for shape in element:
        if shape.tag == "skeleton" and track.label not in survey.meta.sub_labels:
            survey.skeleton(track.label, shape)
        elif shape.tag == "track":
            survey.points.setdefault(track.label, {}).setdefault(shape.get("label") or "")
    for code, message, fix in track.warnings:
        ledger.problem(Problem(code=code, severity="warning", message=message, place=place, fix=fix))
    survey.tracks.append((track, line_of(element), task, subset))


def _categories(survey: Survey, file: str, ledger: Ledger) -> list[Category]:
    """Declared labels, then those that only shapes know, that of shapes without one at the end."""
    meta = survey.meta
    categories = list(meta.categories)
    known = {category.name for category in categories}
    for name, line in sorted(survey.used.items(), key=lambda item: item[0] == ""):
        if name in known:
            continue
        place = Place(file=file, line=line)
        if name == "":
            message = f"shapes without a label are read as {UNLABELLED!r}"
            ledger.problem(_warning("empty-label", message, place, "give them a label"))
            name = UNLABELLED
            if name in known:
                continue
        elif known:
            message = f"the label {name!r} is not declared in <meta>: CVAT would not import it"
            ledger.problem(_warning("undeclared-label", message, place, "declare it, or write the file anew"))
        known.add(name)
        points = tuple(survey.points.get(name, ())) or None
        categories.append(_with_foreign(name, points, meta))
    return categories


def _with_foreign(name: str, points: Sequence[str] | None, meta: Meta) -> Category:
    own = meta.extension.labels.get(name, {})
    note = LabelNote(declared=False)
    return Category(
        name,
        id=own.get("id"),
        supercategory=own.get("supercategory"),
        keypoints=tuple(points) if points else None,
        extras={**own.get("extras", {}), "cvat": msgspec.to_builtins(note)},
    )


def _warning(code: str, message: str, place: Place, fix: str) -> Problem:
    return Problem(code=code, severity="warning", message=message, place=place, fix=fix)
