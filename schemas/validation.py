"""Meaning: what is wrong with an image and its annotations, however well their file is formed.

A problem is an error where the service, or any training, cannot use what is there; a warning where it can, but hardly
as meant. Source of the rules: what the service's SDK drops or sends on without a word, and what its database cannot
keep. Coordinates as in `model`; an image's borders, and 0 and 1 for fractions, hold to a millionth of its size.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from msgspec.structs import replace

from .errors import Place, printable
from .keys import BOOKKEEPING
from .model import Annotation, Coordinates, Record, Tag, Value
from .names import is_safe_name
from .problems import Problem, Severity
from .rings import part_mistakes
from .shapes import Mistake, coordinates_of, extent, identity, is_finite, shape_mistakes
from .wording import metadata_mistakes, text_mistakes

_LONGEST_NAME = 255  # bytes of one part of a path: the limit of every usual file system


class _Seen(NamedTuple):
    name: str
    place: Place


def check_record(
    record: Record,
    *,
    coordinates: Coordinates,
    places: Sequence[Place] = (),
    labels: Collection[str] | None = None,
    sure: Sequence[bool] = (),
    good_labels: set[str] | None = None,
) -> Iterator[Problem]:
    """All problems of one image. `places` run parallel to its annotations; where they end, image and number stand in.

    `labels` are the allowed ones, if only some are. `sure` says of each annotation whether its shape surely is without
    a mistake (`soundness`), where that has been found out. `good_labels` gathers those without a mistake, so that each
    is looked at once.
    """
    image = Place(file=places[0].file if places else None, image=record.image)
    for mistake in image_mistakes(record, coordinates):
        yield _problem(mistake, image)
    for tag in record.tags:
        for mistake in (*label_mistakes(tag.label, labels), *_fact_mistakes(tag)):
            yield _problem(mistake, image)
    width, height = extent(record, coordinates)
    annotations = record.annotations
    seen = _Repeats() if _may_repeat(annotations) else None
    parts = part_mistakes(annotations)
    good_labels = set() if good_labels is None else good_labels
    for number, annotation in enumerate(annotations):
        mistakes: list[Mistake] = []
        if annotation.label not in good_labels:
            mistakes += label_mistakes(annotation.label, labels)
            if not mistakes:
                good_labels.add(annotation.label)
        if number >= len(sure) or not sure[number]:
            mistakes += shape_mistakes(annotation, width, height, coordinates)
        if annotation.metadata or annotation.attributes or annotation.confidence is not None:
            mistakes += _fact_mistakes(annotation)
        if number in parts:
            mistakes += parts[number]
        if seen is not None:
            mistakes += seen.mistakes(annotation, number)
        if mistakes:
            place = places[number] if number < len(places) else Place(image=record.image, annotation=number + 1)
            for mistake in mistakes:
                yield _problem(mistake, place)


class Names:
    """Finds images of one data set whose names do not go together."""

    def __init__(self) -> None:
        self._names: dict[str, _Seen] = {}
        self._stems: dict[str, str] = {}

    def problems(self, image: str, place: Place) -> Iterator[Problem]:
        """What is wrong with the next image's name beside those before it; `place` is the image's own."""
        folded = unicodedata.normalize("NFC", image).casefold()
        first = self._names.setdefault(folded, _Seen(image, place))
        if first.place is not place:
            yield _problem(_same_name(first.name, image), place)
        stem = os.path.splitext(image)[0]
        twin = self._stems.setdefault(stem, image)
        if twin != image and first.place is place:
            message = f"{printable(twin)} has the same stem: as YOLO both would share one label file"
            yield _problem(Mistake("same-stem", "notice", message, "rename one of them before going to YOLO"), place)


class Checker:
    """Checks the images of one data set one after the other, and what only shows across them."""

    def __init__(self, *, coordinates: Coordinates, labels: Collection[str] | None = None) -> None:
        self._coordinates: Coordinates = coordinates
        self._labels = None if labels is None else frozenset(labels)
        self._names = Names()
        self._good_labels: set[str] = set()

    def check(self, record: Record, places: Sequence[Place] = ()) -> Iterator[Problem]:
        """All problems of the next image; `places` as for `check_record`."""
        place = Place(file=places[0].file if places else None, image=record.image)
        yield from self._names.problems(record.image, place)
        yield from self.check_alone(record, places)

    def check_alone(self, record: Record, places: Sequence[Place] = (), sure: Sequence[bool] = ()) -> Iterator[Problem]:
        """All problems of an image by itself; `places` and `sure` as for `check_record`."""
        return check_record(
            record,
            coordinates=self._coordinates,
            places=places,
            labels=self._labels,
            sure=sure,
            good_labels=self._good_labels,
        )


def check_operation_id(text: str) -> Iterator[Problem]:
    """Whether the service can take a name for an annotation run: it stands in the path of an address there."""
    if not text.strip():
        yield _operation("error", "the operation id is empty", "give the annotation run a name")
        return
    if not text.isprintable():
        yield _operation("error", "the operation id has control characters", "use visible characters only")
    if text in (".", ".."):
        yield _operation("error", f"an operation id of {text} is lost on the way", "give the annotation run a name")
    elif text.startswith("$"):
        yield _operation("error", "the operation id begins with $, which the service's database reserves", None)
    if text != text.strip():
        yield _operation("warning", "the operation id has blanks at its ends", "leave them out")
    if any(character in text for character in "/?#"):
        message = "the operation id holds /, ? or #: the service's own SDK loses annotations under such an id"
        yield _operation("warning", message, "use letters, digits, - and _")


def _problem(mistake: Mistake, place: Place) -> Problem:
    return Problem(code=mistake.code, severity=mistake.severity, message=mistake.message, place=place, fix=mistake.fix)


def _operation(severity: Severity, message: str, fix: str | None) -> Problem:
    return Problem(code="operation-id", severity=severity, message=message, fix=fix)


def image_mistakes(record: Record, coordinates: Coordinates) -> Iterator[Mistake]:
    """Mistakes of an image's name and size, and of what its shapes say about that."""
    name = record.image
    if not name:
        yield Mistake("empty-name", "error", "the image has no name", "name its file")
    elif name.startswith("/") and is_safe_name(name[1:]):
        message = "a leading slash: the documentation shows it for storage paths, and no other upload knows it"
        yield Mistake("leading-slash", "notice", message, "leave the slash out unless you upload by storage path")
    elif not is_safe_name(name):
        message = "this name is absolute or leads out of its folder"
        yield Mistake("unsafe-name", "error", message, "use a name relative to the data set's folder")
    yield from text_mistakes(name, "image-name", "the image's name")
    if any(len(part.encode("utf-8", "replace")) > _LONGEST_NAME for part in name.split("/")):
        yield Mistake("long-name", "warning", f"a part of the name has over {_LONGEST_NAME} bytes", "shorten it")
    for word, size in (("width", record.width), ("height", record.height)):
        if size is not None and not (is_finite(size) and size > 0):
            message = f"the image's {word} is {size}, which is no size"
            yield Mistake("image-size", "error", message, "write the picture's real size, or leave it out")
    if coordinates == "pixels" and record.width is None and record.height is None:
        yield from _normalized_look(record.annotations)


