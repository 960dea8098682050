"""From a YOLO data set on disk to the hub, one image at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schemas.errors import AnnolakeError, InvalidInput, Place
from ...schemas.model import Annotation, Boxes, Catalog, Category, Record
from ...schemas.problems import Problem
from ..blocks import Block
from ..format import Context, Reading
from ..images import Exif, ImageSize, image_size
from ..ledger import Ledger
from .columns import Columns, meaning, parsed_keypoints
from .declaration import Declaration
from .keypointnames import names_read
from .labelfiles import LabelFiles, LabelPaths
from .layout import Layout, find
from .pairs import Pair
from .rows import RowReader
from .survey import Survey, survey

if TYPE_CHECKING:
    from . import Options

_MOST_NAMELESS = 10_000


def read(path: Path, options: Options, context: Context, ledger: Ledger) -> Reading:
    """The data set at `path`. What is wrong with its description is said now, with its rows when they are read."""
    ledger.file = str(path)
    layout = find(path, _extension(options.extension), context.images, ledger)
    declaration = layout.declaration
    names = declaration.names if declaration.names is not None else context.labels
    keypoints = parsed_keypoints(options.kpt_shape)
    known = options.task or declaration.facts.task or keypoints or "kpt_shape" in declaration.keys
    counted: Survey | None = None
    paths = LabelPaths(layout.pairs)
    if names is None or not known or options.task == "pose":
        counted = survey(paths, context, ledger)
    if names is None and counted is not None:
        names = _numbered(counted, declaration, ledger)
    columns = meaning(declaration, options.task, options.confidence, options.track, keypoints, counted, ledger)
    catalog = _catalog(layout, list(names or ()), columns)
    files = LabelFiles(paths, () if counted is None else counted.held)
    reader = Reader(layout, columns, list(names or ()), catalog, context, files)
    before = None if counted is None else partial(_rows_before, reader.numbers, counted.rows)
    plain = columns.task == "detect" and not columns.extra
    return Reading(
        catalog=catalog,
        records=reader.records,
        images=len(layout.pairs),
        before=before,
        blocks_for=(lambda _: reader.blocks) if plain else None,
    )


def _rows_before(numbers: Sequence[int], rows: array[int], start: int) -> int:
    return sum(rows[: numbers[start]])


class Reader:
    """The images of one data set. `numbers`: how many label files the images before each have."""

    def __init__(
        self,
        layout: Layout,
        columns: Columns,
        names: list[str],
        catalog: Catalog,
        context: Context,
        files: LabelFiles,
    ) -> None:
        self.pairs = layout.pairs
        self.columns = columns
        self.names = names
        self.labels = catalog.labels
        self.exif: Exif = context.exif
        self.files = files
        self.numbers = array("Q", accumulate([pair.told is not None for pair in self.pairs], initial=0))
        self.sizes: dict[str, ImageSize] = {}
        self.unreadable: set[str] = set()

    def blocks(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record | Block]:
        """The same as `records`, runs of plain boxes as blocks."""
        from .blockreading import blocks

        yield from blocks(self, ledger, *slice(start, stop).indices(len(self.pairs))[:2])

    def records(self, ledger: Ledger, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        """Images in order, their annotations booked as the source has them."""
        rows = RowReader(self.columns, self.names, self.labels)
        for number, pair in zip(self.numbers[start:stop], self.pairs[start:stop], strict=False):
            ledger.seen["images"] += 1
            annotations: list[Annotation] | Boxes = []
            if pair.labels is not None:
                ledger.file = pair.labels
                annotations = self._annotations(rows, number, pair, ledger)
            size = None if pair.picture is None else self._size(pair.picture, pair.image, ledger)
            yield Record(
                image=pair.image,
                annotations=annotations,
                width=None if size is None else size.width,
                height=None if size is None else size.height,
                split=pair.split,
            )

    def _annotations(self, rows: RowReader, number: int, pair: Pair, ledger: Ledger) -> list[Annotation] | Boxes:
        try:
            return rows.annotations(self.files.text(number), str(pair.labels), pair.image, ledger)
        except InvalidInput as error:
            if not ledger.lenient:
                raise
            ledger.problem(Problem.of(error))
            return []

    def _size(self, picture: str, image: str, ledger: Ledger) -> ImageSize | None:
        size = self.sizes.get(picture)
        if size is None and picture not in self.unreadable:
            try:
                size = self.sizes[picture] = image_size(picture, self.exif)
            except AnnolakeError as error:
                self.unreadable.add(picture)
                place = Place(file=picture, image=image)
                ledger.problem(
                    Problem(code=error.code, severity="warning", message=error.message, place=place, fix=error.hint)
                )
        if size is not None and size.orientation != 1:
            how = "as people see it" if self.exif == "turned" else "of the stored pixels"
            message = f"EXIF orientation {size.orientation}: {size.width} × {size.height} is its size {how}"
            where = Place(file=picture, image=image)
            ledger.problem(Problem(code="exif-turned", severity="notice", message=message, place=where))
            ledger.decide("exif", f"pictures have an EXIF turning tag: sizes are {how}; each is listed as a notice")
        return size


def _extension(text: str) -> str:
    text = text.strip()
    return f".{text}" if text and not text.startswith(".") else text


def _numbered(counted: Survey, declaration: Declaration, ledger: Ledger) -> list[str]:
    """`class_0`, `class_1`, ... up to the highest class there is, so that numbers stay what they are."""
    count = counted.highest + 1
    where = Place(file=declaration.file)
    if count > _MOST_NAMELESS:
        message = f"there are no class names, and {counted.highest} is no likely class number"
        raise InvalidInput("bad-class", message, place=where, hint="are these label files of YOLO?")
    if count:
        message = f"there are no class names: the {count} classes are called class_0, class_1, ..."
        fix = "give the data.yaml or the folder that has the names, or --labels FILE"
        ledger.problem(Problem(code="no-names", severity="warning", message=message, place=where, fix=fix))
        ledger.decide("labels", message)
    return [f"class_{index}" for index in range(count)]


def _catalog(layout: Layout, names: list[str], columns: Columns) -> Catalog:
    declaration = layout.declaration
    noted = {category.name: category for category in declaration.facts.labels}
    points = names_read(declaration.keys.get("kpt_names"), len(names), columns.keypoints[0])
    labels = tuple(noted.get(name) or Category(name, keypoints=points.get(n)) for n, name in enumerate(names))
    if Catalog(labels=declaration.facts.labels).names() == names and noted:
        labels = declaration.facts.labels  # two categories may share a name there
    yolo: dict[str, Any] = {"task": columns.task, **declaration.keys}
    if columns.task == "pose":
        yolo["kpt_shape"] = list(columns.keypoints)
    splits = dict.fromkeys(pair.split for pair in layout.pairs if pair.split is not None)
    return Catalog(
        labels=labels,
        coordinates="normalized",
        splits=tuple(splits),
        split_in_name=any(pair.fronted for pair in layout.pairs),
        extras={**declaration.facts.extras, "yolo": yolo},
    )
