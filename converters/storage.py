"""Object storage: what a URL such as `s3://bucket/set` holds, fetched to be read here, and sent when it is whole.

Through fsspec (extras `annolake[s3]`, `annolake[gcs]`), which takes addresses, keys and tokens from where the clouds'
own tools take them. None of them is ever part of a URL, of a message or of a report here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..schemas.errors import AnnolakeError, InvalidInput, Place, StorageFailure, StorageRefused, UsageError
from ..schemas.jsontext import as_object
from ..schemas.names import is_safe_name
from .images import image_size, is_image_name

EXTRAS = {"s3": "s3", "gs": "gcs"}
"""The schemes, and the extra of each."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HEAD = 1 << 16
"""Of a picture so many bytes are fetched, which is nearly always enough to tell its size."""
_AT_ONCE = 500

_Item = TypeVar("_Item")


def is_url(address: str | Path) -> bool:
    return isinstance(address, str) and _URL.match(address) is not None


class Object(msgspec.Struct, frozen=True):
    """`name` is relative to what was asked for; empty if it is that itself."""

    name: str
    size: int


class Storage(msgspec.Struct, frozen=True):
    """What lies at a URL and below it. UsageError where the URL is none of ours, or the extra is not installed."""

    url: str

    def __post_init__(self) -> None:
        found = _URL.match(self.url)
        scheme, rest = (found[1], found[2]) if found else ("", "")
        if scheme not in EXTRAS:
            hint = f"there are {', '.join(f'{known}://' for known in EXTRAS)}"
            raise UsageError("unknown-scheme", f"{scheme}:// is no object storage known here", hint=hint)
        if set("@:") & set(rest.partition("/")[0]) or set("?#") & set(rest):
            hint = "keys are taken from the environment or the cloud's own files, never from an address"
            raise UsageError("secret-in-url", f"this {scheme}:// address has more than a bucket and a name", hint=hint)
        if not all(part not in ("", ".", "..") for part in rest.rstrip("/").split("/")) or "/" not in rest.rstrip("/"):
            hint = f"such as {scheme}://bucket/name"
            raise UsageError("bad-url", f"{self.url!r} does not name a bucket and something in it", hint=hint)

    def below(self, name: str) -> Storage:
        return Storage(f"{self.url.rstrip('/')}/{name}")

    def exists(self) -> bool:
        """Whether anything lies at or below it."""
        with self._refusals():
            return bool(self._files().exists(self._path()))

    def objects(self, below: str = "") -> list[Object]:
        """All objects at or below it, sorted."""
        root = self._path(below)
        with self._refusals():
            found: dict[str, Any] = self._files().find(root, detail=True)
        names = {path.removeprefix(root).removeprefix("/"): info for path, info in found.items()}
        return [Object(name, names[name]["size"]) for name in sorted(names) if not name.endswith("/")]

    def read(self, name: str) -> bytes | None:
        """The content of a small object; None where there is none."""
        try:
            with self._refusals():
                return self._files().cat_file(self._path(name))
        except UsageError:
            return None

    def fetch(self, folder: Path) -> Path:
        """What lies there, brought into that folder: a file, or a folder of files, of pictures their heads only.

        UsageError where there is nothing; InvalidInput for a name that leads out of the folder.
        """
        here = folder / self.url.rstrip("/").rpartition("/")[2]
        found = self.objects()
        if not found:
            raise UsageError("no-source", f"there is nothing at {self.url}", hint="check the address")
        for one in found:
            if one.name and not is_safe_name(one.name):
                hint = "give the object another name"
                raise InvalidInput("unsafe-name", f"{one.name!r} leads out of {self.url}", place=self._at(), hint=hint)
        with self._refusals():
            pictures = [one for one in found if is_image_name(one.name) and one.size]
            self._get(here, [one for one in found if not (is_image_name(one.name) and one.size)])
            for some in _some(pictures):
                paths = [self._path(one.name) for one in some]
                ends = [min(one.size, _HEAD) for one in some]
                heads = self._files().cat_ranges(paths, [0] * len(paths), ends, on_error="raise")
                for one, head in zip(some, heads, strict=True):
                    (here / one.name).parent.mkdir(parents=True, exist_ok=True)
                    (here / one.name).write_bytes(head)
            self._get(here, [one for one in pictures if one.size > _HEAD and not _tells_its_size(here / one.name)])
        return here

    def send(self, path: Path, name: str) -> None:
        """A file, or all files of a folder, as the object of that name, or as objects below it; what has arrived is
        counted and measured.
        """
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        below = {file: file.relative_to(path).as_posix() if file is not path else "" for file in files}
        with self._refusals():
            for some in _some(files):
                targets = [self._path("/".join(filter(None, (name, below[file])))) for file in some]
                self._files().put([str(file) for file in some], targets)
        self._compare(name, [Object(below[file], file.stat().st_size) for file in files])

    def write(self, content: bytes, name: str) -> None:
        with self._refusals():
            self._files().pipe_file(self._path(name), content)

    def raise_from(self, source: str) -> None:
        """All objects below that name to where they would be without it, within the storage."""
        found = self.objects(source)
        with self._refusals():
            for some in _some(found):
                names = [one.name for one in some]
                self._files().copy([self._path(f"{source}/{name}") for name in names], list(map(self._path, names)))
        self._compare("", found, but=source)

    def remove(self, names: Iterable[str]) -> None:
        """All objects at or below these names, as far as there are any."""
        files = self._files()
        with self._refusals():
            paths = [path for name in names for path in files.find(self._path(name))]
            for some in _some(paths):
                files.rm(some)

    def _compare(self, name: str, wanted: Sequence[Object], but: str | None = None) -> None:
        found = [one for one in self.objects(name) if but is None or not one.name.startswith(f"{but}/")]
        if found != sorted(wanted, key=lambda one: one.name):
            message = "what lies there after writing is not what was written"
            raise StorageFailure(
                "storage-differs", message, place=self._at(name), hint="does somebody else write there?"
            )

    def _get(self, here: Path, found: Sequence[Object]) -> None:
        for some in _some(found):
            targets = [here / one.name if one.name else here for one in some]
            for target in targets:
                target.parent.mkdir(parents=True, exist_ok=True)
            self._files().get([self._path(one.name) for one in some], [str(target) for target in targets])
            for one, target in zip(some, targets, strict=True):
                if not target.is_file() or target.stat().st_size != one.size:
                    message, hint = "it was not fetched whole", "run it again"
                    raise StorageFailure("storage-cut-off", message, place=self._at(one.name), hint=hint)

    def _path(self, name: str = "") -> str:
        """As fsspec calls it."""
        rest = self.url.partition("://")[2].rstrip("/")
        return f"{rest}/{name}" if name else rest

    def _at(self, name: str = "") -> Place:
        return Place(file=f"{self.url.rstrip('/')}/{name}" if name else self.url)

    def _files(self) -> Any:
        return _file_system(self.url.partition("://")[0], os.getpid())

    @contextmanager
    def _refusals(self) -> Generator[None]:
        """What the storage says no to, in our own words: its own may hold signed addresses."""
        try:
            yield
        except AnnolakeError:
            raise
        except FileNotFoundError:
            hint = "check the bucket and the name"
            raise UsageError("no-source", f"there is nothing at {self.url}", hint=hint) from None
        except PermissionError:
            hint = "keys are taken from the environment or the cloud's own files"
            message = "the storage does not know us, or does not let us"
            raise StorageRefused("storage-refused", message, place=self._at(), hint=hint) from None
        except Exception as error:  # noqa: BLE001  (each library beneath has errors of its own)
            message = f"the storage gave no proper answer: {_kind(error)}"
            hint = "run it again; a wrong address of the service, or none, looks like this too"
            raise StorageFailure("storage-failed", message, place=self._at(), hint=hint) from None


