"""What names the shards of a data set, and what each of them is."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..schemas.errors import InvalidInput, Place
from ..schemas.plain import ready
from .files import names_below, read_bytes
from .nearby import Address
from .storage import Storage

MANIFEST = "manifest.json"
_LIMIT = 1 << 30
_SHARD = re.compile(r"shard-\d{5}-of-(\d{5})(?:\.\w+)?")


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard: its name in the folder, what it holds, and its files. `sha256` is that of its file; of a folder, that
    of what `sha256sum` prints for its files in the order of their names.
    """

    name: str
    images: int
    annotations: int
    files: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `manifest.json`. It is written last: a folder without one is not finished."""

    annolake: Literal["shards"] = "shards"
    format: str
    options: dict[str, Any]
    coordinates: str
    labels: list[str]
    images: int
    annotations: int
    shards: list[Shard]

    def as_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def shard_name(number: int, shards: int, suffix: str) -> str:
    """`shard-00000-of-00004.json`; where the format's target is a folder, without a suffix."""
    return f"shard-{number:05}-of-{shards:05}{suffix}"


def set_of(told: str) -> str | None:
    """The set that something is a shard of, to judge by its name; None where it is none."""
    folder, name = os.path.split(told)
    found = _SHARD.fullmatch(name)
    return f"{folder} {found[1]}" if found else None


def manifest_in(folder: Path) -> Manifest | None:
    """The manifest of a folder of shards; None where it is none."""
    path = folder / MANIFEST
    return parsed(read_bytes(path, _LIMIT)) if path.is_file() else None


def parsed(content: bytes) -> Manifest | None:
    """A manifest of ours whose shards lie beside it; None where it is none."""
    try:
        manifest = msgspec.json.decode(content, type=ready(Manifest))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return manifest if all(_is_plain(shard.name) for shard in manifest.shards) else None


def unfolded(sources: Iterable[Address]) -> list[Address]:
    """The sources, with the shards of a folder in its place. InvalidInput where one that the manifest names is not
    there.
    """
    out: list[Address] = []
    for source in sources:
        if isinstance(source, Storage):
            content = source.read(MANIFEST)
            manifest = None if content is None else parsed(content)
            out += [source] if manifest is None else [source.below(shard.name) for shard in manifest.shards]
            continue
        manifest = manifest_in(source)
        shards = [source] if manifest is None else [source / shard.name for shard in manifest.shards]
        for shard in shards if manifest else ():
            if not os.path.lexists(shard):
                message, hint = f"{MANIFEST} names a shard that is not there", "bring all shards that it names"
                raise InvalidInput("shard-missing", message, place=Place(file=str(shard)), hint=hint)
        out += shards
    return out


def fingerprint(path: Path) -> tuple[int, int, str]:
    """Files, bytes and digest, as `Shard` has them."""
    if path.is_file():
        return 1, path.stat().st_size, _digest(path)
    files = size = 0
    digest = hashlib.sha256()
    for name in sorted(names_below(str(path), lambda _: True)):
        files += 1
        size += (path / name).stat().st_size
        digest.update(f"{_digest(path / name)}  {name}\n".encode("utf-8", "surrogateescape"))
    return files, size, digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_plain(name: str) -> bool:
    return Path(name).name == name
