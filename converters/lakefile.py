"""A MetaLake JSON file, opened: its images still undecoded, held, or on disk where memory is limited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ..schemas import jsontext, metalake_decoding
from ..schemas.errors import InvalidInput, Place
from ..schemas.jsonelements import Piece
from ..schemas.jsontext import pointer_text
from ..schemas.model import Catalog
from ..schemas.names import is_safe_name
from ..schemas.problems import Problem
from .files import read_bytes
from .largelists import LargeList, LargeRoot, open_large
from .ledger import Ledger
from .memory import Memory
from .spilling import KEY, Column, doubles, keys_of

_AHEAD = 1 << 8


class LakeFile:
    """The file at `path`, held."""

    images: Sequence[msgspec.Raw]
    catalog: Catalog | None
    ours: bool

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self._document = document = metalake_decoding.open_document(read_bytes(path), self.file)
        self.images, self.catalog, self.ours = document.images, document.catalog, document.ours

    def located(self, error: InvalidInput) -> InvalidInput:
        """The error with its line and column."""
        return self._document.located(error)

    def labels(self, ledger: Ledger) -> set[str]:
        """The labels in use; and a name that leads out of the data set, or stands twice, is a problem."""
        used: set[str] = set()
        names: dict[str, int] = {}
        for index, raw in enumerate(self.images):
            image = _glance(raw)
            if image is None:
                continue
            image.note_labels(used)
            if not image.image or (image.safe and image.image not in names):
                names[image.image] = index
            else:
                self._tell_name(ledger, index, image, names.get(image.image))
        return used

    def _tell_name(self, ledger: Ledger, index: int, image: _Glance, first: int | None) -> None:
        place = Place(file=self.file, pointer=pointer_text(("images", index, "image")), image=image.image)
        if image.safe:
            message = f"the image is listed twice, first as images/{first}; the service keeps one of them"
            error = InvalidInput("duplicate-image", message, place=place, hint="merge the two entries")
        else:
            hint = "give a relative name without `..`"
            error = InvalidInput("unsafe-name", "this name leads out of the data set", place=place, hint=hint)
        ledger.problem(Problem.of(self.located(error)))


class LargeLakeFile(LakeFile):
    """The same of a file that is not held: looked through once, then read in its order. In memory are the keys of the
    root beside `images`.
    """

    def __init__(self, path: Path, memory: Memory) -> None:
        self.file = str(path)
        self._memory = memory
        self._root = LargeRoot(open_large(path, memory))
        self._names = Column(KEY)
        self._unsafe: list[int] = []
        self._used: set[str] = set()
        images = LargeList(self._root.large, ahead=_AHEAD)

        def take(pieces: Iterator[Piece]) -> None:
            for piece in pieces:
                self._look_at(piece, len(images))
                images.add(piece)

        members = self._root.look_through({"images": images}, {"images": take})
        metalake_decoding.refuse_other(members, self.file)
        whole = members.pop("images")
        if "images" not in self._root.lists:
            jsontext.decode(RAW_LIST, whole, self.file, ("images",))  # says what it is instead of a list
        self.images = images
        self.catalog, self.ours = metalake_decoding.catalog_in(members, self.file)

    def located(self, error: InvalidInput) -> InvalidInput:
        error.place = self._root.located(error.place)
        return error

    def labels(self, ledger: Ledger) -> set[str]:
        mistakes: list[tuple[int, int | None]] = [(index, None) for index in self._unsafe]
        mistakes += doubles(self._names, self._memory.room).tolist()
        for index, first in sorted(mistakes, key=lambda mistake: mistake[0]):
            image = _glance(self.images[index])
            if image is not None:
                self._tell_name(ledger, index, image, first)
        return self._used

    def _look_at(self, piece: Piece, first: int) -> None:
        try:
            images: Sequence[_Glance | None] = _GLANCES.decode(piece.text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            images = list(map(_glance, piece.raws))
        for image in images:
            if image is not None:
                image.note_labels(self._used)
        self._unsafe += [
            index for index, image in enumerate(images, first) if image is not None and image.image and not image.safe
        ]
        self._names.append(keys_of([i.image if i is not None and i.image and i.safe else None for i in images]))


class _Label(msgspec.Struct):
    label: str


class _Glance(msgspec.Struct):
    image: str = ""
    annotations: list[_Label] = []
    tags: list[_Label] = []

    @property
    def safe(self) -> bool:
        return is_safe_name(self.image.removeprefix("/"))

    def note_labels(self, used: set[str]) -> None:
        used.update(item.label for item in self.annotations)
        used.update(item.label for item in self.tags)


RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_GLANCE = msgspec.json.Decoder(_Glance)
_GLANCES = msgspec.json.Decoder(list[_Glance])


def _glance(raw: msgspec.Raw) -> _Glance | None:
    try:
        return _GLANCE.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
