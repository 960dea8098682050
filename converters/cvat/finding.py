"""Where the XML of a data set is: the file itself, the ZIP that CVAT exports, or the one XML of a folder."""

from __future__ import annotations

from pathlib import Path

from ...schemas.errors import AnnolakeError, InvalidInput, Place
from ..format import Sniffed
from .stream import MOST, opened, root_name

USUAL = "annotations.xml"


def sniffed(path: Path) -> Sniffed:
    if path.is_dir():
        found = _in_folder(path)
        if len(found) == 1:
            return Sniffed(True, f"{found[0].name} has the root <annotations>")
        return Sniffed(False, f"{len(found)} CVAT files in the folder" if found else "no CVAT file in the folder")
    if not path.is_file():
        return Sniffed(False, "neither a file nor a folder")
    root = _root(path)
    return Sniffed(root == "annotations", f"the root is <{root}>" if root else _why_not(path))


def source_in(path: Path) -> Path:
    """The file to read. InvalidInput for a folder without just one."""
    if not path.is_dir():
        return path
    found = _in_folder(path)
    if len(found) != 1:
        names = ", ".join(one.name for one in found[:5]) or "none"
        message = (
            f"one file with the root <annotations> is looked for in the folder, and there are {len(found)} ({names})"
        )
        hint = "give the file itself; several files can be given at once, and become one data set"
        raise InvalidInput("no-annotations", message, place=Place(file=str(path)), hint=hint)
    return found[0]


def _in_folder(folder: Path) -> list[Path]:
    try:
        files = sorted(
            (one for one in folder.iterdir() if one.suffix.lower() == ".xml" and one.is_file()),
            key=lambda one: (one.name != USUAL, one.name),
        )
    except OSError:
        return []
    return [one for one in files[:MOST] if _root(one) == "annotations"]


def _why_not(path: Path) -> str:
    try:
        with opened(path):
            return "no XML, nor a ZIP with one"
    except AnnolakeError as error:
        return error.message


def _root(path: Path) -> str | None:
    try:
        return root_name(path)
    except AnnolakeError:
        return None
