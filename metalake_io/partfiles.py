"""Files on their way to the disk: `.annolake-KEY.ETAG.CHANCE.part` beside the file that they become.

KEY is a hash of the file's name, ETAG the storage's word for the state of the file that the bytes are of, so that a
later run finds them and can ask for the rest of that state. No two runs ever have a part in common: what one finds it
takes over under a name of its own, by which whoever may still write to it learns that it is his no more. No name from
the server begins with `.annolake` (`localnames`), so that none of them is taken for a part.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from ..converters.files import local_failure

_NAME = re.compile(r"^\.annolake-([0-9a-f]{20})\.([a-z2-7]*)\.[0-9a-f]{8}\.part$")
_FLAGS = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MODE = 0o666


def part_of(target: Path, etag: str = "") -> Path:
    """A new place where bytes of the state `etag` of a file wait until all are there. `etag` has at most 102
    characters.
    """
    word = base64.b32encode(etag.encode("ascii")).decode("ascii").rstrip("=").lower()
    return target.with_name(f".annolake-{_key(target)}.{word}.{secrets.token_hex(4)}.part")


def begun(path: Path) -> BinaryIO:
    """A new file at `path`, to be written without buffer."""
    return os.fdopen(os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, _MODE), "wb", buffering=0)


def gone_on(path: Path, size: int) -> BinaryIO:
    """The file at `path`, to be written on after its first `size` bytes; what follows them is cut off."""
    file = os.fdopen(os.open(path, _FLAGS), "wb", buffering=0)
    file.truncate(size)
    file.seek(size)
    return file


def write_all(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def write_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """A file that appears whole or not at all, and stays. What runs that were killed have left of it is removed.
    LocalFailure.
    """
    part = part_of(target)
    Leftovers().take(target)
    try:
        try:
            with begun(part) as file:
                for piece in pieces:
                    write_all(file, piece)
                os.fsync(file.fileno())
            os.replace(part, target)
            sync_folder(target.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise local_failure(error, target) from None


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlive a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Leftovers:
    """What earlier runs left of files that they did not finish. Folders are looked at once."""

    def __init__(self) -> None:
        self._parts: dict[Path, dict[str, list[Path]]] = {}
        self._lock = Lock()

    def take(self, target: Path) -> tuple[Path, str] | None:
        """The longest part of a file, taken over, and its ETag; others of it are removed. LocalFailure."""
        with self._lock:
            if target.parent not in self._parts:
                self._parts[target.parent] = _parts_in(target.parent)
            parts = self._parts[target.parent].pop(_key(target), [])
        usable = [(size, part, etag) for part in parts if (size := _length(part)) and (etag := _etag(part))]
        best = max(usable, default=None)
        for part in parts:
            if best is None or part != best[1]:
                _remove(part)
        if best is None:
            return None
        _, part, etag = best
        own = part_of(target, etag)
        try:
            os.rename(part, own)
        except FileNotFoundError:  # another run was faster
            return None
        except OSError as error:
            raise local_failure(error, part) from None
        return own, etag

    def sweep(self) -> None:
        """Remove what belongs to files that nobody has asked for."""
        with self._lock:
            for parts in self._parts.values():
                for part in [part for left in parts.values() for part in left]:
                    _remove(part)
            self._parts.clear()


def _key(target: Path) -> str:
    return hashlib.sha256(os.fsencode(target.name)).hexdigest()[:20]


def _etag(part: Path) -> str:
    found = _NAME.match(part.name)
    word = found[2].upper() if found else ""
    try:
        return base64.b32decode(word + "=" * (-len(word) % 8)).decode("ascii")
    except ValueError:
        return ""


def _parts_in(folder: Path) -> dict[str, list[Path]]:
    parts: dict[str, list[Path]] = {}
    try:
        for name in os.listdir(folder):
            found = _NAME.match(name)
            if found is not None:
                parts.setdefault(found[1], []).append(folder / name)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise local_failure(error, folder) from None
    return parts


def _length(part: Path) -> int:
    """Of a plain file that has no other name elsewhere: to all else nothing is to be added."""
    status = part.lstat()
    return status.st_size if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else 0


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink()
