"""A record -> the text of its XML file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ...schemas.model import Record
from ..images import stem
from .elements import attribute, leaf, lines_of, text_of
from .formatting import ObjectWriter
from .naming import USUAL_EXTENSION, base_name, name_of
from .notes import ImageNotes
from .numbers import parsed, written
from .ordinary import USUAL_DEPTH

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_TREES = 64
encoded = json.JSONEncoder(separators=(",", ":")).encode


class ImageWriter:
    """Writes the annotation files of one data set."""

    def __init__(self, shift: int) -> None:
        self.objects = ObjectWriter(shift)
        self.trees: dict[str, str] = {}

    def text(self, record: Record, notes: ImageNotes, identity: str, own: str, bare: str) -> str:
        """The whole file. `identity` is its path without suffix, `own` the image's name in its folder, `bare` the name
        that it has to be read as. InvalidInput for what XML cannot hold.
        """
        filename, note = _named(notes, identity, own, bare)
        extra = notes.extra
        attributes = "" if notes.verified is None else attribute("verified", notes.verified)
        attributes += "".join(attribute(key[1:], value) for key, value in extra.items() if key[:1] == "@")
        lines = [DECLARATION, f"<annotation{attributes}>"]
        if notes.folder is not None:
            lines.append(leaf("folder", notes.folder, "\t"))
        lines.append(leaf("filename", filename, "\t"))
        if notes.path is not None:
            lines.append(leaf("path", notes.path, "\t"))
        for name, tree in (("source", notes.source), ("owner", notes.owner)):
            if tree is not None:
                lines.append(self.tree(name, tree))
        lines += size_lines(record, notes)
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
            lines.append(leaf("annolake", encoded(note), "\t"))
        return "\n".join([*lines, "</annotation>\n"])

    def tree(self, name: str, tree: Any) -> str:
        """An element of which many images have the same."""
        key = f"{name} {tree!r}"
        text = self.trees.get(key)
        if text is None:
            text = "\n".join(lines_of(name, tree, "\t"))
            if len(self.trees) < _TREES:
                self.trees[key] = text
        return text


def _named(notes: ImageNotes, identity: str, own: str, bare: str) -> tuple[str, dict[str, Any]]:
    """The `<filename>`, as it stood if the image still is called so; and its name, where no rule would give it."""
    filename = own.rpartition("/")[2] if notes.filename is None else notes.filename
    read = _read_as(notes, identity, filename)
    if read != own and not (name_of(identity, filename) is None and identity == stem(own)):
        filename = own.rpartition("/")[2]
        read = _read_as(notes, identity, filename)
    return filename, ({} if read == bare else {"image": bare})


def _read_as(notes: ImageNotes, identity: str, filename: str) -> str:
    """The name a reader gives the image where its picture is not there."""
    name = name_of(identity, filename)
    if name is not None:
        return name
    named = name_of(identity, base_name(notes.path or ""))
    if named is not None and named.rpartition(".")[0] == identity:
        return named
    return identity + USUAL_EXTENSION


def size_lines(record: Record, notes: ImageNotes) -> Iterable[str]:
    width, height = record.width, record.height
    known = width is not None and height is not None and width > 0 and height > 0
    if notes.size is not None and _noted_size(notes.size) == ((width, height) if known else (None, None)):
        return lines_of("size", notes.size, "\t")
    if not width or not height or not known:
        return ()
    sides = f"\t\t<width>{written(width)}</width>\n\t\t<height>{written(height)}</height>"
    depth = leaf("depth", USUAL_DEPTH if notes.depth is None else notes.depth, "\t\t")
    return ("\t<size>", sides, depth, "\t</size>")


def _noted_size(size: Any) -> tuple[float | None, float | None]:
    try:
        width, height = (parsed(text_of(size[side])) for side in ("width", "height"))
    except (TypeError, KeyError, ValueError, AttributeError):
        return None, None
    return (width, height) if width > 0 and height > 0 else (None, None)
