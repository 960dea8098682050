"""How a conversion of a broken file has to end, and values that no file should hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from annolake.converters import convert
from annolake.schemas.errors import AnnolakeError, InvalidInput

Refused = Callable[[bytes | str, str, str], InvalidInput]
Converted = Callable[[str, str, str], AnnolakeError | None]
Replace = Callable[[st.DataObject, Any, str], None]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """(content, to, from) -> the error of the conversion, in which everything else is as it has to be."""

    def refused(content: bytes | str, to: str, from_: str) -> InvalidInput:
        source, target = tmp_path / "source.json", tmp_path / "target" / "out"
        target.parent.mkdir(exist_ok=True)
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        started = time.process_time()
        with pytest.raises(InvalidInput) as caught:
            convert(source, target, to=to, from_=from_)
        assert time.process_time() - started < 5
        error = caught.value
        assert list(target.parent.iterdir()) == []
        assert (error.exit_code, bool(error.code), bool(error.message), bool(error.hint)) == (4, True, True, True)
        assert error.place.file == str(source)
        return error

    return refused


@pytest.fixture
def converted(tmp_path: Path) -> Converted:
    """(content, to, from) -> the error of the conversion, or None where it went through."""

    def converted(content: str, to: str, from_: str) -> AnnolakeError | None:
        source = tmp_path / "source.json"
        source.write_text(content)
        try:
            convert(source, tmp_path / "out", to=to, from_=from_)
        except AnnolakeError as error:
            assert not (tmp_path / "out").exists()
            return error
        return None

    return converted


@pytest.fixture(scope="session")
def any_json() -> st.SearchStrategy[Any]:
    """Any JSON value, small."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        leaves | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )


@pytest.fixture(scope="session")
def replace_some(any_json: st.SearchStrategy[Any]) -> Replace:
    """(data, document, key) -> one to three values of the document, below that key if given, become any JSON."""

    def replace_some(data: st.DataObject, document: Any, below: str = "") -> None:
        paths = [path for path in _paths(document) if below in ("", path[0])]
        for path in data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3, unique_by=repr)):
            _set(document, path, data.draw(any_json))

    return replace_some


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Any:
    if at:
        yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(inner, (*at, key))


def _set(document: Any, path: tuple[Any, ...], value: Any) -> None:
    try:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        return  # an earlier replacement has taken the place away
