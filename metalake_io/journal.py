"""The journal of transfers to one target: what was sent and acknowledged, so that a run can go on where another ended.

It is a cache of the truth: losing it may cost time, never correctness. What is in it is believed only as far as the
service confirms it, or as it makes us ask. A damaged journal is laid aside, and everything asked for again. SQLite with
a write-ahead log: rows that were committed outlive a killed process; a row is written after the acknowledgement.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from ..schemas.errors import AnnolakeError, LocalFailure, Place, UsageError
from ..schemas.plain import is_list
from .journal_rows import SCHEMA, TABLES, About, Row, UploadRow
from .journal_writer import Writer
from .locking import CHECK_STATE, Waiting, locked

R = TypeVar("R", bound=Row)

_BESIDE = ("", "-wal", "-shm")
_OF_THE_DISK = ("SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_BUSY")


class Target(msgspec.Struct, frozen=True):
    """What a journal is of: the address of the service, and what is sent to there, as `image collection 'Demo'`."""

    server: str
    what: str


class Journal:
    """A journal that is open; without a path one that keeps nothing. `notice` is what the user should hear of it.

    Its methods may be called from any thread. LocalFailure where the disk is full or the file cannot be written.
    """

    def __init__(self, path: Path | None = None, target: Target | None = None) -> None:
        self.notice: str | None = None
        self.path = path
        self._lock = Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: Writer | None = None
        if path is None or target is None:
            return
        try:
            self._open(path, target)
        except _Damaged:
            _lay_aside(path)
            self.notice = f"journal unusable, re-checking: {path}"
            self._open(path, target)

    @property
    def keeps(self) -> bool:
        return self._writer is not None

    def put(self, *rows: Row) -> None:
        """Keep rows, in place of those of the same key; soon, not at once."""
        if self._writer is not None:
            self._writer.put(rows)

    def flush(self) -> None:
        """Wait until all rows are kept: before something is sent that must be known to have been sent."""
        if self._writer is not None:
            self._writer.flush()

    def get(self, kind: type[R], *key: Any) -> R | None:
        """The row of this key."""
        return next(iter(self.rows(kind, **dict(zip(kind.__struct_fields__, key, strict=False)))), None)

    def rows(self, kind: type[R], **where: Any) -> list[R]:
        """All rows with these values, of which each may be a list of some hundred that are meant, in the order of their
        keys. Rows just `put` may be missing: `flush`.
        """
        many = {name: value if is_list(value) else [value] for name, value in where.items()}
        condition = " AND ".join(f"{name} IN ({', '.join('?' * len(values))})" for name, values in many.items()) or "1"
        found = self._select(f"SELECT * FROM {kind.TABLE} WHERE {condition}", *chain(*many.values()))
        return [row for columns in found if (row := kind.opened(columns)) is not None]

    def count(self, kind: type[Row], **where: Any) -> int:
        """How many there are."""
        condition = " AND ".join(f"{name} = ?" for name in where) or "1"
        found = self._select(f"SELECT COUNT(*) FROM {kind.TABLE} WHERE {condition}", *where.values())
        return found[0][0] if found else 0

    def uploads(self) -> list[UploadRow]:
        """All uploads to this target, the first one first."""
        return sorted(self.rows(UploadRow), key=lambda row: row.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Keep what waits, and close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _select(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._reader is None:
                return []
            try:
                return self._reader.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._failure(error) from None

    def _open(self, path: Path, target: Target) -> None:
        database: sqlite3.Connection | None = None
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            # One connection for both: SQLite lets one thread at a time use it, and a reader sees what was committed.
            database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if _is_new(database):
                _create(database, target)
            else:
                _check(database, path, target)
            writing = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            writing.execute("PRAGMA synchronous = NORMAL")
        except OSError as error:
            raise LocalFailure(
                "journal", error.strerror or str(error), place=Place(file=str(path)), hint=CHECK_STATE
            ) from None
        except BaseException as error:
            if database is not None:
                database.close()
            if isinstance(error, sqlite3.Error):
                failure = self._failure(error)
                raise (failure if failure.code == "journal-disk" else _Damaged) from None
            raise
        self._reader, self._writer = database, Writer(writing, self._failure)

    def _failure(self, error: sqlite3.Error) -> AnnolakeError:
        word = str(getattr(error, "sqlite_errorname", ""))
        of_the_disk = word.startswith(_OF_THE_DISK) and not word.endswith("SHORT_READ")
        return LocalFailure(
            "journal-disk" if of_the_disk else "journal-damaged",
            f"the journal cannot be kept: {error}",
            place=Place(file=str(self.path)),
            hint="check the disk and its permissions" if of_the_disk else "run it again: everything is asked for anew",
        )


@contextmanager
def keeping(
    journal: Journal | Path | None,
    server: str,
    what: str,
    *,
    fresh: bool = False,
    wait: bool = False,
    waiting: Waiting | None = None,
) -> Generator[Journal]:
    """A journal of what goes to `what` on `server`: one that is open already, one in a file, or one that keeps nothing.

    One in a file is locked while it is open. LockedElsewhere where another run has it, unless it is to be waited for:
    `waiting` then hears of whom. UsageError where it is of another server or target, or of a newer program. `fresh`
    forgets what it knows.
    """
    if isinstance(journal, Journal):
        yield journal
    elif journal is None:
        yield Journal()
    else:
        try:
            journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LocalFailure(
                "journal", error.strerror or str(error), place=Place(file=str(journal.parent)), hint=CHECK_STATE
            ) from None
        with locked(journal, what, wait=wait, waiting=waiting):
            if fresh:
                _forget(journal)
            with Journal(journal, Target(server, what)) as opened:
                yield opened


class _Damaged(Exception):
    """What is in the file is not what was written."""


def _is_new(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0


def _create(database: sqlite3.Connection, target: Target) -> None:
    database.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        database.execute(table.create())
    told = {"schema": str(SCHEMA), "server": target.server, "target": target.what}
    for name, value in told.items():
        database.execute("INSERT INTO about VALUES (?, ?, ?)", About(name, value).sealed())
    database.execute("COMMIT")


def _check(database: sqlite3.Connection, path: Path, target: Target) -> None:
    """_Damaged unless every byte that matters is as it was written; UsageError for a journal of something else."""
    told: dict[str, str] = {}
    for columns in database.execute("SELECT * FROM about"):
        row = About.opened(columns)
        if row is None:
            raise _Damaged
        told[row.name] = row.value
    if set(told) < {"schema", "server", "target"} or not told["schema"].isdecimal():
        raise _Damaged
    if int(told["schema"]) > SCHEMA:
        raise _refused(path, "journal-newer", "was written by a newer annolake", "update annolake")
    if int(told["schema"]) < SCHEMA:
        raise _Damaged
    for name, asked in (("server", target.server), ("target", target.what)):
        if told[name] != asked:
            what = f"belongs to another {name}: {told[name]}, not {asked}"
            raise _refused(path, f"journal-of-another-{name}", what, "give another journal")
    if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _Damaged
    for table in TABLES:
        for columns in database.execute(f"SELECT * FROM {table.TABLE}"):
            if table.opened(columns) is None:
                raise _Damaged


def _refused(path: Path, code: str, what: str, hint: str) -> UsageError:
    return UsageError(
        code, f"the journal {what}", place=Place(file=str(path)), hint=f"{hint}, or forget it with --fresh"
    )


def _lay_aside(path: Path) -> None:
    """Keep what was found, for whoever wants to look, under a name that nobody opens."""
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").replace(f"{path}.damaged{ending}")


def _forget(path: Path) -> None:
    for ending in _BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)
