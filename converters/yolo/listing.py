"""The lists of a data set's pictures, one for each split: gathered in files beside it, because in memory they would
grow with the set.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

_HELD = 1 << 12


class Listed(msgspec.Struct):
    """`count` pictures of a split, one a line, in the file `path`."""

    path: str
    count: int = 0


class PictureLists:
    """The lists of one process. Their files' names begin with `beside`."""

    def __init__(self, beside: str) -> None:
        self.lists: dict[str | None, Listed] = {}
        self._beside = beside
        self._held: list[tuple[str | None, str]] = []

    def open(self, split: str | None) -> None:
        """A list for that split, without pictures yet."""
        listed = self.lists[split] = Listed(f"{self._beside}.{len(self.lists)}.list")
        Path(listed.path).touch()

    def add(self, split: str | None, picture: str) -> None:
        self._held.append((split, picture))
        if len(self._held) == _HELD:
            self.close()

    def close(self) -> dict[str | None, Listed]:
        """All lists, with all pictures in their files."""
        for split, listed in self.lists.items():
            pictures = [picture for of, picture in self._held if of == split]
            if pictures:
                with open(listed.path, "a", encoding="utf-8", newline="\n") as file:
                    file.writelines(f"{picture}\n" for picture in pictures)
                listed.count += len(pictures)
        self._held.clear()
        return self.lists


def pictures_in(lists: Iterable[Listed]) -> Iterator[str]:
    """The pictures of some lists, one list behind the other."""
    for listed in lists:
        with open(listed.path, encoding="utf-8", newline="\n") as file:
            yield from (line.removesuffix("\n") for line in file)


def write_list(path: str, lists: Sequence[Listed]) -> None:
    """One new file of several lists, which are no more after it."""
    with open(path, "xb") as out:
        for listed in lists:
            with open(listed.path, "rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)
            os.unlink(listed.path)
