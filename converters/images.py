"""The picture that a name in an annotation file means, found below one folder and never outside it."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from ..schemas.errors import InvalidInput, Place
from ..schemas.names import is_safe_name
from .files import local_failure
from .imageheaders import Exif, ImageSize, image_size

__all__ = ["IMAGE_EXTENSIONS", "Exif", "ImageFinder", "ImageSize", "image_size", "is_image_name", "stem"]

IMAGE_EXTENSIONS = frozenset(
    ".avif .bmp .dng .gif .heic .jp2 .jpeg .jpg .mpo .png .tif .tiff .webp".split()  # noqa: SIM905
)
"""Suffixes that name a picture: those Ultralytics trains on, and GIF. `image_size` reads fewer."""

_ENDINGS = frozenset(extension[1:] for extension in IMAGE_EXTENSIONS)


def is_image_name(name: str) -> bool:
    """Whether the name ends like a picture's, in upper or lower case."""
    return stem(name) != name


def stem(name: str) -> str:
    """A picture's name without its extension; a name that ends like no picture stays whole."""
    before, _, extension = name.rpartition(".")
    if extension.lower() not in _ENDINGS:
        return name
    # Only what ends in a dot or a slash, or is nothing, may be no name but dots.
    return before if before[-1:] not in "./" or before.rpartition("/")[2].strip(".") else name


class ImageFinder:
    """The pictures below `root`, by the names that annotation files give them.

    A name means the file at exactly that path below the folder; else the one picture anywhere below it with
    the same base name. InvalidInput where `root` is no folder.
    """

    def __init__(self, root: Path, exif: Exif = "turned") -> None:
        if not os.path.isdir(root):
            raise InvalidInput(
                "images-missing",
                "there is no such folder of pictures",
                place=Place(file=str(root)),
                hint="check --images",
            )
        self.root = root
        self.exif: Exif = exif
        self._sizes: dict[str, ImageSize | None] = {}

    def find(self, name: str) -> Path | None:
        """The picture's file; None where there is none and for names that point elsewhere, such as `../x`.

        InvalidInput: several pictures have this base name, or a link leads out of the folder.
        """
        if not is_safe_name(name):
            return None
        exact = self.root / name
        if os.path.isfile(exact):
            return self._kept_inside(exact, name)
        found = self._by_base_name.get(name.replace("\\", "/").rsplit("/", 1)[-1], [])
        if len(found) > 1:
            raise InvalidInput(
                "image-ambiguous",
                f"{len(found)} pictures have this name, among them {found[0]} and {found[1]}",
                place=Place(file=str(self.root), image=name),
                hint="give the folder of the right one with --images, or write the sub-folder into the name",
            )
        return self._kept_inside(self.root / found[0], name) if found else None

    def size(self, name: str) -> ImageSize | None:
        """The size of that picture, or None; each is read once. Errors as of `find` and `image_size`."""
        if name not in self._sizes:
            path = self.find(name)
            self._sizes[name] = None if path is None else image_size(path, self.exif)
        return self._sizes[name]

    @property
    def turned(self) -> list[str]:
        """Of the names whose size was asked for, those with a turning or mirroring tag (2 to 8), sorted."""
        return sorted(name for name, size in self._sizes.items() if size and size.orientation != 1)

    def _kept_inside(self, path: Path, name: str) -> Path:
        if not Path(os.path.realpath(path)).is_relative_to(self._real_root):
            raise InvalidInput(
                "image-outside",
                "a link leads out of the folder of pictures",
                place=Place(file=str(path), image=name),
                hint="give the folder it leads to with --images",
            )
        return path

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(self.root)

    @cached_property
    def _by_base_name(self) -> dict[str, list[str]]:
        """Sorted paths relative to the root. Links to folders are not followed: they may form a circle."""

        def stop(error: OSError) -> None:
            raise local_failure(error, self.root) from None

        index: dict[str, list[str]] = {}
        for folder, folders, names in os.walk(self.root, onerror=stop):
            folders.sort()
            for name in filter(is_image_name, sorted(names)):
                index.setdefault(name, []).append(os.path.relpath(os.path.join(folder, name), self.root))
        return index
