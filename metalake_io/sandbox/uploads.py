"""Uploading files: announce them, initialize each, ask for signed URLs, PUT parts, finalize each, complete.

The bytes go to `storage`; here is what the service is told. Each initialize opens an upload of its own, so two clients
that send the same file never mix their parts; the one that finalizes last is kept, whole.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from typing import Any

import msgspec

from ...converters.images import image_size
from ...schemas.errors import InvalidInput, LocalFailure
from . import metadata, shelves
from .calls import Asked
from .database import TRASHED, insert, new_id, now, one, text_of
from .jobs import COMPLETED, IN_PROGRESS, advance_job, begin_job
from .lake import BUCKET, IMAGE, Lake
from .refusals import Refusal
from .storage import ordered_parts, part_urls

_LONGEST_NAME = 255  # bytes; what file systems take
_MOST_PARTS = 10_000  # as S3


class Begin(msgspec.Struct):
    collectionType: int
    collectionName: str | None
    objectKeyList: list[str]
    metaDataObject: dict[str, Any] | str | None = None
    isOverrideMetaData: bool = False
    storagePrefixPath: str | None = None


class Initialize(msgspec.Struct):
    fileName: str
    uploadId: str
    collectionName: str | None = None


class Presign(msgspec.Struct):
    fileId: str
    parts: int
    fileKey: str = ""
    contentType: str = "application/octet-stream"


class Part(msgspec.Struct):
    PartNumber: int
    ETag: str = ""


class Finalize(msgspec.Struct):
    fileId: str
    parts: list[Part]
    uploadId: str = ""
    fileKey: str = ""
    finalizeUrl: str = ""


def begin(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/uploadMetadataInCollection`: the collection, made where there is none; a job; an upload."""
    told = asked.body(Begin)
    for name in told.objectKeyList:
        _check_name(name)
    given = told.metaDataObject if isinstance(told.metaDataObject, dict) else {}
    fields, tags = metadata.split_tags(given)
    prefix = _checked_prefix(told.storagePrefixPath)
    with lake.database.writing() as db:
        collection = shelves.find_or_make(db, told.collectionName or "", told.collectionType, prefix)
        is_new = not one(db, "SELECT 1 FROM uploads WHERE collection_id = ?", collection["id"])
        if is_new or told.isOverrideMetaData:
            metadata.apply(db, "collections", collection["id"], fields, tags)
        job = begin_job(db, f"Upload to {collection['name']}")
        upload = {"id": new_id(), "collection_id": collection["id"], "job_id": job, "prefix": prefix}
        upload |= {"metadata": text_of(fields), "tags": None if tags is None else text_of(tags)}
        insert(db, "uploads", upload | {"override": told.isOverrideMetaData, "announced": len(told.objectKeyList)})
    return {
        "storageType": lake.settings.storage,
        "uploadId": upload["id"],
        "collectionId": collection["id"],
        "jobId": job,
    }


