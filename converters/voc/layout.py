"""Where a VOC data set keeps its parts: the folders of annotation files, their pictures, their lists.

    VOCdevkit/VOC2012/Annotations/x.xml      the devkit, given at any of these levels; several years are one set
    annotations/x.xml, images/x.jpg          Kaggle
    train/x.xml, valid/x.xml                 Roboflow: the folder is the split
    x.xml                                    flat; or one file alone

Names of pictures in annotation files are looked up in these folders; nothing else is ever opened.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import msgspec

from ...schemas.errors import InvalidInput, Place
from ..files import names_below, names_in
from ..images import is_image_name
from .notes import ANNOTATIONS, SetNotes

_ANNOTATION_FOLDERS = frozenset(("annotations", "annotation", "xmls", "xml"))
_PICTURE_FOLDERS = ("JPEGImages", "images", "Images", "JPEGImage", "imgs", "img")
_SIBLINGS = frozenset((*_PICTURE_FOLDERS, "ImageSets", "labelmap.txt"))
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_OWN_SPLIT = re.compile(r"split_([\w-]+)")
_DEEPEST = 3
UNSPLIT = "unsplit"


class Root(msgspec.Struct, frozen=True):
    """One devkit. `prefix` stands in front of its images' names; `split` is that of all its images, if `by_folder`."""

    path: str
    annotations: str
    prefix: str = ""
    split: str | None = None
    by_folder: bool = False


class Entry(msgspec.Struct, gc=False):
    """One image: `id` is the path of its XML below the folder of annotations, without suffix."""

    id: str
    xml: str | None
    root: Root
    split: str | None = None
    sets: tuple[str, ...] | None = None


class Layout(msgspec.Struct, frozen=True):
    roots: list[Root]
    notes: SetNotes
    entries: list[Entry]


def find(path: Path, noted: SetNotes | None) -> Layout:
    """The parts of the data set at `path`, as annolake noted them or as they are found. InvalidInput where no
    annotation file is.
    """
    if not path.is_dir():
        folder = path.parent.as_posix()
        root = Root(_root_of(folder) or folder, folder)
        return Layout([root], SetNotes(folder=""), [Entry(path.stem, path.as_posix(), root)])
    base = path.as_posix()
    notes, roots = _as_noted(base, noted) if noted is not None else _as_found(base)
    return Layout(roots, notes, [entry for root in roots for entry in _entries(root)])


def place_of(path: Path) -> str:
    """The folder whose labelmap.txt and notes count for what is at `path`."""
    base = path.as_posix()
    if not path.is_dir():
        return path.parent.as_posix()
    return _root_of(base) or base


def split_of_folder(name: str) -> tuple[bool, str | None]:
    """Whether a folder's name is that of a split, and which."""
    if name in _SPLITS or name == UNSPLIT:
        return True, _SPLITS.get(name)
    own = _OWN_SPLIT.fullmatch(name)
    return own is not None, own[1] if own else None


def is_xml(name: str) -> bool:
    return name[-4:].lower() == ".xml"


class Pictures:
    """The pictures of a data set, by the names that annotation files give them."""

    def __init__(self) -> None:
        self._names = cache(names_in)
        self._stems = cache(self._by_stem)
        self._folders = cache(_picture_folders)

    def find(self, entry: Entry, *names: str) -> str | None:
        """The first of the names that is a picture's; else the one with the stem of the XML."""
        below = entry.id.rpartition("/")[0]
        folders = self._folders(entry.root, below)
        for name in names:
            base = name.replace("\\", "/").rpartition("/")[2]
            if is_image_name(base):
                for folder in folders:
                    if base in self._names(folder):
                        return f"{folder}/{base}"
        return self.by_stem(entry)

    def by_stem(self, entry: Entry) -> str | None:
        """The picture with the stem of the XML, in lower or upper case."""
        below, _, stem = entry.id.rpartition("/")
        for folder in self._folders(entry.root, below):
            if found := self._stems(folder).get(stem) or self._stems(folder).get(stem.lower()):
                return f"{folder}/{found}"
        return None

    def _by_stem(self, folder: str) -> dict[str, str]:
        stems: dict[str, str] = {}
        pictures = sorted(filter(is_image_name, self._names(folder)))
        for name in pictures:
            stems.setdefault(os.path.splitext(name)[0], name)
        for name in pictures:
            stems.setdefault(os.path.splitext(name)[0].lower(), name)
        return stems


def _picture_folders(root: Root, below: str) -> list[str]:
    there = names_in(root.path)
    bases = [f"{root.path}/{name}" for name in _PICTURE_FOLDERS if name in there]
    bases += [root.annotations, root.path]
    folders = [f"{base}/{below}" if below else base for base in bases]
    return list(dict.fromkeys(folders + bases))


def _entries(root: Root) -> list[Entry]:
    return [
        Entry(name[:-4], f"{root.annotations}/{name}", root, root.split)
        for name in names_below(root.annotations, is_xml)
    ]


