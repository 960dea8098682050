"""Which local files an upload means: looked at before anything is sent, and everything left out has its reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ..converters.files import local_failure
from ..converters.images import image_size
from ..schemas.errors import AnnolakeError, InvalidInput, Place, UsageError
from ..schemas.problems import Problem
from .kinds import SUFFIXES
from .results import Item


class Source(msgspec.Struct, frozen=True):
    """A file to be uploaded, as it was when it was looked at: `size` in bytes, `modified` in nanoseconds."""

    name: str
    path: Path
    size: int
    modified: int

    def is_unchanged(self) -> bool:
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)


class Scan(msgspec.Struct, frozen=True):
    """`left_out` are entries of the folder that are not uploaded: skipped by rule, or failed. `single`: one file."""

    sources: list[Source]
    left_out: list[Item]
    single: bool


def scan(path: Path, kind: str) -> Scan:
    """The files of a folder (not of folders in it), sorted by name, or one file. `kind` is image, video or other.

    UsageError where there is nothing; InvalidInput where nothing can be uploaded.
    """
    if not os.path.lexists(path):
        raise UsageError("no-such-path", f"there is no {path}", hint="check the path")
    single = not path.is_dir()
    try:
        listed = [path] if single else sorted(path.iterdir())
    except OSError as error:
        raise local_failure(error, path) from None
    root = None if single else path.resolve()
    sources: list[Source] = []
    left_out: list[Item] = []
    for entry in listed:
        found = look_at(entry, kind, root)
        if isinstance(found, Source):
            sources.append(found)
        else:
            left_out.append(found)
    if not sources:
        why = f": {left_out[0].name}: {left_out[0].reason}" if left_out else ""
        raise InvalidInput(
            "nothing-to-upload",
            f"there is no {kind} file to upload{why}",
            place=Place(file=str(path)),
            hint=_hint(kind),
        )
    return Scan(sources, left_out, single)


def look_at(path: Path, kind: str, root: Path | None) -> Source | Item:
    """What a path is: a file to be uploaded, or why it is none.

    `root` is the real folder that links must not lead out of; None for a file that was named itself."""
    name = path.name
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
        return Item(name=name, state="skipped", reason="a folder; only files of the folder itself are uploaded")
    if not stat.S_ISREG(status.st_mode):
        return _failed(name, "no regular file")
    if not name.isprintable():
        return _failed(name, "its name has control characters: rename it")
    suffixes = SUFFIXES.get(kind)
    if suffixes is not None and name.rpartition(".")[2].lower() not in suffixes:
        return Item(name=name, state="skipped", reason=f"no {kind} by its name: {_hint(kind)}")
    if not os.access(path, os.R_OK):
        return _failed(name, "it cannot be read: no permission")
    return Source(name, path, status.st_size, status.st_mtime_ns)


def problems_of(pictures: Iterable[Source]) -> dict[str, Any]:
    """`{"problems": [...]}`, a warning for each file that is no picture although its name says so; else empty."""
    found: list[dict[str, Any]] = []
    for source in pictures:
        try:
            image_size(source.path)
        except AnnolakeError as error:
            problem = Problem(
                code=error.code, severity="warning", message=error.message, place=error.place, fix=error.hint
            )
            found.append(problem.as_json())
    return {"problems": found} if found else {}


def _failed(name: str, reason: str) -> Item:
    return Item(name=name, state="failed", reason=reason, attempts=0, retry_helps=False)


def _hint(kind: str) -> str:
    suffixes = SUFFIXES.get(kind)
    return f"{kind}s end with {', '.join(suffixes)}" if suffixes else "give a folder with files"
