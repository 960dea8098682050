"""What annolake notes about a YOLO set in a catalogue: it comes from outside, and is checked like all of a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...schemas.errors import InvalidInput, Place
from ...schemas.jsontext import code_of, explain, pointer_text
from ...schemas.model import Catalog
from ...schemas.plain import ready
from .declaration import Task

_AT = ("annolake", "extras", "yolo")


class Notes(msgspec.Struct, frozen=True):
    """What the rows held, and the number of key points and of numbers per point."""

    task: Task | None = None
    kpt_shape: tuple[Annotated[int, Meta(ge=1, le=99_999)], Literal[2, 3]] | None = None


def notes_of(catalog: Catalog) -> Notes:
    """The notes in a catalogue. InvalidInput where they are not as annolake writes them."""
    try:
        return msgspec.convert(noted_keys(catalog), ready(Notes))
    except msgspec.ValidationError as error:
        raise _broken(error) from None


def noted_keys(catalog: Catalog) -> dict[str, Any]:
    """All keys noted, those of foreign data.yaml files too."""
    try:
        return msgspec.convert(catalog.extras.get("yolo", {}), dict[str, Any])
    except msgspec.ValidationError as error:
        raise _broken(error) from None


def _broken(error: msgspec.ValidationError) -> InvalidInput:
    message, steps = explain(error)
    text = f"what annolake noted here about a YOLO set cannot be read: {message}"
    place = Place(pointer=pointer_text((*_AT, *steps)))
    return InvalidInput(code_of(message), text, place=place, hint="take the key out, or give --yolo-task")
