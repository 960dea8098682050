"""Every structural mistake in one pass, with its code and its place."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas.problems import Problem
from annolake.schemas.structure import Kind, problems


def file_of(*items: str) -> bytes:
    return ('{"images":[{"image":"a.png","annotations":[\n' + ",\n".join(items) + "]}]}").encode()


def found(data: bytes, kind: Kind = "annotations") -> list[Problem]:
    return problems(data, "f.json", kind)


def codes(data: bytes, kind: Kind = "annotations") -> list[tuple[str, str | None]]:
    return [(problem.code, problem.place.pointer) for problem in found(data, kind)]


GOOD = '{"type":"rectangle","bbox":[1,2,3,4],"label":"x"}'
AT = "/images/0/annotations/0"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (GOOD, []),
        ('{"type":"Rectangle","bbox":[1,2,3,4],"label":"x"}', [("unknown-type", AT + "/type")]),
        ('{"type":"circle","bbox":3,"label":"x"}', [("unknown-type", AT + "/type")]),
        ('{"type":7,"label":"x"}', [("unknown-type", AT + "/type")]),
        ('{"bbox":[1,2,3,4],"label":"x"}', [("missing-key", AT)]),
        ('{"type":"rectangle","bbox":[1,2,3],"label":"x"}', [("bbox-length", AT + "/bbox")]),
        ('{"type":"rectangle","bbox":[1,2,3,4,5],"label":"x"}', [("bbox-length", AT + "/bbox")]),
        ('{"type":"rectangle","bbox":"1,2,3,4","label":"x"}', [("wrong-type", AT + "/bbox")]),
        ('{"type":"rectangle","bbox":[1,2,true,"4"],"label":"x"}', [("wrong-type", AT + f"/bbox/{i}") for i in (2, 3)]),
        ('{"type":"rectangle","bbox":[1,2,3,1e400],"label":"x"}', [("not-finite", AT + "/bbox/3")]),
        (
            '{"type":"rectangle","bbox":[1,2,NaN,-Infinity],"label":"x"}',
            [("not-finite", AT + f"/bbox/{i}") for i in (2, 3)],
        ),
        ('{"type":"rectangle","polygon":[[1,2]],"label":"x"}', [("missing-key", AT)]),
        ('{"type":"polygon","polygon":"oops","label":"x"}', [("wrong-type", AT + "/polygon")]),
        (
            '{"type":"polygon","polygon":[1,2,3,4],"label":"x"}',
            [("wrong-type", AT + f"/polygon/{i}") for i in range(4)],
        ),
        ('{"type":"polygon","polygon":[[1,2],[3]],"label":"x"}', [("point-length", AT + "/polygon/1")]),
        ('{"type":"points","points":[],"label":"x"}', [("too-few-points", AT + "/points")]),
        ('{"type":"points","points":[[1,2]],"label":""}', [("empty-label", AT + "/label")]),
        ('{"type":"points","points":[[1,2]],"label":5}', [("wrong-type", AT + "/label")]),
        ('{"type":"points","points":[[1,2]]}', [("missing-key", AT)]),
        ('{"type":"points","points":[[1,2]],"label":"x","confidence":53}', [("confidence-range", AT + "/confidence")]),
        ('{"type":"points","points":[[1,2]],"label":"x","confidence":null}', [("wrong-type", AT + "/confidence")]),
        ('{"type":"points","points":[[1,2]],"label":"x","metadata":[]}', [("wrong-type", AT + "/metadata")]),
        (
            '{"type":"points","points":[[1,2]],"label":"x","attributes":{"c":"red"}}',
            [("wrong-type", AT + "/attributes/c")],
        ),
        (
            '{"type":"points","points":[[1,2]],"label":"x","attributes":{"a.b":[{"value":1},{}]}}',
            [("wrong-type", AT + "/attributes/a.b/0/value"), ("missing-key", AT + "/attributes/a.b/1")],
        ),
        ("null", [("wrong-type", AT)]),
        ('{"type":"points","points":[[1,2]],"label":"x","label":"y"}', [("duplicate-key", AT + "/label")]),
        ('{"type":"line","polygon":[[1,2],[3,4]],"label":"x"}', [("old-line-form", AT)]),
        (
            '{"type":"line","polygon":[[1,2],[3]],"label":"x"}',
            [("old-line-form", AT), ("point-length", AT + "/line/1")],
        ),
    ],
)
def test_mistakes_of_an_annotation(item: str, expected: list[tuple[str, str]]):
    assert codes(file_of(item)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"images":[]}', []),
        (b'\xef\xbb\xbf{"images":[],"more":{"x":[null]}}', []),
        (b"{}", [("missing-key", "")]),
        (b"[]", [("wrong-type", "")]),
        (b"7", [("wrong-type", "")]),
        (b"", [("empty", None)]),
        (b'{"images":{}}', [("wrong-type", "/images")]),
        (b'{"images":[3]}', [("wrong-type", "/images/0")]),
        (b'{"images":[{"image":"a"}]}', [("missing-key", "/images/0")]),
        (b'{"images":[{"image":"","annotations":[]}]}', [("empty-name", "/images/0/image")]),
        (b'{"images":[{"annotations":[]}]}', [("missing-key", "/images/0")]),
        (b'{"images":[{"image":"a","annotations":[],"width":"640"}]}', [("wrong-type", "/images/0/width")]),
        (b'{"images":[{"image":"a","annotations":[],"id":1.5}]}', [("wrong-type", "/images/0/id")]),
        (b'{"images":[{"image":"a","annotations":[],"tags":[{}]}]}', [("missing-key", "/images/0/tags/0")]),
        (b'{"images":[],"annolake":{"coordinates":"pixel"}}', [("unknown-value", "/annolake/coordinates")]),
        (b'{"images":[],"annolake":{"labels":[{"id":1}]}}', [("missing-key", "/annolake/labels/0")]),
        (b'{"images":[],"images":[3]}', [("duplicate-key", "/images"), ("wrong-type", "/images/0")]),
        (b'{"images":[],"x":[1e999]}', [("not-finite", "/x/0")]),
        (b'{"images":[],"x":{"k":1,"k":NaN}}', [("duplicate-key", "/x/k"), ("not-finite", "/x/k")]),
    ],
)
def test_mistakes_of_a_file(data: bytes, expected: list[tuple[str, str | None]]):
    assert codes(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"files":[{"file":"a","metadata":{"Camera":7,"Tags":["night"]}},{"file":"b","seen":true}]}', []),
        (b"{}", [("missing-key", "")]),
        (b'{"files":[{"metadata":{}}]}', [("missing-key", "/files/0")]),
        (b'{"files":[{"file":""}]}', [("empty-name", "/files/0/file")]),
        (b'{"files":[{"file":"a","metadata":{"Tags":"night"}}]}', [("wrong-type", "/files/0/metadata/Tags")]),
        (b'{"files":[{"file":"a","metadata":{"Tags":["x",1]}}]}', [("wrong-type", "/files/0/metadata/Tags/1")]),
        (b'{"files":[{"file":"a","metadata":null}]}', [("wrong-type", "/files/0/metadata")]),
        (
            b'{"files":[{"file":"a","metadata":{"k":NaN,"k":1}}]}',
            [("not-finite", "/files/0/metadata/k"), ("duplicate-key", "/files/0/metadata/k")],
        ),
    ],
)
def test_mistakes_of_a_metadata_file(data: bytes, expected: list[tuple[str, str]]):
    assert codes(data, "metadata") == expected


def test_everything_in_one_pass_with_its_place():
    data = file_of(
        '{"type":"rectangle","bbox":[1,2,3],"label":"x"}',
        GOOD,
        '{"type":"polygone","polygon":[[1,2]],"label":""}',
        '{"type":"line","line":[[0,NaN]],"label":"x"}',
    )
    lines = [
        (problem.code, problem.place.line, problem.place.column, problem.place.image, problem.place.annotation)
        for problem in found(data)
    ]
    assert lines == [
        ("bbox-length", 2, 28, "a.png", 1),
        ("unknown-type", 4, 9, "a.png", 3),
        ("empty-label", 4, 46, "a.png", 3),
        ("not-finite", 5, 27, "a.png", 4),
    ]


def test_unknown_type_names_the_four_words_and_the_near_one():
    (problem,) = found(file_of('{"type":"Rectangle","bbox":[1,2,3,4],"label":"x"}'))
    assert "rectangle, polygon, line, points" in problem.message
    assert problem.fix == "did you mean rectangle?"


def test_sentences_do_not_quote_whole_subtrees():
    ring = "[" + "[1,2,3]," * 500 + "[1,2]]"
    data = file_of('{"type":"polygon","polygon":' + ring + ',"label":{"a":"' + "b" * 5000 + '"}}')
    reported = found(data)
    assert len(reported) == 501
    assert max(len(problem.message) for problem in reported) < 120


def test_mistakes_behind_a_bare_nan_are_found_too():
    first = b'{"image":"a","width":NaN,"annotations":[{"type":"x","label":"y"}]}'
    data = b'{"images":[' + first + b',\n {"image":2,"annotations":[]}]}'
    assert [problem.code for problem in found(data)] == ["not-finite", "unknown-type", "wrong-type"]


def test_a_file_that_is_cut_short_has_one_problem_at_its_end():
    data = file_of(GOOD)[:-3]
    (problem,) = found(data)
    assert (problem.code, problem.place.line, problem.place.column) == ("not-json", 2, len(GOOD + "]") + 1)


def test_the_word_nan_in_a_text_is_a_text():
    assert found(file_of(GOOD.replace('"x"', '"NaN, \\"Infinity"'))) == []


@given(st.binary(max_size=40), st.sampled_from(["annotations", "metadata"]))
def test_any_bytes_are_judged_without_a_fall(data: bytes, kind: Kind):
    assert problems(data, "f", kind)


SPLICED = file_of(GOOD, '{"type":"line","polygon":[[1,2],[3,4]],"label":"y","metadata":{"a":[1,{"b":null}]}}')
TOKENS = [
    *(bytes([byte]) for byte in b'{}[],:"'),
    b"NaN",
    b"-Infinity",
    b"1e999",
    b'"a":',
    b"\\",
    b"null",
    b"\xff",
    b"",
]


@given(st.integers(0, len(SPLICED)), st.integers(0, 6), st.lists(st.sampled_from(TOKENS), max_size=3))
def test_spliced_files_are_judged_without_a_fall(start: int, cut: int, tokens: list[bytes]):
    for problem in found(SPLICED[:start] + b"".join(tokens) + SPLICED[start + cut :]):
        assert problem.code and problem.place.file == "f.json"


@pytest.mark.parametrize("depth", [200, 700, 950, 3000])
def test_deep_nesting_is_judged_without_a_fall(depth: int):
    deep = "[" * depth + "]" * depth
    data = file_of(GOOD[:-1] + ',"metadata":{"k":' + deep + '},"confidence":"1"}')
    assert {problem.code for problem in found(data)} & {"wrong-type", "too-deep"}


def test_jsonschema_is_loaded_only_when_something_is_wrong():
    program = (
        "import sys\n"
        "from annolake.schemas.structure import problems\n"
        "problems(b'{\"images\":[]}', 'a', 'annotations')\n"
        "print('jsonschema' in sys.modules)\n"
        "problems(b'{\"images\":3}', 'a', 'annotations')\n"
        "print('jsonschema' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
