"""Whether a path looks like a VOC data set. Cheap, and quiet about whatever is broken."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from ...schemas.errors import LocalFailure
from ..files import names_below, names_in
from ..format import Sniffed
from .labelmap import FILE
from .layout import is_xml

_HEAD = 1 << 14
_LOOKED_AT = 20
_BEFORE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[\s/>]")


def sniffed(path: Path) -> Sniffed:
    try:
        return _sniffed(path)
    except OSError as error:
        return Sniffed(False, error.strerror or "cannot be read")
    except LocalFailure as error:
        return Sniffed(False, error.message)


def _sniffed(path: Path) -> Sniffed:
    if path.is_file():
        root = _root_of(path)
        return Sniffed(root == "annotation", f"the root is <{root}>" if root else "not an XML file")
    if not path.is_dir():
        return Sniffed(False, "neither a file nor a folder")
    others = ""
    for name in islice(names_below(path.as_posix(), is_xml), _LOOKED_AT):
        root = _root_of(path / name)
        if root == "annotation":
            return Sniffed(True, f"{name} has the root <annotation>")
        others = others or f"{name} has the root <{root}>"
    names = names_in(str(path))
    if FILE in names and (path / "Annotations").is_dir() and not others:
        return Sniffed(True, "labelmap.txt and Annotations/")
    return Sniffed(False, others or "no XML files")


def _root_of(path: Path) -> str:
    """The local name of the first element; empty where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = head.decode(encoding, "replace")
    at = 0
    while found := _BEFORE.match(text, at):
        at = found.end()
    root = _ROOT.match(text, at)
    return root[1] if root else ""
