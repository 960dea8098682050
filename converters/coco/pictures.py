"""The entries of `images` to records that have no annotations yet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...schemas.errors import InvalidInput
from ...schemas.metalake_wire import FORMATS_OWN, WireImage
from ...schemas.model import Record
from ...schemas.names import is_safe_name
from ...schemas.plain import is_id, is_number, is_object
from ..ledger import Ledger
from ..shapeblocks import Number
from .addresses import name_from_url
from .document import Document
from .notes import EXTENSION
from .objects import Wanted


class PlainImage(msgspec.Struct, gc=False):
    """An image with COCO's own eight keys: with twenty-four quotation marks it has no other."""

    id: int
    file_name: Annotated[str, Meta(min_length=1)]
    width: Number
    height: Number
    license: int
    coco_url: str
    date_captured: str
    flickr_url: str


_PLAIN_IMAGE = msgspec.json.Decoder(PlainImage)
PLAIN_IMAGE_QUOTES = 24
_IMAGE_FACTS = ("license", "coco_url", "date_captured", "flickr_url")


def is_usual(image: PlainImage) -> bool:
    """Whether it has a safe name and a sensible size."""
    return is_safe_name(image.file_name) and image.width > 0 and image.height > 0


class Images:
    """The images of one file. Names in `clashing` get the split in front."""

    def __init__(self, document: Document, ledger: Ledger, clashing: frozenset[str], wanted: Wanted) -> None:
        self.document = document
        self.ledger = ledger
        self.clashing = clashing
        self.wanted = wanted

    def record(self, index: int) -> Record:
        """Image number `index` without annotations. InvalidInput where it has no safe name or no sensible size."""
        raw = self.document.images[index]
        if bytes(raw).count(b'"') == PLAIN_IMAGE_QUOTES and not self.clashing:
            with suppress(msgspec.MsgspecError):
                plain = _PLAIN_IMAGE.decode(raw)
                if is_usual(plain):
                    return self.plain([plain])[0]
        return self._any(raw, index)

    def plain(self, images: Sequence[PlainImage]) -> list[Record]:
        """The same of images that are usual, where no name clashes."""
        split = self.document.source.split
        return [
            Record(
                image=image.file_name,
                width=image.width,
                height=image.height,
                id=image.id,
                split=split,
                extras={"coco": {key: getattr(image, key) for key in _IMAGE_FACTS}} if self.wanted.carried else {},
            )
            for image in images
        ]

    def _any(self, raw: msgspec.Raw, index: int) -> Record:
        document = self.document
        rest = document.object(raw, ("images", index))
        split = document.source.split
        if split is None and isinstance(rest.get("split"), str):
            split = rest.pop("split")
        extras = self._noted(rest, index)
        storage = extras.pop("storageName", None)
        given = rest.pop("file_name", None)
        name = given if isinstance(given, str) and given else name_from_url(rest)
        if name is None:
            name = str(rest.get("id"))
            place = document.place("images", index, image=name)
            fix = "give it the name of its picture"
            document.problem(self.ledger, "missing-name", "no file_name: called by its id", place, fix, "warning")
        if name != given:
            rest["file_name"] = given
        if not is_safe_name(name):
            raise InvalidInput(
                "unsafe-name",
                "this name leads out of the data set",
                place=document.place("images", index, "file_name", image=name),
                hint="file_name is relative to the folder of the pictures, without `..`",
            )
        width, height = rest.pop("width", None), rest.pop("height", None)
        for key, value in (("width", width), ("height", height)):
            if value is not None and not is_number(value):
                raise InvalidInput(
                    "wrong-type",
                    f"{key} is a number of pixels",
                    place=document.place("images", index, key, image=name),
                    hint="give a number, or leave it out",
                )
        for key, value in (("width", width), ("height", height)):
            if value is not None and value < 0:
                place = document.place("images", index, key, image=name)
                fix = "write the picture's real size, or leave it out"
                document.problem(self.ledger, "image-size", f"{key} {value} is no size", place, fix, "warning")
        fronted = name in self.clashing or (self.clashing and name.startswith(f"{split}/"))
        image = f"{split}/{name}" if fronted else name
        if image != name:
            rest["file_name"] = name
        return Record(
            image=image,
            width=width,
            height=height,
            id=identity if is_id(identity := rest.pop("id", None)) else None,
            split=split,
            storage_name=storage,
            extras={**({"coco": rest} if rest else {}), **extras},
        )

    def _noted(self, rest: dict[str, Any], index: int) -> dict[str, Any]:
        """What annolake noted for an image, taken out of its keys. What it noted for COCO stands among these."""
        own = rest.pop(EXTENSION, None)
        extras = own if is_object(own) else {}
        for key in _FIELDS.keys() & extras.keys():
            if not isinstance(extras[key], _FIELDS[key]):
                raise InvalidInput(
                    "wrong-type",
                    f"annolake never notes this under {key}",
                    place=self.document.place("images", index, EXTENSION, key),
                    hint="take the key out",
                )
        rest |= {key: value for key, value in extras.pop("coco", {}).items() if key not in rest}
        return extras


_FIELDS: dict[str, Any] = {
    **dict.fromkeys(WireImage.__struct_fields__, ()),
    **dict.fromkeys(FORMATS_OWN, dict),
    "storageName": str,
}
"""Fields of an image in the MetaLake, and of what type a note of that name is: of none, where it is a COCO key too."""
