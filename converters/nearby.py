"""Where a source can be read: where it is, or, from object storage, a copy here that lasts as long as the run.

What is said of a source, in books and errors, speaks of it as it was given and never of the copy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ..schemas.errors import AnnolakeError
from . import registry
from .format import Format
from .ledger import Ledger
from .opening import find_format
from .storage import Storage, is_url

Address = Path | Storage
"""A path, or the URL of something on object storage."""


class _Copy(msgspec.Struct, frozen=True):
    path: Path
    folder: str
    process: int


_copies: dict[str, _Copy] = {}
_told: dict[str, str] = {}
"""How sources were given, by where they are read."""
_scratch: list[str] = []
"""The folder for copies: of this process, and of all that it forks."""
_kept: list[tempfile.TemporaryDirectory[str]] = []
"""On a worker of a cluster, which is told of no folder: its own, removed when it ends."""


def address_of(text: str | Path | Storage) -> Address:
    """UsageError where it is a URL that cannot be meant."""
    if isinstance(text, Storage):
        return text
    return Storage(text) if isinstance(text, str) and is_url(text) else Path(text)


def told(address: Address) -> str:
    """The address in the words of the user."""
    return address.url if isinstance(address, Storage) else str(address)


def near(address: Address, *, given: str | None = None) -> Path:
    """Where this process can read it. `given`: how to speak of it. Errors as of `Storage.fetch`."""
    if isinstance(address, Path):
        path = address
    elif address.url in _copies:
        path = _copies[address.url].path
    else:
        folder = tempfile.mkdtemp(dir=scratch_folder())
        path = address.fetch(Path(folder))
        _copies[address.url] = _Copy(path, folder, os.getpid())
    _told[str(path)] = given or told(address)
    return path


def let_go(address: Address) -> None:
    """The copy is no longer needed, as far as it is this process's own."""
    if isinstance(address, Storage) and address.url in _copies and _copies[address.url].process == os.getpid():
        shutil.rmtree(_copies.pop(address.url).folder, ignore_errors=True)


def format_at(address: Address, name: str | None) -> Format:
    """As `find_format`. Something on object storage is fetched to see, unless its format has a name."""
    if isinstance(address, Storage) and name is not None:
        return registry.get(name)
    with as_told():
        return find_format(near(address), name)


@contextmanager
def scratch() -> Generator[None]:
    """Copies made in between, by this process and by those it forks, are removed at the end."""
    if _scratch:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="annolake-", ignore_cleanup_errors=True) as folder:
        _scratch[:] = [folder]
        try:
            yield
        finally:
            _scratch.clear()
            _copies.clear()
            _told.clear()


@contextmanager
def as_told(books: Ledger | None = None) -> Generator[None]:
    """Books and errors speak of sources as they were given."""
    try:
        yield
    except AnnolakeError as error:
        for path, given in _renamed():
            error.rename(path, given)
        raise
    finally:
        if books is not None:
            for path, given in _renamed():
                books.rename(path, given)


def scratch_folder() -> str:
    """Where this process may write what is soon to be removed."""
    if not _scratch:
        _kept[:] = [tempfile.TemporaryDirectory(prefix="annolake-", ignore_cleanup_errors=True)]
        _scratch[:] = [_kept[0].name]
    return _scratch[0]


def _renamed() -> list[tuple[str, str]]:
    return [(path, given) for path, given in _told.items() if path != given]
