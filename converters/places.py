"""Where shards come into being: each whole or not at all, and all of them together, at the end, or none."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from ..schemas.errors import LocalFailure, StorageFailure
from ..schemas.errors import Place as At
from .files import appearing_whole
from .manifest import MANIFEST, Manifest
from .nearby import Address, scratch_folder
from .storage import Storage

STAGING = ".annolake-"
"""How the part of object storage is called that shards are written to first."""


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


class Staging(msgspec.Struct, frozen=True):
    """A part of object storage beside the target's own names: nobody reads there."""

    target: Storage
    staging: str

    @contextmanager
    def making(self, name: str) -> Generator[Path]:
        """Written here first: what is sent has been verified."""
        with tempfile.TemporaryDirectory(prefix="annolake-", dir=scratch_folder()) as folder:
            yield Path(folder, name)
            self.target.send(Path(folder, name), f"{self.staging}/{name}")

    def finish(self, manifest: Manifest) -> None:
        """Moves what is staged to its names, within the storage; the manifest comes last."""
        for shard in manifest.shards:
            sizes = [one.size for one in self.target.objects(f"{self.staging}/{shard.name}")]
            if (len(sizes), sum(sizes)) != (shard.files, shard.bytes):
                place, hint = At(file=self.target.below(shard.name).url), "does somebody else write there?"
                raise StorageFailure("storage-differs", "not all of this shard has arrived", place=place, hint=hint)
        try:
            self.target.raise_from(self.staging)
            self.target.write(manifest.as_json(), MANIFEST)
        except BaseException:
            self.target.remove([MANIFEST, *(shard.name for shard in manifest.shards)])
            raise


@contextmanager
def appearing_place(target: Address) -> Generator[Place]:
    """A place that becomes the target at the end, or is removed on any failure."""
    if isinstance(target, Storage):
        staging = f"{STAGING}{secrets.token_hex(4)}"
        try:
            yield Staging(target, staging)
        finally:
            target.remove([staging])
        return
    with appearing_whole(target) as temporary:
        temporary.mkdir()
        yield Folder(temporary.absolute())


@contextmanager
def sending(target: Address) -> Generator[Path]:
    """Where to write a target of one file. For object storage it is sent, once it is there without an error."""
    if isinstance(target, Path):
        yield target
        return
    with tempfile.TemporaryDirectory(prefix="annolake-", dir=scratch_folder()) as folder:
        path = Path(folder, "target")
        yield path
        if path.exists():
            target.send(path, "")
