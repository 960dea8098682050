"""Label files that hold boxes and nothing odd, as programs write them: most are such, and are read at once."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ..text import LINE_LIMIT

HIGHEST = 1.01
"""No number of a box is above it, in Ultralytics' own reader."""

_PLAIN = b"0123456789-.eE \n"
_Class = Annotated[int, Meta(ge=0)]
_Centre = Annotated[float, Meta(ge=0, le=HIGHEST)]
_Side = Annotated[float, Meta(gt=0, le=HIGHEST)]
_BOXES = msgspec.json.Decoder(list[tuple[_Class, _Centre, _Centre, _Side, _Side]])


def plain_boxes(data: bytes) -> list[tuple[int, float, float, float, float]] | None:
    """Class, centre and size of each row of a label file, where all are boxes as programs write them: read as the JSON
    that they nearly are. None where anything is odd: blanks, numbers out of range, a row that stands there twice.
    """
    data = data.replace(b"\r\n", b"\n").rstrip(b"\n")
    rows = data.split(b"\n")
    if data.translate(None, _PLAIN) or len(data) > LINE_LIMIT or len(set(rows)) < len(rows):
        return None
    try:
        return _BOXES.decode(b"[[" + b"],[".join(rows).replace(b" ", b",") + b"]]")
    except msgspec.MsgspecError:
        return None
