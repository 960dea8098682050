"""Downloads: a collection with its annotations, page by page; lists of files; the URL of one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...schemas.metalake_wire import GEOMETRY_KEY
from . import finding, labels, shelves
from .annotations import HUMAN, MACHINE
from .calls import Asked, decoded
from .database import marks
from .lake import Lake
from .refusals import Refusal
from .selection import Filter, Sort, chosen, order

_LARGEST_PAGE = 1000
_MODES = {"all": (HUMAN, MACHINE), "human": (HUMAN,), "machine": (MACHINE,)}


class ListObjects(msgspec.Struct):
    contentType: int = 0
    pageIndex: Annotated[int, Meta(ge=0, le=2**31)] = 0
    pageSize: Annotated[int, Meta(ge=1, le=_LARGEST_PAGE)] = 20
    query: str | None = ""
    filterData: Filter | None = None
    sortBy: Sort | None = None


def collection(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`GET /client/getAnnotations/{collection}/collection`: operations by id if any are named, else by
    who made them.
    """
    page, size = asked.number("pageNo", 0), asked.number("pageSize", 250, 1, _LARGEST_PAGE)
    operations = decoded(asked.query.get("operationIdList", "[]"), list[str], "operationIdList")
    kind = asked.query.get("annotationType", "all")
    if kind not in _MODES:
        raise Refusal(422, f"annotationType must be one of {', '.join(_MODES)}")
    is_wanted = _by_operation(operations) if operations else _by_mode(_MODES[kind])
    with lake.database.reading() as db:
        head = shelves.active(db, asked.path["collection"])
        where, values = "collection_id = ? AND files.status = 2", [head["id"]]
        if asked.is_true("isAnnotatedOnly"):
            where += f" AND EXISTS (SELECT 1 FROM annotations WHERE file_id = files.id AND {is_wanted[0]})"
            values += is_wanted[1]
        rows = db.execute(
            f"SELECT * FROM files WHERE {where} ORDER BY created, id LIMIT ? OFFSET ?",
            (*values, size + 1, page * size),
        ).fetchall()
        resources = [_resource(lake, asked, db, row, is_wanted) for row in rows[:size]]
    name = head["storage_path"]
    return {
        "data": {
            "identifier": head["id"],
            "groupUniqueName": name,
            "format": "RAW",
            "rawFileName": f"{name}.json",
            "creatableDirectories": ["data"],
            "resourceArray": resources,
            "nextPage": len(rows) > size,
        }
    }


def listing(lake: Lake, asked: Asked) -> list[dict[str, Any]]:
    """`POST /client/explorer[/{collection}]/objects/list`. Past the end: Refusal 406, as the documentation says."""
    told = asked.body(ListObjects)
    inside = asked.path.get("collection")
    where, values = chosen(told.contentType, told.query, told.filterData, inside)
    with lake.database.reading() as db:
        if inside is not None:
            shelves.active(db, inside)
        rows = db.execute(
            f"SELECT files.* {finding.FROM} AND {where} ORDER BY {order(told.sortBy)} LIMIT ? OFFSET ?",
            (*values, told.pageSize, told.pageIndex * told.pageSize),
        ).fetchall()
    if not rows:
        raise Refusal(406, "No more pages to download")
    return [_item(lake, asked, row) for row in rows]


def url(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`GET /client/downloadUrl?file_key=`: by unique name; older documentation means the path in the lake."""
    key = asked.query.get("file_key", "")
    with lake.database.reading() as db:
        file = finding.by_unique_name(db, key) or finding.by_path(db, None, key)
    if file is None:
        raise Refusal(404, "File not found")
    return {"isSuccess": True, "url": lake.media_url(asked.base, file["blob"], file["unique_name"])}


def upload_form(db: sqlite3.Connection, file: str, wanted: tuple[str, list[Any]]) -> list[dict[str, Any]]:
    """A file's annotations in the form in which they are uploaded (v2), coordinates in pixels. `wanted` is a
    condition on operations, with its values.
    """
    sql = f"SELECT objects FROM annotations WHERE file_id = ? AND {wanted[0]} ORDER BY created, operation_id"
    out: list[dict[str, Any]] = []
    for row in db.execute(sql, (file, *wanted[1])).fetchall():
        objects: list[dict[str, Any]] = msgspec.json.decode(row["objects"])
        names = labels.texts(db, _keys(objects))
        out += [_annotation(shape, names) for shape in objects]
    return out


EVERY_OPERATION: tuple[str, list[Any]] = ("1", [])
"""The condition that all annotations meet."""


def _by_operation(operations: list[str]) -> tuple[str, list[Any]]:
    return f"operation_id IN ({marks(operations)})", list(operations)


def _by_mode(modes: tuple[int, ...]) -> tuple[str, list[Any]]:
    return f"mode IN ({marks(modes)})", list(modes)


def _resource(
    lake: Lake, asked: Asked, db: sqlite3.Connection, row: sqlite3.Row, wanted: tuple[str, list[Any]]
) -> dict[str, Any]:
    name = row["unique_name"]
    return {
        "fileName": name,
        "fileUrl": lake.media_url(asked.base, row["blob"], name),
        "fileDownloadFolderLocation": "data",
        "isMediaFile": True,
        "rawAnnotations": {"image": name, "annotations": upload_form(db, row["id"], wanted)},
    }


def _item(lake: Lake, asked: Asked, row: sqlite3.Row) -> dict[str, Any]:
    metadata = msgspec.json.decode(row["metadata"])
    tags = msgspec.json.decode(row["tags"])
    return {
        "id": row["id"],
        "name": row["name"],
        "fileName": row["name"],
        "uniqueName": row["unique_name"],
        "url": lake.media_url(asked.base, row["blob"], row["unique_name"]),
        "collectionId": row["collection_id"],
        "storagePath": row["storage_path"],
        "bucketName": row["bucket"],
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
        "metadata": metadata | ({"Tags": tags} if tags else {}),
    }


def _keys(objects: Iterable[dict[str, Any]]) -> set[str]:
    """Every key that stands for a text."""
    found: set[str] = set()
    for shape in objects:
        label: dict[str, Any] = shape["label"]
        found.add(str(label.get("key", "")))
        attributes: dict[str, list[dict[str, Any]]] = label.get("attributeValues") or {}
        found.update(attributes)
        found.update(value["value"] for values in attributes.values() for value in values)
    return found


def _annotation(shape: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """One object as it was uploaded. A key nobody knows stands for itself."""
    label: dict[str, Any] = shape["label"]
    kind: str = shape["type"]
    out: dict[str, Any] = {"type": kind}
    box = shape.get("boxBoundariesAndDimensions")
    if kind == "rectangle" and box is not None:
        out["bbox"] = [box[name] for name in "xywh"]
    elif kind != "rectangle" and shape.get("points") is not None:
        out[GEOMETRY_KEY[kind]] = shape["points"]
    key = str(label.get("key", ""))
    out["label"] = label.get("labelText") or names.get(key, key)
    if "confidence" in shape:
        out["confidence"] = shape["confidence"]
    if shape.get("metadata"):
        out["metadata"] = shape["metadata"]
    attributes: dict[str, list[dict[str, Any]]] = label.get("attributeValues") or {}
    if attributes:
        out["attributes"] = {
            names.get(name, name): [value | {"value": names.get(value["value"], value["value"])} for value in values]
            for name, values in attributes.items()
        }
    return out
