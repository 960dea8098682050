"""What annolake notes about COCO files, in a catalogue and in files of its own, so that the way back gives the same.

It comes from outside like the rest of a file, and is checked like the rest.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ...schemas.errors import InvalidInput, Place
from ...schemas.jsontext import code_of, explain, pointer_text
from ...schemas.model import Catalog, Category
from ...schemas.plain import ready

EXTENSION = "annolake"
"""Our own key in a COCO file, at the root, in images and in annotations: facts that COCO has no place for."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a data set: its split, its path below the folder it was in, its keys that are no lists of COCO's;
    its categories where they are not those of the whole set.
    """

    split: str | None = None
    name: str | None = None
    head: dict[str, Any] = {}
    categories: tuple[Category, ...] | UnsetType = UNSET


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """In a catalogue, under `coco`: the files, and the first ids that none of them has."""

    files: tuple[File, ...] = ()
    next_id: int = 1
    next_image_id: int = 1


class Extension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a COCO file, at its root: facts of other formats; the files that this one was made of; whether the split in
    its name is none.
    """

    extras: dict[str, Any] = {}
    files: tuple[File, ...] = ()
    unsplit: bool = False


def notes_of(catalog: Catalog) -> Notes:
    """The notes in a catalogue. InvalidInput where they are not as annolake writes them."""
    return _notes(catalog.extras.get("coco", {}))


def rearranged_notes(facts: Any, relabelled: bool, splits: tuple[str, ...]) -> Any:
    """The notes of a catalogue whose labels were renamed or left out, or whose images are in new splits."""
    notes = _notes(facts)
    files = notes.files
    if relabelled:
        files = tuple(msgspec.structs.replace(file, categories=UNSET) for file in files)
    if splits and files:
        files = tuple(File(split=split, head=files[0].head, categories=files[0].categories) for split in splits)
    return msgspec.to_builtins(msgspec.structs.replace(notes, files=files))


def _notes(facts: Any) -> Notes:
    try:
        return msgspec.convert(facts, ready(Notes))
    except msgspec.ValidationError as error:
        raise _broken(error, Place(pointer="/annolake/extras/coco")) from None


def extension_of(plain: Any, file: str) -> Extension:
    """The extension of a COCO file. InvalidInput where it is not as annolake writes it."""
    try:
        return msgspec.convert(plain, ready(Extension))
    except msgspec.ValidationError as error:
        raise _broken(error, Place(file=file, pointer=pointer_text((EXTENSION,)))) from None


def _broken(error: msgspec.ValidationError, place: Place) -> InvalidInput:
    message, steps = explain(error)
    at = msgspec.structs.replace(place, pointer=f"{place.pointer}{pointer_text(steps)}")
    text = f"what annolake noted here about COCO files cannot be read: {message}"
    return InvalidInput(code_of(message), text, place=at, hint="take the key out: its facts are then made up anew")
