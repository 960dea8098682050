"""The active file that a name means, by each of the ways in which calls name files. None where there is none."""

from __future__ import annotations

import sqlite3

from .database import ACTIVE, one
from .lake import is_default_bucket

_ACTIVE = f"files.status = {ACTIVE} AND collections.status = {ACTIVE}"
FROM = f"FROM files JOIN collections ON collections.id = files.collection_id WHERE {_ACTIVE}"
"""Every file that is not in the trash, neither by itself nor with its collection."""


def by_unique_name(db: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    return one(db, f"SELECT files.* {FROM} AND unique_name = ?", name)


def by_path(db: sqlite3.Connection, bucket: str | None, path: str) -> sqlite3.Row | None:
    """By its path in a bucket; the documentation shows it with and without a leading slash."""
    if not is_default_bucket(bucket):
        return None
    return one(db, f"SELECT files.* {FROM} AND files.storage_path = ?", path.removeprefix("/"))


def by_job(db: sqlite3.Connection, job: str, name: str) -> sqlite3.Row | None:
    """By its name in one upload, whether the upload brought it or found it there."""
    sql = f"SELECT files.* {FROM} AND files.id = (SELECT file_id FROM job_files WHERE job_id = ? AND name = ?)"
    return one(db, sql, job, name)


def by_collection(db: sqlite3.Connection, collection: str, name: str) -> sqlite3.Row | None:
    return one(db, f"SELECT files.* {FROM} AND collection_id = ? AND files.name = ?", collection, name)
