"""A disk that fails at a chosen step: the tiny quota, the folder that cannot be made, the rename that is refused."""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Disk:
    """Counts what is done to files below `root`: opening to write, writing, closing, making folders, renaming.

    Step number `fail_at` is an OSError: of a write, after half of the bytes. What only cleans up always works.
    """

    def __init__(self, root: Path, fail_at: int | None) -> None:
        self.root = os.path.abspath(root)
        self.fail_at = fail_at
        self.steps = 0
        self.descriptors: set[int] = set()

    def fails(self) -> bool:
        """Take a step, and say whether it is the one that fails."""
        self.steps += 1
        return self.steps == self.fail_at

    def step(self, path: object) -> None:
        if self.fails():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def concerns(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.path.abspath(os.fspath(path)).startswith(self.root)  # type: ignore[arg-type]


class _File:
    """An open file whose writing and closing are steps."""

    def __init__(self, file: Any, disk: Disk, path: object) -> None:
        self.file, self.disk, self.path = file, disk, path

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: Any) -> int:
        if self.disk.fails():
            self.file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        return self.file.write(data)

    def close(self) -> None:
        """What was buffered is written now: a full disk may show here only."""
        if self.file.closed:
            return
        self.file.close()
        self.disk.step(self.path)


@contextmanager
def failing_disk(root: Path, fail_at: int | None) -> Generator[Disk]:
    """Everything below `root` is on a disk that fails at that step; None only counts."""
    disk = Disk(root, fail_at)
    with pytest.MonkeyPatch.context() as patch:
        opened = _opening(disk, builtins.open)
        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        patch.setattr(os, "open", _opening_descriptors(disk, os.open))
        patch.setattr(os, "write", _writing(disk, os.write))
        for name in ("mkdir", "rename", "replace"):
            patch.setattr(os, name, _stepping(disk, getattr(os, name)))
        yield disk


def _opening(disk: Disk, real: Callable[..., Any]) -> Callable[..., Any]:
    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if not (set(mode) & set("wxa+") and disk.concerns(file)):
            return real(file, mode, *args, **options)
        disk.step(file)
        return _File(real(file, mode, *args, **options), disk, file)

    return opened


def _opening_descriptors(disk: Disk, real: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if not (flags & (os.O_WRONLY | os.O_RDWR) and disk.concerns(path)):
            return real(path, flags, *args, **options)
        disk.step(path)
        descriptor = real(path, flags, *args, **options)
        disk.descriptors.add(descriptor)
        return descriptor

    return opened


def _writing(disk: Disk, real: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
    def write(descriptor: int, data: Any) -> int:
        if descriptor in disk.descriptors and disk.fails():
            real(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    return write


def _stepping(disk: Disk, real: Callable[..., Any]) -> Callable[..., Any]:
    def step(path: Any, *args: Any, **options: Any) -> Any:
        if disk.concerns(path) and not (real.__name__ == "mkdir" and os.path.isdir(path)):
            disk.step(path)
        return real(path, *args, **options)

    return step
