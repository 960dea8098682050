"""From a VOC data set on disk to the hub, one image at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...schemas.errors import AnnolakeError, InvalidInput, Place
from ...schemas.model import Annotation, Boxes, Catalog, Category, Record
from ...schemas.problems import Problem
from ..files import read_bytes
from ..format import Context, Reading
from ..images import Exif, ImageSize, image_size, stem
from ..ledger import Ledger
from ..text import FILE_LIMIT
from ..xmltext import local
from .convention import to_read
from .elements import Element, add, children, content
from .glance import ImageNote, note_of, tree_of
from .imagesets import MAIN, Lists, assign, in_order, read_lists, usual_sets
from .labelmap import LabelMap, read_label_map
from .layout import Entry, Layout, Pictures, Root, find, place_of
from .naming import base_name
from .notes import ImageNotes, SetNotes, as_facts, notes_of
from .numbers import parsed, written
from .objects import ObjectReader
from .ordinary import KEPT, USUAL_DEPTH, ordinary, rectangles
from .segmentation import report_masks
from .survey import Survey, look

if TYPE_CHECKING:
    from . import Options

ROOTS = frozenset(("annotation",))
_TEXTS = ("folder", "filename", "path", "segmented")
_TREES = ("source", "owner")


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    """The data set at `path`. What is wrong with it as a whole is said now, with a file when it is read."""
    ledger.file = str(path)
    label_map = read_label_map(place_of(path), ledger)
    layout = find(path, _noted(label_map) if path.is_dir() else None)
    entries: list[Entry] = []
    lists: dict[Root, Lists] = {}
    for root in layout.roots:
        own = [entry for entry in layout.entries if entry.root is root]
        if path.is_dir():
            lists[root] = read_lists(root, [entry.id for entry in own], layout.notes.unsplit)
            own = assign(own, root, lists[root], ledger)
            report_masks(root, ledger)
        entries += own
    if not entries and label_map.facts is None and not any(found.rows for found in lists.values()):
        hint = "is it the right folder? Annotation files end in .xml"
        raise InvalidInput("no-annotations", "no annotation files here", place=Place(file=str(path)), hint=hint)
    pictures = Pictures()
    survey = look(entries, pictures, context, ledger)
    noted = label_map.facts.convention if label_map.facts is not None else None
    convention = to_read(options.convention, noted, survey.evidence, str(path), ledger)
    notes = _set_notes(layout, lists, convention)
    catalog = _catalog(label_map, survey, entries, notes, lists, context, ledger)
    reader = _Records(entries, survey, pictures, lists, int(convention == "devkit"), options, context)
    return Reading(
        catalog=catalog,
        records=reader.records,
        images=len(entries),
        before=lambda start: sum(survey.objects[:start]),
    )


class _Records:
    def __init__(
        self,
        entries: list[Entry],
        survey: Survey,
        pictures: Pictures,
        lists: dict[Root, Lists],
        shift: int,
        options: Options,
        context: Context,
    ) -> None:
        self.entries, self.names, self.kept = entries, survey.names, survey.kept
        self.pictures = pictures
        self.lists = lists
        self.shift = shift
        self.options = options
        self.exif: Exif = context.exif

    def records(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        """Images in order, their objects booked as the source has them."""
        objects = ObjectReader(self.shift, self.options.empty_boxes, ledger)
        run = slice(start, stop)
        for entry, name, kept in zip(self.entries[run], self.names[run], self.kept[run], strict=True):
            ledger.seen["images"] += 1
            ledger.file = entry.xml or entry.root.path
            try:
                yield self._record(entry, name, kept, objects, ledger)
            except InvalidInput as error:
                if not ledger.lenient:
                    raise
                ledger.problem(Problem.of(error))
                ledger.seen["images dropped"] += 1

    def _record(self, entry: Entry, name: str, kept: bytes | None, objects: ObjectReader, ledger: Ledger) -> Record:
        facts: dict[str, Any] = {}
        if entry.xml is None:
            if entry.sets is not None:
                facts["sets"] = list(entry.sets)
            if entry.id != stem(name.removeprefix(entry.root.prefix)):
                facts["file"] = entry.id
            size = self._picture_size(entry, name, ledger)
            extras = {"voc": facts} if facts else {}
            width, height = (None, None) if size is None else (size.width, size.height)
            return Record(image=name, width=width, height=height, split=entry.split, extras=extras)
        objects.file, objects.image = entry.xml, name
        data = b""
        plain = None if kept is None or ledger.places is not None else KEPT.decode(kept)
        if plain is None:
            data = read_bytes(entry.xml, FILE_LIMIT)
            plain = ordinary(data) if ledger.places is None else None
        boxes = None if plain is None else rectangles(plain, self.shift)
        annotations: list[Annotation] | Boxes
        if plain is not None and boxes is not None:
            note = ImageNote()
            notes, size = plain.notes, (plain.width, plain.height)
            self._complete(notes, plain.shown, entry, name, ledger)
            ledger.seen["annotations"] += len(boxes)
            annotations = boxes
        else:
            root = tree_of(data or read_bytes(entry.xml, FILE_LIMIT), entry.xml)
            if root.tag not in ROOTS:
                message = f"the root is <{root.tag}>, where VOC has <annotation>"
                hint = "is this another format? Say which with --from, or take the file out"
                raise InvalidInput("not-voc", message, place=Place(file=entry.xml, line=root.sourceline), hint=hint)
            note = note_of(root)
            notes, elements, size = self._facts(root, entry, name)
            self._complete(notes, any(e.findtext("occluded") == "0" for e in elements), entry, name, ledger)
            annotations = objects.annotations(elements)
        contradicted = self.lists[entry.root].contradicted(entry, annotations) if entry.root in self.lists else []
        if contradicted:
            sets = usual_sets(entry.split) if entry.sets is None else entry.sets
            notes["sets"] = sorted([*sets, *contradicted])
        if size == (None, None) and (found := self._picture_size(entry, name, ledger, notes.get("filename"))):
            size = (found.width, found.height)
        facts = as_facts(ImageNotes(**notes)) if notes else {}
        extras = {**note.extras, "voc": facts} if facts else dict(note.extras)
        return Record(
            image=name,
            annotations=annotations,
            width=size[0],
            height=size[1],
            split=entry.split,
            storage_name=note.storage_name,
            extras=extras,
        )

    def _facts(
        self, root: Element, entry: Entry, name: str
    ) -> tuple[dict[str, Any], list[Element], tuple[int | float | None, int | float | None]]:
        """What is to be noted of the image, its objects, and its size."""
        notes: dict[str, Any] = {}
        extra: dict[str, Any] = {f"@{local(key)}": value for key, value in root.attrib.items() if key != "verified"}
        objects: list[Element] = []
        sized = False
        size: tuple[int | float | None, int | float | None] = (None, None)
        for tag, child in children(root):
            if tag == "object":
                objects.append(child)
            elif tag in _TEXTS and not len(child) and not child.attrib and tag not in notes:
                notes[tag] = child.text or ""
            elif tag in _TREES and tag not in notes:
                notes[tag] = content(child)
            elif tag == "size":
                if sized:
                    place = Place(file=entry.xml, line=child.sourceline, image=name)
                    raise InvalidInput("duplicate-element", "a second <size>", place=place, hint="take one of them out")
                sized = True
                size = self._size(child, notes, entry, name)
            elif tag != "annolake":
                add(extra, tag, content(child))
        if "verified" in root.attrib:
            notes["verified"] = root.attrib["verified"]
        if extra:
            notes["extra"] = extra
        return notes, objects, size

    def _complete(self, notes: dict[str, Any], occluded: bool, entry: Entry, name: str, ledger: Ledger) -> None:
        """What else is to be noted, and what of the notes goes without saying. `occluded`: an object says it is not."""
        own = name.removeprefix(entry.root.prefix)
        own = own.removeprefix(f"{entry.split}/") if entry.root.by_folder else own
        if notes.get("segmented") == "0":
            del notes["segmented"]
        if entry.sets is not None:
            notes["sets"] = list(entry.sets)
        if entry.id != stem(own):
            notes["file"] = entry.id
        if occluded:
            notes["occluded"] = True
        self._compare_names(notes, entry, own, name, ledger)

    def _compare_names(self, notes: dict[str, Any], entry: Entry, own: str, name: str, ledger: Ledger) -> None:
        filename = notes.get("filename")
        if filename is None:
            return
        if filename == own.rpartition("/")[2]:
            del notes["filename"]
        text = base_name(filename)
        if text and stem(text) != entry.id.rpartition("/")[2]:
            message = f"<filename> is {filename[:80]!r}, but the file is called otherwise; the image is {name!r}"
            place = Place(file=entry.xml, image=name)
            fix = "rename one of them: some tools go by the one, others by the other"
            ledger.problem(Problem(code="name-mismatch", severity="warning", message=message, place=place, fix=fix))

    def _size(
        self, element: Element, notes: dict[str, Any], entry: Entry, name: str
    ) -> tuple[int | float | None, int | float | None]:
        """Width and height, None where they are missing or not above 0; what else there is, is noted."""
        sides: list[int | float | None] = []
        usual = True
        for tag in ("width", "height"):
            text = (element.findtext(tag) or "").strip()
            try:
                value = parsed(text) if text else 0
            except ValueError as error:
                place = Place(file=entry.xml, line=element.sourceline, image=name)
                message = f"<{tag}>: {error}"
                raise InvalidInput(
                    "not-a-number", message, place=place, hint="mend the size, or leave it out"
                ) from None
            sides.append(value if value > 0 else None)
            usual = usual and value > 0 and written(value) == text
        raw = content(element)
        texts = {} if isinstance(raw, str) else {tag: text for tag, text in raw.items() if isinstance(text, str)}
        if not usual or texts != raw or not texts.keys() <= {"width", "height", "depth"}:
            notes["size"] = raw
        elif (depth := texts.get("depth", USUAL_DEPTH)) != USUAL_DEPTH:
            notes["depth"] = depth
        width, height = sides
        return (None, None) if width is None or height is None else (width, height)

    def _picture_size(self, entry: Entry, name: str, ledger: Ledger, filename: str | None = None) -> ImageSize | None:
        """Of the picture, where it lies beside."""
        picture = self.pictures.find(entry, filename or "", name)
        if picture is None:
            return None
        try:
            size = image_size(picture, self.exif)
        except AnnolakeError as error:
            place = Place(file=picture, image=name)
            ledger.problem(
                Problem(code=error.code, severity="warning", message=error.message, place=place, fix=error.hint)
            )
            return None
        if size.orientation != 1:
            ledger.turned.add(name)
        return size


def _noted(label_map: LabelMap) -> SetNotes | None:
    if label_map.facts is None:
        return None
    return notes_of(Catalog(extras={"voc": label_map.facts.voc}))


def _set_notes(layout: Layout, lists: dict[Root, Lists], convention: Any) -> SetNotes:
    """Lists that nothing else tells: empty ones, and those of classes that only say what objects say."""
    empty: set[str] = set()
    flags: set[str] = set()
    for found in lists.values():
        flags.update(name for by_split in found.flags.values() for name in by_split)
        empty.update(name for name, rows in found.rows.items() if not rows)
    used = {name.rpartition("/")[2] for found in lists.values() for name, rows in found.rows.items() if rows}
    splits = {name for found in lists.values() for name in found.splits if name.rpartition("/")[2] not in used}
    empty -= {name for name in splits if name.startswith(f"{MAIN}/")}  # a split says by itself that it has a list
    return msgspec.structs.replace(
        layout.notes, convention=convention, lists=tuple(sorted(empty)), flags=tuple(sorted(flags))
    )


def _catalog(
    label_map: LabelMap,
    survey: Survey,
    entries: list[Entry],
    notes: SetNotes,
    lists: dict[Root, Lists],
    context: Context,
    ledger: Ledger,
) -> Catalog:
    known = dict.fromkeys(label.name for label in label_map.labels)
    listed = [name for name in dict.fromkeys(context.labels or ()) if name not in known]
    others = sorted(survey.labels - known.keys() - set(listed))
    if not known:
        ledger.decide("labels", f"labels are numbered {'as listed in --labels' if listed else 'in A-Z order'}")
    labels = (*label_map.labels, *(Category(name) for name in (*listed, *others)))
    facts = label_map.facts
    splits = {entry.split for entry in entries if entry.split is not None}
    for found in lists.values():
        empty = (name for name in found.splits if name.startswith(f"{MAIN}/") and not found.rows[name])
        splits.update(name.rpartition("/")[2] for name in empty)
    order = [split for split in facts.splits if split in splits] if facts is not None else []
    return Catalog(
        labels=labels,
        splits=(*order, *(split for split in in_order(splits) if split not in order)),
        split_in_name=survey.fronted or (facts is not None and facts.split_in_name),
        extras={**(facts.extras if facts is not None else {}), "voc": as_facts(notes)},
    )
