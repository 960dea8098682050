"""Files of the ordinary form are read by a pattern, and as the XML parser would have them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from annolake.converters.carrying import fingerprint
from annolake.converters.format import Context
from annolake.converters.ledger import Ledger
from annolake.converters.voc import Options, reading, survey
from annolake.converters.voc import records as voc_records
from annolake.converters.voc.columns import KEPT, columns, kept
from annolake.converters.voc.ordinary import ordinary
from annolake.converters.voc.outlined import outlined
from annolake.schemas.errors import AnnolakeError

TEXTS = st.sampled_from(["car", "a b", " edge ", "ä", "traffic light", "Unspecified", "\u2028", "x" * 40])
NUMBERS = st.sampled_from(["1", "10", "20", "30.5", "40", "640", "0", "-3", "007", "12345678901234567890"])
FLAGS = st.sampled_from(["0", "1"])
SOURCES = st.sampled_from(
    [
        "<database>Unknown</database>",
        "<database>Unknown</database><annotation>Unknown</annotation><image>Unknown</image>",
        "<database>The VOC2007 Database</database>\n<annotation>x</annotation>",
        "<database>a</database><database>b</database>",
        "<database k='v'>a</database><x><y/></x>",
        "text",
        "",
    ]
)
ODD = st.sampled_from(
    (
        *("<!-- c -->", "stray", "\x0b", "\xa0", "&amp;", "]]>", "<b/>", "\n", " ", "\x7f", "<", ">", "\0", "\ufffe"),
        *("0", "-", "e1", "<score>0.5</score>", "<part><name>head</name></part>", "<annolake>{}</annolake>", " k='v'"),
        *("<name>b</name>", "<xmin>5</xmin>", "<filename>b.jpg</filename>", "<owner><name>me</name></owner>"),
        *("xmlns='urn:x'", "<?pi?>"),
    )
)
"""What is put into an ordinary file somewhere: most of it is wrong there, some is not."""


RING = "<x1>10</x1> <y1>20</y1><x2>30.5</x2><y2>20</y2>\n<x3>30.5</x3><y3>40</y3>"
POLYGONS = st.sampled_from(
    [
        *("", "", "", f"<polygon>{RING}</polygon>\n", f"<polygon>{RING}<x4>10</x4><y4>20</y4></polygon>"),
        *(f"<polygon>{RING}</polygon> <polygon>{RING}</polygon>", f"<polygon>{RING}<x4>7</x4></polygon>"),
        *(f"<polygon>{RING.replace(*odd)}</polygon>" for odd in [("x2", "x4"), ("10", "0"), ("10", "1e1"), ("y", "z")]),
        *(
            f"<polygon>{RING.replace(*odd)}</polygon>"
            for odd in [("x1", "pt"), ("</x1> ", "</x1>a"), ("</x1>", "</x2>")]
        ),
        *("<polygon/>", "<polygon></polygon>", "<polygon><x1>1</x1><y1>1</y1></polygon>", "<polygon>1</polygon>"),
        f"<polygon>{RING.replace('y3', 'y03')}</polygon>",
    ]
)
OUTLINE = fingerprint([(10, 20, 30.5, 20, 30.5, 40)])
OBJECT_NOTES = st.sampled_from(
    [
        *("", "", "", '<annolake>{"label": " car "}</annolake>', '<annolake>{"label": ""}</annolake>', "<annolake/>"),
        *(f'<annolake>{{"area": 3.5, "outline": {outline}}}</annolake>' for outline in (OUTLINE, 7)),
        *('<annolake>{"extras": {"a": [1, null]}}</annolake>', '<annolake>{"attributes": {"name": "k"}}</annolake>'),
        *('<annolake>{"area": NaN, "outline": 1}</annolake>', "<annolake>[1</annolake>", "<annolake>&lt;</annolake>"),
        "<annolake></annolake>",
    ]
)
IMAGE_NOTES = (
    *('<annolake>{"image": "b/a.jpg"}</annolake>', '<annolake>{"extras":{"coco":{"license":3}}}</annolake>\n'),
    *('<annolake>{"storageName": "x"}</annolake>', "<annolake>{</annolake>", "<annolake/>"),
)


@st.composite
def elements(draw: st.DrawFn, gap: str, *pairs: tuple[str, st.SearchStrategy[str]]) -> str:
    there = [pair for pair in pairs if draw(st.integers(0, 19)) > 0]
    return "".join(f"<{name}>{draw(texts)}</{name}>{gap}" for name, texts in there)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    gap = draw(st.sampled_from(["", "\n\t", "\r\n", " "]))
    names = st.sampled_from(["a.jpg", "a.png", "b/a.jpg", "x y", ""])
    parts = [draw(elements(gap, ("folder", TEXTS), ("filename", names), ("path", names), ("source", SOURCES)))]
    if draw(st.booleans()):
        sides = (("width", NUMBERS), ("height", NUMBERS), ("depth", st.sampled_from(["3", "1", ""])))
        parts.append(f"<size>{gap}{draw(elements(gap, *sides))}</size>{gap}")
    parts.append(draw(elements(gap, ("segmented", FLAGS))))
    for _ in range(draw(st.integers(0, 3))):
        flags = [(name, FLAGS) for name in ("truncated", "difficult", "occluded")]
        said = draw(elements(gap, ("name", TEXTS), ("pose", TEXTS), *flags))
        corners = draw(elements(gap, *((name, NUMBERS) for name in ("xmin", "ymin", "xmax", "ymax"))))
        besides = draw(POLYGONS) + draw(OBJECT_NOTES)
        parts.append(f"<object>{gap}{said}<bndbox>{gap}{corners}</bndbox>{gap}{besides}</object>{gap}")
    parts.append(draw(st.sampled_from(["", "", *IMAGE_NOTES])))
    declarations = ["", '<?xml version="1.0"?>\n', "<?xml version='1.0' encoding='utf-8'?>", "<?xml version=\"1.0' ?>"]
    attributes = draw(st.sampled_from(["", "", ' verified="yes"', ' verified="a b"']))
    text = f"{draw(st.sampled_from(declarations))}<annotation{attributes}>{gap}{''.join(parts)}</annotation>{gap}"
    for odd in draw(st.lists(ODD, max_size=2)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + odd + text[at:]
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"])))


def found(path: Path, lenient: bool) -> Any:
    """Everything that a reader says of a file, or why it refuses."""
    ledger = Ledger(complete=True, lenient=lenient)
    ledger.places = None
    try:
        opened = reading.read(path, Options(), Context(), ledger)
        records = list(opened.records(ledger))
    except AnnolakeError as error:
        return error.code, error.message, error.place
    return opened.catalog, records, ledger.seen, ledger.losses, ledger.decisions, ledger.problems


@settings(max_examples=800, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=files(), lenient=st.booleans())
def test_the_pattern_and_the_parser_agree(data: bytes, lenient: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(data)
    by_pattern = found(path, lenient)
    event("ordinary" if ordinary(data) else "outlined" if outlined(data) else "other")
    with pytest.MonkeyPatch.context() as patch:
        for module in (survey, voc_records):
            patch.setattr(module, "outlined", lambda _: None)
        patch.setattr(survey, "columns", lambda files, doubtful: columns([None] * len(files), doubtful=doubtful))
        assert found(path, lenient) == by_pattern


@settings(max_examples=300)
@given(datas=st.lists(files(), min_size=1, max_size=6), doubtful=st.booleans())
def test_many_files_at_once_say_what_each_says(datas: list[bytes], doubtful: bool) -> None:
    assert list(columns(datas, doubtful=doubtful).files()) == list(map(ordinary, datas))


OBJECT = """
\t<object>
\t\t<name>traffic light</name>
\t\t<pose>Left</pose>
\t\t<truncated>1</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>10</xmin>
\t\t\t<ymin>20</ymin>
\t\t\t<xmax>30.5</xmax>
\t\t\t<ymax>40</ymax>
\t\t</bndbox>
\t</object>"""
DEVKIT = f"""<annotation>
\t<folder>VOC2012</folder>
\t<filename>2007_000027.jpg</filename>
\t<source>
\t\t<database>The VOC2007 Database</database>
\t\t<annotation>PASCAL VOC2007</annotation>
\t\t<image>flickr</image>
\t</source>
\t<size>
\t\t<width>486</width>
\t\t<height>500</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>{OBJECT}{OBJECT}
</annotation>
"""
LABELIMG = f"""<?xml version="1.0" encoding="utf-8"?>
<annotation verified="yes">
\t<folder>images</folder><filename>a.jpg</filename><path>C:\\x\\a.jpg</path>
\t<source><database>Unknown</database></source>
\t<size><width>486</width><height>500</height><depth>1</depth></size><segmented>0</segmented>{OBJECT}
</annotation>"""


@pytest.mark.parametrize(
    "text", [DEVKIT, LABELIMG, DEVKIT.replace("\n", "\r\n"), DEVKIT.replace("<pose>Left</pose>", "")]
)
def test_usual_files_are_of_the_ordinary_form(text: str) -> None:
    plain = ordinary(text.encode())
    assert plain is not None
    assert Counter(plain.labels) == {"traffic light": text.count("<object>")}
    assert plain.corners[:4] == [10, 20, 30.5, 40]
    assert (plain.width, plain.height) == (486, 500)
    assert plain.notes.get("verified") == ("yes" if "verified" in text else None)
    said = KEPT.decode(kept(columns([text.encode(), None, text.encode()])))
    assert list(said.files()) == [plain, None, plain]
    assert list(said.files(1)) == [None, plain]


FLAT = DEVKIT.replace("Left", "Unspecified").replace("<truncated>1", "<truncated>0").replace("30.5", "30")


@pytest.mark.parametrize(
    "others",
    [
        [FLAT.replace("10", "9"), FLAT.replace("\t</object>\n\t<object>", "\t</object><object>")],
        [FLAT.replace("\n\t\t", "\n  ")],
        [FLAT.replace("<pose>Unspecified</pose>", "")],
        [FLAT.replace("<truncated>0", "<truncated>1").replace("<difficult>0</difficult>", "")],
        [FLAT.replace("Unspecified", "Left"), FLAT.replace("traffic light", "a.*b")],
        [FLAT.replace("<segmented>0", f"<segmented>0</segmented>{OBJECT}<segmented>")],
        [FLAT.replace("<image>flickr", f"<image>{OBJECT}")],
        [FLAT.replace("<image>flickr", "<image>\1")],
        [FLAT.replace(OBJECT, "")],
        ["<annotation></annotation>", "<annotation><source>", FLAT],
        [f"<annotation></annotation>\0{FLAT}", FLAT],
        [f"{FLAT}\0", "", FLAT],
        [FLAT[:400], FLAT[400:]],
    ],
)
def test_files_laid_out_in_several_ways_are_told_apart(others: list[str]) -> None:
    datas = [text.encode() for text in (FLAT, *others, FLAT)]
    assert list(columns(datas).files()) == list(map(ordinary, datas))
    assert not columns(datas[:1]).odd


@pytest.mark.parametrize(
    "odd",
    [
        "<part><name>head</name></part>",
        "<!-- comment -->",
        "<score>0.5</score>",
        "<bndbox/>",
        "&amp;",
        "]]>",
        "<attributes/>",
    ],
)
def test_anything_else_is_not(odd: str) -> None:
    assert ordinary(DEVKIT.replace("\t</object>", f"{odd}</object>").encode()) is None


def test_polygons_and_our_notes_are_of_the_outlined_form() -> None:
    polygon = f'<polygon>{RING}</polygon><annolake>{{"area": 3.5, "outline": {OUTLINE}}}</annolake>'
    text = DEVKIT.replace("\t</object>", f"\t\t{polygon}\n\t</object>", 1)
    text = text.removesuffix("</annotation>\n") + '<annolake>{"image": "b.jpg"}</annolake></annotation>\n'
    assert ordinary(text.encode()) is None
    said = outlined(text.encode())
    assert said is not None
    assert said.rings == [[10, 20, 30.5, 20, 30.5, 40], []]
    assert said.note.image == "b.jpg"
    plain = {"pose": "Left", "truncated": True}
    found = [annotation.metadata for annotation in said.annotations(0) or ()]
    assert found == [{**plain, "area": 3.5, "outline": OUTLINE}, plain]
