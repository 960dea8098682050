"""The one thread that writes a journal: what waits goes into one transaction of some 50 rows; what was put together is
never divided.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import groupby
from queue import Empty, Queue
from threading import Event, Thread

from ..schemas.errors import AnnolakeError
from .journal_rows import Row

MOST_ROWS = 50
_WAITING = 5_000


class Writer:
    """`put` hands over rows, from any thread; `flush` returns when all of them are kept. An error of the disk is raised
    by the next call of either.
    """

    def __init__(self, database: sqlite3.Connection, failure: Callable[[sqlite3.Error], AnnolakeError]) -> None:
        self._database = database
        self._failure = failure
        self._queue: Queue[Sequence[Row] | Event | None] = Queue(_WAITING)
        self._error: AnnolakeError | None = None
        self._thread = Thread(target=self._run, name="annolake-journal", daemon=True)
        self._thread.start()

    def put(self, rows: Sequence[Row]) -> None:
        self._raise()
        self._queue.put(rows)

    def flush(self) -> None:
        kept = Event()
        self._queue.put(kept)
        kept.wait()
        self._raise()

    def close(self) -> None:
        """Keep what waits, and end. Errors are not raised: what is not kept is asked for again."""
        self._queue.put(None)
        self._thread.join()
        self._database.close()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        more = True
        while more:
            rows, waiting, more = self._gathered()
            if rows and self._error is None:
                try:
                    self._keep(rows)
                except sqlite3.Error as error:
                    self._error = self._failure(error)
            for event in waiting:
                event.set()

    def _gathered(self) -> tuple[list[Row], list[Event], bool]:
        """Rows for one transaction, who waits for it, and whether there will be more."""
        rows: list[Row] = []
        waiting: list[Event] = []
        while len(rows) < MOST_ROWS:
            try:
                one = self._queue.get(block=not rows and not waiting)
            except Empty:
                break
            if one is None:
                return rows, waiting, False
            if isinstance(one, Event):
                waiting.append(one)
            else:
                rows += one
        return rows, waiting, True

    def _keep(self, rows: list[Row]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for sql, some in groupby(rows, lambda row: row.insert()):
                self._database.executemany(sql, [row.sealed() for row in some])
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