def _normalized_look(annotations: Sequence[Annotation]) -> Iterator[Mistake]:
    values = [value for annotation in annotations for value in coordinates_of(annotation)]
    if values and all(0 <= value <= 1 for value in values) and any(value % 1 for value in values):
        message = "all coordinates lie within 0 and 1: these look like fractions of the image, not pixels"
        yield Mistake("looks-normalized", "warning", message, "if they are fractions, say so: --normalized")


def label_mistakes(label: str, allowed: Collection[str] | None) -> Iterator[Mistake]:
    """Mistakes of a label by itself, and where it is not `allowed`, if only some are."""
    if not label.strip():
        yield Mistake("empty-label", "error", "the label is empty", "name the class")
        return
    yield from text_mistakes(label, "label", "the label")
    if label != label.strip():
        message = f'the label "{printable(label)}" has blanks at its ends'
        yield Mistake("label-blanks", "warning", message, "leave them out: they make another class")
    if allowed is not None and label not in allowed:
        near = get_close_matches(label, allowed, n=1)
        fix = f'did you mean "{near[0]}"?' if near else "add it to the list of labels, or correct it"
        yield Mistake("unknown-label", "error", f'the label "{printable(label)}" is not in the list', fix)


def _fact_mistakes(item: Annotation | Tag) -> Iterator[Mistake]:
    """Confidence, metadata and attributes."""
    yield from _confidence_mistakes(item.confidence, "the confidence")
    yield from metadata_mistakes(item.metadata)
    yield from attribute_mistakes(item.attributes)


