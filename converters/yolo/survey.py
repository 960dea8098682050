"""One quick look at every label file before the first is read: how many columns the rows have, and the classes."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence

import msgspec

from ...schemas.errors import AnnolakeError
from ..files import read_bytes
from ..format import Context
from ..ledger import Ledger
from ..parallel import looked_over
from ..text import FILE_LIMIT
from .boxrows import plain_boxes

_NUMERIC = b"0123456789+-.eE \t\r\n"
_HELD = 64 << 20


class Survey(msgspec.Struct):
    """How many columns the rows have, and the highest class; `rows`: how many each file has; `held`: the first files,
    so that they are read once.
    """

    widths: Counter[int]
    highest: int = -1
    rows: array[int] = msgspec.field(default_factory=lambda: array("L"))
    held: dict[str, bytes] = msgspec.field(default_factory=dict[str, bytes])


def survey(paths: Sequence[str], context: Context, ledger: Ledger) -> Survey:
    """A quick count over all label files. What is wrong with a file is said when it is read for good."""

    def counted(start: int, stop: int) -> Survey:
        room = 0 if context.memory is not None else _HELD * (stop - start) // len(paths)
        return _counted(paths[start:stop], room)

    found = Survey(Counter())
    for part in looked_over(counted, len(paths), context, ledger) if paths else ():
        found.widths += part.widths
        found.rows += part.rows
        found.highest = max(found.highest, part.highest)
        found.held |= part.held
    return found


def _counted(paths: Sequence[str], room: int) -> Survey:
    found = Survey(Counter())
    for path in paths:
        try:
            data = read_bytes(path, FILE_LIMIT)
        except AnnolakeError:
            found.rows.append(0)
            continue
        if len(data) < room:
            room -= len(data)
            found.held[path] = data
        data = data.removeprefix(b"\xef\xbb\xbf")
        boxes = plain_boxes(data)
        if boxes is not None:
            found.widths[5] += len(boxes)
            found.rows.append(len(boxes))
            found.highest = max(found.highest, *[box[0] for box in boxes])
            continue
        lines = [line.split() for line in data.splitlines() if not line.translate(None, _NUMERIC)]
        rows = list(filter(None, lines))
        found.widths.update(map(len, rows))
        found.rows.append(len(rows))
        for row in rows:
            if re.fullmatch(rb"[0-9]{1,9}(\.0*)?", row[0]):
                found.highest = max(found.highest, int(row[0].partition(b".")[0]))
    return found
