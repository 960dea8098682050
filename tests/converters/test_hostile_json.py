"""Bad input: files that are no sound JSON, for COCO and MetaLake alike, through `convert`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from annolake.schemas.errors import InvalidInput

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SOUND = {
    "coco": (FIXTURES / "coco" / "unknown keys" / "in.json").read_bytes(),
    "metalake": (FIXTURES / "metalake" / "rectangle" / "in.json").read_bytes(),
}
DEEP = "[" * 100_000
OTHER = {"coco": "metalake", "metalake": "coco"}
FILES: dict[str, tuple[bytes, set[str]]] = {
    "empty": (b"", {"empty"}),
    "blank": (b" \r\n\t ", {"empty"}),
    "zeros": (b"\0" * 64, {"empty"}),
    "binary": (bytes(range(256)), {"encoding", "not-json"}),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {"encoding"}),
    "utf-16": ('{"images": []}'.encode("utf-16"), {"encoding"}),
    "utf-16 without a mark": ('{"images": []}'.encode("utf-16-le"), {"encoding"}),
    "latin-1": ('{"images": [], "note": "Straße"}'.encode("latin-1"), {"encoding"}),
    "half a surrogate": (b'{"images": [], "note": "\\ud800"}', {"encoding"}),
    "a number": (b"7", {"wrong-type"}),
    "text": (b'"images"', {"wrong-type"}),
    "null": (b"null", {"wrong-type"}),
    "no images": (b'{"annotations": []}', {"missing-key"}),
    "images is null": (b'{"images": null}', {"wrong-type"}),
    "images is an object": (b'{"images": {"id": 1}}', {"wrong-type"}),
    "an image is a number": (b'{"images": [7]}', {"wrong-type"}),
    "two documents": (b'{"images": []}{"images": []}', {"not-json"}),
    "a comma too much": (b'{"images": [],}', {"not-json"}),
    "python": (b"{'images': []}", {"not-json"}),
    "yaml": (b"images: []", {"not-json"}),
    "deep": (b'{"images": ' + DEEP.encode(), {"too-deep", "not-json"}),
    "deep and closed": (b'{"images": [], "x": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", {"too-deep"}),
    "deep objects": (b'{"images": [], "x": ' + b'{"a":' * 90_000, {"too-deep", "not-json"}),
    "images twice": (b'{"images": [],\n "images": []}', {"duplicate-key"}),
    "a foreign key twice": (b'{"images": [], "x": 1,\n "x": 2}', {"duplicate-key"}),
    "twice deep down": (b'{"images": [], "x": {"y": [{"z": 1, "z": 1}]}}', {"duplicate-key"}),
    "twice, once escaped": (b'{"images": [], "x": 1, "\\u0078": 2}', {"duplicate-key"}),
    "NaN at the root": (b'{"images": [], "x": NaN}', {"not-finite"}),
    "infinity deep down": (b'{"images": [], "x": [[-Infinity]]}', {"not-finite"}),
    "a number without end": (b'{"images": [], "x": 1e999}', {"not-finite"}),
    "the catalogue is a list": (b'{"images": [], "annolake": [1]}', {"wrong-type"}),
    "the catalogue is text": (b'{"images": [], "annolake": "yes"}', {"wrong-type"}),
    "broken extras": (b'{"images": [], "annolake": {"extras": 7}}', {"wrong-type"}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("from_", ["coco", "metalake"])
def test_broken_files(name: str, from_: str, refused: Callable[..., InvalidInput]) -> None:
    content, codes = FILES[name]
    error = refused(content, OTHER[from_], from_)
    assert error.code in codes
    assert error.place.line is not None or error.place.pointer is not None or codes & {"empty", "encoding", "too-deep"}


@pytest.mark.parametrize("from_", ["coco", "metalake"])
def test_cut_short(from_: str, refused: Callable[..., InvalidInput]) -> None:
    """At some places here; the contract suite does it at every byte of small files."""
    whole = SOUND[from_].rstrip()
    for length in range(1, len(whole), 23):
        error = refused(whole[:length], OTHER[from_], from_)
        assert (error.code, error.place.line) == ("not-json", whole[:length].count(b"\n") + 1)
