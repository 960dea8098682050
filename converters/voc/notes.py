"""What annolake notes about a VOC set in a catalogue, and about an image in its facts: both come back from outside,
and are checked like all of a file.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from ...schemas.errors import InvalidInput, Place
from ...schemas.jsontext import code_of, explain, pointer_text
from ...schemas.model import Catalog, Record
from ...schemas.names import is_safe_name
from ...schemas.plain import ready

Convention = Literal["devkit", "edges"]
ANNOTATIONS = "Annotations"


class SetNotes(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """`folder`: of the annotation files in each root. `roots`: folders of years, each a devkit, that names of images
    begin with. `split_folders`: the folder of each split, where a split is a folder. `lists`: lists of ImageSets that
    no image says, such as empty ones; `flags`: lists of a class, which say of each image whether the class is in it.
    `unsplit`: the list of Main that only stands for no split, as devkit readers want one.
    """

    convention: Convention | None = None
    folder: str = ANNOTATIONS
    roots: tuple[str, ...] = ()
    split_folders: dict[str, str] = {}
    lists: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    unsplit: str | None = None


class ImageNotes(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Elements of an annotation file that are not as they would be written anyway; texts as they stood.

    `file`: path of the XML without suffix, where it is not the image's stem. `size`: the whole element, where its
    numbers are not plain ones. `occluded`: objects that are not occluded say so. `sets`: lists of ImageSets
    (`Main/train`, with further columns behind a blank), where they are not just the split. `extra`: other elements.
    """

    folder: str | None = None
    filename: str | None = None
    path: str | None = None
    source: Any = None
    owner: Any = None
    size: Any = None
    depth: str | None = None
    segmented: str | None = None
    occluded: bool = False
    verified: str | None = None
    file: str | None = None
    sets: tuple[str, ...] | None = None
    extra: dict[str, Any] = {}


_T = TypeVar("_T", SetNotes, ImageNotes)


def notes_of(catalog: Catalog) -> SetNotes:
    """The notes of a data set. InvalidInput where they are not as annolake writes them."""
    notes = _converted(catalog.extras.get("voc"), SetNotes, ("annolake", "extras", "voc"), None)
    plain = (*notes.lists, *notes.flags)
    for name in (*notes.roots, *notes.split_folders.values(), *plain, *filter(None, (notes.folder, notes.unsplit))):
        check_path(name)
    return notes


def image_notes(record: Record) -> ImageNotes:
    """The notes of an image. InvalidInput where they are not as annolake writes them."""
    facts = record.extras.get("voc")
    if facts is None:
        return _NONE
    notes = _converted(facts, ImageNotes, ("voc",), record.image)
    for name in (notes.file, *(in_word(word)[0] for word in notes.sets or ())):
        if name is not None:
            check_path(name, record.image)
    return notes


def as_word(name: str, rest: str = "") -> str:
    """A list that an image stands in, and what stands behind its id there, as it is noted of the image."""
    name = f'"{name}"' if " " in name or name[:1] == '"' else name
    return f"{name} {rest}" if rest else name


def in_word(word: str) -> tuple[str, str]:
    """List and rest; undoes `as_word`."""
    name, quote, rest = word[1:].rpartition('"') if word[:1] == '"' else ("", "", "")
    if not quote:
        name, _, rest = word.partition(" ")
    return name, rest.strip()


def as_facts(notes: SetNotes | ImageNotes) -> dict[str, Any]:
    """Notes as they stand in a catalogue or among the facts of an image; empty where there is nothing to note."""
    facts: dict[str, Any] = msgspec.to_builtins(notes)
    if isinstance(notes, SetNotes) and notes.folder == ANNOTATIONS:
        facts.pop("folder", None)  # only the very same text is left out by itself
    return facts


def check_path(name: str, image: str | None = None) -> None:
    """InvalidInput for what is to become a path and leads out of the data set, or cannot be one."""
    if not is_safe_name(name) or name.endswith("/") or name.splitlines() != [name]:
        message = f"{name[:80]!r} cannot be a path below the data set's folder"
        raise InvalidInput("unsafe-name", message, place=Place(image=image), hint="rename it")


_NONE = ImageNotes()


def _converted(value: Any, kind: type[_T], at: tuple[str, ...], image: str | None) -> _T:
    if value is None:
        return kind()
    try:
        return msgspec.convert(value, ready(kind))
    except msgspec.ValidationError as error:
        message, steps = explain(error)
        text = f"what annolake noted here about a VOC set cannot be read: {message}"
        place = Place(pointer=pointer_text((*at, *steps)), image=image)
        raise InvalidInput(code_of(message), text, place=place, hint="take the key `voc` out") from None
