"""A file that is there before its download: verified, never taken for the one only because of its name."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from ..converters.files import local_failure
from .proofs import Told
from .results import Verified
from .transfer.exchange import Fault


class Present:
    """What is at `path`; `size` is what the service says of the file that is wanted. LocalFailure.

    `there`: something has the name. `md5` is that of a regular file that may be the one, else empty. A link is none: it
    will be replaced, not followed.
    """

    def __init__(self, path: Path, size: int | None) -> None:
        self.there, self.md5, self.size = False, "", -1
        self._path = path
        try:
            status = path.lstat()
            self.there = True
            if stat.S_ISREG(status.st_mode) and size in (None, status.st_size):
                descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
                with os.fdopen(descriptor, "rb") as file:
                    self.md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
                    self.size = file.tell()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise local_failure(error, path) from None

    def is_what(self, told: Told) -> Verified | None:
        """How far it is known that this is the file which an answer tells of; None where it is not, or nothing is."""
        if not self.md5 or told.size not in (None, self.size):
            return None
        try:
            return told.says(self.md5, self._path) or (None if told.size is None else "size")
        except Fault:
            return None
