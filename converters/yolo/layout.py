"""Where a YOLO data set keeps its parts: from a path to names, splits and pairs of pictures and label files.

Paths in a foreign `data.yaml` or list are tried below the data set, as written and in the ways that exports are known
to get them wrong: a leading `../` or `data/` too much, absolute paths of the machine they were made on. Nothing
outside the folder of the declaration and its parent is ever looked into.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.problems import Problem
from ..images import ImageFinder, is_image_name, stem
from ..ledger import Ledger
from ..text import read_lines
from . import pairs as pairing
from .declaration import Declaration, Entry, from_list, from_obj_data
from .naming import named
from .pairs import Pair, Shelf

_YAML_KEYS = re.compile(rb"^[\"']?(names|nc)[\"']?[ \t]*:", re.MULTILINE)
_OTHER_NAMES = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test",)}
_SPLIT_FOLDER = re.compile(r"(train|val|valid|validation|test)\d*|unsplit|split_[\w-]+")
_CLASS_LISTS = ("classes.txt", "labels.txt", "names.txt")


class Layout(msgspec.Struct, frozen=True):
    declaration: Declaration
    pairs: list[Pair]


def find(path: Path, extension: str, images: ImageFinder | None, ledger: Ledger) -> Layout:
    """The data set at `path`: a data.yaml, an obj.data, or a folder. InvalidInput where there is none."""
    source = declared_in(path)
    if source is None and not path.is_dir():
        raise InvalidInput(
            "not-yolo",
            "neither a data.yaml, nor an obj.data, nor a folder",
            place=Place(file=str(path)),
            hint="give the data.yaml, or the folder of the data set",
        )
    declaration = Declaration(file=str(path), folder=path.as_posix())
    if source is None:
        declaration = msgspec.structs.replace(declaration, names=_class_list(path))
    elif source.suffix.lower() in (".yaml", ".yml"):
        from .datayaml import from_yaml

        declaration = from_yaml(source, ledger)
    elif source.suffix.lower() == ".data":
        declaration = from_obj_data(source, ledger)
    else:
        names, folder = from_list(source), source.parent.as_posix()
        declaration = Declaration(file=str(source), folder=folder, names=names)
    splits = _Splits(declaration, ledger)
    described = splits.pairs() if declaration.entries else _undescribed(declaration.folder)
    found = pairing.joined(described, ledger)
    if declaration.entries and not splits.found:
        raise InvalidInput(
            "no-labels",
            "none of its splits has a label file or a picture here",
            place=Place(file=declaration.file),
            hint="put the data.yaml into the folder of the data set, beside images and labels",
        )
    if not found and not declaration.entries:
        hint = "is it the right folder? Label files end in .txt"
        raise InvalidInput("no-labels", "no label files here", place=Place(file=str(path)), hint=hint)
    return Layout(declaration, named(found, extension.strip(), images, declaration.facts.fronted, ledger))


def declared_in(path: Path) -> Path | None:
    """The file that describes the data set at `path`, or None. InvalidInput where several might."""
    if not path.is_dir():
        return path if path.suffix.lower() in (".yaml", ".yml", ".data", ".names") else None
    names = sorted(os.listdir(path))
    for usual in ("data.yaml", "data.yml", "dataset.yaml"):
        if usual in names:
            return path / usual
    yamls = [n for n in names if n.lower().endswith((".yaml", ".yml")) and names_classes(path / n)]
    for candidates in (yamls, [n for n in names if n.endswith(".data")], [n for n in names if n.endswith(".names")]):
        if len(candidates) > 1:
            message = f"{candidates[0]} and {candidates[1]} may both describe this data set"
            hint = "give the one that is meant"
            raise InvalidInput("data-ambiguous", message, place=Place(file=str(path)), hint=hint)
        if candidates:
            return path / candidates[0]
    return None


def names_classes(path: Path) -> bool:
    """Whether a YAML file looks like a data.yaml, without reading it as YAML."""
    try:
        with open(path, "rb") as file:
            return _YAML_KEYS.search(file.read(1 << 20)) is not None
    except OSError:
        return False


def _undescribed(folder: str) -> Iterator[Pair]:
    """Pairs of a folder of labels whose pictures lie in the folder `images` beside it, or the other way round; else of
    whatever lies below.
    """
    pictures = pairing.image_folder(folder)
    if pictures is not None and os.path.isdir(pictures) and pairing.label_folder(pictures) != pictures:
        return pairing.of_folder(pictures, None)
    return pairing.of_tree(folder)


def _class_list(root: Path) -> list[str] | None:
    """Names from the class list of an undescribed folder: in it, or beside the label files below."""
    folders = [root, *sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))]
    found = [folder / name for folder in folders for name in _CLASS_LISTS if (folder / name).is_file()]
    found = [path for path in found if not pairing.starts_with_row(str(path))]
    lists = {str(path): from_list(path) for path in found}
    different = [path for path in lists if lists[path] != lists[str(found[0])]]
    if different:
        message = f"{found[0]} and {different[0]} name different classes"
        raise InvalidInput("data-ambiguous", message, place=Place(file=str(root)), hint="keep the one that is right")
    return lists[str(found[0])] if found else None


class _Splits:
    """The splits of a declaration, resolved to files that exist."""

    def __init__(self, declaration: Declaration, ledger: Ledger) -> None:
        self.declaration = declaration
        self.ledger = ledger
        self.shelf = Shelf()
        self.found: dict[str, str | None] = {}
        folder = declaration.folder
        self.allowed = os.path.abspath(os.path.join(folder, ".."))
        self.bases = [folder]
        if declaration.path:
            path = os.path.normpath(os.path.join(folder, declaration.path))
            if self._inside(path) and os.path.isdir(path):
                self.bases = list(dict.fromkeys((path, folder)))
            else:
                ledger.decide("path", f"path: {declaration.path} is not below the data set; {folder} is taken")

    def pairs(self) -> Iterator[Pair | Problem]:
        """The pairs of all splits, and what is wrong with the description, where it is found."""
        for entry in self.declaration.entries:
            for value in entry.values:
                found = self._resolved(value, entry)
                if found is None:
                    yield self._missing(value, entry)
                    continue
                if found in self.found:
                    if self.found[found] != entry.split:
                        self.ledger.decide("split-shared", f"{entry.key} is the same as {self.found[found]}: read once")
                    continue
                self.found[found] = entry.split
                if found.lower().endswith(".txt") and os.path.isfile(found):
                    yield from self._of_list(found, entry)
                elif is_image_name(found) and not os.path.isdir(found):
                    yield self._listed(found, os.path.basename(found), entry)
                else:
                    yield from pairing.of_folder(found, entry.split)

    def _resolved(self, value: str, entry: Entry) -> str | None:
        """The folder, list or picture that a value means, with its usual mistakes allowed for."""
        written = value.strip().replace("\\", "/") if "/" not in value else value.strip()
        tries = [written, re.sub(r"^(\./)?data/", "", written), re.sub(r"^(\.\./)+", "", written)]
        tries += _endings(written)[:-1] if _is_absolute(written) else []
        for name in _OTHER_NAMES.get(entry.key, (entry.key,)):
            tries += [f"{name}/images", f"images/{name}"] if not written.endswith(".txt") else []
        for number, candidate in enumerate(tries):
            for base in self.bases if number == 0 or ".." not in candidate.split("/") else ():
                path = os.path.normpath(os.path.join(base, candidate))
                if self._inside(path) and _exists(path):
                    if number > 1:  # the leading data/ of Darknet is no mistake
                        self.ledger.decide("path", f"{entry.key}: {value} is not here; {path} is taken")
                    return path
        return None

    def _missing(self, value: str, entry: Entry) -> Problem:
        root = os.path.join(self.declaration.folder, self.declaration.path or "", value)
        if os.path.exists(root) and not self._inside(root):
            return _outside(value, entry.place)
        message = f"{entry.key}: {value} is not here; this split is left out"
        fix = "fetch it, or take the line out"
        return Problem(code="split-missing", severity="warning", message=message, place=entry.place, fix=fix)

    def _of_list(self, path: str, entry: Entry) -> Iterator[Pair | Problem]:
        """Pairs of a list of pictures. A picture that has neither file is left out, with a warning."""
        missing: list[int] = []
        bases = list(dict.fromkeys((os.path.dirname(path) or ".", *self.bases)))
        for number, line in enumerate(read_lines(path), 1):
            if not line.strip():
                continue
            place = Place(file=path, line=number)
            found = self._line(line, bases) or self._line(line.strip(), bases)
            if found is not None:
                yield self._listed(*found, entry)
            elif ".." in line.split("/") and not self._inside(os.path.join(bases[0], line)):
                yield _outside(line, place)
            else:
                missing.append(number)
        if missing:
            message = f"listed, but with neither a picture nor a label file here, and left out: {len(missing)}"
            place = Place(file=path, line=missing[0])
            yield Problem(code="listed-image-missing", severity="warning", message=message, place=place)

    def _line(self, line: str, bases: list[str]) -> tuple[str, str] | None:
        """(path of the picture, its name) for a line of a list, or None where neither picture nor labels exist."""
        if "\\" in line and "/" not in line:
            line = line.replace("\\", "/")
        written = line.removeprefix("./")
        tries = _endings(line) if _is_absolute(line) else [written]
        if written.startswith("data/"):
            tries.append(written.removeprefix("data/"))
        for base in bases:
            for candidate in tries:
                path = _joined(base, candidate)
                if self._labels(path) or self.shelf.has(path):
                    if ".." in candidate.split("/") and not self._inside(path):
                        continue
                    return path, _name(candidate)
        return None

    def _listed(self, path: str, name: str, entry: Entry) -> Pair:
        return Pair(name, path if self.shelf.has(path) else None, self._labels(path), entry.split)

    def _labels(self, picture: str) -> str | None:
        """The label file of a listed picture: by the rule, beside it, or, for an unknown extension, without it."""
        ruled = pairing.label_file(picture)
        if self.shelf.has(ruled):
            return ruled
        beside = stem(picture) + ".txt"
        unknown = f"{ruled[:-4].rpartition('.')[0]}.txt"
        return next((path for path in (beside, unknown) if path != ".txt" and self.shelf.has(path)), None)

    def _inside(self, path: str) -> bool:
        whole = os.path.abspath(path)
        return whole == self.allowed or whole.startswith(self.allowed.rstrip("/") + "/")


def _outside(value: str, place: Place) -> Problem:
    message = f"{value} leads out of the data set"
    fix = "move the file into the data set's own folder"
    return Problem(code="path-outside", severity="error", message=message, place=place, fix=fix)


def _exists(path: str) -> bool:
    """Whether there is the file or folder, or the labels of the pictures that would be there."""
    if os.path.exists(path):
        return True
    if is_image_name(path):
        return os.path.isfile(pairing.label_file(path))
    return pairing.label_folder(path) is not None


def _joined(base: str, candidate: str) -> str:
    path = f"{base}/{candidate}" if base != "." else candidate
    return os.path.normpath(path) if "./" in path else path


def _endings(path: str) -> list[str]:
    """The path without its first parts, longest first: where an absolute path of another machine may continue here."""
    parts = [part for part in re.split(r"[/\\]", path) if part]
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or re.match(r"[A-Za-z]:[/\\]", path) is not None


def _name(listed: str) -> str:
    """An image's name from its path in a list: below `images` and a split's folder, as those do not name it."""
    parts = listed.split("/")
    if re.fullmatch(r"obj_[\w-]+_data", parts[0]) and len(parts) > 1:
        parts = parts[1:]
    elif "images" in parts[:-1]:
        parts = parts[parts.index("images") + 1 :]
        if len(parts) > 1 and _SPLIT_FOLDER.fullmatch(parts[0]):
            parts = parts[1:]
    return "/".join(parts)
