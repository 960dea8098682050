"""One file on its way from the storage to the disk, attempt by attempt: gone on with where that is certain, else begun
anew; proved; only then under its name.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from ..converters.files import local_failure
from ..schemas.errors import LocalFailure, Place
from .localnames import not_written
from .partfiles import begun, gone_on, part_of, write_all
from .present import Present
from .proofs import Told, told_by
from .results import Verified
from .transfer.bodies import Moved
from .transfer.exchange import Fault, Head

WORTH = 1 << 16
"""Bytes: less is fetched again sooner than gone on with."""

_DRAINED = 1 << 20
"""Bytes: so much is read to its end, although it is not wanted, to keep the connection."""

_PAGE = ("text/html", "application/xml", "text/xml", "application/json")
_MEDIA = re.compile(r"(?i)\.(jpe?g|png|mp4|mkv|bmp|gif|tiff?|webp)$")


class Wanted(msgspec.Struct, frozen=True):
    """A file to be fetched. `size` in bytes, where the service has told it."""

    name: str
    url: str
    path: Path
    size: int | None = None


class Landing:
    """`size` counts the bytes on the disk, `resumed` those that an earlier run had left there and that were kept.
    `verified` tells how they are proved; `same`, how it is known that the file that was there is the one.
    """

    def __init__(self, wanted: Wanted, left: tuple[Path, str] | None, present: Present, moved: Moved | None) -> None:
        self._wanted = wanted
        self._present = present
        self._moved = moved
        self._part = part_of(wanted.path)
        self._told = Told()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._written: os.stat_result | None = None
        self._in_pieces = True
        self.size = self.resumed = 0
        self.verified: Verified = "none"
        self.same: Verified | None = None
        if left is not None:
            self._adopt(*left)

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    @property
    def going_on(self) -> bool:
        """Whether the next attempt asks for the rest only."""
        return self._in_pieces and self.size > 0 and bool(self._told.etag)

    def ask(self) -> Mapping[str, str]:
        """Headers of the next attempt."""
        headers: dict[str, str] = {}
        if self._present.md5:
            headers["If-None-Match"] = f'"{self._present.md5}"'
        if self.going_on:
            headers |= {"Range": f"bytes={self.size}-", "If-Range": self._told.etag}
        return headers

    def receive(self, head: Head, pieces: Iterable[bytes]) -> None:
        """The body of an answer, to the part. A Fault where it is not, or cannot be, the file; LocalFailure."""
        self._refuse_pages(head)
        told = told_by(head)
        if head.status == 206:
            if not self.going_on or told.start != self.size or not told.of(self._told):
                self.discard()
                raise Fault("damaged", "another piece comes than the one that was asked for", sent=True)
            told = msgspec.structs.replace(
                self._told, size=told.size, crc32c=told.crc32c, md5=told.md5 or self._told.md5
            )
        else:
            self.same = self._present.is_what(told)
            if self.same is not None:
                if (told.size or 0) <= _DRAINED:
                    for _ in pieces:
                        pass
                return
            self.discard()
            self._part = part_of(self._wanted.path, told.etag)
        self._told = told
        try:
            with gone_on(self._part, self.size) if self.size else begun(self._part) as file:
                self._write(file, pieces)
                self.verified = self._proved()
                os.fsync(file.fileno())
                self._written = os.fstat(file.fileno())
        except OSError as error:
            raise self._failure(error) from None

    def settle(self) -> None:
        """Give the file its name. LocalFailure; ServiceRefused where the disk does not take the name."""
        try:
            if not self._is_ours():
                raise LocalFailure(
                    "part-changed",
                    "another run has taken over what is being downloaded, or writes to it",
                    place=Place(file=str(self._part)),
                    hint="let one run at a time work on a folder",
                )
            os.replace(self._part, self._wanted.path)
        except OSError as error:
            raise not_written(error, self._wanted.name, self._wanted.path) from None

    def leave(self, *, useful: bool) -> None:
        """Keep what is there where a later run can go on with it; `useful`: as far as its error tells."""
        if not useful or not self.going_on or self.size < WORTH:
            with suppress(LocalFailure):  # there is an error already, and it says more
                self.discard()

    def take_whole(self) -> None:
        """Begin anew, and ask for no rest any more: the storage has none."""
        self._in_pieces = False
        self.discard()

    def discard(self) -> None:
        """Nothing of it is kept; the next attempt begins anew."""
        try:
            self._part.unlink(missing_ok=True)
        except OSError as error:
            raise local_failure(error, self._part) from None
        self._told = Told()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = self.resumed = 0

    def _adopt(self, part: Path, etag: str) -> None:
        """Go on with what an earlier run has left, but for its last byte: of a whole file there is no rest to be given,
        and what is said with its last byte proves all of it.
        """
        self._part, self._told = part, Told(etag=etag)
        try:
            with part.open("rb") as file:
                left = os.fstat(file.fileno()).st_size - 1
                while piece := file.read(min(left, 1 << 20)):
                    self._md5.update(piece)
                    left -= len(piece)
                self.size = self.resumed = file.tell()
        except OSError as error:
            raise local_failure(error, part) from None

    def _write(self, file: BinaryIO, pieces: Iterable[bytes]) -> None:
        most = self._told.size if self._wanted.size is None else self._wanted.size
        for piece in pieces:
            if most is not None and self.size + len(piece) > most:
                self.discard()
                raise Fault("damaged", f"more bytes come than the {most:,} that were announced", sent=True)
            write_all(file, piece)
            self._md5.update(piece)
            self.size += len(piece)
            if self._moved is not None:
                self._moved(len(piece))

    def _proved(self) -> Verified:
        """The best proof there is. A Fault, and nothing kept, where one speaks against the file."""
        known = [size for size in (self._wanted.size, self._told.size) if size is not None]
        try:
            if any(size != self.size for size in known):
                raise Fault("damaged", f"{self.size:,} bytes came, {known[0]:,} were announced", sent=True)
            proof = self._told.says(self.md5, self._part)
            if self.size == 0 and proof is None and self._wanted.size is None:
                raise Fault("damaged", "nothing came", sent=True)
            return proof or ("size" if known else "none")
        except Fault:
            self.discard()
            raise

    def _refuse_pages(self, head: Head) -> None:
        """A page of words with status 200 where a picture should be: a portal or a proxy speaks."""
        kind = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _PAGE and _MEDIA.search(self._wanted.name):
            raise Fault("damaged", f"{kind} comes instead of the file", sent=True)

    def _failure(self, error: OSError) -> LocalFailure:
        """What this computer refuses, and how much of the file it has not taken."""
        failure = local_failure(error, self._wanted.path)
        size = self._told.size if self._wanted.size is None else self._wanted.size
        if size is not None:
            with suppress(OSError):
                failure.message += f"; {size - self._part.stat().st_size:,} of {size:,} bytes are not written"
        return failure

    def _is_ours(self) -> bool:
        """Whether the part is the very file that was written, and nothing else."""
        try:
            status = self._part.lstat()
        except FileNotFoundError:
            return False
        return self._written is not None and os.path.samestat(status, self._written) and status.st_size == self.size
