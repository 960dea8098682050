"""One family of errors. Each says what is wrong, where, and what to do; each survives a process border.

    AnnolakeError         1  a defect of ours, when raised as itself
    ├── UsageError        2  the call cannot mean anything
    ├── LossRefused       3  the target cannot hold what the source has
    ├── InvalidInput      4  the source is broken; nothing was written
    ├── StorageRefused    5  object storage does not know us, or does not let us
    ├── StorageFailure    8  object storage gave no proper answer; it can be tried again
    └── LocalFailure      9  this computer's disk or permissions

The number is the exit code of the command line; the classes that talk to the service join this family in
`annolake.metalake_io`.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where something stands. `line` and `column` count from 1, `pointer` is a JSON pointer (RFC 6901)."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    image: str | None = None
    annotation: int | str | None = None

    def renamed(self, old: str, new: str) -> Place:
        """With the file called by the name it was given, and not by the one it was read under."""
        return self if self.file is None else msgspec.structs.replace(self, file=self.file.replace(old, new))

    def __str__(self) -> str:
        where = self.file or ""
        if self.line is not None:
            where += f":{self.line}"
            if self.column is not None:
                where += f":{self.column}"
        parts = [printable(where)] if where else []
        if self.pointer is not None:
            parts.append(printable(self.pointer or "/"))
        if self.image is not None:
            parts.append(f"image {json.dumps(self.image, ensure_ascii=False)}")
        if self.annotation is not None:
            parts.append(f"annotation {printable(str(self.annotation))}")
        return ", ".join(parts)


class AnnolakeError(Exception):
    """What went wrong: a stable kebab-case `code`, a sentence, a `place` and a `hint` that says what to do. The text
    is one printable line, whatever names and foreign texts stand in it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        message = printable(message)
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.place = place if place is not None else Place()
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.code, self.message, self.place, self.hint), self.__dict__

    def rename(self, old: str, new: str) -> None:
        """As `Place.renamed`, in the message too."""
        self.message = self.message.replace(old, new)
        self.place = self.place.renamed(old, new)

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: " if where else ""
        text += f"[{self.code}] {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(AnnolakeError):
    """The call cannot mean anything: an unknown format, options that contradict each other."""

    exit_code = 2


class LossRefused(AnnolakeError):
    """The target cannot hold everything the source has, and losses were not allowed. `report` says what, in full."""

    exit_code = 3
    report: Any = None


class InvalidInput(AnnolakeError):
    """The input is not what it should be; nothing was written or sent."""

    exit_code = 4


class StorageRefused(AnnolakeError):
    """Object storage does not know us, or does not let us do this."""

    exit_code = 5


class StorageFailure(AnnolakeError):
    """Object storage gave no proper answer. It can be tried again."""

    exit_code = 8


class LocalFailure(AnnolakeError):
    """This computer refused: a file cannot be read or written, the disk is full."""

    exit_code = 9


def printable(text: str) -> str:
    """`text` with control characters escaped, so that a hostile name cannot drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _rebuild(kind: type[AnnolakeError], code: str, message: str, place: Place, hint: str | None) -> AnnolakeError:
    return kind(code, message, place=place, hint=hint)
