"""The per-file metadata JSON: read, written, and judged as the schema judges it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from annolake.schemas import metadata_file, structure
from annolake.schemas.errors import InvalidInput
from annolake.schemas.metadata_file import Entry, MetadataFile

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
METADATA = st.builds(
    lambda fields, tags: {**fields, **tags},
    st.dictionaries(st.text(max_size=4).filter(lambda key: key != "Tags"), PLAIN, max_size=2),
    st.fixed_dictionaries({}, optional={"Tags": st.lists(st.text(max_size=4), max_size=2)}),
)
ENTRIES = st.builds(
    lambda known, unknown: {**known, **unknown},
    st.fixed_dictionaries({"file": st.text(min_size=1, max_size=4)}, optional={"metadata": METADATA}),
    st.dictionaries(st.sampled_from(["owner", "a.b"]), PLAIN, max_size=1),
)
DOCUMENTS = st.builds(
    lambda files, unknown: {"files": files, **unknown},
    st.lists(ENTRIES, max_size=3),
    st.dictionaries(st.just("version"), PLAIN, max_size=1),
)
ODD = st.builds(
    lambda entry, key, value: {**entry, key: value},
    ENTRIES,
    st.sampled_from(["file", "metadata", "Tags"]),
    PLAIN | st.just({"Tags": "x"}) | st.just({"Tags": ["x", None]}),
)


@given(DOCUMENTS)
def test_a_file_comes_home_with_every_key(document: Any):
    data = metadata_file.encode(metadata_file.decode(json.dumps(document).encode(), "m.json"))
    assert json.loads(data) == document
    assert metadata_file.encode(metadata_file.decode(data, "m.json")) == data


@given(st.lists(ENTRIES | ODD | PLAIN, max_size=3))
def test_typed_decoding_the_schema_and_the_explanation_agree(entries: list[Any]):
    document = {"files": entries}
    data = json.dumps(document).encode()
    try:
        metadata_file.decode(data, "m.json")
        typed = True
    except InvalidInput:
        typed = False
    assert Draft202012Validator(structure.schema("metadata")).is_valid(document) == typed
    assert (structure.problems(data, "m.json", "metadata") == []) == typed


def test_fields_and_tags():
    source = b'{"files":[{"file":"n/1.png","metadata":{"Site":"Kiel","Tags":["fog","port"]}},{"file":"2.png"}]}'
    document = metadata_file.decode(source, "m.json")
    assert document == MetadataFile(
        files=[Entry(file="n/1.png", metadata={"Site": "Kiel", "Tags": ["fog", "port"]}), Entry(file="2.png")]
    )
    assert (document.files[0].fields, list(document.files[0].tags)) == ({"Site": "Kiel"}, ["fog", "port"])
    assert (document.files[1].fields, list(document.files[1].tags)) == ({}, [])


def test_a_refusal_has_its_place():
    with pytest.raises(InvalidInput) as caught:
        metadata_file.decode(b'{"files":[\n {"file":"a","metadata":{"Tags":["x",5]}}]}', "m.json")
    place = caught.value.place
    assert (place.file, place.pointer, place.line, place.column) == ("m.json", "/files/0/metadata/Tags/1", 2, 38)