def initialize(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/fileUpload/initializeMultipartUpload`: a file that is there already is not sent again, one that
    was trashed does not come back.
    """
    told = asked.body(Initialize)
    _check_name(told.fileName)
    with lake.database.writing() as db:
        upload, collection = _upload(db, told.uploadId)
        key = "/".join(filter(None, [upload["prefix"], collection["storage_path"], told.fileName]))
        held = one(db, "SELECT * FROM files WHERE unique_name = ?", _unique_name(collection, told.fileName))
        if held is not None and held["collection_id"] != collection["id"]:
            raise Refusal(406, f"Another collection has a file whose unique name is {held['unique_name']}, too")
        if held is not None and held["status"] == TRASHED:
            return {"fileId": held["id"], "fileKey": key, "isExisting": False, "uploadRemovedFile": True}
        if held is not None:
            _note(db, upload["job_id"], told.fileName, held["id"], is_new=False)
            if upload["override"]:
                _apply_metadata(db, upload, held["id"])
            return {"fileId": held["id"], "fileKey": held["storage_path"], "isExisting": True}
        multipart = new_id()
        row = {"id": multipart, "upload_id": upload["id"], "name": told.fileName, "key": key}
        insert(db, "multiparts", row)
    return {"fileId": multipart, "fileKey": key, "isExisting": False}


def presign(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/fileUpload/getMultipartPreSignedUrls`: may be asked again, for a retry."""
    told = asked.body(Presign)
    if not 1 <= told.parts <= _MOST_PARTS:
        raise Refusal(422, f"parts must be 1 to {_MOST_PARTS}")
    with lake.database.reading() as db:
        multipart = _multipart(db, told.fileId)
    urls = part_urls(lake, multipart["id"], told.parts, told.contentType)
    return {
        "parts": [{"PartNumber": number, "signedUrl": asked.base + url} for number, url in enumerate(urls, start=1)]
    }


def finalize(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/fileUpload/finalizeMultipartUpload`: from now on the file is there. Asked again, it
    answers the same.
    """
    told = asked.body(Finalize)
    with lake.database.reading() as db:
        multipart = _multipart(db, told.fileId)
        held = db.execute("SELECT * FROM parts WHERE multipart_id = ? ORDER BY number", (told.fileId,)).fetchall()
    if multipart["is_finished"]:
        return {"isSuccess": True}
    parts = ordered_parts(lake, held, [(part.PartNumber, part.ETag) for part in told.parts], multipart["whole_size"])
    try:
        size = lake.blobs.join(told.fileId, parts)
    except LocalFailure:
        if _is_finished(lake, told.fileId):  # the same call, a moment earlier, has tidied up
            return {"isSuccess": True}
        raise
    with lake.database.writing() as db:
        if _multipart(db, told.fileId)["is_finished"]:
            return {"isSuccess": True}
        replaced = _keep(lake, db, multipart, size)
        db.execute("UPDATE multiparts SET is_finished = 1 WHERE id = ?", (told.fileId,))
        db.execute("DELETE FROM parts WHERE multipart_id = ?", (told.fileId,))
    lake.blobs.drop_parts(told.fileId)
    if replaced is not None:
        lake.blobs.drop(replaced)
    return {"isSuccess": True}


def complete(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`GET /client/collectionUploadingStatus/{upload}/complete`: ends the job; names the files it brought."""
    with lake.database.writing() as db:
        upload, _ = _upload(db, asked.path["upload"])
        sql = (
            "SELECT unique_name FROM job_files JOIN files ON files.id = file_id "
            "WHERE job_id = ? AND is_new ORDER BY unique_name"
        )
        names = [row["unique_name"] for row in db.execute(sql, (upload["job_id"],))]
        handled = one(db, "SELECT COUNT(*) FROM job_files WHERE job_id = ?", upload["job_id"])
        details = {"announced": upload["announced"], "handled": handled[0] if handled else 0, "uploaded": len(names)}
        advance_job(db, upload["job_id"], COMPLETED, 100, details)
    return {"isSuccess": True} | ({"uploadedFileList": names} if asked.is_true("isReturnedUniqueName") else {})


def progress(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`GET /client/collection/getuploadProgress`: of the last upload to a collection of this name."""
    sql = (
        "SELECT jobs.status, jobs.progress FROM uploads JOIN jobs ON jobs.id = job_id "
        "JOIN collections ON collections.id = collection_id WHERE collections.name = ? ORDER BY uploads.rowid DESC"
    )
    with lake.database.reading() as db:
        job = one(db, sql, asked.query.get("collectionName", ""))
    if job is None:
        raise Refusal(406, "Collection not found")
    return {"isSuccess": True, "status": job["status"], "progress": job["progress"]}


def _is_finished(lake: Lake, multipart: str) -> bool:
    with lake.database.reading() as db:
        return bool(_multipart(db, multipart)["is_finished"])


def _keep(lake: Lake, db: sqlite3.Connection, multipart: sqlite3.Row, size: int) -> str | None:
    """The file's row; the blob that it replaces, if any."""
    upload, collection = _upload(db, multipart["upload_id"])
    width, height = _measured(lake, multipart["id"], collection["media_type"])
    unique_name = _unique_name(collection, multipart["name"])
    held = one(db, "SELECT id, blob FROM files WHERE unique_name = ?", unique_name)
    content = {"blob": multipart["id"], "size": size, "width": width, "height": height, "modified": now()}
    if held is None:
        file = {"id": multipart["id"], "unique_name": unique_name, "name": multipart["name"], "bucket": BUCKET}
        file |= {"collection_id": collection["id"], "media_type": collection["media_type"]}
        insert(db, "files", file | content | {"storage_path": multipart["key"], "created": content["modified"]})
    else:
        changes = ", ".join(f"{name} = ?" for name in content)
        db.execute(f"UPDATE files SET {changes} WHERE id = ?", (*content.values(), held["id"]))
    file_id = multipart["id"] if held is None else held["id"]
    _apply_metadata(db, upload, file_id)
    _note(db, upload["job_id"], multipart["name"], file_id, is_new=True)
    return None if held is None else held["blob"]


def _measured(lake: Lake, blob: str, media_type: int) -> tuple[int | None, int | None]:
    """Width and height as people see the picture; None for what is no picture, or a broken one."""
    if media_type != IMAGE:
        return None, None
    try:
        size = image_size(lake.blobs.path(blob))
    except InvalidInput:
        return None, None
    return size.width, size.height


def _note(db: sqlite3.Connection, job: str, name: str, file: str, *, is_new: bool) -> None:
    """This job has seen to that file; the job's progress follows."""
    sql = (
        "INSERT INTO job_files VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET file_id = excluded.file_id, is_new = is_new OR excluded.is_new"
    )
    db.execute(sql, (job, name, file, is_new))
    sql = (
        "UPDATE jobs SET modified = :now, progress = min(99, 100.0 * "
        "(SELECT COUNT(*) FROM job_files WHERE job_id = :job) / "
        "max(1, (SELECT announced FROM uploads WHERE uploads.job_id = :job))) WHERE id = :job AND status = :status"
    )
    db.execute(sql, {"job": job, "status": IN_PROGRESS, "now": now()})


def _apply_metadata(db: sqlite3.Connection, upload: sqlite3.Row, file: str) -> None:
    tags = None if upload["tags"] is None else msgspec.json.decode(upload["tags"])
    metadata.apply(db, "files", file, msgspec.json.decode(upload["metadata"]), tags)


def _upload(db: sqlite3.Connection, upload: str) -> tuple[sqlite3.Row, sqlite3.Row]:
    """An upload and its collection."""
    found = one(db, "SELECT * FROM uploads WHERE id = ?", upload)
    if found is None:
        raise Refusal(404, "Upload not found")
    return found, shelves.active(db, found["collection_id"])


def _multipart(db: sqlite3.Connection, multipart: str) -> sqlite3.Row:
    found = one(db, "SELECT * FROM multiparts WHERE id = ?", multipart)
    if found is None:
        raise Refusal(404, "File upload not found")
    return found


def _unique_name(collection: sqlite3.Row, name: str) -> str:
    return f"{collection['storage_path']}_{name}"


def _check_name(name: str) -> None:
    """Bare names only, as clients send them. They never become paths here, but would at those who download."""
    is_odd = name in ("", ".", "..") or "/" in name or any(unicodedata.category(char) == "Cc" for char in name)
    if is_odd or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise Refusal(406, f"Invalid file name {name[:100]!r}: give a bare name of at most {_LONGEST_NAME} bytes")


def _checked_prefix(prefix: str | None) -> str:
    """Folders in the bucket, without slashes at the ends."""
    steps = [step for step in (prefix or "").split("/") if step]
    if any(step in (".", "..") or any(unicodedata.category(char) == "Cc" for char in step) for step in steps):
        raise Refusal(406, f"Invalid storage prefix {(prefix or '')[:100]!r}")
    return "/".join(steps)