@cache
def _file_system(scheme: str, process: int) -> Any:
    """One for each `process`: its connections do not outlive a fork."""
    extra = EXTRAS[scheme]
    try:
        fsspec: Any = import_module("fsspec")
        kind: Any = fsspec.get_filesystem_class(scheme)
    except ImportError:
        message = f"{scheme}:// needs a library that is not installed"
        raise UsageError("missing-extra", message, hint=f"pip install 'annolake[{extra}]'") from None
    return kind(use_listings_cache=False, skip_instance_cache=True)


def forget_connections() -> None:
    """Ask the environment anew for addresses and keys."""
    _file_system.cache_clear()


def _kind(error: BaseException) -> str:
    """The kind of an error, and a service's own word for it."""
    said = as_object(getattr(error, "response", None)) or {}
    word = str((as_object(said.get("Error")) or {}).get("Code", ""))
    return f"{type(error).__name__} {word}".rstrip() if re.fullmatch(r"\w{0,60}", word) else type(error).__name__


def _tells_its_size(path: Path) -> bool:
    try:
        image_size(path)
    except AnnolakeError:
        return False
    return True


def _some(all_of_them: Sequence[_Item]) -> Generator[Sequence[_Item]]:
    """Not more at once than fit into memory and into open files."""
    for start in range(0, len(all_of_them), _AT_ONCE):
        yield all_of_them[start : start + _AT_ONCE]
