"""Where shards come into being: each whole or not at all, and all of them together, at the end, or none."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from ..schemas.errors import LocalFailure
from ..schemas.errors import Place as At
from .files import appearing_whole
from .manifest import MANIFEST, Manifest


class Place(Protocol):
    """Travels to other processes and computers."""

    def making(self, name: str) -> AbstractContextManager[Path]:
        """Where to write the shard of that name, file or folder. It is there once this ends without an error; a second
        attempt replaces the first.
        """
        ...

    def finish(self, manifest: Manifest) -> None:
        """See that all shards are there, and add what names them."""
        ...


class Folder(msgspec.Struct, frozen=True):
    """A folder that everybody sees who writes a shard."""

    path: Path

    @contextmanager
    def making(self, name: str) -> Generator[Path]:
        with appearing_whole(self.path / name) as temporary:
            yield temporary

    def finish(self, manifest: Manifest) -> None:
        for shard in manifest.shards:
            if not (self.path / shard.name).exists():
                message = "this shard was written, and is not to be seen here"
                hint = "every computer has to see the target's folder under the same path"
                raise LocalFailure("shard-missing", message, place=At(file=str(self.path / shard.name)), hint=hint)
        (self.path / MANIFEST).write_bytes(manifest.as_json())


@contextmanager
def appearing_place(target: Path) -> Generator[Place]:
    """A place that becomes the target at the end, or is removed on any failure."""
    with appearing_whole(target) as temporary:
        temporary.mkdir()
        yield Folder(temporary.absolute())
