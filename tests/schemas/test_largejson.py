"""A text looked at in small pieces is the text that a decoder sees as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annolake.schemas import jsontext
from annolake.schemas.errors import AnnolakeError, InvalidInput, UsageError
from annolake.schemas.largejson import LargeJson, Member

TEXTS = st.text(st.sampled_from('ab{}[],":\\ \n€😀'), max_size=12)
PLAIN = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=8
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
LISTS = st.lists(OBJECTS, max_size=12) | st.lists(VALUES, max_size=6)
ROOTS = st.dictionaries(TEXTS, VALUES, max_size=3).flatmap(
    lambda rest: st.lists(LISTS, min_size=2, max_size=2).map(lambda two: {"a": two[0], **rest, "b": two[1]})
)
FORMS: list[dict[str, Any]] = [{}, {"indent": 1}, {"separators": (",", ":")}, {"separators": (" ,\n", " : ")}]
Walked = tuple[dict[str, list[tuple[int, bytes]]], dict[str, Member]]


def walked(path: Path, window: int, largest: int = 1 << 20) -> Walked:
    """The elements of the lists `a` and `b` with their offsets, and the members, of a file read in small windows."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    large = LargeJson(path, window=window, largest=largest)
    large.check()

    def taking(key: str) -> Callable[[Any], None]:
        def take(pieces: Any) -> None:
            found[key] = []
            for piece in pieces:
                assert json.loads(piece.text) == [json.loads(bytes(raw)) for raw in piece.raws]
                for start, stop, raw in zip(piece.starts.tolist(), piece.stops.tolist(), piece.raws, strict=True):
                    assert large.read(start, stop) == bytes(raw)
                    found[key].append((start, bytes(raw)))

        return take

    return found, large.members({"a": taking("a"), "b": taking("b")})


@given(ROOTS, st.sampled_from(FORMS), st.integers(1, 90), st.booleans())
def test_elements_and_members_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, root: Any, form: Any, window: int, mark: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "walked.json"
    data = json.dumps(root, ensure_ascii=False, **form).encode()
    path.write_bytes(b"\xef\xbb\xbf" * mark + data)
    found, members = walked(path, window)
    assert list(members) == list(root)
    for key, value in root.items():
        raw, start = bytes(members[key].raw), members[key].start
        if key in ("a", "b") and isinstance(value, list):
            assert members[key].in_pieces
            assert [json.loads(text) for _, text in found[key]] == value
            offsets = [offset for offset, _ in found[key]]
            assert offsets == sorted(offsets)
        else:
            assert json.loads(raw) == value
            assert data[start : start + len(raw)] == raw


def told(read: Callable[[], Any]) -> tuple[str, str, str | None, Any]:
    with pytest.raises(AnnolakeError) as caught:
        read()
    error = caught.value
    return error.code, error.message, error.hint, error.place


BROKEN = st.sampled_from(
    [
        b"",
        b"}",
        b"]",
        b",",
        b"{",
        b'"',
        b"NaN",
        b"nul",
        b"\xff",
        b"\\ud83d",
        b'"\\ud83d"',
        b"-",
        b"1e",
        b"\x00",
        b"x" * 9,
    ]
)


@given(ROOTS, st.sampled_from(FORMS), st.integers(1, 60), BROKEN, st.floats(0, 1), st.booleans())
def test_a_broken_text_is_refused_in_the_same_words(
    tmp_path_factory: pytest.TempPathFactory, root: Any, form: Any, window: int, put: bytes, where: float, cut: bool
) -> None:
    data = json.dumps(root, ensure_ascii=False, **form).encode()
    at = int(where * len(data))
    data = data[:at] + put + (b"" if cut else data[at:])
    path = tmp_path_factory.getbasetemp() / "broken.json"
    path.write_bytes(data)

    def whole() -> None:
        jsontext.members(jsontext.checked(data, str(path)), str(path))

    try:
        whole()
    except InvalidInput:
        assert told(lambda: walked(path, window)) == told(whole)
    else:
        walked(path, window)


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "12",
        "",
        " \n",
        "{",
        "{}x",
        '{"a": [{}, ]}',
        '{"a": [{} {}]}',
        '{"a": [,{}]}',
        '{"a": [{}]',
        '{"a": [{}], }',
        '{"a": [{"b": 1}], "a": 3}',
        '{"a\\ud800": 1}',
        '{"a": [],\n "c": 1,\n "a": [{}]}',
        '{"a": ' + "[" * 3000 + "]" * 3000 + "}",
        '{"c": ' + '{"d":' * 3000 + "1" + "}" * 3001,
    ],
    ids=lambda text: text[:30],
)
def test_refusals_one_by_one(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)

    def whole() -> None:
        jsontext.members(jsontext.checked(text.encode(), str(path)), str(path))

    assert told(lambda: walked(path, 7)) == told(whole)


def test_lines_and_columns_far_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    data = (
        b'{"a":\n['
        + b",\n".join(b'{"b":"' + b"x" * 3000 + b'"}' for _ in range(100))
        + b"],"
        + b" " * 200_000
        + b'"c":1}'
    )
    path.write_bytes(b"\xef\xbb\xbf" + data)
    large = LargeJson(path, window=10_000, largest=1 << 20)
    for offset in (0, 6, 5_000, 200_000, len(data) - 1):
        expected = jsontext.place_of(data, offset, str(path))
        assert large.place(offset) == expected


def test_a_value_too_large_to_be_held_is_told(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_text(json.dumps({"a": [{"b": "x" * 100_000}]}))
    with pytest.raises(UsageError) as caught:
        walked(path, 1000, largest=4000)
    assert caught.value.code == "memory-too-small"
    path.write_text(json.dumps({"c": "x" * 100_000}))
    with pytest.raises(UsageError):
        walked(path, 1000, largest=4000)


def test_a_list_of_numbers_does_not_end_in_a_loop(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    path.write_text(json.dumps({"a": list(range(1000))}))
    found, _ = walked(path, 16)
    assert [int(raw) for _, raw in found["a"]] == list(range(1000))
