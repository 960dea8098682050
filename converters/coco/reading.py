"""COCO files to records, image by image.

Annotations are not grouped by image, so a file is held whole, but as bytes: two passes over its heads give the order,
and the annotations of an image are decoded when it is yielded. Those with just COCO's own seven keys take the fast
lane: typed decoding of all of the image at once, and fourteen quotation marks for each prove that there is no other
key. Where one is otherwise they are taken one by one, and the odd ones go through `objects`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ...schemas.errors import InvalidInput
from ...schemas.model import Annotation, Record, Rectangle, Tag
from ...schemas.plain import is_id
from ...schemas.problems import Problem
from ..blocks import Block
from ..fidelity import Fidelity
from ..format import Blocks, Context, Reading, Records
from ..ledger import Ledger, Loss
from ..shapeblocks import PLAIN_QUOTES, Shape
from .boxblocks import in_box_blocks
from .boxdocument import BoxDocument
from .catalog import catalog_of
from .document import Document, Id
from .large import LargeDocument, clashing_names
from .layout import Source
from .objects import PlainBox, Wanted, from_any, from_plain
from .oddities import SEEN_BY_CHECKS, oddities
from .outlines import NO_RINGS, is_outline
from .pictures import Images
from .results import note_keys, opened
from .segmentation import Unreadable
from .shaperuns import Outlined, in_blocks

if TYPE_CHECKING:
    from .segmentation import Traced

_PLAINS = msgspec.json.Decoder(list[Shape])
_PLAIN_BOXES = msgspec.json.Decoder(list[PlainBox])
_T = TypeVar("_T")


def read_sources(sources: Sequence[Source], categories: str | None, ledger: Ledger, context: Context) -> Reading:
    """One reading over all files of a data set. Names that several splits share get the split in front. `categories`
    is the file that results lists belong to.
    """
    documents = [opened(source, categories, ledger, context) for source in sources]
    clashing = _clashing_names(documents) if len(documents) > 1 else frozenset[str]()
    if clashing:
        ledger.decide("names", f"{len(clashing)} image names stand in several splits: they get the split in front")

    def begun(wanted: Wanted, ledger: Ledger, start: int, stop: int | None) -> Iterator[tuple[ImageRecords, range]]:
        """The records of each file, and the numbers of its images among those from `start` to `stop`."""
        first = 0
        for document in documents:
            numbers = range(len(document.images))
            end = len(numbers) if stop is None else max(stop - first, 0)
            records = ImageRecords(document, ledger, clashing, wanted)
            chosen = numbers[max(start - first, 0) : end]
            records.begin(chosen)
            yield records, chosen
            first += len(numbers)

    def records_for(fidelity: Fidelity | None) -> Records:
        wanted = Wanted.by(fidelity)

        def records(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
            for records, numbers in begun(wanted, ledger, start, stop):
                yield from records.stream(numbers)

        return records

    def shapes_for(fidelity: Fidelity, *, spelled: bool = False) -> Blocks:
        """Of one file whose ids are right, and whose images have names of their own."""
        wanted = Wanted.by(fidelity)
        alike = spelled and wanted.carried and wanted.crowd and wanted.masks

        def items(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Outlined]:
            for records, numbers in begun(wanted, ledger, start, stop):
                yield from in_blocks(records, numbers, spelled=alike)

        return items

    def blocks_for(fidelity: Fidelity) -> Blocks:
        """The same of boxes, for a target that has no more, of all files."""
        wanted = Wanted.by(fidelity)

        def items(ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record | Block]:
            for records, numbers in begun(wanted, ledger, start, stop):
                yield from in_box_blocks(records, numbers, fidelity)

        return items

    usual = len(documents) == 1 and not documents[0].fresh and context.memory is None
    return Reading(
        catalog=msgspec.structs.replace(catalog_of(documents), split_in_name=bool(clashing)),
        records=records_for(None),
        images=sum(len(document.images) for document in documents),
        records_for=records_for,
        blocks_for=blocks_for if any(isinstance(document, BoxDocument) for document in documents) else None,
        shapes_for=shapes_for if usual else None,
        spelled_for=partial(shapes_for, spelled=True) if usual else None,
        apart=True,
        locate=lambda place: next(
            (d.locate(place) for d in documents if place.file in (d.file, d.pictures.file)), place
        ),
    )


def _clashing_names(documents: Sequence[Document]) -> frozenset[str]:
    large = [document for document in documents if isinstance(document, LargeDocument)]
    if large:
        return clashing_names(large)
    count = Counter(name for document in documents for name in document.names() if name)
    return frozenset(name for name, times in count.items() if times > 1)


class ImageRecords:
    """The records of one file."""

    def __init__(self, document: Document, ledger: Ledger, clashing: frozenset[str], wanted: Wanted) -> None:
        self.document = document
        self.wanted = wanted
        self.plain = self._boxes if wanted.boxes else self._shapes
        self.ledger = ledger
        self.boxed: Loss | None = None
        self.traced: Mapping[int, Traced] = {}
        self.images = Images(document.pictures, ledger, clashing, wanted)
        names = Counter(category.name for category in document.categories)
        self.labels = {c.id: c.name for c in document.categories}
        self.plain_labels = {c.id: c.name for c in document.categories if names[c.name] == 1}

    def begin(self, numbers: range) -> None:
        """Before the images with these numbers. Annotations that belong to none are counted with the first."""
        self.ledger.file = self.document.file
        if (numbers and numbers[0] == 0) or not self.document.images:
            self._lose(self.document.dropped, self.document.dropped)

    def stream(self, numbers: range) -> Iterator[Record]:
        """The images with these numbers."""
        for index in numbers:
            annotated = self.document.numbers(index)
            record = self.head(index, len(annotated))
            if record is not None:
                annotations, tags = self._annotations(record, annotated)
                yield msgspec.structs.replace(record, annotations=annotations, tags=tuple(tags))

    def head(self, index: int, annotated: int) -> Record | None:
        """An image without its annotations, which are so many; None where it is a problem."""
        ledger = self.ledger
        ledger.seen["images"] += 1
        try:
            record = self.images.record(index)
        except InvalidInput as error:
            ledger.problem(Problem.of(self.document.located(error)))
            ledger.seen["images dropped"] += 1
            self._lose(annotated, annotated)
            return None
        ledger.seen["annotations"] += annotated
        return record

    def _lose(self, seen: int, lost: int) -> None:
        self.ledger.seen["annotations"] += seen
        self.ledger.seen["annotations dropped"] += lost
        self.ledger.dropped += lost

    def _annotations(self, record: Record, numbers: list[int]) -> tuple[list[Annotation], list[Tag]]:
        document, places = self.document, self.ledger.places
        raws = [document.annotations[number] for number in numbers]
        quickly = places is None and not document.fresh
        if quickly and (plain := self.plain(raws, record)) is not None:
            return plain, []
        annotations: list[Annotation] = []
        tags: list[Tag] = []
        for start, stop in _stretches(raws) if quickly else pairwise(range(len(raws) + 1)):
            before = len(annotations)
            found = None if document.fresh else self.plain(raws[start:stop], record)
            if found is not None:
                annotations += found
            for number in numbers[start:stop] if found is None else ():
                for item in self.any(number, record):
                    if isinstance(item, Tag):
                        tags.append(item)
                    else:
                        annotations.append(item)
            if places is not None:
                place = document.place(*document.at(numbers[start]), image=record.image, annotation=_id(raws[start]))
                places.extend([place] * (len(annotations) - before))
        return annotations, tags

    def _shapes(self, raws: Sequence[msgspec.Raw], _: Record) -> list[Annotation] | None:
        """The annotations, where all of them are plain."""
        plains = _all_plain(raws, _PLAINS)
        out: list[Annotation] = []
        for plain in plains or ():
            label = self.plain_labels.get(plain.category_id)
            found = None if label is None else from_plain(plain, label, carried=self.wanted.carried)
            if found is None:
                return None
            out += found
        return None if plains is None else out

    def _boxes(self, raws: Sequence[msgspec.Raw], record: Record) -> list[Annotation] | None:
        """The same as boxes, their outlines not decoded, and booked."""
        plains = _all_plain(raws, _PLAIN_BOXES)
        if plains is None:
            return None
        labels = self.plain_labels
        out: list[Annotation] = []
        outlined: list[Id] = []
        for plain in plains:
            label, box, outline = labels.get(plain.category_id), plain.bbox, bytes(plain.segmentation)
            if label is None:
                return None
            if len(outline) > NO_RINGS:
                if box[2] <= 0 or box[3] <= 0 or not is_outline(outline):
                    return None
                outlined.append(plain.id)
            out.append(Rectangle(bbox=box, label=label, metadata={"coco_id": plain.id}))
        if self.boxed is not None:
            self.boxed.count += len(outlined)
        else:
            for identity in outlined:
                self.book_boxed(record.image, identity)
        return out

    def book_boxed(self, image: str, identity: Id) -> None:
        """An outline that becomes a box; once `boxed` is there, it is enough to count there."""
        self.ledger.book("polygon-boxed", image=image, annotation=identity)
        self.boxed = self.ledger.full("polygon-boxed")

    def any(self, number: int, record: Record) -> list[Annotation | Tag]:
        """What the annotation with that number becomes, whatever it says: one object, a tag, or a problem."""
        document, at = self.document, self.document.at(number)
        raw = document.annotations[number]
        identity = _id(raw)
        try:
            plain = document.object(raw, at)
            form = document.form(plain)
            if number in document.fresh:
                plain["id"] = document.fresh[number]
            category = plain.get("category_id")
            label = self.labels.get(category) if is_id(category) else None
            if label is None:
                raise Unreadable(
                    "unknown-category",
                    f"category_id {category!r} is the id of no category",
                    ("category_id",),
                    "add the category, or remove the annotation",
                )
            found, codes = from_any(
                plain, label, number, (record.width, record.height), self.wanted, self.traced.get(number)
            )
        except Unreadable as error:
            place = document.place(*at, *error.steps, image=record.image, annotation=identity)
            document.problem(self.ledger, error.code, error.message, place, error.hint)
        except InvalidInput as error:
            self.ledger.problem(Problem.of(document.located(error)))
        else:
            for code in codes:
                self.ledger.book(code, image=record.image, annotation=plain.get("id"))
            for code, message, fix in oddities(plain, found, outlined=not self.wanted.boxes):
                if not self.ledger.lenient or code not in SEEN_BY_CHECKS:
                    place = document.place(*at, image=record.image, annotation=identity)
                    document.problem(self.ledger, code, message, place, fix, "warning")
            if form:
                note_keys(found[0].metadata, form)
            if category not in self.plain_labels:
                found[0].metadata["coco_category_id"] = category
            return found
        self._lose(0, 1)
        return []


def _stretches(raws: Sequence[msgspec.Raw]) -> Iterator[tuple[int, int]]:
    """Runs of annotations that may be plain by their quotation marks, and each other one by itself."""
    start = 0
    for place, raw in enumerate(raws):
        if bytes(raw).count(b'"') != PLAIN_QUOTES:
            if start < place:
                yield start, place
            yield place, place + 1
            start = place + 1
    if start < len(raws):
        yield start, len(raws)


def _all_plain(raws: Sequence[msgspec.Raw], decoder: msgspec.json.Decoder[list[_T]]) -> list[_T] | None:
    """The annotations decoded, where each has the seven keys and no other: fewer than their quotation marks none can
    have, and so none has more where there are so many in all.
    """
    joined = b"[%b]" % b",".join(raws)
    if joined.count(b'"') != PLAIN_QUOTES * len(raws):
        return None
    try:
        return decoder.decode(joined)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Identity(msgspec.Struct):
    id: int | str | None = None


_IDENTITY = msgspec.json.Decoder(_Identity)


def _id(raw: msgspec.Raw) -> int | str | None:
    try:
        return _IDENTITY.decode(raw).id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
