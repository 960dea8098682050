"""A CVAT file as a stream of the children of its root: an XML, or the ZIP that CVAT exports, whatever their names."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from ...schemas.errors import InvalidInput, Place
from ...schemas.names import is_safe_name
from ..files import local_failure
from ..xmltext import iterated, local

Element = etree._Element  # pyright: ignore[reportPrivateUsage]

_LAST_LINE = 65_535
"""The parser's counter of lines stops here: a line beyond is not known, and a wrong one is worse than none."""
_ZIP = (b"PK\3\4", b"PK\5\6")
"""How a ZIP begins, and one without members."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
MOST = 100
"""Files of a folder or a ZIP that are looked at: thousands of XML files are of another format."""
LARGEST = 1 << 32
"""Bytes that an XML in a ZIP may have."""


def children(path: Path) -> Iterator[Element]:
    """The children of `<annotations>`, each whole, one after the other: what was yielded is cleared afterwards.

    InvalidInput where the file is no XML, or the XML of something else.
    """
    with opened(path) as source:
        yield from children_in(source, str(path))


def children_in(source: BinaryIO, file: str) -> Iterator[Element]:
    """The same of an opened file."""
    depth = 0
    for event, element in iterated(source, file):
        if event == "start":
            depth += 1
            if depth == 1:
                _check_root(element, file)
            continue
        depth -= 1
        if depth == 1:
            yield element
            _forget(element)


def line_of(element: Element) -> int | None:
    """The line an element begins on; None where the parser no longer counts."""
    line = element.sourceline
    return line if line is not None and line < _LAST_LINE else None


def root_name(path: Path) -> str | None:
    """The name of a document's root; None where it has none. Reads no further."""
    try:
        with opened(path) as source:
            return _first(source, str(path))
    except (InvalidInput, OSError):
        return None


def is_zip(path: Path) -> bool:
    """By its first bytes. OSError where the file cannot be read."""
    with path.open("rb") as file:
        return file.read(4) in _ZIP


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """The bytes of the XML. LocalFailure where this computer refuses; InvalidInput for a ZIP without one XML."""
    try:
        if is_zip(path):
            with _archive(path) as archive, archive.open(_member(archive, str(path))) as member:
                yield _Careful(member, str(path))  # pyright: ignore[reportReturnType]
        else:
            with path.open("rb") as file:
                yield file
    except OSError as error:
        raise local_failure(error, path) from None


class _Careful:
    """The bytes of a member of an archive, whose damage is an error of ours."""

    def __init__(self, member: object, file: str) -> None:
        self.member, self.file = member, file

    def read(self, size: int = -1) -> bytes:
        try:
            return self.member.read(size)  # type: ignore[attr-defined]
        except _DAMAGE as error:
            raise _bad_zip(str(error), self.file) from None


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
        raise _bad_zip(str(error), str(path)) from None


def _member(archive: zipfile.ZipFile, file: str) -> zipfile.ZipInfo:
    """The one XML of an archive. Nothing is unpacked, so that names in it can do no harm; odd ones are refused all the
    same.
    """
    found = [info for info in archive.infolist() if info.filename.lower().endswith(".xml") and not info.is_dir()]
    if len(found) > 1:  # CVAT reads them all; XML of something else is no business of ours
        found = [info for info in found[:MOST] if _root_in(archive, info, file) == "annotations"]
    if len(found) != 1:
        names = ", ".join(info.filename for info in found[:5]) or "none"
        raise _bad_zip(f"one XML of CVAT's is looked for in it, and there are {len(found)} ({names})", file)
    info = found[0]
    if not is_safe_name(info.filename) or info.file_size > LARGEST or info.flag_bits & 1:
        raise _bad_zip(f"{info.filename!r} leads out of it, is encrypted, or is larger than {LARGEST:,} bytes", file)
    return info


def _root_in(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> str | None:
    try:
        with archive.open(info) as member:
            return _first(_Careful(member, file), file)  # pyright: ignore[reportArgumentType]
    except (InvalidInput, *_DAMAGE):
        return None


def _first(source: BinaryIO, file: str) -> str | None:
    for _, element in iterated(source, file):
        return local(element.tag)
    return None


def _bad_zip(reason: str, file: str) -> InvalidInput:
    hint = "unpack it, and give the annotations.xml inside; several files can be given at once, and become one data set"
    return InvalidInput("bad-zip", f"this ZIP cannot be read: {reason}", place=Place(file=file), hint=hint)


def _check_root(root: Element, file: str) -> None:
    if root.tag == "annotations":
        return
    hint = "CVAT's XML has the root <annotations>"
    if local(root.tag) == "annotation":
        hint += "; a root <annotation> is Pascal VOC's: give its folder, as format voc"
    message = f"the root is <{root.tag}>, which is none of CVAT's"
    raise InvalidInput("wrong-root", message, place=Place(file=file, line=line_of(root)), hint=hint)


def _forget(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
