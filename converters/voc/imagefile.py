"""A record -> the text of its XML file."""

from __future__ import annotations

import json
from typing import Any

from ...schemas.model import Record
from .elements import attribute, leaf, lines_of, text_of
from .formatting import ObjectWriter
from .naming import USUAL_EXTENSION, base_name, name_of, stem
from .notes import ImageNotes
from .numbers import parsed, written

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_USUAL_DEPTH = "3"


class ImageWriter:
    """Writes the annotation files of one data set."""

    def __init__(self, shift: int) -> None:
        self.objects = ObjectWriter(shift)

    def text(self, record: Record, notes: ImageNotes, identity: str, own: str, bare: str) -> str:
        """The whole file. `identity` is its path without suffix, `own` the image's name in its folder, `bare` the name
        that it has to be read as. InvalidInput for what XML cannot hold.
        """
        filename, note = _named(notes, identity, own, bare)
        extra = notes.extra
        attributes = "" if notes.verified is None else attribute("verified", notes.verified)
        attributes += "".join(attribute(key[1:], value) for key, value in extra.items() if key[:1] == "@")
        lines = [_DECLARATION, f"<annotation{attributes}>"]
        if notes.folder is not None:
            lines.append(leaf("folder", notes.folder, "\t"))
        lines.append(leaf("filename", filename, "\t"))
        if notes.path is not None:
            lines.append(leaf("path", notes.path, "\t"))
        for name, tree in (("source", notes.source), ("owner", notes.owner), ("size", _size(record, notes))):
            if tree is not None:
                lines += lines_of(name, tree, "\t")
        lines.append(leaf("segmented", "0" if notes.segmented is None else notes.segmented, "\t"))
        lines += self.objects.lines(record.annotations, notes.occluded)
        for name, value in extra.items():
            if name[:1] not in "@#":
                lines += lines_of(name, value, "\t")
        if record.storage_name is not None:
            note["storageName"] = record.storage_name
        others = {name: facts for name, facts in record.extras.items() if name != "voc"}
        if others:
            note["extras"] = others
        if note:
            lines.append(leaf("annolake", json.dumps(note, separators=(",", ":")), "\t"))
        return "\n".join([*lines, "</annotation>\n"])


def _named(notes: ImageNotes, identity: str, own: str, bare: str) -> tuple[str, dict[str, Any]]:
    """The `<filename>`, as it stood if the image still is called so; and its name, where no rule would give it."""
    filename = notes.filename
    says_nothing = filename is not None and name_of(identity, filename) is None and identity == stem(own)
    if filename is None or not (says_nothing or _read_as(notes, identity, filename) == own):
        filename = own.rpartition("/")[2]
    return filename, ({} if _read_as(notes, identity, filename) == bare else {"image": bare})


def _read_as(notes: ImageNotes, identity: str, filename: str) -> str:
    """The name a reader gives the image where its picture is not there."""
    name = name_of(identity, filename)
    if name is not None:
        return name
    named = name_of(identity, base_name(notes.path or ""))
    if named is not None and named.rpartition(".")[0] == identity:
        return named
    return identity + USUAL_EXTENSION


def _size(record: Record, notes: ImageNotes) -> Any:
    width, height = record.width, record.height
    known = bool(width and height and width > 0 and height > 0)
    noted = _noted_size(notes.size)
    if notes.size is not None and noted == ((width, height) if known else (None, None)):
        return notes.size
    if not width or not height or not known:
        return None
    depth = _USUAL_DEPTH if notes.depth is None else notes.depth
    return {"width": written(width), "height": written(height), "depth": depth}


def _noted_size(size: Any) -> tuple[float | None, float | None]:
    try:
        width, height = (parsed(text_of(size[side])) for side in ("width", "height"))
    except (TypeError, KeyError, ValueError, AttributeError):
        return None, None
    return (width, height) if width > 0 and height > 0 else (None, None)
