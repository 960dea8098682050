"""Annotations of files: one record for each file and operation; the same operation again replaces it.

Coordinates are kept in pixels, the origin at the top left. Normalized ones are turned into pixels on arrival, with the
size in the picture's header, as it is seen. Objects stay as they came: what the service does not know is kept, too.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Literal

import msgspec

from ...schemas.plain import ready
from . import finding
from .calls import Asked, decoded
from .database import now, one, text_of
from .lake import Lake
from .metadata import listed
from .refusals import Refusal

HUMAN, MACHINE = 1, 2
"""Modes of an operation, in the service's numbers."""

Number = int | float
_BIGGEST = 1e15  # beyond, a float does not tell neighbouring pixels apart


class Box(msgspec.Struct):
    x: Number
    y: Number
    w: Number
    h: Number


class Value(msgspec.Struct):
    value: str


class Label(msgspec.Struct):
    key: str = ""
    labelText: str | None = None
    attributeValues: dict[str, list[Value]] | None = None


class Shape(msgspec.Struct):
    """What is checked of an object: no more than the official SDK keeps to. It sends shapes without points, too."""

    type: Literal["rectangle", "polygon", "line", "points"]
    label: Label
    points: list[tuple[Number, Number]] | None = None
    boxBoundariesAndDimensions: Box | None = None


class Data(msgspec.Struct):
    annotationObjects: list[dict[str, Any]]


class Entry(msgspec.Struct):
    data: Data
    objectKey: str | None = None
    storagePath: str | None = None
    bucketName: str | None = None
    jobId: str | None = None
    fileName: str | None = None


class Update(msgspec.Struct):
    metaUpdatesArray: str
    operationMode: Literal[1, 2]
    operationType: int = 1
    sessionId: str = ""
    totalImageCount: int = 0
    uploadedImageCount: int = 0


def update(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /metadata/operationdata/{operation}/update`: all that can be kept is kept, the rest is named in the
    answer. Refusal: the batch is no JSON or not of that form; then nothing of it is kept.
    """
    told = asked.body(Update)
    entries = decoded(told.metaUpdatesArray, list[Entry], "metaUpdatesArray")
    for number, entry in enumerate(entries):
        _check(entry, number)
    is_normalized = asked.is_true("isNormalized")
    missing: list[str] = []
    unmeasured: list[str] = []
    with lake.database.writing() as db:
        for entry in entries:
            file = _find(db, entry)
            if file is None:
                missing.append(_name(entry))
            elif is_normalized and file["width"] is None:
                unmeasured.append(_name(entry))
            else:
                size = (file["width"], file["height"]) if is_normalized else (1, 1)
                _keep(db, file["id"], asked.path["operation"], told.operationMode, entry, size)
    kept = len(entries) - len(missing) - len(unmeasured)
    message = f"{kept} images updated"
    if missing:
        message += f", {len(missing)} not found: {listed(missing)}"
    if unmeasured:
        message += f", {len(unmeasured)} without a readable size, which normalized coordinates need: "
        message += listed(unmeasured)
    return {"isSuccess": kept == len(entries), "message": message, "notFound": missing, "notMeasured": unmeasured}


def attach(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /studio/api/client/projects/modelRun/attach`: there are no projects here; the call is only heard."""
    told = asked.body(dict[str, Any])
    if not told.get("projectId"):
        raise Refusal(422, "projectId is missing")
    return {"isSuccess": True, "message": "The sandbox has no projects; nothing was attached"}


def _check(entry: Entry, number: int) -> None:
    """Numbers finite and in a range where pixels are told apart, shapes of a known type."""
    for index, shape in enumerate(entry.data.annotationObjects):
        where = f"metaUpdatesArray[{number}].data.annotationObjects[{index}]"
        try:
            known = msgspec.convert(shape, ready(Shape))
        except msgspec.ValidationError as error:
            raise Refusal(422, f"{where} is invalid: {error}") from None
        box = known.boxBoundariesAndDimensions
        numbers = [value for point in known.points or () for value in point]
        numbers += [] if box is None else [box.x, box.y, box.w, box.h]
        if not all(-_BIGGEST < value < _BIGGEST for value in numbers):
            raise Refusal(422, f"{where} is invalid: a coordinate is out of range")


def _find(db: sqlite3.Connection, entry: Entry) -> sqlite3.Row | None:
    if entry.objectKey is not None:
        return finding.by_unique_name(db, entry.objectKey)
    if entry.storagePath is not None:
        return finding.by_path(db, entry.bucketName, entry.storagePath)
    return finding.by_job(db, entry.jobId or "", entry.fileName or "")


def _name(entry: Entry) -> str:
    return entry.objectKey or entry.storagePath or entry.fileName or ""


def _keep(db: sqlite3.Connection, file: str, operation: str, mode: int, entry: Entry, size: tuple[int, int]) -> None:
    objects = entry.data.annotationObjects
    if size != (1, 1):
        objects = [_in_pixels(shape, *size) for shape in objects]
    labels = sorted({text for shape in objects if isinstance(text := shape["label"].get("labelText"), str)})
    held = one(db, "SELECT created FROM annotations WHERE file_id = ? AND operation_id = ?", file, operation)
    moment = now()
    db.execute(
        "INSERT OR REPLACE INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?)",
        (file, operation, mode, text_of(objects), text_of(labels), held["created"] if held else moment, moment),
    )
    db.execute("UPDATE files SET modified = ? WHERE id = ?", (moment, file))


def _in_pixels(shape: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """The object with x and widths times the picture's width, y and heights times its height."""
    factors = {"x": width, "y": height, "w": width, "h": height}
    out = dict(shape)
    if shape.get("points") is not None:
        out["points"] = [[x * width, y * height] for x, y in shape["points"]]
    if shape.get("boxBoundariesAndDimensions") is not None:
        box: dict[str, Any] = shape["boxBoundariesAndDimensions"]
        out["boxBoundariesAndDimensions"] = {
            name: value * factors[name] if name in factors else value for name, value in box.items()
        }
    return out
