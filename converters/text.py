"""Small text files: UTF-8 with or without a byte-order mark, lines of bounded length."""

from __future__ import annotations

from ..schemas.errors import InvalidInput, Place
from .files import read_bytes

FILE_LIMIT = 64 << 20
LINE_LIMIT = 4 << 20  # a ring of some 150,000 points


def decoded(data: bytes, file: str) -> str:
    """The text of a file. InvalidInput (`not-text`) for binary, UTF-16 and broken UTF-8, with the line."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _not_text(file, 1, "this is UTF-16", "save the file as UTF-8")
    if b"\0" in data:
        raise _not_text(file, data.count(b"\n", 0, data.index(b"\0")) + 1, "a NUL byte", "is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _not_text(file, line, f"byte {error.start} is not UTF-8", "save the file as UTF-8") from None


def lines(data: bytes, file: str) -> list[str]:
    """Lines without their ends, whichever system wrote them. InvalidInput (`line-too-long`) above 4 MiB."""
    text = decoded(data, file).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(data) > LINE_LIMIT:
        for number, line in enumerate(text, 1):
            if len(line) > LINE_LIMIT:
                message = f"a line of {len(line):,} characters, where at most {LINE_LIMIT:,} make sense"
                place = Place(file=file, line=number)
                raise InvalidInput("line-too-long", message, place=place, hint="is this the right file?")
    return text


def read_lines(path: str) -> list[str]:
    """Lines of a text file of at most 64 MiB."""
    return lines(read_bytes(path, FILE_LIMIT), path)


def _not_text(file: str, line: int, message: str, hint: str) -> InvalidInput:
    return InvalidInput("not-text", f"not text: {message}", place=Place(file=file, line=line), hint=hint)
