"""Rows of a label file -> annotations.

A row is a class and fractions of the image's width (x, w) and height (y, h); a box is its centre and size. The limits
are those of Ultralytics' own reader: no number of a box (of a ring's hull box) above 1.01 or below -0.01, no negative
size. Within them numbers stay as they are. Anything else is an error with file, line and column, never a guess.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ...schemas.errors import Place
from ...schemas.geometry import box_from_centre, centre_box, hull
from ...schemas.model import Annotation, Boxes, Category, Polygon, Rectangle
from ...schemas.problems import Problem
from ..ledger import Ledger
from ..lowering import MOST
from ..text import lines
from .boxrows import HIGHEST, plain_boxes
from .columns import Columns, meanings

_NUMERIC = b"0123456789+-.eE \t\r\n"
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_LOWEST = -0.01
_MOST_VISIBLE = 1e9  # models write any number there; only infinity is none
_BOX = ("xc", "yc", "w", "h")
_PIXELS = "fractions of the image are wanted; were these pixels? Divide x and w by its width, y and h by its height"


class RowReader:
    """Reads the label files of one data set."""

    def __init__(self, columns: Columns, names: list[str], labels: tuple[Category, ...]) -> None:
        self.columns = columns
        self.names = names
        self.boxes_only = columns.task == "detect" and columns.extra == 0
        self.by_number = {float(index): name for index, name in enumerate(names)}
        self.points = {category.name: len(category.keypoints) for category in labels if category.keypoints}

    def annotations(self, data: bytes, file: str, image: str, ledger: Ledger) -> list[Annotation] | Boxes:
        """The annotations of one file. InvalidInput (`not-text`, `line-too-long`) where it has no rows at all."""
        data = data.removeprefix(b"\xef\xbb\xbf")
        if self.boxes_only and ledger.places is None and (boxes := self._boxes(data)) is not None:
            ledger.seen["annotations"] += len(boxes)
            return boxes
        numeric = not data.translate(None, _NUMERIC)
        out: list[Annotation] = []
        seen: set[str] = set()
        number = 0
        repeated: list[Place] = []
        for line_number, line in enumerate(lines(data, file), 1):
            tokens = line.split()
            if not tokens:
                continue
            number += 1
            try:
                annotation = self._annotation(tokens, numeric)
            except _BadRow as bad:
                column = None if bad.column is None else _column(line, bad.column)
                where = Place(file=file, line=line_number, column=column, image=image, annotation=number)
                ledger.seen["annotations"] += 1
                ledger.problem(Problem(code=bad.code, severity="error", message=bad.message, place=where, fix=bad.fix))
                ledger.seen["annotations dropped"] += 1
                ledger.dropped += 1
                continue
            out.append(annotation)
            duplicate = line in seen
            seen.add(line)
            doubtful = self._doubt(annotation)
            if doubtful or duplicate or ledger.places is not None:
                where = Place(file=file, line=line_number, image=image, annotation=number)
                if ledger.places is not None:
                    ledger.places.append(where)
                if doubtful:
                    ledger.problem(Problem(code=doubtful[0], severity="warning", message=doubtful[1], place=where))
                if duplicate:
                    repeated.append(where)
            if "keypoints" in annotation.metadata:
                ledger.book("keypoints-boxed", image=image, annotation=number)
        ledger.seen["annotations"] += len(out)
        if repeated:
            message = f"{len(repeated)} rows repeat another row of the file; they are kept"
            fix = "predictions written twice into one folder double every row; Ultralytics trains on each row once"
            where = repeated[0]
            ledger.problem(Problem(code="duplicate-row", severity="warning", message=message, place=where, fix=fix))
        return out

    def _boxes(self, data: bytes) -> Boxes | None:
        """The boxes of a file in which nothing is odd; None for any other."""
        rows, names = plain_boxes(data), self.names
        if rows is None:
            return None
        try:
            return Boxes([Rectangle((xc - w / 2, yc - h / 2, w, h), label=names[n]) for n, xc, yc, w, h in rows])
        except IndexError:
            return None

    def _annotation(self, tokens: list[str], numeric: bool) -> Annotation:
        columns = self.columns
        numbers = _numbers(tokens, numeric)
        if columns.extra == 0:
            return self._shape(numbers, None, {})
        if len(numbers) - columns.extra < 5:
            raise _wrong_width(len(numbers), columns)
        metadata: dict[str, Any] = {}
        confidence: float | None = None
        if columns.track:
            metadata["track_id"] = _track(numbers.pop(), len(numbers))
        if columns.confidence != "none":
            index = 1 if columns.confidence == "second" else len(numbers) - 1
            confidence = numbers.pop(index)
            if not 0 <= confidence <= 1:
                message = f"a confidence of {confidence:g}, which is not between 0 and 1"
                raise _BadRow("out-of-range", message, index, "is it another column? See --yolo-confidence")
        return self._shape(numbers, confidence, metadata)

    def _shape(self, numbers: list[float], confidence: float | None, metadata: dict[str, Any]) -> Annotation:
        """`numbers` are the class and the geometry."""
        columns = self.columns
        width = len(numbers)
        ring = width >= 7 and width % 2 == 1
        pose = columns.task == "pose"
        if pose:
            fits = width == 5 + math.prod(columns.keypoints)
        elif columns.task == "detect":
            fits = width == 5
        else:
            fits = (width == 9) if columns.task == "obb" else (width == 5 or ring)
        if not fits:
            raise _wrong_width(width + columns.extra, columns)
        label = self.by_number.get(numbers[0])
        if label is None:
            raise self._wrong_class(numbers[0])
        if width == 5 or pose:
            self._check_box(numbers)
            if pose:
                metadata = {**metadata, **self._keypoints(numbers[5:], label)}
            box = box_from_centre(numbers[1], numbers[2], numbers[3], numbers[4])
            return Rectangle(label=label, confidence=confidence, metadata=metadata, bbox=box)
        xy = tuple(numbers[1:])
        if max(xy) > HIGHEST or min(xy) < _LOWEST:
            self._check_ring(xy)
        if columns.boxes and is_box(xy):
            box = (xy[4], xy[3], xy[0] - xy[4], xy[1] - xy[3])
            return Rectangle(label=label, confidence=confidence, metadata=metadata, bbox=box)
        if columns.task == "obb":
            metadata = {**metadata, "shape": "obb"}
        return Polygon(label=label, confidence=confidence, metadata=metadata, xy=xy)

    def _check_box(self, numbers: list[float]) -> None:
        xc, yc, w, h = numbers[1:5]
        if max(xc, yc, w, h) <= HIGHEST and min(xc, yc) >= _LOWEST and w >= 0 and h >= 0:
            return
        for index, name in enumerate(_BOX, 1):
            value = numbers[index]
            if index > 2 and value < 0:
                message = f"{name} is {value:g}, below 0"
                raise _BadRow("negative-size", message, self._token(index), "a size is never negative")
            if not _LOWEST <= value <= HIGHEST:
                raise _out_of_range(name, value, self._token(index))

    def _check_ring(self, xy: tuple[float, ...]) -> None:
        """Ultralytics judges a ring by its hull box, as centre and size; single vertices may lie farther out."""
        if not all(map(math.isfinite, xy)):
            raise _out_of_range("a coordinate", math.inf, None)
        for name, value in zip(_BOX, centre_box(*hull(xy)), strict=True):
            if not _LOWEST <= value <= HIGHEST:
                worst = max(range(len(xy)), key=lambda index: abs(xy[index] - 0.5))
                vertex = f"{'xy'[worst % 2]}{worst // 2 + 1}"
                more = f", and {name} of the hull is {value:g}"
                raise _out_of_range(vertex, xy[worst], self._token(worst + 1), more)

    def _keypoints(self, numbers: list[float], label: str) -> dict[str, Any]:
        """Triples of x, y and visibility, which is null where a row has none; nothing where no point is labelled."""
        size = self.columns.keypoints[1]
        for index, value in enumerate(numbers):
            is_visibility = size == 3 and index % size == 2
            if not _LOWEST <= value <= (_MOST_VISIBLE if is_visibility else HIGHEST):
                raise _out_of_range(f"key point {index // size + 1}", value, self._token(5 + index))
        if size == 3:
            flat: list[Any] = numbers
            flat[2::3] = [int(value) if value == int(value) else value for value in numbers[2::3]]
        else:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            flat = list(chain.from_iterable((x, y, None) for x, y in pairs))
        wanted = 3 * self.points.get(label, len(flat))
        while len(flat) > wanted and not any(flat[-3:]):
            del flat[-3:]
        if not any(flat):
            return {}
        return {"keypoints": json.dumps(flat), "shape": "keypoints"}

    def _doubt(self, annotation: Annotation) -> tuple[str, str] | None:
        """Code and message of what is legal but odd."""
        if isinstance(annotation, Rectangle):
            if annotation.bbox[2] == 0 or annotation.bbox[3] == 0:
                return "degenerate", "a box without width or height"
        elif max(annotation.xy) > HIGHEST or min(annotation.xy) < _LOWEST:
            return "out-of-range", "a vertex lies outside the image"
        return None

    def _wrong_class(self, value: float) -> _BadRow:
        if not value.is_integer() or value < 0:
            return _BadRow("bad-class", f"{value:g} is not a class", 0, "classes are numbered 0, 1, 2, ...")
        count = len(self.names)
        message = f"class {value:.0f}, but there are {count} names, numbered from 0"
        return _BadRow("class-out-of-range", message, 0, "add its name to the names, or correct the row")

    def _token(self, index: int) -> int:
        """Where a number of class and geometry stands in its row."""
        return index + 1 if index and self.columns.confidence == "second" else index


class _BadRow(Exception):
    """Why a row cannot be read; `column` is the number of the token."""

    def __init__(self, code: str, message: str, column: int | None = None, fix: str | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.column = column
        self.fix = fix


def is_box(xy: Sequence[float]) -> bool:
    """Whether a ring is what annolake writes for a rectangle among polygons: from bottom right up, left, and down."""
    return len(xy) == 8 and xy[0] == xy[2] > xy[4] == xy[6] and xy[7] == xy[1] > xy[3] == xy[5]


def _numbers(tokens: list[str], numeric: bool) -> list[float]:
    """`numeric`: no character of the file can spell nan, inf, `1_0` or other digits that Python would take."""
    if numeric:
        try:
            return list(map(float, tokens))
        except ValueError:
            pass
    for index, token in enumerate(tokens):
        if not _NUMBER.fullmatch(token):
            raise _bad_number(tokens, index)
    return list(map(float, tokens))


def _bad_number(tokens: list[str], index: int) -> _BadRow:
    token = tokens[index] if len(tokens[index]) <= 40 else tokens[index][:40] + "..."
    if index == 8 and len(tokens) in (9, 10):
        message = "this is DOTA text: four corners in pixels, a class name, a difficulty"
        return _BadRow("dota-rows", message, index, "export it as YOLO OBB: class number and four corners as fractions")
    if "," in token:
        return _BadRow("bad-number", f"{token!r}: decimals are written with a point", index, "replace the commas")
    fix = "a row is a class number and fractions of the image"
    return _BadRow("bad-number", f"{token!r} is not a number", index, fix)


def _track(value: float, index: int) -> int:
    if not value.is_integer() or value < 0:
        raise _BadRow("bad-number", f"{value:g} is not a track id", index, "leave --yolo-track out?")
    if value > MOST:
        raise _BadRow("bad-number", f"the track id {value:.0f} is too large to be told from its neighbours", index)
    return int(value)


def _wrong_width(width: int, columns: Columns) -> _BadRow:
    message = f"{width} columns do not fit a {columns.task} set; they could be {meanings(width)}"
    return _BadRow("column-count", message, None, "say what the columns are; nothing in the file tells")


def _out_of_range(name: str, value: float, column: int | None, more: str = "") -> _BadRow:
    limit = f"above {HIGHEST}" if value > 0 else f"below {_LOWEST}"
    return _BadRow("out-of-range", f"{name} is {value:g}, {limit}{more}", column, _PIXELS)


def _column(line: str, index: int) -> int:
    """The 1-based column in which the token of that number begins."""
    return next(found.start() + 1 for number, found in enumerate(re.finditer(r"\S+", line)) if number == index)
