"""One quick look at every label file before the first is read: how many columns the rows have, and the classes."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from itertools import accumulate
from mmap import mmap

import msgspec

from ...schemas.errors import AnnolakeError
from .. import blocks
from ..files import read_bytes
from ..format import Context
from ..ledger import Ledger
from ..parallel import looked_over
from ..text import FILE_LIMIT
from .boxrows import plain_boxes
from .labelfiles import Held, ended

_NUMERIC = b"0123456789+-.eE \t\r\n"
_HELD = 64 << 20


class Survey(msgspec.Struct):
    """How many columns the rows have, and the highest class; `rows`: how many each file has; `held`: the first files,
    so that they are read once.
    """

    widths: Counter[int]
    highest: int = -1
    rows: array[int] = msgspec.field(default_factory=lambda: array("L"))
    held: list[Held] = msgspec.field(default_factory=list[Held])


def survey(paths: Sequence[str], context: Context, ledger: Ledger) -> Survey:
    """A quick count over all label files. What is wrong with a file is said when it is read for good."""
    shelf = None if context.memory is not None else mmap(-1, _HELD)  # shared: what is put there need not be sent

    def counted(start: int, stop: int) -> Survey:
        held = Held(start, b"", array("Q"), _HELD * start // len(paths))
        room = _HELD * stop // len(paths) - held.begin
        return _counted(paths, start, stop, held, shelf, room, at_once=len(paths) >= blocks.FEWEST)

    found = Survey(Counter())
    if len(paths) >= blocks.FEWEST:
        import_module("numpy")  # now: processes that are started would each load it
    for part in looked_over(counted, len(paths), context, ledger) if paths else ():
        found.widths += part.widths
        found.rows += part.rows
        found.highest = max(found.highest, part.highest)
        found.held += part.held
    for held in found.held:
        held.text = shelf or b""
    return found


def _counted(
    paths: Sequence[str], start: int, stop: int, held: Held, shelf: mmap | None, room: int, *, at_once: bool
) -> Survey:
    """Of files of which those are `held` that fit into so many bytes of the shelf."""
    found = Survey(Counter(), held=[held])
    size = 0
    for first in range(start, stop, blocks.IMAGES):
        files = [_read(path) for path in paths[first : min(first + blocks.IMAGES, stop)]]
        texts = [text or b"" for text in files]
        text = b"".join(texts)
        if not at_once or not _count_all(found, text, texts):
            for each in texts:
                _count(found, each)
        room = room - len(text) if None not in files else 0
        if shelf is not None and room > 0:
            shelf[held.begin + size : held.begin + size + len(text)] = text
            held.ends.extend(accumulate(map(len, texts[1:]), initial=size + len(texts[0])))
            size += len(text)
    return found


def _read(path: str) -> bytes | None:
    try:
        return ended(read_bytes(path, FILE_LIMIT))
    except AnnolakeError:
        return None


def _count_all(found: Survey, text: bytes, texts: Sequence[bytes]) -> bool:
    """Whether files were counted at once, as all their rows are boxes."""
    from .textruns import surveyed

    counted = surveyed(text, list(accumulate(map(len, texts))))
    if counted is None:
        return False
    rows, highest = counted
    found.rows += rows
    found.highest = max(found.highest, highest)
    if highest >= 0:
        found.widths[5] += sum(rows)
    return True


def _count(found: Survey, data: bytes) -> None:
    data = data.removeprefix(b"\xef\xbb\xbf")
    boxes = plain_boxes(data)
    if boxes is not None:
        found.widths[5] += len(boxes)
        found.rows.append(len(boxes))
        found.highest = max(found.highest, *[box[0] for box in boxes])
        return
    lines = [line.split() for line in data.splitlines() if not line.translate(None, _NUMERIC)]
    rows = list(filter(None, lines))
    found.widths.update(map(len, rows))
    found.rows.append(len(rows))
    for row in rows:
        if re.fullmatch(rb"[0-9]{1,9}(\.0*)?", row[0]):
            found.highest = max(found.highest, int(row[0].partition(b".")[0]))
