"""ImageSets: which lists an image stands in, and the one split that follows.

    ImageSets/Main/train.txt         ids, one a line
    ImageSets/Main/cat_train.txt     id and flag of a class: 1 in it, -1 not in it, 0 only as difficult objects
    ImageSets/Layout/train.txt       id and the number of an object
    # a comment, as Datumaro has them

A list of a class that has just the ids of its split says of each image what its objects say too: it is noted once, and
images only where it says otherwise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ...schemas.model import Annotation
from ...schemas.names import is_safe_name
from ..files import names_in
from ..images import is_image_name
from ..ledger import Ledger
from ..text import read_lines
from .layout import Entry, Root, is_xml
from .notes import as_word, in_word

MAIN = "Main"
_USUAL = ("train", "val", "test", "trainval")
_QUOTED = re.compile(r'"([^"]+)"[ \t]*(.*)')
_WORD = re.compile(r"\S+\s*")
_NUMBER = re.compile(r"-?\d{1,9}")
_FLAGS = ("-1", "0", "1")


class Lists(msgspec.Struct):
    """All lists of one root: rows by the list's name (`Main/train`), each an id and what stands behind it; which are
    lists of a split, and which stands for none. Of lists of a class that say it of each image of their split, by that
    split, the flags in the order of its ids; and the numbers of these ids.
    """

    rows: dict[str, list[tuple[str, str]]]
    splits: set[str]
    flags: dict[str, dict[str, list[str]]]
    numbers: dict[str, dict[str, int]]
    unsplit: str

    def contradicted(self, entry: Entry, annotations: Sequence[Annotation]) -> list[str]:
        """What lists of classes say of an image, where its objects say otherwise."""
        if not self.flags:
            return []
        out: list[str] = []
        for word in usual_sets(entry.split) if entry.sets is None else entry.sets:
            split, _ = in_word(word)
            for name, flags in self.flags.get(split, {}).items():
                flag = flags[self.numbers[split][entry.id]]
                if flag != flag_of(class_of(name, split), annotations):
                    out.append(as_word(name, flag))
        return sorted(out)


def read_lists(root: Root, ids: Iterable[str], unsplit: str | None) -> Lists:
    """The lists of a root. InvalidInput where one is no text."""
    folder = f"{root.path}/ImageSets"
    names = _list_files(folder)
    known = set(ids) if names else set[str]()
    by_base = {one.rpartition("/")[2]: one for one in known}
    lists = Lists({}, set(), {}, {}, f"{MAIN}/{unsplit}" if unsplit else "")
    for name in names:
        lines = [line if line in known else line.strip() for line in read_lines(f"{folder}/{name}.txt")]
        rows = [_row(line, known, by_base) for line in lines if line and (line[0] != "#" or line in known)]
        lists.rows[name] = list(dict.fromkeys(rows))
    for name, rows in lists.rows.items():
        split = _split_of_class(name, lists.rows)
        if name == lists.unsplit:
            continue
        if split is None:
            lists.splits.add(name)
        elif rows and [one for one, _ in rows] == [one for one, _ in lists.rows[split]]:
            texts = [text for _, text in rows]
            if all(text in _FLAGS for text in texts):
                lists.flags.setdefault(split, {})[name] = texts
                lists.numbers.setdefault(split, {one: number for number, (one, _) in enumerate(rows)})
    return lists


def assign(entries: list[Entry], root: Root, lists: Lists, ledger: Ledger) -> list[Entry]:
    """Entries with their split and what lists say of them, those that only lists know among them, in order of ids."""
    by_id = {entry.id: entry for entry in entries}
    said: dict[str, list[str]] = {}
    for name, rows in lists.rows.items():
        if any(name in flags for flags in lists.flags.values()):
            continue
        for one, rest in rows:
            if one not in by_id:
                by_id[one] = Entry(one, _hidden(one, root), root, root.split)
            said.setdefault(one, []).append(as_word(name, rest))
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    several = 0
    for one, words in said.items():
        entry = by_id[one]
        sets = tuple(sorted(words))
        if not root.by_folder:
            entry.split, many = _split(sets, lists.splits)
            several += many
        if sets != usual_sets(entry.split) and sets != (lists.unsplit,):
            entry.sets = known.setdefault(sets, sets)
    if several:
        ledger.decide(
            "split-shared", f"{several} images stand in several lists: the first of {', '.join(_USUAL)} counts"
        )
    return [by_id[one] for one in sorted(by_id)]


def _hidden(one: str, root: Root) -> str | None:
    """The annotation file of an image that only lists know: in a hidden folder, where nobody looks unasked."""
    path = f"{root.annotations}/{one}.xml"
    return path if "/." in f"/{one}" and is_safe_name(one) and os.path.isfile(path) else None


def usual_sets(split: str | None) -> tuple[str, ...]:
    """The lists an image of that split stands in, where nothing else is noted, as words."""
    return () if split is None else (as_word(f"{MAIN}/{split}"),)


def flag_of(label: str, annotations: Sequence[Annotation]) -> str:
    """What the list of a class says of an image with these objects."""
    flag = "-1"
    for annotation in annotations:
        if annotation.label == label and "part_of" not in annotation.metadata:
            if not annotation.metadata.get("difficult"):
                return "1"
            flag = "0"
    return flag


def class_of(name: str, split: str) -> str:
    """The class of a list of a class such as `Main/cat_train`, which belongs to the split's list `Main/train`."""
    return name.rpartition("/")[2].removesuffix(f"_{split.rpartition('/')[2]}")


