"""Annotations -> rows of a label file.

Numbers have six decimals, as every writer of YOLO gives them (0.004 px on a picture of 4000 px); more, where the
fractions of the source had more, or where fewer would make a box vanish.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from operator import sub
from typing import Any

from ...schemas.errors import InvalidInput, Place
from ...schemas.geometry import centre_box
from ...schemas.model import Annotation, Polygon, Record, Rectangle
from ..blocks import Block
from ..ringblocks import RingBlock
from .columns import Columns
from .rows import is_box

MOST_DECIMALS = 12
_USUAL = 6


class RowWriter:
    """Rows for one data set. `numbers` gives each label its class and raises KeyError for a label it does not know."""

    def __init__(self, columns: Columns, number: Callable[[str], int], decimals: int) -> None:
        self.columns = columns
        self.number = number
        self.places = min(decimals, _USUAL)
        self.fine = decimals > _USUAL
        self.error = 0.5 * 10.0**-decimals
        self.smallest = 10.0**-self.places
        self.boxes_only = columns.task == "detect" and columns.extra == 0
        self.rings_only = columns.task == "segment" and columns.extra == 0 and not self.fine and self.places > 0
        self.box_row = "%d" + f" %.{self.places}f" * 4 + "\n"
        self._numbers: dict[str, int] = {}
        self._patterns: dict[int, str] = {}

    def rows(self, record: Record) -> str:
        """The whole text of an image's label file. InvalidInput where an annotation is none that the task has."""
        at_once = self._boxes if self.boxes_only else self._rings if self.rings_only else None
        if at_once is not None and (text := at_once(record.annotations)) is not None:
            return text
        rows: list[str] = []
        confidence = self.columns.confidence != "none"
        for annotation in record.annotations:
            row = f"{self.number(annotation.label)} {self._geometry(annotation, record)}"
            if confidence:
                if annotation.confidence is None:
                    hint = "leave --yolo-save-conf out: a column is in every row or in none"
                    raise _refused(record, "confidence-missing", f"a {annotation.label} without a confidence", hint)
                row += f" {_shortest(annotation.confidence)}"
            if self.columns.track:
                row += f" {self._track(annotation, record)}"
            rows.append(row)
        return "\n".join(rows) + "\n" if rows else ""

    def texts(self, block: Block | RingBlock, numbers: Mapping[str, int]) -> list[str | None]:
        """The same of each image of a block, its labels having these classes; None for an image that wants `rows`."""
        from .unitrows import box_texts, ring_texts

        if isinstance(block, Block):
            texts = box_texts(block, numbers, self.places, self.error if self.fine else None)
        else:
            texts = ring_texts(block, numbers, self.places) if self.rings_only else None
        return [None] * len(block.counts) if texts is None else texts

    def _boxes(self, annotations: Sequence[Annotation]) -> str | None:
        """All rows at once, where all are boxes whose usual decimals say everything; None for any others."""
        flat: list[float] = []
        numbers, smallest = self._numbers, self.smallest
        for annotation in annotations:
            if type(annotation) is not Rectangle:
                return None
            number = numbers.get(annotation.label)
            if number is None:
                number = self._numbered(annotation.label)
            x, y, w, h = annotation.bbox
            if w < smallest or h < smallest:
                return None
            flat += (number, x + w / 2, y + h / 2, w, h)
        if self.fine and max(map(abs, map(sub, map(round, flat, repeat(_USUAL)), flat)), default=0) > self.error:
            return None
        text = self.box_row * len(annotations) % tuple(flat)
        return None if "-" in text else text

    def _rings(self, annotations: Sequence[Annotation]) -> str | None:
        """The same for rings, and boxes as rings, where it is plain how each number is rounded: as whole numbers with a
        digit in front, which stands for a nought or a one before the point.
        """
        flat: list[float] = []
        ends: list[int] = []
        for annotation in annotations:
            if isinstance(annotation, Polygon) and len(annotation.xy) >= 6:
                flat += annotation.xy
            elif isinstance(annotation, Rectangle) and min(annotation.bbox[2:]) >= self.smallest:
                flat += _corners(annotation)
            else:
                return None
            ends.append(len(flat))
        if not flat:
            return None
        import numpy as np

        from .unitrows import in_units, spelled

        in_all = in_units(np.fromiter(flat, np.float64, len(flat)), 10**self.places)
        if in_all is None:
            return None
        units: list[int] = in_all.tolist()
        rows: list[list[int]] = []
        start = 0
        for annotation, end in zip(annotations, ends, strict=True):
            label, row = annotation.label, units[start:end]
            number = self._numbers.get(label)
            if number is None:
                number = self._numbered(label)
            if isinstance(annotation, Polygon) and is_box(row):
                row = [*row[2:], *row[:2]]
            rows.append([number, *row])
            start = end
        return spelled(rows)

    def _numbered(self, label: str) -> int:
        number = self._numbers[label] = self.number(label)
        return number

    def _track(self, annotation: Annotation, record: Record) -> int:
        track = annotation.metadata.get("track_id")
        if not isinstance(track, int):
            hint = "leave --yolo-save-track out: a column is in every row or in none"
            raise _refused(record, "track-missing", f"a {annotation.label} without a track id that is a number", hint)
        return track

    def _geometry(self, annotation: Annotation, record: Record) -> str:
        task = self.columns.task
        if isinstance(annotation, Rectangle):
            if task in ("segment", "obb"):
                return self._four_corners(annotation)
            box = self._box(annotation)
            return box if task == "detect" else f"{box} {self._keypoints(annotation, record)}"
        if isinstance(annotation, Polygon) and task in ("segment", "obb"):
            xy = annotation.xy
            if task == "segment" and len(xy) < 6:
                raise _refused(record, "degenerate", f"a polygon of {len(xy) // 2} points", "it needs three")
            if task == "obb" and len(xy) != 8:
                hint = "write it as --yolo-task segment"
                raise _refused(record, "corners", f"a polygon of {len(xy) // 2} points is no oriented box", hint)
            text = self._text(xy)
            if len(xy) == 8 and is_box(tuple(map(float, text.split()))):
                # The same ring from its next vertex: only rectangles look as rectangles do.
                text = self._text([*xy[2:], *xy[:2]])
            return text
        word = type(annotation).__name__.lower()
        raise _refused(record, "shape-unsupported", f"a {task} set has no {word}", "choose another --yolo-task")

    def _box(self, annotation: Rectangle) -> str:
        x, y, w, h = annotation.bbox
        if w < self.smallest or h < self.smallest:
            return " ".join(map(_shortest, centre_box(x, y, w, h)))
        return self._text((x + w / 2, y + h / 2, w, h))

    def _four_corners(self, annotation: Rectangle) -> str:
        xy = _corners(annotation)
        return " ".join(map(_shortest, xy)) if min(annotation.bbox[2:]) < self.smallest else self._text(xy)

    def _keypoints(self, annotation: Rectangle, record: Record) -> str:
        count, size = self.columns.keypoints
        text = annotation.metadata.get("keypoints", "[]")
        try:
            flat: list[Any] = json.loads(text)
            points = [(float(x), float(y), 2.0 if v is None else float(v)) for x, y, v in _triples(flat)]
        except (TypeError, ValueError) as error:
            message = f"{text!r} are no key points: {error}"
            raise _refused(record, "keypoints", message, "they are a list: x, y, v, ...") from None
        if len(points) > count:
            message = f"{len(points)} key points, where the set has {count}"
            raise _refused(record, "keypoints", message, f"give --yolo-kpt-shape {len(points)}x{size}")
        points += [(0.0, 0.0, 0.0)] * (count - len(points))
        return " ".join(chain.from_iterable((*self._text((x, y)).split(), _shortest(v))[:size] for x, y, v in points))

    def _text(self, numbers: Sequence[float]) -> str:
        if self.fine and any(abs(round(value, _USUAL) - value) > self.error for value in numbers):
            return " ".join(map(_shortest, numbers))
        pattern = self._patterns.get(len(numbers))
        if pattern is None:
            pattern = self._patterns[len(numbers)] = " ".join([f"%.{self.places}f"] * len(numbers))
        text = pattern % tuple(numbers)
        return _without_minus_zero(text) if "-" in text else text


def _corners(annotation: Rectangle) -> tuple[float, ...]:
    """A rectangle as a ring that begins at the bottom-right and goes up: no tool and no tracer begins there."""
    x, y, w, h = annotation.bbox
    return x + w, y + h, x + w, y, x, y, x, y + h


def _without_minus_zero(text: str) -> str:
    return " ".join(number if float(number) else number.removeprefix("-") for number in text.split())


def _triples(flat: list[Any]) -> list[tuple[Any, Any, Any]]:
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def _shortest(value: float) -> str:
    """Up to twelve decimals, and none that say nothing."""
    text = f"{value:.{MOST_DECIMALS}f}".rstrip("0")
    return text.removesuffix(".")


def _refused(record: Record, code: str, message: str, hint: str) -> InvalidInput:
    return InvalidInput(code, message, place=Place(image=record.image), hint=hint)
