"""The images of a VOC data set, one at a time and in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from ...schemas.errors import AnnolakeError, InvalidInput, Place
from ...schemas.model import Record
from ...schemas.problems import Problem
from ..blocks import Block
from ..fidelity import Fidelity
from ..files import read_bytes
from ..format import Blocks, Context
from ..images import Exif, ImageSize, image_size, stem
from ..ledger import Ledger
from ..text import FILE_LIMIT
from ..xmltext import local
from .columns import KEPT, Columns, columns
from .elements import Element, add, children, content
from .glance import ImageNote, note_of, tree_of
from .imagesets import Lists, usual_sets
from .layout import Entry, Pictures, Root
from .naming import base_name
from .notes import ImageNotes, as_facts
from .numbers import parsed, written
from .objects import ObjectReader
from .ordinary import USUAL_DEPTH, Ordinary, ordinary, rectangles
from .outlined import outlined
from .survey import Run, Survey, data_of

if TYPE_CHECKING:
    from . import Options

ROOTS = frozenset(("annotation",))
_TEXTS = ("folder", "filename", "path", "segmented")
_TREES = ("source", "owner")


class Records:
    """The images of a set that was surveyed."""

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
        self.entries, self.names, self.runs = entries, survey.names, survey.runs
        self.pictures = pictures
        self.lists = lists
        self.shift = shift
        self.options = options
        self.exif: Exif = context.exif

    def records(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        """Images in order, their objects booked as the source has them."""
        objects = ObjectReader(self.shift, self.options.empty_boxes, ledger)
        for run, first, last in self._overlapping(start, stop):
            for number, plain in zip(range(first, last), self._plain(run, first, ledger), strict=False):
                yield from self._one(number, plain, objects, ledger)

    def blocks_for(self, aim: Fidelity) -> Blocks:
        """What is written to so many decimals spells whole floats as it does whole numbers."""
        return partial(self._blocks, aim.decimals is None)

    def _blocks(self, exact: bool, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record | Block]:
        """The same as `records`, with runs of plain images as blocks."""
        if ledger.places is not None or ledger.lenient:
            yield from self.records(ledger, start, stop)
            return
        from .blockreading import parts_of  # which loads numpy

        objects = ObjectReader(self.shift, self.options.empty_boxes, ledger)
        flagged = {root for root, lists in self.lists.items() if lists.flags}
        for run, first, last in self._overlapping(start, stop):
            said, own = self._said(run), range(first - run.start, last - run.start)
            entries, names = self.entries[run.start : run.stop], self.names[run.start : run.stop]
            parts = parts_of(said, entries, names, self.shift, flagged, own, exact=exact)
            files = [] if parts is not None and len(parts) == 1 else list(said.files())
            for part in own if parts is None else parts:
                if isinstance(part, Block):
                    ledger.seen["images"] += len(part.records)
                    ledger.seen["annotations"] += len(part.labels)
                    yield part
                else:
                    yield from self._one(run.start + part, files[part], objects, ledger)

    def _plain(self, run: Run, first: int, ledger: Ledger) -> Iterator[Ordinary | None]:
        """What the files of a run from `first` on say, in the ordinary form; read one by one where nothing was kept."""
        if ledger.places is not None:
            return repeat(None)
        if run.kept is not None:
            return KEPT.decode(run.kept).files(first - run.start)
        files = map(data_of, self.entries[first : run.stop])
        return (None if data is None else ordinary(data) for data in files)

    def _overlapping(self, start: int, stop: int | None) -> Iterator[tuple[Run, int, int]]:
        """Runs of files with images of these numbers, and the first of their images and the last (excluded)."""
        for run in self.runs:
            first, last = max(run.start, start), run.stop if stop is None else min(run.stop, stop)
            if first < last:
                yield run, first, last

    def _said(self, run: Run) -> Columns:
        if run.kept is not None:
            return KEPT.decode(run.kept)
        return columns([data_of(entry) for entry in self.entries[run.start : run.stop]])

    def _one(self, number: int, plain: Ordinary | None, objects: ObjectReader, ledger: Ledger) -> Iterator[Record]:
        """An image; nothing where it is dropped. `plain`: what its file says, where it is of the ordinary form."""
        entry = self.entries[number]
        ledger.seen["images"] += 1
        ledger.file = entry.xml or entry.root.path
        try:
            yield self._record(entry, self.names[number], plain, objects, ledger)
        except InvalidInput as error:
            if not ledger.lenient:
                raise
            ledger.problem(Problem.of(error))
            ledger.seen["images dropped"] += 1

    def _record(self, entry: Entry, name: str, plain: Ordinary | None, objects: ObjectReader, ledger: Ledger) -> Record:
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
        note, annotations = ImageNote(), None if plain is None else rectangles(plain, self.shift)
        data = b"" if annotations is not None else read_bytes(entry.xml, FILE_LIMIT)
        if annotations is None and ledger.places is None and (rings := outlined(data)) is not None:
            plain, note, annotations = rings.plain, rings.note, rings.annotations(self.shift)
        if plain is not None and annotations is not None:
            notes, size = plain.notes, (plain.width, plain.height)
            self._complete(notes, plain.shown, entry, name, ledger)
            ledger.seen["annotations"] += len(annotations)
        else:
            root = tree_of(data, entry.xml)
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