def attribute_mistakes(attributes: Mapping[str, Sequence[Value]]) -> Iterator[Mistake]:
    """Mistakes of attributes: names, values, and the facts about these."""
    for name, values in attributes.items():
        if not name.strip():
            yield Mistake("empty-attribute", "error", "an attribute has no name", "name it")
        for value in values:
            if not value.value.strip():
                message = f'a value of the attribute "{printable(name)}" is empty'
                yield Mistake(
                    "empty-attribute", "warning", message, "give it a value: the service drops it without one"
                )
            yield from _confidence_mistakes(value.confidence, f'the confidence of "{printable(name)}"')
            yield from metadata_mistakes(value.metadata or {})


def _confidence_mistakes(confidence: float | None, subject: str) -> Iterator[Mistake]:
    if confidence is not None and not 0 <= confidence <= 1:
        message = f"{subject} is {confidence}, which is not within 0 and 1"
        yield Mistake("confidence-range", "error", message, "0.75, not 75")


def _may_repeat(annotations: Sequence[Annotation]) -> bool:
    """Whether two annotations have the same label and begin at the same point, without which none is another again."""
    return len({(one.label, *coordinates_of(one)[:2]) for one in annotations}) < len(annotations)


class _Repeats:
    """Finds annotations of one image that stand in it twice."""

    def __init__(self) -> None:
        self._shapes: dict[object, tuple[Annotation, int]] = {}
        self._whole: dict[bytes, int] = {}
        self._telling: dict[bytes, int] = {}

    def mistakes(self, annotation: Annotation, number: int) -> Iterator[Mistake]:
        shape = type(annotation), annotation.label, tuple(coordinates_of(annotation))
        earlier = self._shapes.setdefault(shape, (annotation, number))
        if earlier[1] == number:
            return  # the usual case, and a cheap one
        self._first(*earlier)
        first, alike = self._first(annotation, number)
        if first != number:
            message = f"annotation {first + 1} is the same in everything"
            yield Mistake("duplicate-annotation", "warning", message, "keep one")
        elif alike != number:
            message = f"annotation {alike + 1} has the same shape, label and facts under another id"
            yield Mistake("repeated-shape", "warning", message, "keep one, if they mean one object")

    def _first(self, annotation: Annotation, number: int) -> tuple[int, int]:
        """The first annotation the same in everything, and the first the same but for book-keeping."""
        metadata = {key: value for key, value in annotation.metadata.items() if key not in BOOKKEEPING}
        first = self._whole.setdefault(identity(annotation), number)
        return first, self._telling.setdefault(identity(replace(annotation, metadata=metadata)), number)


def _same_name(first: str, name: str) -> Mistake:
    if first == name:
        message = "the image is listed twice; the service keeps one of them"
        return Mistake("duplicate-image", "error", message, "merge the two entries")
    message = f'the name differs from "{printable(first)}" only in case or in how its accents are written'
    return Mistake("similar-name", "warning", message, "some file systems take both for one file")
