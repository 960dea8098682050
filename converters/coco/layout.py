"""Which files make up a COCO data set: one JSON, or a folder in one of the layouts met in the wild.

    annotations/instances_<split>.json      COCO, CVAT, Datumaro
    <split>/_annotations.coco.json          Roboflow
    annotations.json                        Kaggle

The split exists only in the name. A folder that holds several kinds (instances beside captions) is a question to the
user, never a choice of ours.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.names import is_safe_name
from ..files import names_in, read_bytes
from ..format import Sniffed
from ..jsonkind import json_kind
from ..ledger import Ledger

KINDS = ("instances", "person_keypoints", "stuff", "labels", "image_info", "captions", "panoptic")
_ROBOFLOW = "_annotations.coco.json"
_OWNED = re.compile(r"annotations/[^/]+\.json|annotations\.json|[^/]+/(annotations|_annotations\.coco)\.json")


class Source(msgspec.Struct, frozen=True):
    """One file of a data set; `name` is its path below the folder that was given, None where a file was given."""

    path: Path
    split: str | None = None
    name: str | None = None


def sniff_folder(folder: Path) -> Sniffed:
    found = _candidates(folder)
    if found:
        return Sniffed(True, f"{len(found)} COCO files")
    return Sniffed(False, "no COCO file in it, in annotations/ or in a folder for each split")


def sources(path: Path, task: str | None, ledger: Ledger) -> list[Source]:
    """The files to read, in the order of their names."""
    if not path.is_dir():
        return [Source(path)]
    found = _candidates(path)
    kinds = sorted({_kind(file) for file in found}, key=KINDS.index)
    if task is not None:
        found = [file for file in found if _kind(file) == task]
    elif len(kinds) > 1:
        raise InvalidInput(
            "several-kinds",
            f"the folder holds several kinds of COCO files: {', '.join(kinds)}",
            place=Place(file=str(path)),
            hint=f"say which with --coco-task {kinds[0]}, or give one file",
        )
    if not found:
        what = f"no COCO file of kind {task}" if task else "no COCO file"
        hint = f"there are {', '.join(kinds)}" if kinds else "give the JSON file itself"
        raise InvalidInput("no-coco-file", f"{what} in this folder", place=Place(file=str(path)), hint=hint)
    _check_neighbours(found, path)
    named = [Source(file, split_in(file, path), file.relative_to(path).as_posix()) for file in found]
    if len(named) > 1:
        ledger.decide("splits", f"{len(named)} files, each a split: {', '.join(str(s.split) for s in named)}")
    return named


def owns(name: str) -> bool:
    """Whether a path relative to a data set's folder is one of the layouts above, and so may be written or replaced."""
    return _OWNED.fullmatch(name) is not None and is_safe_name(name)


_PATTERNS = ("annotations/*.json", "*.json", f"*/{_ROBOFLOW}", "*/annotations.json")


def _check_neighbours(found: list[Path], folder: Path) -> None:
    """A file that is no JSON at all where the others are COCO may be a split that was cut short: its images would be
    missing without a word. InvalidInput; LocalFailure where a file or folder cannot be read.
    """
    for beside in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        names_in(str(beside))
    pattern = next(pattern for pattern in _PATTERNS if found[0] in set(folder.glob(pattern)))
    for file in sorted(set(folder.glob(pattern)) - set(found)):
        if json_kind(file)[0] != "coco" and not _is_whole_json(read_bytes(file)):
            raise InvalidInput(
                "broken-file",
                "this is no whole JSON, though it lies where the others are COCO: was it cut short?",
                place=Place(file=str(file)),
                hint="mend it, or take it out of the folder",
            )


def _is_whole_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _candidates(folder: Path) -> list[Path]:
    for pattern in _PATTERNS:
        found = sorted(path for path in folder.glob(pattern) if json_kind(path)[0] == "coco")
        if found:
            return found
    return []


def _kind(file: Path) -> str:
    return next((kind for kind in KINDS if file.stem.startswith(f"{kind}_")), "instances")


def split_in(file: Path, folder: Path) -> str | None:
    """The split that the name of a file below a data set's folder says."""
    if file.name == _ROBOFLOW or (file.stem == "annotations" and file.parent != folder):
        return file.parent.name if file.parent != folder else None
    for kind in KINDS:
        if file.stem.startswith(f"{kind}_"):
            return file.stem[len(kind) + 1 :]
    return None if file.stem == "annotations" else file.stem
