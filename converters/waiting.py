"""Records that wait for their turn: known by their images' names, held on disk where they are many."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from ..schemas.model import Record

_HELD = 8 << 20


class Waiting:
    """Records by name. Of two with one name the later counts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}

    def put(self, record: Record) -> None:
        packed = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
        if not self._places:
            self._file.seek(0)
            self._file.truncate()
        self._places[record.image] = (self._file.seek(0, 2), len(packed))
        self._file.write(packed)

    def take(self, name: str) -> Record | None:
        """The record of that name, which waits no longer; None where there is none."""
        place = self._places.pop(name, None)
        if place is None:
            return None
        self._file.seek(place[0])
        return pickle.loads(self._file.read(place[1]))

    def names(self) -> Iterator[str]:
        return iter(self._places)


@contextmanager
def waiting() -> Generator[Waiting]:
    with SpooledTemporaryFile[bytes](max_size=_HELD, prefix="annolake-") as file:
        yield Waiting(file)
