"""Runs of images of nothing but boxes, read by a pattern into columns: the labels of all boxes, and all their edges."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from itertools import chain, compress, repeat

import msgspec

Named = tuple[str, str | None]
"""Name and subset of an image."""

TEXT = r"[ !#-%'-;=?-~\xa0-\ufffd\U00010000-\U0010ffff]"
"""What means itself in an attribute."""
GAP = r"[ \t\r\n]*"
OPENING = "<image "

_BOX_IN_PLACE = "\0"
"""Stands for a box where all of them are taken out."""
_EDGE = r"((?:0|[1-9][0-9]{0,8})\.[0-9]{2})"
_BOX = re.compile(
    rf'<box label="({TEXT}+)" source="({TEXT}*)" occluded="0" xtl="{_EDGE}" ytl="{_EDGE}" xbr="{_EDGE}" ybr="{_EDGE}" '
    rf'z_order="0"{GAP}(?:/>|>{GAP}</box>)'
)
_STEP = 1 + _BOX.groups
_ID, _SIDE = (f"(0|[1-9][0-9]{{0,{more}}})" for more in (17, 8))
_IMAGE = re.compile(
    rf'id="{_ID}" name="({TEXT}+)"(?: subset="({TEXT}+)")? width="{_SIDE}" height="{_SIDE}"{GAP}'
    rf"(?:/>|>[ \t\r\n{_BOX_IN_PLACE}]*</image>){GAP}"
)
_NO_HEAD = ("0", "", None, "0", "0")
_SHARE = 16
"""Where more than one image in so many is something else, a run is none."""
_floats = msgspec.json.Decoder(list[float]).decode


class Run(msgspec.Struct):
    """Images in order: `sides` has the width and the height of each, `counts` how many boxes it has. `source`: what
    made them all. Of each box: its label's number among the `labels`, and its edges, first all that are left, then all
    at the top, to the right, and at the bottom. `odd`: the texts of images that are something else, and have none here.
    """

    ids: array[int]
    sides: array[int]
    counts: array[int]
    source: str
    labels: list[str]
    codes: array[int]
    edges: array[float]
    odd: dict[int, str]

    @property
    def size(self) -> int:
        """Bytes that it holds, about."""
        return 8 * (4 * len(self.ids) + len(self.edges)) + 4 * len(self.codes) + sum(map(len, self.odd.values()))


def run_of(text: str) -> tuple[Run, list[Named | None]] | None:
    """The images of a text that begins with one and ends behind one, and how they are called, None for the odd; None
    where most are odd.
    """
    if "<polygon" in text or _BOX_IN_PLACE in text:
        return None
    pieces = _BOX.split(text)
    texts = _BOX_IN_PLACE.join(pieces[::_STEP]).split(OPENING)[1:]
    found = list(map(_IMAGE.fullmatch, texts))
    counts = [one.count(_BOX_IN_PLACE) for one in texts]
    columns = [pieces[place::_STEP] for place in range(1, _STEP)]
    source = ""
    made_by = Counter(columns[1])
    if made_by:
        [(source, _)] = made_by.most_common(1)
    if len(made_by) > 1:
        owners = list(chain.from_iterable(map(repeat, range(len(texts)), counts)))
        for owner in compress(owners, [one != source for one in columns[1]]):
            found[owner] = None
    if odd := {place for place, one in enumerate(found) if one is None}:
        if _SHARE * len(odd) > len(texts):
            return None
        stays = list(chain.from_iterable(repeat(n not in odd, count) for n, count in enumerate(counts)))
        columns = [list(compress(column, stays)) for column in columns]
        counts = [0 if place in odd else count for place, count in enumerate(counts)]
    heads = [_NO_HEAD if one is None else one.groups() for one in found]
    labels = list(dict.fromkeys(columns[0]))
    codes = {label: code for code, label in enumerate(labels)}
    whole = text.split(OPENING)[1:] if odd else []
    run = Run(
        ids=array("q", [int(head[0]) for head in heads]),
        sides=array("q", [int(side) for head in heads for side in head[3:]]),
        counts=array("q", counts),
        source=source,
        labels=labels,
        codes=array("I", map(codes.__getitem__, columns[0])),
        edges=array("d", _floats(f"[{','.join(chain.from_iterable(columns[2:]))}]")),
        odd={place: OPENING + whole[place] for place in sorted(odd)},
    )
    return run, [None if place in odd else (head[1], head[2]) for place, head in enumerate(heads)]
