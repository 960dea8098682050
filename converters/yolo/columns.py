"""What the columns of a data set's rows mean. Nothing inside a file says it: it is found once for the whole set.

Source of the rules: how Ultralytics reads label files, and what other writers put into them. `obb` and four-point
polygons look the same and are the same geometry; rows of five columns among polygons are boxes, as Roboflow writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ...schemas.errors import InvalidInput, Place, UsageError
from ...schemas.model import Catalog
from ..ledger import Ledger
from .declaration import Declaration, Task
from .notes import notes_of
from .survey import Survey

if TYPE_CHECKING:
    from . import Options


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The meaning of a row's columns: class, geometry of the task, then confidence and track id where there are some.

    `keypoints` is Ultralytics' kpt_shape: number of points, numbers per point. `boxes`: four corners in the order that
    only annolake writes are a rectangle.
    """

    task: Task
    confidence: str = "none"
    track: bool = False
    keypoints: tuple[int, int] = (0, 0)
    boxes: bool = False

    @property
    def extra(self) -> int:
        return (self.confidence != "none") + self.track


def meaning(
    declaration: Declaration,
    task: Task | None,
    confidence: str,
    track: bool,
    keypoints: tuple[int, int] | None,
    counted: Survey | None,
    ledger: Ledger,
) -> Columns:
    """The columns of a data set, from the options, from what it says of itself, and from the survey where needed."""
    facts = declaration.facts
    confidence = facts.confidence or confidence
    track = track if facts.track is None else facts.track
    keypoints = keypoints or declared_keypoints(declaration)
    task = task or facts.task or ("pose" if keypoints else None)
    widths = sorted(width - (confidence != "none") - track for width in counted.widths) if counted else []
    if task is None:
        task = _guessed(widths, ledger)
    if task == "pose" and keypoints is None:
        keypoints = _guessed_keypoints(widths, declaration.file)
    boxes = facts.boxes == "four-corners" and task in ("segment", "obb")
    return Columns(task=task, confidence=confidence, track=track, keypoints=keypoints or (0, 0), boxes=boxes)


def columns_to_write(options: Options, catalog: Catalog) -> Columns:
    """The columns that settled options ask for."""
    task = options.task or "detect"
    return Columns(
        task=task,
        confidence="last" if options.save_conf else "none",
        track=options.save_track,
        keypoints=parsed_keypoints(options.kpt_shape) or catalog_keypoints(catalog) or (0, 3),
        boxes=task in ("segment", "obb"),
    )


def catalog_keypoints(catalog: Catalog) -> tuple[int, int] | None:
    """The shape of key points that the data set declares: YOLO's own, or its largest skeleton with visibility."""
    shape = notes_of(catalog).kpt_shape
    if shape is not None:
        return shape
    most = max((len(category.keypoints or ()) for category in catalog.labels), default=0)
    return (most, 3) if most else None


def declared_keypoints(declaration: Declaration) -> tuple[int, int] | None:
    """`kpt_shape` of a data.yaml; InvalidInput where it is not [n, 2] or [n, 3]."""
    shape = declaration.keys.get("kpt_shape")
    if shape is None:
        return None
    try:
        count, size = msgspec.convert(shape, tuple[int, int])
    except msgspec.ValidationError:
        count, size = 0, 0
    if count <= 0 or size not in (2, 3):
        message = f"kpt_shape must be [number of points, 2 or 3], not {shape}"
        raise InvalidInput("kpt-shape", message, place=Place(file=declaration.file), hint="correct it there")
    return count, size


def parsed_keypoints(text: str | None) -> tuple[int, int] | None:
    """The option `17x3` as (17, 3)."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,4})x([23])", text, re.ASCII)
    if found is None:
        raise UsageError("kpt-shape", f"{text!r} is not a shape of key points", hint="write it as 17x3")
    return int(found[1]), int(found[2])


def meanings(width: int) -> str:
    """What a row of so many columns could be, for an error message."""
    could: list[str] = []
    if width == 5:
        could.append("a box")
    if width == 6:
        could += ["a box and its confidence, last (--yolo-confidence last) or second (--yolo-confidence second)"]
    if width == 7:
        could += ["a triangle", "a box, its confidence and a track id (--yolo-confidence last --yolo-track)"]
    if width == 9:
        could.append("four corners (--yolo-task obb or segment)")
    elif width > 7 and width % 2:
        could.append("a polygon (--yolo-task segment)")
    if width >= 8 and not width % 2:
        could.append("a polygon and its confidence (--yolo-confidence last)")
    for size in (2, 3):
        if width > 5 and (width - 5) % size == 0:
            count = (width - 5) // size
            could.append(f"a box and {count} key points (--yolo-task pose --yolo-kpt-shape {count}x{size})")
    return "; or ".join(could) or "nothing known"


def _guessed(widths: list[int], ledger: Ledger) -> Task:
    """The only task that most of the rows fit; rows that do not fit are errors when they are read."""
    rings = [width for width in widths if width >= 7 and width % 2]
    if not rings:
        return "detect"
    if set(rings) == {9} and 5 not in widths:
        text = "all rows are four corners: read as polygons, which is right for segment and for obb (--yolo-task obb)"
        ledger.decide("yolo-task", text)
    elif 5 in widths:
        ledger.decide("yolo-task", "boxes and polygons are mixed: rows of 5 columns are boxes, the others polygons")
    return "segment"


def _guessed_keypoints(widths: list[int], file: str) -> tuple[int, int]:
    fitting = [
        ((widths[0] - 5) // size, size)
        for size in (2, 3)
        if len(widths) == 1 and widths[0] > 5 and (widths[0] - 5) % size == 0
    ]
    if len(fitting) != 1:
        raise InvalidInput(
            "kpt-shape-missing",
            "how many key points a row has is not said",
            place=Place(file=file),
            hint="add kpt_shape: [n, 3] to the data.yaml, or give --yolo-kpt-shape, such as 17x3",
        )
    return fitting[0]
