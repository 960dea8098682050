"""data.yaml: names as they are written, contradictions with their place, and nothing hostile that works."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from annolake.converters.yolo import yamltext
from annolake.schemas.errors import InvalidInput

LABELS = {"labels/a.txt": "0 0.5 0.5 0.2 0.2\n"}


def names_of(read, dataset, text: str) -> list[str]:
    return read(dataset({"data.yaml": f"train: images\n{text}\n", **LABELS})).catalog.names()


@pytest.mark.parametrize(
    "text",
    ["names: [cat, dog]", "names:\n- cat\n- dog", "names: {0: cat, 1: dog}", 'names: {"1": dog, "0": cat}\nnc: 2'],
)
def test_names_as_list_or_by_number(read, dataset, text: str):
    assert names_of(read, dataset, text) == ["cat", "dog"]


def test_only_a_number_of_classes(read, dataset):
    assert names_of(read, dataset, "nc: 3") == ["class_0", "class_1", "class_2"]


def test_names_stay_the_text_they_are(read, dataset):
    written = ["no", "on", "1:30", "010", "0x1F", "1_000", "2024-01-01", "true", "~", "straße", "7"]
    found = read(dataset({"data.yaml": f"train: images\nnames: [{', '.join(written)}]", **LABELS}))
    assert found.catalog.names() == written
    # YAML 1.1 sees another value in all but the last two; "7" is "7" to everyone.
    assert found.codes() == ["name-unquoted"] * 9


def test_quoted_names_are_not_warned_of(read, dataset):
    found = read(dataset({"data.yaml": "train: images\nnames: ['no', \"on\", 'a: b', '#x']", **LABELS}))
    assert found.catalog.names() == ["no", "on", "a: b", "#x"]
    assert found.codes() == []


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("names: [a, b]\nnc: 3", "nc", 2, 5),
        ("names: {0: a, 2: b}", "names-gap", 1, 8),
        ("names: {1: a}", "names-gap", 1, 8),
        ("names: {0: a, zero: b}", "names", 1, 15),
        ("names: [a, a]", "duplicate-name", None, None),
        ("names: [a, [b]]", "not-text", 1, 12),
        ("names: [a, '']", "class-without-name", 1, 12),
        ("names: [a]\nnames: [b]", "duplicate-key", 2, 1),
        ("names: {0: a, 0: b}", "duplicate-key", 1, 15),
        ("names: {0: a, 00: b}", "duplicate-key", 1, 15),
        ("names: {0: a, '0': b}", "duplicate-key", 1, 15),
        ("names: &x [a]\ntrain: *x", "not-yaml", 2, 8),
        ("names: *nowhere", "not-yaml", 1, 8),
        ("names: !!python/object/apply:os.system ['true']", "not-yaml", 1, 8),
        ("names: !!python/name:os.system", "not-yaml", 1, 8),
        ("names: [a\n", "not-yaml", 2, 1),
        ("names:\n\t- a", "not-yaml", 2, 1),
        ("names: [a]\n---\nnames: [b]", "not-yaml", 2, 1),
        ("- a\n- b", "not-yaml", 1, 1),
        ("", "not-yaml", 1, 1),
        ("nc: many", "nc", 1, 5),
        ("nc: 99999999999", "nc", 1, 5),
        ("nc: -1", "nc", 1, 5),
        ("names: [a]\nval: x\nvalidation: y", "splits", 3, 13),
        ("names: [a]\nkpt_shape: [17]\ntrain: images", "kpt-shape", None, None),
        ("names: [a]\nkpt_shape: [17, 4]\ntrain: images", "kpt-shape", None, None),
        ("? [a]\n: b", "not-yaml", 1, 3),
        ("a: " + "[" * 40 + "]" * 40, "not-yaml", 1, 35),
        ("a: " + "[" * 30_000, "not-yaml", 1, 35),
        ("a: [" + "1," * 100_000 + "]", "not-yaml", 1, 5 + 2 * 99_997),
        ("names: [a]\n# \x07", "not-yaml", 2, 3),
    ],
)
def test_contradictions_and_hostility_have_a_place(read, dataset, text, code, line, column):
    folder = dataset({"data.yaml": text, **LABELS})
    with pytest.raises(InvalidInput) as caught:
        read(folder / "data.yaml")
    error = caught.value
    assert (error.code, error.place.line, error.place.column) == (code, line, column)
    assert error.place.file is not None and error.place.file.endswith("data.yaml")


@pytest.mark.parametrize("data", [b"names: [a]\0", b"\xff\xfen\0", b"names: [\xe4]", b"#" * (1 << 20) + b"\nnc: 1"])
def test_files_that_are_no_text_or_far_too_large(read, dataset, data: bytes):
    with pytest.raises(InvalidInput) as caught:
        read(dataset({"data.yaml": data}) / "data.yaml")
    assert caught.value.code in ("not-text", "too-large")


def test_download_is_never_kept_and_unknown_keys_are(read, dataset):
    text = 'train: images\nnames: [a]\ndownload: "import os"\nchannels: 3\nroboflow:\n  version: 774\n  id: "010"\n'
    yolo = read(dataset({"data.yaml": text, **LABELS})).catalog.extras["yolo"]
    assert yolo == {"task": "detect", "channels": 3, "roboflow": {"version": 774, "id": "010"}}


@given(st.text(max_size=40))
def test_quoted_text_is_the_text_for_any_yaml_reader(text: str):
    assert yaml.safe_load(f"key: {yamltext.quoted(text)}") == {"key": text}


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(plain_values)
def test_values_written_on_one_line_come_back_from_any_yaml_reader(value):
    assert yaml.safe_load(f"key: {yamltext.flow(value)}") == {"key": value}