def split_of(name: str, splits: Iterable[str]) -> str | None:
    """The list of the split, of the list of a class."""
    return _split_of_class(name, dict.fromkeys(splits))


def in_order(splits: Iterable[str]) -> list[str]:
    """Splits: the usual ones first."""
    return sorted(set(splits), key=lambda split: (_USUAL.index(split) if split in _USUAL else len(_USUAL), split))


def _list_files(folder: str) -> list[str]:
    found: list[str] = []
    for name in sorted(names_in(folder)):
        if os.path.isdir(f"{folder}/{name}"):
            found += [f"{name}/{n[:-4]}" for n in sorted(names_in(f"{folder}/{name}")) if n.endswith(".txt")]
        elif name.endswith(".txt"):
            found.append(name[:-4])
    return found


def _row(line: str, known: set[str], by_base: dict[str, str]) -> tuple[str, str]:
    """The id of a line and what stands behind it. An id may hold blanks, have an extension, or be a path."""
    for candidate, rest in ((line, ""), *_parted(line)):
        if candidate in known:
            return candidate, rest
    candidate, rest = ([(line, ""), *_parted(line)])[-1]
    candidate = candidate.replace("\\", "/")
    stem = os.path.splitext(candidate)[0] if is_image_name(candidate) or is_xml(candidate) else candidate
    if stem in known:
        return stem, rest
    return by_base.get(stem.rpartition("/")[2], stem), rest


def _parted(line: str) -> Iterator[tuple[str, str]]:
    """The ways to take a line apart into an id and numbers behind it: the longest id first."""
    quoted = _QUOTED.fullmatch(line)
    if quoted is not None:
        yield quoted[1], " ".join(quoted[2].split())
        return
    words = _WORD.findall(line)
    rest: list[str] = []
    while len(words) > 1 and _NUMBER.fullmatch(words[-1].strip()):
        rest.insert(0, words.pop().strip())
        yield "".join(words).strip(), " ".join(rest)


def _split_of_class(name: str, rows: dict[str, Any]) -> str | None:
    """The list of the split that the list of a class belongs to; None for any other list."""
    task, slash, base = name.rpartition("/")
    ends = [other for other in rows if other != name and other.startswith(f"{task}{slash}")]
    for other in sorted(ends, key=len, reverse=True):
        split = other[len(task) + len(slash) :]
        if base.endswith(f"_{split}") and "/" not in split:
            listed: list[tuple[str, str]] = rows.get(name) or []
            return other if not listed or any(rest for _, rest in listed) else None
    return None


def _split(sets: tuple[str, ...], splits: set[str]) -> tuple[str | None, bool]:
    """The split of an image by its lists, and whether several would do: Main counts before lists of other tasks, and
    `trainval` only where neither of its halves is.
    """
    names = [name for word in sets if (name := in_word(word)[0]) in splits]
    chosen = [name.rpartition("/")[2] for name in names if name.startswith(f"{MAIN}/")]
    chosen = in_order(chosen or [name.rpartition("/")[2] for name in names])
    if "trainval" in chosen and ("train" in chosen or "val" in chosen):
        chosen.remove("trainval")
    return (chosen[0] if chosen else None), len(chosen) > 1
