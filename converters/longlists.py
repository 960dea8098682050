"""Lists that grow with a data set, such as of its pictures, gathered in files beside it instead of in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from typing import Generic, TypeVar

import msgspec

_HELD = 1 << 12
_SORTED = 1 << 16

Name = TypeVar("Name", bound=Hashable)


class Listed(msgspec.Struct):
    """`count` lines in the file `path`."""

    path: str
    count: int = 0


class Lists(Generic[Name]):
    """The lists of one process, by name. Their files' names begin with `beside`."""

    def __init__(self, beside: str) -> None:
        self._beside = beside
        self._lists: dict[Name, Listed] = {}
        self._held: dict[Name, list[str]] = {}
        self._count = 0

    def add(self, name: Name, line: str) -> None:
        self._held.setdefault(name, []).append(line)
        self._count += 1
        if self._count == _HELD:
            self.close()

    def close(self) -> dict[Name, Listed]:
        """All lists in the order in which they were begun, with all lines in their files."""
        for name, lines in self._held.items():
            listed = self._lists.setdefault(name, Listed(f"{self._beside}.{len(self._lists)}.list"))
            with open(listed.path, "a", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
            listed.count += len(lines)
        self._held.clear()
        self._count = 0
        return self._lists


def lines_in(lists: Iterable[Listed]) -> Iterator[str]:
    """The lines of some lists, one list behind the other."""
    for listed in lists:
        with open(listed.path, encoding="utf-8", newline="\n") as file:
            yield from (line.removesuffix("\n") for line in file)


def sorted_lines(lists: Iterable[Listed]) -> Iterator[str]:
    """The lines of some lists in order."""
    lines = lines_in(lists)
    with ExitStack() as stack:
        runs: list[Iterable[str]] = []
        while run := sorted(islice(lines, _SORTED)):
            if len(run) < _SORTED and not runs:
                yield from run
                return
            file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n"))
            file.writelines(f"{line}\n" for line in run)
            file.seek(0)
            runs.append(line.removesuffix("\n") for line in file)
        yield from merge(*runs)


def write_lines(path: str, lines: Iterable[str]) -> None:
    """A new file of these lines."""
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def write_list(path: str, lists: Sequence[Listed]) -> None:
    """A new file of several lists, one behind the other."""
    with open(path, "xb") as out:
        for listed in lists:
            with open(listed.path, "rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)


def remove(lists: Iterable[Listed]) -> None:
    """Remove the lists' own files."""
    for listed in lists:
        os.unlink(listed.path)
