"""Files made up of whatever VOC files hold: by way of a MetaLake file every element comes home, number by number, as
an independent reader sees it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annolake.converters import convert
from annolake.converters.comparing import compare
from annolake.converters.voc import Options

from .independent import OF_OBJECT, added, lost

Convention = Literal["devkit", "edges"]


def number(low: int, high: int) -> st.SearchStrategy[str]:
    """Whole, with a few decimals, with as many as make sense, with an exponent."""
    whole = st.integers(low, high)
    return st.one_of(
        whole.map(str),
        whole.map(lambda n: f"{n}.0"),
        st.tuples(whole, st.integers(0, 999)).map(lambda n: f"{n[0]}.{n[1]:03}"),
        st.floats(low, high).map(lambda n: repr(round(n, 12))),
        whole.map(lambda n: f"{n}e0"),
    )


def element(name: str, *inner: str) -> str:
    return f"<{name}>{''.join(inner)}</{name}>"


TEXT = st.sampled_from(("car", "Fußgänger", "a & b", " x ", "<tag>", "0", "'\"", "車"))
CORNERS = ("xmin", "ymin", "xmax", "ymax")
BOX = st.tuples(number(0, 50), number(0, 50), number(60, 99), number(60, 79)).map(
    lambda n: element(
        "bndbox", *(element(name, text) for name, text in zip(("xmin", "ymin", "xmax", "ymax"), n, strict=True))
    )
)
RING = st.lists(
    st.tuples(number(0, 99), number(0, 79)),
    min_size=3,
    max_size=6,
    unique_by=(lambda p: float(p[0]), lambda p: float(p[1])),
).map(
    lambda points: element(
        "polygon", *(element(f"x{n}", x) + element(f"y{n}", y) for n, (x, y) in enumerate(points, 1))
    )
)
ROTATED = st.tuples(number(0, 99), number(0, 79), number(1, 50), number(1, 50), st.floats(0, 6.3).map(repr)).map(
    lambda n: element("robndbox", *map(element, ("cx", "cy", "w", "h", "angle"), n))
)
FLAG = st.sampled_from(("0", "1", "true", "Unspecified", "-1", ""))
EXTRAS = st.sampled_from(
    (
        "<deleted>0</deleted>",
        "<actions><jumping>0</jumping><reading>1</reading></actions>",
        "<point><x>5</x><y>6.5</y></point>",
        '<segm kind="a">no</segm>',
        "<id>1</id><id>2</id>",
        "<score>0.25</score>",
        "<confidence>0.75</confidence>",
        "<score>87</score>",
        "<attributes><attribute><name>age</name><value>12</value></attribute></attributes>",
        "<attributes><attribute><name>a</name><value/></attribute><other>b</other></attributes>",
        "<mask/>",
    )
)


NAMES = st.sampled_from(("<name>", "<name>", "<name lang='de'>", "<name lang='&lt;' kind='1'>"))
PARTS = st.sampled_from(("<part>", "<part nr='2'>"))
ATTRIBUTE = st.sampled_from(("nr='7'", "unit='px'", "note='a &amp; b'"))


def with_attributes(draw: st.DrawFn, text: str) -> str:
    """Seldom with an attribute on the outermost element, or on the first below it."""
    for at in (0, 1):
        if draw(st.integers(0, 4)) == 4:
            tags = [found.end() for found in re.finditer(r"<[a-z]\w*", text)]
            if at < len(tags):
                text = f"{text[: tags[at]]} {draw(ATTRIBUTE)}{text[tags[at] :]}"
    return text


@st.composite
def objects(draw: st.DrawFn, *, part: bool = False) -> str:
    inner = [element("name", escape(draw(TEXT))).replace("<name>", draw(NAMES))]
    shape = draw(st.sampled_from(("box", "polygon", "rotated", "both")))
    inner += [with_attributes(draw, draw(BOX))] if shape == "box" else []
    inner += [with_attributes(draw, draw(RING))] if shape in ("polygon", "both") else []
    inner += [with_attributes(draw, draw(ROTATED))] if shape == "rotated" else []
    inner += [draw(BOX)] if shape == "both" else []
    if draw(st.booleans()):
        pose = element("pose", draw(st.sampled_from(("Unspecified", "Left", ""))))
        inner.append(with_attributes(draw, pose))
    inner += [
        with_attributes(draw, element(name, draw(FLAG)))
        for name in ("truncated", "difficult", "occluded")
        if draw(st.booleans())
    ]
    inner += draw(st.lists(EXTRAS, max_size=2, unique_by=lambda text: text[1:5]))
    if not part:
        inner += [element("part", draw(objects(part=True))).replace("<part>", draw(PARTS))] * draw(st.integers(0, 2))
    return "".join(draw(st.permutations(inner)))


IMAGE = st.sampled_from(
    (
        "<folder>VOC2012</folder>",
        "<folder/>",
        "<path>/x/a.jpg</path>",
        "<source><database>x</database><image>y</image></source>",
        "<owner><name>?</name></owner>",
        "<segmented>1</segmented>",
        "<size><width>100</width><height>80</height><depth>3</depth></size>",
        "<size><width>100.0</width><height>80</height><depth/></size>",
        "<size><width>0</width><height>0</height><depth>1</depth></size>",
        "<size unit='px'><width unit='px'>100</width><height>80</height></size>",
        "<weather><wind unit='km/h'>5</wind></weather>",
    )
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    found=st.lists(objects(), max_size=3),
    image=st.lists(IMAGE, max_size=4, unique_by=lambda text: text[1:5]),
    convention=st.sampled_from(("devkit", "edges")),
)
def test_by_way_of_a_metalake_file(
    tmp_path_factory: pytest.TempPathFactory, found: list[str], image: list[str], convention: Convention
) -> None:
    folder = tmp_path_factory.mktemp("set")
    source = folder / "in" / "Annotations" / "a.xml"
    source.parent.mkdir(parents=True)
    filename = "<filename>a.jpg</filename>"
    objects = [element("object", one).replace("<object>", "<object id='1'>") for one in found]
    content = element("annotation", filename, *image, *objects)
    source.write_text(content, encoding="utf-8")
    options = {"voc": Options(convention=convention)}
    convert(folder / "in", folder / "lake.json", to="metalake", options=options)
    convert(folder / "lake.json", folder / "back", to="voc")
    back = folder / "back" / "Annotations" / "a.xml"
    assert lost(source, back) == {}, back.read_text()
    assert surplus(source, back) == set(), back.read_text()
    assert compare(folder / "in", folder / "back", options_a=options["voc"], exact=True).equal


def surplus(source: Path, back: Path) -> set[str]:
    """Elements that the source has not, and that are neither usual nor the box beside an outline."""
    keys = {key for key, _ in added(source, back)}
    usual = {key for key, _ in OF_OBJECT} | {"object/occluded", "size/depth"}
    return {key for key in keys if key not in usual and "bndbox/" not in key}
