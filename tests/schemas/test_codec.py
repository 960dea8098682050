"""MetaLake annotation JSON to the hub and back, and the agreement of typed decoding with the published schema."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from annolake.schemas import metalake_decoding, metalake_encoding, structure
from annolake.schemas.errors import InvalidInput
from annolake.schemas.model import Catalog, Category, Line, Points, Polygon, Record, Rectangle, Tag, Value
from annolake.schemas.problems import Problem

NAMES = st.text(min_size=1, max_size=6)
NUMBERS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, 1, 0.0, -0.0, 1e-9, 640, 2.5])
)
CONFIDENCES = st.floats(0, 1) | st.sampled_from([0, 1])
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
METADATA = st.dictionaries(st.text(max_size=4), PLAIN, min_size=1, max_size=2)
POINTS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=4)
UNKNOWN = st.dictionaries(st.sampled_from(["x-new", "neu ü", 'quo"te', "a/b~c"]), PLAIN, max_size=1)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda known, unknown: {**known, **unknown}, known, UNKNOWN)


VALUES = objects({"value": st.text(max_size=4)}, {"confidence": CONFIDENCES, "metadata": METADATA})
FACTS = {
    "confidence": CONFIDENCES,
    "metadata": METADATA,
    "attributes": st.dictionaries(st.text(max_size=4), st.lists(VALUES, max_size=2), min_size=1, max_size=2),
}
SHAPES = {
    "rectangle": ("bbox", st.lists(NUMBERS, min_size=4, max_size=4)),
    "polygon": ("polygon", POINTS),
    "line": ("line", POINTS),
    "points": ("points", POINTS),
}
ANNOTATIONS = st.one_of(
    *(objects({"type": st.just(kind), key: shape, "label": NAMES}, FACTS) for kind, (key, shape) in SHAPES.items())
)
TAGS = objects({"label": NAMES}, FACTS)
IMAGES = objects(
    {"image": NAMES, "annotations": st.lists(ANNOTATIONS, max_size=3)},
    {
        "storageName": st.text(max_size=4),
        "width": NUMBERS,
        "height": NUMBERS,
        "id": st.integers(-(10**30), 10**30) | st.text(max_size=4),
        "split": st.text(max_size=4),
        "tags": st.lists(TAGS, min_size=1, max_size=2),
    },
)
LABELS = objects(
    {"name": st.text(max_size=4)},
    {
        "id": st.integers() | st.text(max_size=4),
        "supercategory": st.text(max_size=4),
        "keypoints": st.lists(st.text(max_size=4), min_size=1, max_size=2),
        "skeleton": st.lists(st.lists(st.integers(1, 20), min_size=2, max_size=2), min_size=1, max_size=2),
        "extras": METADATA,
    },
)
CATALOGS = objects(
    {},
    {
        "labels": st.lists(LABELS, min_size=1, max_size=2),
        "coordinates": st.just("normalized"),
        "splits": st.lists(st.text(max_size=4), min_size=1, max_size=2),
        "extras": METADATA,
    },
)
DOCUMENTS = objects({"images": st.lists(IMAGES, max_size=2), "annolake": CATALOGS}, {})


def decoded(data: bytes) -> tuple[list[Record], Catalog | None, list[Problem]]:
    document = metalake_decoding.open_document(data, "a.json")
    notices: list[Problem] = []
    records = [
        metalake_decoding.decode_record(raw, "a.json", index, notices.append)
        for index, raw in enumerate(document.images)
    ]
    return records, document.catalog, notices


def encoded(records: list[Record], catalog: Catalog | None) -> bytes:
    return b"".join(metalake_encoding.encode_document(records, catalog or Catalog()))


def text(plain: Any, *, ascii: bool = True) -> bytes:
    return json.dumps(plain, ensure_ascii=ascii).encode()


@given(DOCUMENTS, st.booleans())
def test_a_document_comes_home_with_every_key(document: Any, ascii: bool):
    records, catalog, notices = decoded(text(document, ascii=ascii))
    assert json.loads(encoded(records, catalog)) == document
    assert notices == []


@given(IMAGES)
def test_the_slow_way_reads_what_the_fast_way_reads(image: Any):
    (fast,), _, _ = decoded(text({"images": [image]}, ascii=False))
    (slow,), _, _ = decoded(text({"images": [{**image, "unheard of": 1}]}, ascii=False))
    assert slow.extras.pop("unheard of") == 1
    assert slow == fast


def test_rectangle_with_all_its_facts():
    source = b"""{"images": [{
      "image": "lot 7/car park.jpg", "storageName": "north", "width": 1920, "height": 1080, "id": "7", "split": "val",
      "tags": [{"label": "dusk", "confidence": 0.5}],
      "annotations": [{
        "type": "rectangle", "bbox": [12, 34.5, 56, 78], "label": "Van", "confidence": 0.75,
        "metadata": {"seen by": "cam 3"},
        "attributes": {"paint": [
          {"value": "white", "confidence": 0.6, "metadata": {"tone": "cream"}}, {"value": "grey", "confidence": 0.25}]}
      }]}]}"""
    records, catalog, _ = decoded(source)
    assert catalog is None
    assert records == [
        Record(
            image="lot 7/car park.jpg",
            storage_name="north",
            width=1920,
            height=1080,
            id="7",
            split="val",
            tags=(Tag(label="dusk", confidence=0.5),),
            annotations=[
                Rectangle(
                    bbox=(12, 34.5, 56, 78),
                    label="Van",
                    confidence=0.75,
                    metadata={"seen by": "cam 3"},
                    attributes={"paint": (Value("white", 0.6, {"tone": "cream"}), Value("grey", 0.25))},
                )
            ],
        )
    ]


def test_polygon_line_points_and_an_empty_image():
    source = b"""{"images": [
      {"image": "road.png", "annotations": [
        {"type": "polygon", "polygon": [[3, 4], [40, 6], [20, 35.5]], "label": "Field", "metadata": {"crop": "rye"}},
        {"type": "line", "line": [[0, 0], [8, 8], [12, 3]], "label": "Fence"},
        {"type": "points", "points": [[9, 2]], "label": "Post"}]},
      {"image": "empty.png", "annotations": []}]}"""
    records, _, _ = decoded(source)
    assert records[0].annotations == [
        Polygon(xy=[3, 4, 40, 6, 20, 35.5], label="Field", metadata={"crop": "rye"}),
        Line(xy=[0, 0, 8, 8, 12, 3], label="Fence"),
        Points(xy=[9, 2], label="Post"),
    ]
    assert records[1] == Record(image="empty.png", annotations=[])


def test_written_as_the_documentation_has_it():
    shapes = [Line(xy=(1, 2, 3.5, 4), label="Kerb"), Points(xy=(5, 6), label="Post")]
    record = Record(image="a b.png", annotations=shapes)
    assert metalake_encoding.encode_record(record) == (
        b'{"image":"a b.png","annotations":['
        b'{"type":"line","line":[[1,2],[3.5,4]],"label":"Kerb"},'
        b'{"type":"points","points":[[5,6]],"label":"Post"}]}'
    )


def test_the_catalogue_and_its_unknown_keys_come_home():
    source = (
        b'{"images": [], "version": 3, "annolake": {"coordinates": "normalized", "future": [1],'
        b'"labels": [{"name": "Van", "id": 4, "colour": "red"}, {"name": "Bus"}]}}'
    )
    records, catalog, _ = decoded(source)
    assert catalog is not None
    assert [label.name for label in catalog.labels] == ["Van", "Bus"]
    assert catalog.labels[1] == Category("Bus")
    assert json.loads(encoded(records, catalog)) == json.loads(source)


def test_older_form_of_a_line_is_read_with_a_notice_and_never_written():
    source = b'{"images":[{"image":"a.png","annotations":[{"type":"line","polygon":[[1,2],[3,4]],"label":"Kerb"}]}]}'
    records, catalog, (notice,) = decoded(source)
    assert records[0].annotations == [Line(xy=[1, 2, 3, 4], label="Kerb")]
    assert (notice.code, notice.severity, notice.place.annotation) == ("old-line-form", "notice", 1)
    assert json.loads(encoded(records, catalog))["images"][0]["annotations"] == [
        {"type": "line", "line": [[1, 2], [3, 4]], "label": "Kerb"}
    ]


def test_a_polygon_key_beside_the_line_key_is_an_unknown_key():
    source = b'{"images":[{"image":"a","annotations":[{"type":"line","line":[[1,2]],"polygon":"x","label":"K"}]}]}'
    (record,), _, notices = decoded(source)
    assert record.annotations == [Line(xy=[1, 2], label="K", extras={"polygon": "x"})]
    assert notices == []


def test_byte_order_mark_is_accepted_and_not_written():
    records, catalog, _ = decoded(b'\xef\xbb\xbf{"images":[{"image":"a","annotations":[]}]}')
    assert encoded(records, catalog).startswith(b'{"images"')


def test_whole_floats_are_integers_and_huge_integers_are_numbers():
    source = (
        b'{"images":[{"image":"a","id":12.0,"width":1000000000000000000000,"annotations":[]}],'
        b'"annolake":{"labels":[{"name":"x","id":3.0,"skeleton":[[1.0,2]]}]}}'
    )
    (record,), catalog, _ = decoded(source)
    assert (record.id, record.width) == (12, 1e21)
    assert catalog is not None and catalog.labels[0] == Category("x", id=3, skeleton=((1, 2),))


@pytest.mark.parametrize(
    ("inner", "pointer"),
    [
        (b'"label":"a","label":"b"', "/images/0/annotations/0/label"),
        (b'"label":"a","metadata":{"k":{"n":1,"n":2}}', "/images/0/annotations/0/metadata/k/n"),
        (b'"label":"a","attributes":{"x":[{"value":"1","value":"1"}]}', "/images/0/annotations/0/attributes/x/0/value"),
    ],
)
def test_doubled_keys_are_refused_at_every_level(inner: bytes, pointer: str):
    source = b'{"images":[{"image":"a","annotations":[{"type":"points","points":[[1,2]],' + inner + b"}]}]}"
    with pytest.raises(InvalidInput) as caught:
        decoded(source)
    assert (caught.value.code, caught.value.place.pointer) == ("duplicate-key", pointer)


def test_doubled_keys_in_the_catalogue_are_refused():
    with pytest.raises(InvalidInput, match="duplicate-key"):
        decoded(b'{"images":[],"annolake":{"labels":[],"labels":[]}}')


WRONG = st.one_of(
    st.sampled_from([None, True, False, 0, 1, 1.0, -1, 2, 0.5, 2.0]),
    st.sampled_from(["", "1", "line", "rectangle", "Polygon", [], {}, [1, 2], [[1, 2]]]),
    st.sampled_from([2**53 + 1, 2**63, -(2**63) - 1, 10**30, 10**307, 1e308, -1e308, 5e-324, 1e30, [10**30] * 4]),
    PLAIN,
)


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> Any:
    """A valid document with up to three keys or items dropped, retyped or doubled."""
    document = copy.deepcopy(draw(documents))  # strategies may hand out the same object again
    for _ in range(draw(st.integers(0, 3))):
        places = list(spots(document))
        if not places:
            break
        holder, step = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["drop", "retype", "retype", "double"]))
        if change == "drop":
            del holder[step]
        elif change == "retype":
            holder[step] = copy.deepcopy(draw(WRONG))
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[step]))
    return document


def spots(value: Any) -> Any:
    """Every key and item below a value, as the container and the step into it."""
    for step, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, step
        if isinstance(inner, dict | list):
            yield from spots(inner)


def has_old_line(document: Any) -> bool:
    return any(
        isinstance(holder[step], dict) and metalake_decoding.is_old_line(holder[step])
        for holder, step in spots(document)
    )


@given(mutated(DOCUMENTS))
def test_typed_decoding_the_schema_and_the_explanation_agree(document: Any):
    assume(not has_old_line(document))
    data = text(document)
    try:
        decoded(data)
        typed = True
    except InvalidInput:
        typed = False
    assert Draft202012Validator(structure.schema("annotations")).is_valid(document) == typed
    assert (structure.problems(data, "a.json", "annotations") == []) == typed


@pytest.mark.parametrize("kind", ["annotations", "metadata"])
def test_the_schemas_are_schemas(kind: structure.Kind):
    schema = structure.schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] and schema["description"]


@given(IMAGES)
def test_encoding_is_a_fixed_point(image: Any):
    (record,), _, _ = decoded(text({"images": [image]}))
    once = metalake_encoding.encode_record(record)
    (again,), _, _ = decoded(b'{"images":[' + once + b"]}")
    assert metalake_encoding.encode_record(again) == once
    assert replace(again, extras=record.extras) == record


def test_a_catalogue_from_another_process_is_written_as_the_same_bytes() -> None:
    catalog = Catalog(labels=(Category("car"),), splits=("train",))
    travelled = pickle.loads(pickle.dumps(catalog))
    assert b"".join(metalake_encoding.encode_end(travelled, empty=True)) == b"".join(
        metalake_encoding.encode_end(catalog, empty=True)
    )
