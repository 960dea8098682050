"""JSON as it is read: what is refused, with which words, and at which place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas import jsonscan, jsontext, metalake_decoding
from annolake.schemas.errors import InvalidInput, Place

SMALL = (
    '{"images":[{"image":"ä \\"b\\".png","width":6.5e2,"annotations":[{"type":"polygon","polygon":[[1,2],[3,4],[5,-6]],'
    '"label":"\\ud83d\\ude00","metadata":{"k":[true,null,"x"]}}]},\n {"image":"b","annotations":[]}],"annolake":{}}'
).encode()


def read(data: bytes) -> None:
    document = metalake_decoding.open_document(data, "f.json")
    for index, raw in enumerate(document.images):
        metalake_decoding.decode_record(raw, "f.json", index, lambda _: None)


def refusal(data: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    return caught.value


def test_the_small_file_is_read():
    read(SMALL)


@pytest.mark.parametrize("end", range(len(SMALL)))
def test_a_truncated_file_is_refused_and_nothing_else_happens(end: int):
    error = refusal(SMALL[:end])
    assert error.code in {"empty", "encoding", "not-json"}


@given(st.data())
def test_spliced_bytes_are_read_or_refused(data: st.DataObject):
    start = data.draw(st.integers(0, len(SMALL)))
    end = data.draw(st.integers(start, min(len(SMALL), start + 8)))
    spliced = SMALL[:start] + data.draw(st.binary(max_size=6)) + SMALL[end:]
    try:
        read(spliced)
    except InvalidInput as error:
        assert error.code and error.message


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"", "empty", None, None),
        (b" \r\n\t ", "empty", None, None),
        (b"\xef\xbb\xbf", "empty", None, None),
        ('{"images":[]}'.encode("utf-16"), "encoding", None, None),
        ('{"images":[]}'.encode("utf-16-le"), "encoding", None, None),
        (b'{"images":[],\n"x":"\xe4"}', "encoding", 2, 6),
        (b'{"images":[],\n "x": "\\ud800"}', "encoding", 2, 8),
        (b'{"images":[],\n "x": "\\udc00 "}', "encoding", 2, 8),
        (b'{"images":[],\n\n  "x": NaN}', "not-finite", 3, 8),
        (b'{"images":[],\n\n  "x": [1,-Infinity]}', "not-finite", 3, 11),
        (b'{"images":[\n{"image" "a"}]}', "not-json", 2, 10),
        (b"{'images':[]}", "not-json", 1, 2),
        (b'{"images":[]} // end', "not-json", 1, 15),
        (b'{"images":[],}', "not-json", 1, 14),
        (b'{"images":[01]}', "not-json", 1, 13),
        (b'{"images":[{"image":"a"', "not-json", 1, 24),
        (b"\x89PNG\r\n\x1a\n", "encoding", 1, 1),
    ],
)
def test_place_of_what_is_not_json(data: bytes, code: str, line: int | None, column: int | None):
    error = refusal(data)
    assert (error.code, error.place.line, error.place.column) == (code, line, column)
    assert error.place.file == "f.json"
    assert error.hint


@pytest.mark.parametrize("depth", [300, 900, 1100, 100_000])
@pytest.mark.parametrize("where", ['"images":[],"x":', '"images":[{"image":"a","annotations":[],"x":'])
def test_deep_nesting_is_read_or_refused(depth: int, where: str):
    closing = "}]}" if "image:" in where.replace('"', "") else "}"
    data = ("{" + where + "[" * depth + "]" * depth + closing).encode()
    try:
        read(data)
    except InvalidInput as error:
        assert error.code == "too-deep"
    else:
        assert depth < 1100


def test_numbers_too_long_do_not_stop_the_reader():
    long = b"1" * 5000
    assert refusal(b'{"images":[' + long + b"]}").code in {"wrong-type", "not-finite"}
    assert refusal(b'{"images":[{"image":"a","annotations":[],"width":' + long + b"}]}").code == "not-finite"
    assert refusal(b'{"images":[],"x":' + long + b"}").code == "not-finite"
    assert refusal(b'{"images":[],"x":[' + long + b', "open]}').code == "not-json"


def test_doubled_keys_of_the_root():
    error = refusal(b'{"images":[],"images":[]}')
    assert (error.code, error.place.pointer) == ("duplicate-key", "/images")


def test_a_doubled_key_that_is_written_in_two_ways():
    assert refusal(b'{"images":[],"\\u0069mages":[]}').code == "duplicate-key"


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("", 1, 1),
        ("/images", 2, 11),
        ("/images/1", 4, 3),
        ("/images/1/annotations", 4, 33),
        ("/a~1b/0", 5, 9),
        ("/images/1/not there", 4, 3),
    ],
)
def test_lines_and_columns_of_pointers(pointer: str, line: int, column: int):
    data = b'{\n"images": [\n  {"image": "images"},\n  {"image": "b", "annotations": []}],\n"a/b": [1]}'
    place = jsontext.locate(data, Place(file="f.json", pointer=pointer))
    assert (place.line, place.column) == (line, column)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from([None, 0, 2]),
)
def test_a_scan_finds_every_value_where_it_stands(value: object, indent: int | None):
    data = json.dumps(value, indent=indent).encode()
    scan = jsonscan.scan(data)
    assert scan.doubled == []
    decoder = json.JSONDecoder()
    for steps, offset in scan.offsets.items():
        found = value
        for step in steps:
            found = found[step]  # type: ignore[index]
        assert decoder.raw_decode(data.decode(), offset)[0] == found
    assert () in scan.offsets


@given(st.lists(st.integers(0, 12), max_size=8))
def test_lines_and_columns_of_offsets_in_any_order(offsets: list[int]):
    data = b"ab\n\n{x\n\ny}\n"
    expected = {0: (1, 1), 1: (1, 2), 2: (1, 3), 3: (2, 1), 4: (3, 1), 5: (3, 2), 6: (3, 3), 7: (4, 1), 8: (5, 1)}
    expected |= {9: (5, 2), 10: (5, 3), 11: (6, 1), 12: (6, 2)}
    lines = jsonscan.Lines(data, "f.json")
    found = [lines.place(offset) for offset in offsets]
    assert [(place.line, place.column) for place in found] == [expected[offset] for offset in offsets]


def test_a_scan_finds_doubled_keys_and_bare_words():
    data = b'{"a":[{"b":1,"b":2}],\n"a":{"NaN":"NaN"}}'
    assert jsonscan.scan(data).doubled == [(("a", 0, "b"), 13), (("a",), 22)]
    clean, words = jsonscan.without_words(b'{"NaN":[NaN, -Infinity,"\\"NaN"]}')
    assert words == [("NaN", 8), ("-Infinity", 13)]
    assert json.loads(clean) == {"NaN": [0, 0, '"NaN']}
