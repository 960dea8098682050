"""Which local files an upload means: looked at before anything is sent, and everything left out has its reason."""

from __future__ import annotations

import os
import stat
from bisect import insort
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from ..converters.files import local_failure
from ..converters.images import image_size
from ..schemas.errors import AnnolakeError, InvalidInput, Place, UsageError
from ..schemas.problems import Problem
from .kinds import SUFFIXES
from .localnames import why_not
from .results import Item


class Source(msgspec.Struct, frozen=True):
    """A file to be uploaded, as it was when it was looked at: `size` in bytes, `modified` in nanoseconds."""

    name: str
    path: Path
    size: int
    modified: int

    def look(self) -> Source:
        """Itself: it has been looked at."""
        return self

    def is_unchanged(self) -> bool:
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)


class Folder(msgspec.Struct, frozen=True):
    """A folder whose files of a kind (image, video, other) are meant. `root` is the real one, which links must not
    lead out of.
    """

    path: Path
    kind: str
    root: Path


class Listed(msgspec.Struct, frozen=True, gc=False):
    """A file of a folder by its name alone, to be looked at when its turn comes: in a large folder, or one that is far
    away, that takes longer than sending the first of them.
    """

    name: str
    folder: Folder
    size: int | None = None

    def look(self) -> Source | Item:
        """The file as it is now; or why it cannot be uploaded."""
        return look_at(self.folder.path / self.name, self.name, self.folder.kind, self.folder.root)


Entry = Source | Listed


class Scan(msgspec.Struct, frozen=True):
    """`entries` in the order of their names. `left_out` are entries of the folder that are not uploaded: skipped by
    rule, or failed. `single`: one file.
    """

    entries: Sequence[Entry]
    left_out: list[Item]
    single: bool

    def size(self, most: int) -> int | None:
        """Of all files, in bytes; None where there are more than `most` of them."""
        if len(self.entries) > most:
            return None
        looked = (entry.look() for entry in self.entries)
        return sum(one.size for one in looked if isinstance(one, Source))


def scan(path: Path, kind: str) -> Scan:
    """The files of a folder (not of folders in it), or one file. `kind` is image, video or other.

    UsageError where there is nothing; InvalidInput where nothing can be uploaded.
    """
    if not os.path.lexists(path):
        raise UsageError("no-such-path", f"there is no {path}", hint="check the path")
    single = not path.is_dir()
    entries: list[Entry] = []
    left_out: list[Item] = []
    for found in (look_at(path, path.name, kind, None),) if single else _listed(path, kind):
        if isinstance(found, Item):
            left_out.append(found)
        else:
            entries.append(found)
    if not entries:
        left_out.sort(key=lambda item: item.name)
        why = f": {left_out[0].name}: {left_out[0].reason}" if left_out else ""
        raise InvalidInput(
            "nothing-to-upload",
            f"there is no {kind} file to upload{why}",
            place=Place(file=str(path)),
            hint=_hint(kind),
        )
    entries.sort(key=lambda entry: entry.name)
    return Scan(entries, left_out, single)


def look_at(path: Path, name: str, kind: str, root: Path | None) -> Source | Item:
    """What a path is: a file to be uploaded, or why it is none.

    `name` is the path's last part: given, so that rows share it with the plan (a path has one of its own). `root` is
    the real folder that links must not lead out of; None for a file that was named itself."""
    try:
        name.encode("utf-8")
        if root is not None and path.is_symlink() and root not in path.resolve().parents:
            return _failed(name, "a link that leads out of the folder")
        status = path.stat()
    except UnicodeEncodeError:
        return _failed(name.encode("utf-8", "backslashreplace").decode("ascii"), "its name is not UTF-8")
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a link that leads in a circle"
        return _failed(name, f"it cannot be read: {reason}")
    if stat.S_ISDIR(status.st_mode):
        return _folder(name)
    if not stat.S_ISREG(status.st_mode):
        return _failed(name, "no regular file")
    left_out = _by_name(name, kind)
    if left_out is not None:
        return left_out
    if not os.access(path, os.R_OK):
        return _failed(name, "it cannot be read: no permission")
    return Source(name, path, status.st_size, status.st_mtime_ns)


class Pictures:
    """Looks at pictures on their way, from any thread. `problems`: a warning for each file that is no picture although
    its name says so, in the order of their names.
    """

    def __init__(self) -> None:
        self.problems: list[dict[str, Any]] = []
        self._lock = Lock()

    def look(self, source: Source) -> None:
        try:
            image_size(source.path)
        except AnnolakeError as error:
            problem = Problem(
                code=error.code, severity="warning", message=error.message, place=error.place, fix=error.hint
            )
            with self._lock:
                insort(self.problems, problem.as_json(), key=lambda one: str(one["where"].get("file")))


def _listed(path: Path, kind: str) -> Iterator[Entry | Item]:
    """What the folder lists, told by name and kind of entry; only links are looked at."""
    folder = Folder(path, kind, path.resolve())
    try:
        with os.scandir(path) as listed:
            for entry in listed:
                if entry.is_symlink() or not entry.name.isprintable():
                    yield look_at(path / entry.name, entry.name, kind, folder.root)
                elif entry.is_dir(follow_symlinks=False):
                    yield _folder(entry.name)
                elif not entry.is_file(follow_symlinks=False):
                    yield _failed(entry.name, "no regular file")
                else:
                    yield _by_name(entry.name, kind) or Listed(entry.name, folder)
    except OSError as error:
        raise local_failure(error, path) from None


def _by_name(name: str, kind: str) -> Item | None:
    """Why a file of this name is not uploaded."""
    wrong = why_not(name)
    if wrong is not None:
        return _failed(name, f"its name {wrong}: rename it")
    suffixes = SUFFIXES.get(kind)
    if suffixes is not None and name.rpartition(".")[2].lower() not in suffixes:
        return Item(name=name, state="skipped", reason=f"no {kind} by its name: {_hint(kind)}")
    return None


def _folder(name: str) -> Item:
    return Item(name=name, state="skipped", reason="a folder; only files of the folder itself are uploaded")


def _failed(name: str, reason: str) -> Item:
    return Item(name=name, state="failed", reason=reason, attempts=0, retry_helps=False)


def _hint(kind: str) -> str:
    suffixes = SUFFIXES.get(kind)
    return f"{kind}s end with {', '.join(suffixes)}" if suffixes else "give a folder with files"
