"""Custom fields and tags of files and collections.

What is given replaces what a field had; fields that are not given stay. `Tags` (capital T) stands among the fields in
every message and replaces the list of tags. Keys follow MongoDB's rules, as in the service: no `.`, no `$` in front.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from . import finding, shelves
from .calls import Asked
from .database import ACTIVE, now, text_of
from .lake import Lake
from .refusals import Refusal

TAGS = "Tags"
_LONGEST_LIST = 20
"""Names of files that an answer repeats."""


class Entry(msgspec.Struct):
    file: str
    metadata: dict[str, Any] = {}


class ByJson(msgspec.Struct):
    metadata: list[Entry]
    bucketName: str | None = None
    jobId: str | None = None
    collectionId: str | None = None


class ByObject(msgspec.Struct):
    collectionName: str
    objectType: int
    metadata: dict[str, Any]
    isApplyToAllFiles: bool = True


class TagList(msgspec.Struct):
    tags: list[str]


class FieldList(msgspec.Struct):
    fields: list[str]


def split_tags(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str] | None]:
    """Fields, and tags or None where none were given. Refusal 406: a name or a tag the service cannot keep."""
    fields = {name: value for name, value in given.items() if name != TAGS}
    _check_fields(fields)
    if TAGS not in given:
        return fields, None
    return fields, _checked_tags(given[TAGS])


def apply(
    db: sqlite3.Connection, table: Literal["files", "collections"], row: str, fields: dict[str, Any], tags: Any
) -> None:
    """Change one file or collection."""
    held = db.execute(f"SELECT metadata FROM {table} WHERE id = ?", (row,)).fetchone()
    merged = msgspec.json.decode(held["metadata"]) | fields
    db.execute(
        f"UPDATE {table} SET metadata = ?, tags = coalesce(?, tags), modified = ? WHERE id = ?",
        (text_of(merged), None if tags is None else text_of(tags), now(), row),
    )


def validate_tags(lake: Lake, asked: Asked) -> list[Any]:
    """`POST /client/metadata/validateTags`: the list of renames, of which there are none."""
    _checked_tags(asked.body(TagList).tags)
    return []


def validate_fields(lake: Lake, asked: Asked) -> list[Any]:
    """`POST /client/metadata/validateMetaFields`."""
    _check_fields(dict.fromkeys(asked.body(FieldList).fields))
    return []


def upload_json(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/metadata/uploadMetadataByJson`: to files named as the call says (job, collection, storage path
    with bucket, else unique name).
    """
    told = asked.body(ByJson)
    split = [(entry.file, *split_tags(entry.metadata)) for entry in told.metadata]
    missing: list[str] = []
    with lake.database.writing() as db:
        for name, fields, tags in split:
            file = _find(db, told, name)
            if file is None:
                missing.append(name)
            else:
                apply(db, "files", file["id"], fields, tags)
    message = f"Metadata of {len(split) - len(missing)} files updated"
    if missing:
        message += f", {len(missing)} not found: {listed(missing)}"
    return {"isSuccess": not missing, "message": message, "notFound": missing}


def upload_object(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/metadata/uploadMetadataByMetaObject`: to a collection's head and, unless told, all its files."""
    told = asked.body(ByObject)
    fields, tags = split_tags(told.metadata)
    with lake.database.writing() as db:
        collection = shelves.by_name(db, told.collectionName, told.objectType)
        apply(db, "collections", collection["id"], fields, tags)
        files: list[Any] = []
        if told.isApplyToAllFiles:
            sql = "SELECT id FROM files WHERE collection_id = ? AND status = ?"
            files = db.execute(sql, (collection["id"], ACTIVE)).fetchall()
        for file in files:
            apply(db, "files", file["id"], fields, tags)
    return {"isSuccess": True, "message": f"Metadata of the collection and {len(files)} files updated"}


def listed(names: list[str]) -> str:
    """The first names, for people."""
    rest = f" and {len(names) - _LONGEST_LIST} more" if len(names) > _LONGEST_LIST else ""
    return ", ".join(names[:_LONGEST_LIST]) + rest


def _find(db: sqlite3.Connection, told: ByJson, name: str) -> sqlite3.Row | None:
    if told.jobId is not None:
        return finding.by_job(db, told.jobId, name)
    if told.collectionId is not None:
        return finding.by_collection(db, told.collectionId, name)
    if told.bucketName is not None:
        return finding.by_path(db, told.bucketName, name)
    return finding.by_unique_name(db, name)


def _check_fields(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if not name.strip() or name.startswith("$") or "." in name or "\0" in name:
            raise Refusal(406, f"Invalid meta field name {name!r}: it is empty, holds a dot, or starts with $")


def _checked_tags(given: Any) -> list[str]:
    try:
        tags = msgspec.convert(given, list[str])
    except msgspec.ValidationError:
        raise Refusal(406, "Tags should be an array of strings") from None
    if not all(tag.strip() for tag in tags):
        raise Refusal(406, "Invalid tag: a tag cannot be empty")
    return list(dict.fromkeys(tags))
