"""The form for images: one <image> at a time to a record, in the order of the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ...schemas.errors import InvalidInput, Place
from ...schemas.model import Annotation, Record, Tag, count_objects
from ...schemas.names import is_safe_name
from ...schemas.problems import Problem
from ..blocks import Block
from ..fidelity import Fidelity
from ..format import Blocks
from ..ledger import Ledger
from .boxruns import Named
from .forms import SHAPES
from .notes import EXTENSION, NO_SPLIT
from .numbers import Unreadable, number
from .ordinary import ordinary
from .shapes import as_xml, read_shape, to_hub, to_tag
from .skimming import IN_HEAD, Image, Skimmed, image_in, images, runs
from .stream import Element, children, line_of


class Pictures:
    """The images of a file. Names that several subsets share get the subset in front; one that stands twice in one is a
    problem, and the later one is left out. `skimmed`: what that found, where the file is ordinary.
    """

    def __init__(
        self,
        path: Path,
        named: Sequence[Named],
        lines: Sequence[int | None],
        skimmed: Skimmed | None,
        names: Mapping[str, Sequence[str]],
        ledger: Ledger,
        *,
        numbered: bool,
    ) -> None:
        self.path, self.file = path, str(path)
        self.skimmed, self.named = skimmed, named
        self.names = names
        self.numbered = numbered
        self.images = len(named)
        count = Counter(name for name, _ in dict.fromkeys(named))
        self.clashing = {name for name, times in count.items() if times > 1}
        self.split_in_name = bool(self.clashing)
        self.twice = self._twice(named, lines, ledger)
        if self.clashing:
            text = f"{len(self.clashing)} image names stand in several subsets: they get the subset in front"
            ledger.decide("names", text)

    def records(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        ledger.file = self.file
        stop = self.images if stop is None else min(stop, self.images)
        if start < stop and self.skimmed is not None and ledger.places is None:
            start = yield from self._quickly(self.skimmed, ledger, start, stop)
        if start < stop:
            yield from self._closely(ledger, start, stop)

    @property
    def in_columns(self) -> bool:
        """Whether there may be blocks."""
        return self.skimmed is not None and not self.clashing

    def blocks_for(self, _: Fidelity) -> Blocks:
        """Whatever is to become of them."""
        return self.blocks

    def blocks(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record | Block]:
        """The same, with images of nothing but boxes as blocks."""
        from .boxblocks import in_blocks

        ledger.file = self.file
        stop = self.images if stop is None else min(stop, self.images)
        if self.skimmed is None or ledger.places is not None:
            yield from self.records(ledger, start, stop)
            return
        for first, last, run in runs(self.path, self.skimmed, start, stop):
            begin, end = max(first, start), min(last, stop)
            if run is None:
                done = yield from self._quickly(self.skimmed, ledger, begin, end)
                if done < end:
                    yield from self._closely(ledger, done, stop)
                    return
                continue
            named = self.named[first:last]
            for item in in_blocks(run, named, begin - first, end - first, numbered=self.numbered):
                if isinstance(item, Block):
                    ledger.seen["images"] += len(item.records)
                    ledger.seen["annotations"] += len(item.labels)
                    yield item
                elif (image := image_in(run.odd[item])) is not None:
                    yield self._image(image, ledger)
                else:
                    yield from self._closely(ledger, first + item, stop)
                    return

    def _quickly(self, skimmed: Skimmed, ledger: Ledger, start: int, stop: int) -> Generator[Record, None, int]:
        """Images of an ordinary file, down to one that takes a closer look, whose number it returns; else `stop`."""
        for image in islice(images(self.path, skimmed.stretches, start), stop - start):
            if image is None:
                break
            yield self._image(image, ledger)
            start += 1
        return start

    def _image(self, image: Image, ledger: Ledger) -> Record:
        ledger.seen["images"] += 1
        ledger.seen["annotations"] += len(image.annotations)
        identity, name, subset, width, height = image.head
        if self.clashing:
            given = {key: text for key, text in zip(IN_HEAD, image.head, strict=True) if text}
            return replace(self._facts(given, None), annotations=image.annotations)
        return Record(
            image=name,
            annotations=image.annotations,
            width=int(width),
            height=int(height),
            split=subset or None,
            extras={} if self.numbered else {"cvat": {"id": _identity(identity)}},
        )

    def _closely(self, ledger: Ledger, start: int, stop: int | None) -> Iterator[Record]:
        elements = (element for element in children(self.path) if element.tag == "image")
        for index, image in islice(enumerate(elements), start, stop):
            ledger.seen["images"] += 1
            if index in self.twice:
                ledger.seen["images dropped"] += 1
                continue
            try:
                given = {str(name): str(text) for name, text in image.attrib.items()}
                record = self._facts(given, line_of(image), image)
            except InvalidInput as error:
                ledger.problem(Problem.of(error))
                ledger.seen["images dropped"] += 1
                continue
            record = self._shapes(image, record, ledger)
            ledger.seen["annotations"] += count_objects(record)
            yield record

    def _twice(self, named: Sequence[Named], lines: Sequence[int | None], ledger: Ledger) -> set[int]:
        if self.skimmed is not None and not self.clashing:
            return set()
        first: dict[Named, int] = {}
        twice: set[int] = set()
        shown: dict[str, int] = {}
        for index, (name, subset) in enumerate(named):
            shown_as = self._name(name, subset)
            if first.setdefault((name, subset), index) == index and shown.setdefault(shown_as, index) == index:
                continue
            twice.add(index)
            place = Place(file=self.file, line=lines[index], image=name)
            message = f"the image stands twice, first on line {lines[shown[shown_as]]}"
            error = InvalidInput("duplicate-image", message, place=place, hint="merge the two <image> elements")
            ledger.problem(Problem.of(error))
        return twice

    def _name(self, name: str, subset: str | None) -> str:
        return f"{subset or NO_SPLIT}/{name}" if name in self.clashing else name

    def _facts(self, given: dict[str, str], line: int | None, children: Iterable[Element] = ()) -> Record:
        """The image without its shapes. InvalidInput for a name that leads out of the data set, or a size that is no
        number.
        """
        name, subset = given.pop("name", ""), given.pop("subset", None)
        place = Place(file=self.file, line=line, image=name)
        shown = self._name(name, subset)
        if not is_safe_name(shown):
            hint = "give a relative name without `..`"
            raise InvalidInput("unsafe-name", "this name leads out of the data set", place=place, hint=hint)
        try:
            width, height = (_side(given.pop(side, None), side) for side in ("width", "height"))
        except Unreadable as error:
            raise InvalidInput(error.code, error.message, place=place, hint=error.hint) from None
        extras, storage_name = _foreign(given)
        cvat: dict[str, Any] = {}
        identity = given.pop("id", None)
        if identity is not None and not self.numbered and given.pop(f"{EXTENSION}-id", None) is None:
            cvat["id"] = _identity(identity)
        if (task := given.pop("task_id", None)) is not None:
            cvat["task_id"] = task
        if given:
            cvat["attributes"] = given
        odd = [as_xml(child) for child in children if child.tag not in SHAPES and child.tag != "tag"]
        if odd:
            cvat["elements"] = odd
        if cvat:
            extras["cvat"] = cvat
        return Record(image=shown, split=subset, extras=extras, storage_name=storage_name, width=width, height=height)

    def _shapes(self, image: Element, record: Record, ledger: Ledger) -> Record:
        annotations: list[Annotation] = []
        tags: list[Tag] = []
        for place_in_image, element in enumerate(image, 1):
            if ledger.places is None and (shape := ordinary(element)) is not None:
                annotations.append(shape)
                continue
            place = Place(file=self.file, line=line_of(element), image=record.image, annotation=place_in_image)
            try:
                if element.tag == "tag":
                    tags.append(to_tag(element))
                    continue
                if element.tag not in SHAPES:
                    continue
                shape = read_shape(element, (record.width, record.height))
                found, codes = to_hub(shape, place_in_image, self.names.get(shape.said.label))
            except Unreadable as error:
                ledger.problem(Problem.of(InvalidInput(error.code, error.message, place=place, hint=error.hint)))
                continue
            for code in codes:
                ledger.book(code, image=record.image, annotation=place_in_image)
            annotations += found
            if ledger.places is not None:
                ledger.places.extend([place] * len(found))
        return replace(record, annotations=annotations, tags=tuple(tags))


def _identity(text: str) -> int | str:
    return int(text) if text.isdecimal() and str(int(text[:18])) == text else text


def _side(text: str | None, name: str) -> float | int | None:
    if text is None:
        return None
    value = number(text, f"the {name} of the image")
    return int(value) if value.is_integer() else value


def _foreign(given: dict[str, str]) -> tuple[dict[str, Any], str | None]:
    """What other formats know of the image, out of our own attribute; somebody else's stays."""
    try:
        own = json.loads(given.get(EXTENSION, ""))
        extras, storage_name = own.pop("extras", {}), own.pop("storageName", None)
        if not own and isinstance(extras, dict) and isinstance(storage_name, str | None):
            del given[EXTENSION]
            return dict(extras), storage_name  # type: ignore[arg-type]
    except (ValueError, AttributeError, RecursionError):
        pass
    return {}, None
