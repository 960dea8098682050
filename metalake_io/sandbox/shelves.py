"""Collections: named sets of files of one media type, each with a folder of its own in storage."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import msgspec

from .calls import Asked
from .database import ACTIVE, insert, new_id, now, one
from .lake import CONTENT, IMAGE, OTHER, VIDEO, Lake
from .refusals import Refusal

_UNSAFE = re.compile(r"[^A-Za-z0-9\-_ ]")


class ByName(msgspec.Struct):
    collectionName: str
    objectType: int = IMAGE


class Details(msgspec.Struct):
    collectionId: str
    requiredMetaObj: dict[str, Any] | None = None


def find_or_make(db: sqlite3.Connection, name: str, media_type: int, prefix: str) -> sqlite3.Row:
    """The collection of this name and media type. A new one gets a storage path nothing else has."""
    if media_type not in CONTENT:
        raise Refusal(406, f"Invalid collection type: {media_type} is none of {VIDEO}, {IMAGE}, {OTHER}")
    if not name.strip():
        raise Refusal(406, "Collection name cannot be empty")
    found = _find(db, name, media_type)
    if found is None:
        made: dict[str, Any] = {"id": new_id(), "name": name, "media_type": media_type, "prefix": prefix}
        made |= {"storage_path": _free_path(db, name), "created": now(), "modified": now()}
        insert(db, "collections", made)
        found = active(db, made["id"])
    return found


def by_name(db: sqlite3.Connection, name: str, media_type: int) -> sqlite3.Row:
    """Refusal 406 where there is none."""
    found = _find(db, name, media_type)
    if found is None:
        raise Refusal(406, "Collection not found")
    return found


def active(db: sqlite3.Connection, collection: str) -> sqlite3.Row:
    """The collection with this id. Refusal 404 where there is none, or it is in the trash."""
    found = one(db, "SELECT * FROM collections WHERE id = ? AND status = ?", collection, ACTIVE)
    if found is None:
        raise Refusal(404, "Collection not found")
    return found


def id_by_name(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/metadata/getCollectionIdByName`."""
    wanted = asked.body(ByName)
    with lake.database.reading() as db:
        return {"isSuccess": True, "collectionId": by_name(db, wanted.collectionName, wanted.objectType)["id"]}


def details(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/metadata/getCollectionDetails`: what was required, and always id, name, type."""
    wanted = asked.body(Details)
    with lake.database.reading() as db:
        found = active(db, wanted.collectionId)
        count = one(
            db, "SELECT COUNT(*) FROM files WHERE collection_id = ? AND status = ?", wanted.collectionId, ACTIVE
        )
    tags = {"Tags": msgspec.json.decode(found["tags"])}
    known = {
        "id": found["id"],
        "name": found["name"],
        "contentType": found["media_type"],
        "objectType": found["media_type"],
        "storagePath": found["storage_path"],
        "storagePrefixPath": found["prefix"],
        "fileCount": count[0] if count else 0,
        "metadata": msgspec.json.decode(found["metadata"]) | tags,
        **tags,
    }
    names = {name for name, is_wanted in (wanted.requiredMetaObj or {}).items() if is_wanted}
    chosen = {"id", "name", "contentType", *names}
    return {"isSuccess": True, "itemDetails": {name: value for name, value in known.items() if name in chosen}}


def object_type(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`GET /client/{id}/getObjectTypeById`: of a collection or a file."""
    wanted = asked.path["id"]
    with lake.database.reading() as db:
        found = one(db, "SELECT media_type FROM collections WHERE id = ? AND status = ?", wanted, ACTIVE)
        if found is not None:
            return {"objectType": found["media_type"]}
        found = one(db, "SELECT media_type FROM files WHERE id = ? AND status = ?", wanted, ACTIVE)
    if found is None:
        raise Refusal(404, "Object not found")
    return {"objectType": CONTENT[found["media_type"]]}


def _find(db: sqlite3.Connection, name: str, media_type: int) -> sqlite3.Row | None:
    sql = "SELECT * FROM collections WHERE name = ? AND media_type = ? AND status = ?"
    return one(db, sql, name, media_type, ACTIVE)


def _free_path(db: sqlite3.Connection, name: str) -> str:
    """The service's rule: `%20` is a space, whatever may trouble a folder is `_`; on a clash `_1`, `_2`, ..."""
    path = wanted = _UNSAFE.sub("_", name.replace("%20", " "))
    number = 0
    while one(db, "SELECT 1 FROM collections WHERE storage_path = ?", path):
        number += 1
        path = f"{wanted}_{number}"
    return path
