"""What the stand-in remembers, in one SQLite file that several workers share."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any

import msgspec

from ...schemas.errors import InvalidInput, LocalFailure, Place

TRASHED, ACTIVE = 1, 2
"""Status of a file or collection, in the service's numbers."""

_VERSION = 1
_BUSY_SECONDS = 60.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS collections (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, media_type INTEGER NOT NULL, storage_path TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL, metadata TEXT NOT NULL DEFAULT '{}', tags TEXT NOT NULL DEFAULT '[]',
    created REAL NOT NULL, modified REAL NOT NULL, status INTEGER NOT NULL DEFAULT 2
);
CREATE UNIQUE INDEX IF NOT EXISTS one_active_name ON collections (name, media_type) WHERE status = 2;

CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, session_id TEXT UNIQUE, name TEXT NOT NULL, type INTEGER NOT NULL, status INTEGER NOT NULL,
    progress REAL NOT NULL, details TEXT NOT NULL DEFAULT '{}', modified REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, collection_id TEXT NOT NULL REFERENCES collections, job_id TEXT NOT NULL REFERENCES jobs,
    prefix TEXT NOT NULL, metadata TEXT NOT NULL, tags TEXT, override INTEGER NOT NULL, announced INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS multiparts (
    id TEXT PRIMARY KEY, upload_id TEXT NOT NULL REFERENCES uploads, name TEXT NOT NULL, key TEXT NOT NULL,
    whole_size INTEGER, is_finished INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS parts (
    multipart_id TEXT NOT NULL REFERENCES multiparts, number INTEGER NOT NULL, etag TEXT NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (multipart_id, number)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS files (
    id TEXT PRIMARY KEY, unique_name TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    collection_id TEXT NOT NULL REFERENCES collections, media_type INTEGER NOT NULL, bucket TEXT NOT NULL,
    storage_path TEXT NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, width INTEGER, height INTEGER,
    metadata TEXT NOT NULL DEFAULT '{}', tags TEXT NOT NULL DEFAULT '[]',
    created REAL NOT NULL, modified REAL NOT NULL, status INTEGER NOT NULL DEFAULT 2
);
CREATE INDEX IF NOT EXISTS files_of_collection ON files (collection_id, created, id);
CREATE INDEX IF NOT EXISTS files_by_path ON files (storage_path);
CREATE TABLE IF NOT EXISTS job_files (
    job_id TEXT NOT NULL REFERENCES jobs, name TEXT NOT NULL, file_id TEXT NOT NULL REFERENCES files,
    is_new INTEGER NOT NULL, PRIMARY KEY (job_id, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS labels (
    key TEXT PRIMARY KEY, parent TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (parent, text)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS annotations (
    file_id TEXT NOT NULL REFERENCES files, operation_id TEXT NOT NULL, mode INTEGER NOT NULL, objects TEXT NOT NULL,
    labels TEXT NOT NULL, created REAL NOT NULL, modified REAL NOT NULL, PRIMARY KEY (file_id, operation_id)
);

CREATE TABLE IF NOT EXISTS selections (id TEXT PRIMARY KEY, collections TEXT NOT NULL, files TEXT NOT NULL);
"""


class Database:
    """One connection a thread; a transaction is all or nothing, and writers queue.

    A crash of the process loses nothing that was answered; a power failure may lose the last moments, and never leaves
    half a transaction.
    """

    def __init__(self, path: Path) -> None:
        """InvalidInput: another version's file. LocalFailure: this computer cannot open it, or it is none."""
        self._path = path
        self._local = threading.local()
        self._turn = threading.Lock()
        try:
            self._prepare()
        except sqlite3.Error as error:
            place = Place(file=str(path))
            hint = "check the folder and its permissions, or choose another one"
            raise LocalFailure("sandbox-database", str(error), place=place, hint=hint) from None
        finally:
            self.close()

    def close(self) -> None:
        """Give back this thread's connection; the next transaction opens another one."""
        connection: sqlite3.Connection | None = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """One consistent view."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """The lock first, so that what is read here still holds when it is written.

        SQLite's own waiting is by growing naps; threads of one worker wait for each other without.
        """
        with self._turn, self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute(begin)
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _prepare(self) -> None:
        connection = self._connection()
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise InvalidInput(
                "sandbox-other-version",
                f"the folder was made by another version of the sandbox ({version}, not {_VERSION})",
                place=Place(file=str(self._path)),
                hint="choose another folder",
            )
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return connection


def one(db: sqlite3.Connection, sql: str, *values: Any) -> sqlite3.Row | None:
    """The first row, or None."""
    return db.execute(sql, values).fetchone()


def insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """A new row. Tables and columns are our own words, never a caller's."""
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks(list(row))})", list(row.values()))


def marks(values: Sequence[Any]) -> str:
    """Place holders for these values."""
    return ", ".join("?" * len(values))


def text_of(value: Any) -> str:
    """JSON text for a column."""
    return msgspec.json.encode(value).decode()


def new_id() -> str:
    """24 hexadecimal digits, as MongoDB's ObjectId."""
    return secrets.token_hex(12)


def setting(db: sqlite3.Connection, name: str, value: str) -> str:
    """What is kept under the name; `value` where nothing was."""
    db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))
    return db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()[0]


def now() -> float:
    """Seconds since 1970."""
    return time()
