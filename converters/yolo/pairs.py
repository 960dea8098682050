"""Pictures and their label files: who belongs to whom.

Paths are text with `/`. The rule is Ultralytics': the last `/images/` of a picture's path becomes `/labels/` and the
extension `.txt`; without such a folder the label file lies beside the picture.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from ...schemas.errors import AnnolakeError, InvalidInput, Place
from ...schemas.problems import Problem
from ..files import names_below, names_in
from ..images import is_image_name, stem
from ..ledger import Ledger

_LABEL_FOLDER = re.compile(r"labels|labels_.*|labelTxt|annotations", re.IGNORECASE)
_IMAGE_OR_LABEL_FOLDER = re.compile(rf"images|{_LABEL_FOLDER.pattern}", re.IGNORECASE)
_NOT_LABELS = re.compile(
    r"classes|labels|names|train|val|valid|validation|test|trainval|minival|readme.*|license.*|notes",
    re.IGNORECASE,
)
_ROW = re.compile(rb"[ \t]*[-+0-9.eE]+([ \t]+[-+0-9.eE]+){4,}[ \t]*")


class Pair(msgspec.Struct, gc=False):
    """One image: its name, its picture and its label file, of which one may be missing.

    `nameless`: only the label file is known, and `image` is its stem. `group`: the folder above, where there are no
    splits. `fronted`: the split was put in front of the name. Whole paths would be most of what a set of 100,000 images
    takes in memory: those of one folder share `above`, in front of `shown`, and `beside`, in front of `told`, which is
    empty where it is the first `stem` characters of `shown` and `.txt`.
    """

    image: str
    shown: str | None
    told: str | None
    split: str | None = None
    group: str = ""
    nameless: bool = False
    fronted: bool = False
    above: str = ""
    beside: str = ""
    stem: int = 0

    @property
    def picture(self) -> str | None:
        return None if self.shown is None else self.above + self.shown

    @property
    def labels(self) -> str | None:
        if self.told or self.told is None or self.shown is None:
            return self.told
        return f"{self.beside}{self.shown[: self.stem]}.txt"


class Shelf:
    """Which files exist, asked folder by folder: a list of 100,000 pictures costs a few look-ups."""

    def __init__(self) -> None:
        self._names = cache(names_in)

    def has(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return name in self._names(folder or ".")


def label_file(picture: str) -> str:
    """The label file of a picture, by Ultralytics' rule."""
    return stem(_swapped(picture, "images", "labels") or picture) + ".txt"


def label_folder(folder: str) -> str | None:
    """The folder with the label files of the pictures in `folder`, or None where there is none.

    Beside the rule's `labels`, exactly one other folder with a usual name is taken.
    """
    ruled = _swapped(folder, "images", "labels")
    if ruled is not None and os.path.isdir(ruled):
        return ruled
    if ruled is not None:
        head = f"/{folder}/".rpartition("/images/")[0]
        above = head[1:] or ("/" if head else ".")
        usual = [name for name in sorted(names_in(above)) if _LABEL_FOLDER.fullmatch(name)]
        found = [other for name in usual if os.path.isdir(other := _swapped(folder, "images", name) or "")]
        if len(found) > 1:
            message = f"labels may be in {found[0]} or in {found[1]}"
            hint = "give the folder that is meant, or call it labels"
            raise InvalidInput("labels-ambiguous", message, place=Place(file=folder), hint=hint)
        if found:
            return found[0]
    return folder if os.path.isdir(folder) else None


def image_folder(folder: str) -> str | None:
    """The folder of pictures that a folder of labels, or of pictures, belongs to; None where names do not tell."""
    if _swapped(folder, "images", "labels") is not None:
        return folder
    return _swapped(folder, "labels", "images")


def of_folder(folder: str, split: str | None) -> Iterator[Pair]:
    """Pairs of a split's folder of pictures, by name. The folder itself may be missing: then labels speak alone."""
    labels = label_folder(folder)
    below = f"{labels}/"
    alone = dict.fromkeys(label_names(labels), True) if labels else dict[str, bool]()
    names = list(names_below(folder, is_image_name))
    owns = [f"{stem(name)}.txt" for name in names]
    if owns == list(alone):  # as usual: each picture has its label file, and each of these its picture
        above = f"{folder}/"
        for name, own in zip(names, owns, strict=True):
            yield Pair(name, name, "", split, above=above, beside=below, stem=len(own) - len(".txt"))
        return
    for name, own in zip(names, owns, strict=True):
        found: str | None = below + own
        if own not in alone:
            # A folder called `images` deeper down has a folder `labels` of its own.
            found = label_file(f"{folder}/{name}")
            own = found.removeprefix(below)
            found = found if os.path.isfile(found) else None
        if found is not None and own in alone:
            alone[own] = False
        yield Pair(name, f"{folder}/{name}", found, split)
    for name, is_alone in alone.items():
        if is_alone:
            yield Pair(name[:-4], None, below + name, split, nameless=True)


