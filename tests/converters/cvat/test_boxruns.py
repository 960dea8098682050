"""Boxes read into columns are the boxes read one by one; wherever a file is cut, and whatever is odd in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import blocks
from annolake.converters.blocks import Block
from annolake.converters.cvat import reading, skimming
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.memory import Memory
from annolake.schemas.model import Record

LABELS = ("cat", "a dog", "x")
HEAD = "".join(f"<label><name>{name}</name></label>" for name in LABELS)
HEAD = f"<annotations>\n  <meta><task><labels>{HEAD}</labels></task></meta>\n"
BOX = '    <box label="{}" source="{}" occluded="{}" xtl="{}" ytl="{}" xbr="{}" ybr="{}" z_order="0"{}\n'
RING = '    <polygon label="cat" source="file" occluded="0" points="{}" z_order="0"/>\n'
ODD = [
    BOX.format("cat", "manual", 1, "1.00", "2.00", "3.00", "4.00", "/>"),
    BOX.format("cat", "auto", 0, "1.00", "2.00", "3.00", "4.00", "/>"),
    BOX.format("cat", "manual", 0, "01.00", "2.00", "3.00", "4.00", "/>"),
    RING.format("1.00,2.00;3.00,4.00;5.00,0.50"),
]
CLOSE = RING.format("1.5,2;3.,4;05,6.00")
"""Read by the XML parser, and so is all that follows."""


def text(seed: int, odd: float, extra: str = "", images: int = 40) -> str:
    dice = random.Random(seed)
    out = HEAD
    for number in range(images):
        subset = dice.choice(("", "", ' subset="train"'))
        shapes: list[str] = []
        for _ in range(dice.choice((0, 1, 2, 5))):
            x, y = dice.randrange(10**5), dice.randrange(10**4)
            edges = [f"{n / 100:.2f}" for n in (x, y, x + dice.randrange(-5, 9999), y + dice.randrange(9999))]
            end = dice.choice(("/>", ">\n    </box>"))
            shapes.append(BOX.format(dice.choice(LABELS), "manual", 0, *edges, end))
        if dice.random() < odd:
            shapes.insert(0, dice.choice(ODD))
        if extra and number == images // 2:
            shapes.append(extra)
        leading = "0" if dice.random() < odd else ""
        head = f'  <image id="{leading}{number + 3}" name="a {number}.jpg"{subset} width="640" height="480"'
        out += f"{head}>\n{''.join(shapes)}  </image>\n" if shapes else f"{head}/>\n"
    return f"{out}</annotations>\n"


def opened(path: Path, context: Context | None = None) -> Any:
    return reading.read_file(path, Ledger(), fill=True, frames=None, context=context)


def one_by_one(items: Iterator[Record | Block]) -> list[Record]:
    return [one for item in items for one in (item.expanded(Ledger()) if isinstance(item, Block) else [item])]


def facts(record: Record) -> Any:
    return record.image, list(record.annotations), record.width, record.height, record.split, record.extras


@pytest.mark.parametrize("block", [100, 1 << 10, 1 << 18])
@pytest.mark.parametrize("kept", [0, 1 << 10, 1 << 20])
@pytest.mark.parametrize(("odd", "extra"), [(0, ""), (0.05, ""), (0.4, ""), (0.05, CLOSE), (0.02, "<!-- a -->")])
def test_blocks_say_what_records_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, kept: int, odd: float, extra: str
) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text(7, odd, extra))
    monkeypatch.setattr(skimming, "_BLOCK", block)
    monkeypatch.setattr(skimming, "_KEPT", kept)
    monkeypatch.setattr(blocks, "IMAGES", 7)
    source = opened(path)
    assert (source.blocks_for is None) == extra.startswith("<!")
    for start, stop in [(0, None), (0, 5), (3, 17), (18, 33), (39, None), (40, None), (12, 12), (5, 99)]:
        books, others = Ledger(), Ledger()
        records = [facts(record) for record in source.records(books, start, stop)]
        if source.blocks_for is not None:
            found = one_by_one(source.blocks_for(None)(others, start, stop))
            assert [facts(record) for record in found] == records
            assert (others.seen, others.file) == (books.seen, books.file)
    if odd == 0 and block > 100:
        assert source.blocks_for is not None
        assert all(isinstance(item, Block) for item in source.blocks_for(None)(Ledger()))


def test_columns_are_not_kept_where_memory_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text(7, 0))
    for memory, kept in [(None, True), (Memory(limit=10**9, window=10**6, room=10**6, largest=10**6), False)]:
        found = skimming.skimmed(path, Context(memory=memory))
        assert found is not None
        assert any(stretch.run for stretch in found.stretches) == kept


@pytest.mark.parametrize("tail", ["", "<more/>", "</annotations>", '<image id="0" name="b" width="1" height="1"/>'])
def test_a_file_is_looked_over_in_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text(3, 0.1, images=5) + tail)
    whole = skimming.skimmed(path, Context())
    assert (whole is None) == bool(tail)
    monkeypatch.setattr(skimming, "_UNIT", 7)
    monkeypatch.setattr(skimming, "_BLOCK", 50)

    for share in range(1, path.stat().st_size // 7 + 1, 3):

        def in_two(look: Callable[[int, int], Any], units: int, *_: Any, share: int = share, **__: Any) -> list[Any]:
            return [look(0, share), look(share, units)]

        monkeypatch.setattr(skimming, "looked_over", in_two)
        found = skimming.skimmed(path, Context())
        if whole is None:
            assert found is None
        else:
            assert found is not None
            assert (found.names, set(found.labels)) == (whole.names, set(whole.labels))
            data = path.read_bytes()
            for stretch in found.stretches:
                assert data[stretch.offset :].startswith(b"<image ")
                assert data.count(b"<image ", 0, stretch.offset) == stretch.number