def _as_noted(base: str, notes: SetNotes) -> tuple[SetNotes, list[Root]]:
    def root(path: str, prefix: str = "", split: str | None = None, by_folder: bool = False) -> Root:
        return Root(path, f"{path}/{notes.folder}" if notes.folder else path, prefix, split, by_folder)

    if notes.roots:
        return notes, [root(f"{base}/{name}", f"{name}/") for name in notes.roots]
    if notes.split_folders:
        folders = {folder: split for split, folder in notes.split_folders.items()}
        there = [name for name in sorted(names_in(base)) if name in folders or split_of_folder(name)[0]]
        splits = [folders.get(name, split_of_folder(name)[1]) for name in there]
        return notes, [root(f"{base}/{n}", "", split, True) for n, split in zip(there, splits, strict=True)]
    return notes, [root(base)]


def _as_found(base: str) -> tuple[SetNotes, list[Root]]:
    above = _root_of(base)
    if above is not None:
        return SetNotes(folder=base.rpartition("/")[2]), [Root(above, base)]
    own = _annotations_in(base)
    if own is not None:
        return SetNotes(folder=own), [Root(base, f"{base}/{own}")]
    below = _devkits(base, 1)
    if below:
        return _several(base, below)
    names = list(names_below(base, is_xml))
    if not names:
        hint = "is it the right folder? Annotation files end in .xml"
        raise InvalidInput("no-annotations", "no annotation files here", place=Place(file=base), hint=hint)
    firsts = sorted({name.partition("/")[0] for name in names})
    splits = {first: split_of_folder(first) for first in firsts}
    if all(is_split for is_split, _ in splits.values()):
        return _split_folders(base, [(first, split, "") for first, (_, split) in splits.items()]) or _flat(base)
    return _flat(base)


def _flat(base: str) -> tuple[SetNotes, list[Root]]:
    return SetNotes(folder=""), [Root(base, base)]


def _several(base: str, found: list[tuple[str, str]]) -> tuple[SetNotes, list[Root]]:
    """Devkits below: one, a folder for each split, or a folder for each year."""
    if len(found) == 1:
        path, own = found[0]
        return SetNotes(folder=own), [Root(path, f"{path}/{own}")]
    names = [os.path.relpath(path, base).replace(os.sep, "/") for path, _ in found]
    splits = [split_of_folder(name) for name in names]
    if all(is_split for is_split, _ in splits) and len({own for _, own in found}) == 1:
        parts = [(name, split, own) for name, (_, split), (_, own) in zip(names, splits, found, strict=True)]
        if (by_split := _split_folders(base, parts)) is not None:
            return by_split
    roots = [Root(path, f"{path}/{own}", f"{name}/") for name, (path, own) in zip(names, found, strict=True)]
    return SetNotes(folder=found[0][1], roots=tuple(names)), roots


def _split_folders(base: str, parts: list[tuple[str, str | None, str]]) -> tuple[SetNotes, list[Root]] | None:
    """A root for each split; None where two folders mean the same one."""
    if len({split for _, split, _ in parts}) < len(parts):
        return None
    roots = [
        Root(f"{base}/{name}", f"{base}/{name}/{own}" if own else f"{base}/{name}", "", split, True)
        for name, split, own in parts
    ]
    folders = {split: name for name, split, _ in parts if split is not None}
    return SetNotes(folder=parts[0][2], split_folders=folders or {"train": "train"}), roots


def _root_of(folder: str) -> str | None:
    """The devkit whose annotations are in `folder`, where it is one; the pictures and lists are beside it."""
    path = Path(os.path.abspath(folder))
    if path.name.lower() not in _ANNOTATION_FOLDERS or not _SIBLINGS & names_in(str(path.parent)):
        return None
    return Path(folder).parent.as_posix() if "/" in folder.strip("/") else path.parent.as_posix()


def _annotations_in(folder: str) -> str | None:
    """The sub-folder with annotation files: `Annotations`, whatever its case; also where only lists name images."""
    names = names_in(folder)
    for name in sorted(names):
        below = f"{folder}/{name}"
        if name.lower() in _ANNOTATION_FOLDERS and os.path.isdir(below):
            there = names_in(below)
            found = next(filter(is_xml, there), None)
            deeper = next((n for n in ("xmls", "xml") if n in there), None)
            if deeper is not None and found is None:
                return f"{name}/{deeper}"
            plain = found is not None and found[0] != "." and not os.path.isdir(f"{below}/{found}")
            if plain or next(names_below(below, is_xml), None) is not None:
                return name
    return ANNOTATIONS if os.path.isdir(f"{folder}/ImageSets") and not any(map(is_xml, names)) else None


def _devkits(folder: str, depth: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in sorted(names_in(folder)):
        below = f"{folder}/{name}"
        if name.startswith(".") or os.path.islink(below) or not os.path.isdir(below):
            continue
        own = _annotations_in(below)
        if own is not None:
            found.append((below, own))
        elif depth < _DEEPEST:
            found += _devkits(below, depth + 1)
    return found