def of_tree(root: str) -> Iterator[Pair]:
    """Pairs of a folder that nothing describes: every label file, every picture, joined by the usual folder names."""
    pictures: dict[str, list[str]] = {}
    for name in names_below(root, is_image_name):
        pictures.setdefault(stem(name), []).append(name)
    for text in label_names(root):
        before, folder, after = _split_at(text[:-4], _LABEL_FOLDER)
        tries = [text[:-4]] if not folder else [f"{before}images/{after}", f"{before}{after}", text[:-4]]
        found = next((pictures.pop(key) for key in tries if key in pictures), list[str]())
        for picture in found:
            yield _pictured(root, picture, f"{root}/{text}")
        if not found:
            yield Pair(after, None, f"{root}/{text}", group=before.strip("/"), nameless=True)
    for names in pictures.values():
        for picture in names:
            yield _pictured(root, picture, None)


def label_names(folder: str) -> Iterator[str]:
    """Names below `folder` of text files that are label files: no class lists, lists of pictures, read-mes."""
    yield from [
        name
        for name in names_below(folder, _is_text)
        if ("0" <= name[0] <= "9" and "/" not in name)  # as most are: these are no lists
        or not _NOT_LABELS.fullmatch(name, name.rfind("/") + 1, len(name) - 4)
        or starts_with_row(f"{folder}/{name}")
    ]


def _is_text(name: str) -> bool:
    return name[-4:].lower() == ".txt"


def starts_with_row(path: str) -> bool:
    """Whether the first line with anything in it is a class and at least four numbers."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    first = next((line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()), b"")
    return _ROW.fullmatch(first) is not None


def joined(found: Iterable[Pair | Problem], ledger: Ledger) -> list[Pair]:
    """Every image once. What two splits share belongs to the first; two pictures with one label file are an error. What
    is wrong is told in the order in which it is found.
    """
    listed: list[Pair | Problem] = []
    try:
        listed.extend(found)
    except AnnolakeError as error:
        return _once(_again(listed, error), ledger)
    pairs = [one for one in listed if isinstance(one, Pair)]
    return pairs if len(pairs) == len(listed) and _differ(pairs) else _once(listed, ledger)


def _again(listed: Iterable[Pair | Problem], error: AnnolakeError) -> Iterator[Pair | Problem]:
    yield from listed
    raise error


def _once(found: Iterable[Pair | Problem], ledger: Ledger) -> list[Pair]:
    out: list[Pair] = []
    by_picture: dict[str, Pair] = {}
    by_labels: dict[str, Pair] = {}
    shared: Counter[tuple[str | None, str | None]] = Counter()
    for pair in found:
        if isinstance(pair, Problem):
            ledger.problem(pair)
            continue
        same = by_picture.get(pair.picture or "")
        sharing = by_labels.get(pair.labels or "")
        if same is None and sharing is not None:
            if os.path.basename(sharing.image) != os.path.basename(pair.image):
                ledger.problem(_same_stem(sharing, pair))
                continue
            same = sharing
        if same is not None:
            shared[same.split, pair.split] += same.split != pair.split
            continue
        if pair.picture is not None:
            by_picture[pair.picture] = pair
        if pair.labels is not None:
            by_labels[pair.labels] = pair
        out.append(pair)
    for (first, second), count in shared.items():
        if count:
            text = f"{count} images of {second} are also in {first}: read once, as {first}"
            ledger.decide("split-shared", text)
    return out


def _differ(pairs: list[Pair]) -> bool:
    """Whether no two share a file. Most sets are one folder, in which each picture has its own label file."""
    if all(pair.told == "" for pair in pairs) and len({pair.above for pair in pairs}) == 1:
        return True
    pictures = [pair.picture for pair in pairs if pair.picture is not None]
    labels = [pair.labels for pair in pairs if pair.labels is not None]
    return len(set(pictures)) == len(pictures) and len(set(labels)) == len(labels)


def _same_stem(first: Pair, second: Pair) -> Problem:
    return Problem(
        code="same-stem",
        severity="error",
        message=f"{first.picture or first.image} and {second.picture or second.image} share one label file",
        place=Place(file=first.labels, image=second.image),
        fix="rename one of the pictures, and say with its own label file what is on it",
    )


def _pictured(root: str, picture: str, labels: str | None) -> Pair:
    before, _, name = _split_at(picture, _IMAGE_OR_LABEL_FOLDER)
    return Pair(name, f"{root}/{picture}", labels, group=before.strip("/"))


def _swapped(path: str, folder: str, other: str) -> str | None:
    """The path with its last part `folder` called otherwise; None where it has no such part."""
    head, found, tail = f"/{path}/".rpartition(f"/{folder}/")
    return f"{head}/{other}/{tail}"[1:].rstrip("/") if found else None


def _split_at(path: str, pattern: re.Pattern[str]) -> tuple[str, str, str]:
    """(before, folder, after) around the last folder of the path that the pattern matches; ("", "", path) if none."""
    parts = path.split("/")
    for index in range(len(parts) - 2, -1, -1):
        if pattern.fullmatch(parts[index]):
            return "".join(f"{part}/" for part in parts[:index]), parts[index], "/".join(parts[index + 1 :])
    return "", "", path
