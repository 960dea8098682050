"""A file read by a pattern is what the XML parser makes of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annolake.converters.cvat import reading, skimming
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.schemas.errors import InvalidInput

NAMED = ("cat", "a dog", "Bär", "猫 \U0001f408")
LABELS = f"<labels>{''.join(f'<label><name>{name}</name></label>' for name in NAMED)}</labels>"
HEAD = f"<annotations>\n  <version>1.1</version>\n  <meta><task>{LABELS}</task></meta>\n"
HEADS = st.just(HEAD) | st.sampled_from(
    [
        f'<?xml version="1.0" encoding="utf-8"?>\n{HEAD}',
        HEAD,
        f"<?xml version='1.0' encoding='iso-8859-1'?>\n{HEAD}",
        HEAD.replace("cat", "Bär"),
        "<annotations>",
        f'{HEAD}<!-- <image id="0"> -->',
        f'{HEAD}<!-- <image id="0" name="a" width="1" height="1"/> ',
    ]
)
LABEL = st.sampled_from([*NAMED * 9, "bird", "", "&lt;", "\x7f", "\x85", "\xa0", "\ufffe"])
EDGES = st.integers(0, 10**5).map(lambda n: f"{n / 100:.2f}")
SAID = st.builds(
    'label="{}" source="{}" occluded="{}"'.format,
    LABEL,
    st.sampled_from(["manual", "file", "auto"]),
    st.sampled_from("0001"),
)
ENDS = st.sampled_from(
    [*["/>", ">\n    </{}>", "></{}>"] * 6, ' group_id="3"/>', "><attribute name='x'>y</attribute></{}>"]
)
BOXES = st.builds(
    '    <box {} xtl="{}" ytl="{}" xbr="{}" ybr="{}" z_order="0"'.format, SAID, EDGES, EDGES, EDGES, EDGES
).flatmap(lambda text: ENDS.map(lambda end: text + end.format("box") + "\n"))
RINGS = st.lists(st.tuples(EDGES, EDGES).map(",".join), min_size=3, max_size=5).map(";".join)
POLYGONS = st.builds('    <polygon {} points="{}" z_order="0"'.format, SAID, RINGS).flatmap(
    lambda text: ENDS.map(lambda end: text + end.format("polygon") + "\n")
)
NAMES = st.sampled_from(
    [f"{name}.jpg" for name in "abcdefghij"] + ["sub/a b.jpg", "../x.jpg", "é.jpg", "\u2028.jpg", "\ufeff.jpg"]
)
OPENINGS = st.builds(
    '  <image id="{}" name="{}"{} width="{}" height="{}"'.format,
    st.integers(0, 99),
    NAMES,
    st.sampled_from(["", "", ' subset="train"', ' subset="val"']),
    st.sampled_from([*["640"] * 9, "0", "48.5"]),
    st.just("480"),
)
IMAGES = st.builds(
    lambda opening, shapes: f"{opening}>\n{''.join(shapes)}  </image>\n" if shapes else f"{opening}/>\n",
    OPENINGS,
    st.lists(BOXES | POLYGONS, max_size=3),
)
TAILS = st.sampled_from(["</annotations>\n", "<more/></annotations>", "", "</annotations><!-- end -->"])
UNALIKE = st.lists(IMAGES, max_size=6, unique_by=lambda text: text.split('name="')[1].split('"')[0])
FILES = st.builds("{}{}{}".format, HEADS, (UNALIKE | st.lists(IMAGES, max_size=4)).map("".join), TAILS)


def read(path: Path, start: int, stop: int | None) -> Any:
    """All that comes of it: records and books, or the error."""
    books = Ledger()
    try:
        opened = reading.read_file(path, books, fill=True, frames=None)
        own = Ledger()
        records = list(opened.records(own, start, stop))
    except InvalidInput as error:
        return str(error)
    return opened.catalog, opened.images, records, own.seen, books.decisions, books.problems


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=FILES, start=st.integers(0, 4), length=st.none() | st.integers(0, 3), block=st.sampled_from([50, 300, 1 << 16])
)
def test_a_skimmed_file_is_what_the_parser_makes_of_it(text: str, start: int, length: int | None, block: int):
    stop = None if length is None else start + length
    with TemporaryDirectory() as folder, patch.object(skimming, "_BLOCK", block):
        path = Path(folder, "a.xml")
        path.write_text(text, encoding="utf-8")
        quickly = read(path, start, stop)
        with patch.object(reading, "skimmed", lambda *_: None):
            assert quickly == read(path, start, stop)


def test_what_cvat_writes_is_skimmed(tmp_path: Path):
    said = 'source="manual" occluded="0"'
    image = (
        f'  <image id="0" name="a.jpg" width="10" height="10">\n    <box label="cat" {said} xtl="1.00" ytl="2.00" '
        f'xbr="3.00" ybr="4.00" z_order="0">\n    </box>\n    <polygon label="cat" {said} points="1.00,2.00;3.00,4.00;'
        '5.00,0.50" z_order="0">\n    </polygon>\n  </image>\n'
    )
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{HEAD}{image}</annotations>\n')
    found = skimming.skimmed(path, Context())
    assert found is not None
    assert found.names == [("a.jpg", None)]


def test_one_shape_that_takes_a_closer_look_makes_no_difference(tmp_path: Path):
    shape = '<polygon label="cat" source="a" occluded="0" points="{}" z_order="0"/>'
    ring, odd = "1.00,2.00;3.00,4.00;5.00,0.50", "1.5,2;3.,4;05,6.00"
    images = [f'<image id="{n}" name="{n}.jpg" width="9" height="9">' for n in range(3)]
    text = "".join(f"{image}{shape.format(odd if n == 1 else ring)}</image>" for n, image in enumerate(images))
    path = tmp_path / "a.xml"
    path.write_text(f"{HEAD}{text}</annotations>")
    assert skimming.skimmed(path, Context()) is not None
    records = read(path, 0, None)[2]
    assert [record.image for record in records] == ["0.jpg", "1.jpg", "2.jpg"]
    assert records[1].annotations[0].xy == (1.5, 2, 3, 4, 5, 6)
