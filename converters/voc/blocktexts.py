"""The text of annotation files for a block of images: that of `imagefile` and `formatting`, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...schemas.errors import InvalidInput
from ...schemas.model import Record
from ...schemas.plain import is_object
from ..blocks import Block
from ..ringblocks import RingBlock
from .corners import corners
from .elements import leaf
from .formatting import CORNERS, USUAL
from .imagefile import DECLARATION, ImageWriter, encoded, size_lines
from .naming import plain_id
from .notes import ImageNotes
from .numbers import all_written

_PLAIN_NOTES = frozenset(("folder", "path", "source"))
_REMEMBERED = 4_096
_OPENING, *_BETWEEN, _LAST = CORNERS.split("%s")
_AFTER = (*_BETWEEN, _LAST + "\n\t\t</bndbox>\n\t</object>\n")
_PIECES = 9
"""Of the text of an object: its front, and its four numbers each with what follows it."""
_NO_NOTES, _NO_FACTS = ImageNotes(), dict[str, Any]()


class BlockTexts:
    """Texts of one data set, with what `images` writes."""

    def __init__(self, images: ImageWriter) -> None:
        self.images = images
        self.fronts: dict[str, str] = {}
        self.starts: dict[str | None, str] = {}
        self.sizes: dict[tuple[float | None, float | None], str] = {}
        self.source: tuple[Any, str] = None, ""

    def objects(self, block: Block | RingBlock) -> list[str] | None:
        """The objects of each image, each text with its line break; None where any of them takes a closer look."""
        if isinstance(block, RingBlock):
            from .ringtexts import ring_objects

            return ring_objects(block, self)
        if block.metadata:
            return None
        count = len(block.labels)
        fronts = self.fronts_of(block.labels)
        ends = corners(block.bbox, self.images.objects.shift)
        if fronts is None or not (ends < USUAL).all():
            return None
        numbers = all_written(ends.ravel().tolist())
        pieces = [""] * (_PIECES * count)
        pieces[::_PIECES] = fronts
        for place, after in enumerate(_AFTER):
            pieces[2 * place + 1 :: _PIECES] = numbers[place::4]
            pieces[2 * place + 2 :: _PIECES] = [after] * count
        texts: list[str] = []
        start = 0
        for boxes in block.counts:
            stop = start + _PIECES * boxes
            texts.append("".join(pieces[start:stop]))
            start = stop
        return texts

    def file(self, record: Record, objects: str) -> tuple[str, str] | None:
        """Of an image that is plainly called, in a set of one folder: the path of its XML without suffix, and the text;
        None where its name or notes take a closer look.
        """
        identity, extras = plain_id(record.image), record.extras
        if identity is None or record.storage_name is not None:
            return None
        facts: object = extras.get("voc", _NO_FACTS)
        if not is_object(facts) or facts.keys() - _PLAIN_NOTES:
            return None
        folder, path, tree = facts.get("folder"), facts.get("path"), facts.get("source")
        if not (folder is None or type(folder) is str) or not (path is None or type(path) is str):
            return None
        try:
            start = self.starts.get(folder) or self._start(folder)
            path = "" if path is None else leaf("path", path, "\t") + "\n"
            if tree is not self.source[0]:
                self.source = tree, "" if tree is None else self.images.tree("source", tree) + "\n"
            noted = self._noted({name: said for name, said in extras.items() if name != "voc"})
        except InvalidInput:
            return None
        size = self.sizes.get((record.width, record.height)) or self._size(record)
        filename = record.image.rpartition("/")[2]
        return identity, (
            f"{start}\t<filename>{filename}</filename>\n{path}{self.source[1]}{size}\t<segmented>0</segmented>\n"
            f"{objects}{noted}</annotation>\n"
        )

    def fronts_of(self, labels: Sequence[str]) -> list[str] | None:
        """The usual objects of these labels down to their first number; None where a label takes a closer look."""
        try:
            fronts = [self.fronts.get(label) or self._front(label) for label in labels]
        except InvalidInput:
            return None
        return fronts if all(fronts) else None

    def _noted(self, others: dict[str, Any]) -> str:
        return leaf("annolake", encoded({"extras": others}), "\t") + "\n" if others else ""

    def _front(self, label: str) -> str:
        """The usual object down to its first number; nothing where the label takes a note."""
        front = self.images.objects.front(label, occluded=False)
        self.fronts[label] = front = front and front + _OPENING
        return front

    def _start(self, folder: str | None) -> str:
        line = "" if folder is None else leaf("folder", folder, "\t") + "\n"
        start = f"{DECLARATION}\n<annotation>\n{line}"
        if len(self.starts) < _REMEMBERED:
            self.starts[folder] = start
        return start

    def _size(self, record: Record) -> str:
        size = "".join(f"{line}\n" for line in size_lines(record, _NO_NOTES))
        if len(self.sizes) < _REMEMBERED:
            self.sizes[record.width, record.height] = size
        return size
