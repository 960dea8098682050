"""The short way through ordinary shapes leads where the long one does."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from annolake.converters.cvat.numbers import Unreadable, numbers, usual
from annolake.converters.cvat.ordinary import ordinary
from annolake.converters.cvat.shapes import read_shape, to_hub

NUMBERS = st.one_of(
    st.integers(-(10**4), 10**6).map(lambda n: f"{n / 100:.2f}"),
    st.sampled_from(
        ["0", "-0.00", "007.50", "5", "1e3", "nan", ".5", "1.", " 2.00", "9" * 20, "1" * 70, "٣", "", "1_0"]
    ),
    st.floats(allow_nan=False).map(repr),
)
POINTS = st.one_of(
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=6).map(lambda pairs: ";".join(map(",".join, pairs))),
    st.text("0123456789.,;-[] ", max_size=20),
)
OTHERS = {
    "label": st.sampled_from(["cat", "a b", ""]),
    "source": st.sampled_from(["manual", "file", "auto"]),
    "occluded": st.sampled_from(["0", "1", "true", "2"]),
    "z_order": st.sampled_from(["0", "1", "00", "x"]),
}
MARKS = st.sampled_from(
    ["{}", "{", '{"stated":{"area":1.5,"other":2}}', '{"stated":{"area":1},"lone":true}', '{"stated":{},"odd":1}']
)
BESIDE = {"group_id": st.just("3"), "rotation": st.just("12.00"), "annolake": MARKS, "score": st.just("0.5")}
SHAPES = st.one_of(
    st.tuples(st.just("polygon"), st.fixed_dictionaries({"points": POINTS, **OTHERS}, optional=BESIDE)),
    st.tuples(
        st.just("box"),
        st.fixed_dictionaries(
            {"xtl": NUMBERS, "ytl": NUMBERS, "xbr": NUMBERS, "ybr": NUMBERS, **OTHERS}, optional=BESIDE
        ),
    ),
)


@given(shape=SHAPES, child=st.sampled_from([None, None, None, "attribute", "odd"]))
@example(
    shape=(
        "polygon",
        {"points": "1.5,2;3,4.25;-5,6", "label": "cat", "source": "file", "occluded": "0", "z_order": "0"},
    ),
    child=None,
)
def test_an_ordinary_shape_is_what_a_closer_look_makes_of_it(shape: tuple[str, dict[str, str]], child: str | None):
    element = etree.Element(shape[0], shape[1])
    if child is not None:
        etree.SubElement(element, child, name="a").text = "b"
    quickly = ordinary(element)
    if quickly is not None:
        found, codes = to_hub(read_shape(element, (10, 10)), 1, None)
        assert [quickly] == found
        assert repr(quickly) == repr(found[0]), "the sign of a zero, and whether a number is whole"
        assert codes == []


def test_what_cvat_writes_is_ordinary():
    said = 'label="cat" source="manual" occluded="1"'
    assert (
        ordinary(etree.fromstring(f'<polygon {said} points="1.00,2.00;3.00,4.50;5.25,6.00" z_order="0"/>')) is not None
    )
    assert (
        ordinary(etree.fromstring(f'<box {said} xtl="1.00" ytl="2.10" xbr="3.00" ybr="4.00" z_order="0"/>')) is not None
    )


@given(text=POINTS)
def test_points_in_usual_spelling_are_what_they_are_one_by_one(text: str):
    quickly = usual(text)
    if quickly is not None:
        assert repr(quickly) == repr(tuple(float(one) for pair in text.split(";") for one in pair.split(",")))
    else:
        try:
            numbers(text, "points")
        except Unreadable as error:
            assert error.code == "bad-number"
