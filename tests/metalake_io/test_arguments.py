"""Arguments of odd types: each documented function says which one it was, and nothing is sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.schemas.errors import UsageError

from .lake import Lake
from .test_documented import DOCUMENTED

FITTING = {"str": "x", "int": 5, "bool": True}
ODD = [None, 7, "v1", object(), b"x", ["a"], [7], {"a": 1}, True]


def odd_values(annotation: str) -> list[Any]:
    """Those that are not what the annotation says; a bool is no number here."""
    kinds = {"str": str, "int": int, "bool": bool, "Mapping[str, Any]": dict, "None": type(None)}
    wanted = [kinds[form] for form in annotation.split(" | ") if form in kinds]
    fits = [value for value in ODD if type(value) in wanted]
    if "Sequence[str]" in annotation:
        fits.append(["a"])
    return [value for value in ODD if not any(value is one or value == one for one in fits)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", DOCUMENTED)
def test_odd_types(client: MetaLakeClient, lake: Lake, name: str) -> None:
    function = getattr(client, name)
    parameters = inspect.signature(function).parameters
    needed = {
        each: FITTING.get(str(one.annotation).partition(" |")[0], "x")
        for each, one in parameters.items()
        if one.default is inspect.Parameter.empty
    }
    before = len(lake.wire.asked)
    for each, one in parameters.items():
        for value in odd_values(str(one.annotation)):
            with pytest.raises(UsageError, match=each):
                function(**{**needed, each: value})
    assert len(lake.wire.asked) == before


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in DOCUMENTED if "path," in f"{DOCUMENTED[name]},".split("=")[0]])
def test_an_empty_path_is_not_the_folder_we_run_in(client: MetaLakeClient, name: str) -> None:
    function = getattr(client, name)
    parameters = inspect.signature(function).parameters
    given = {
        each: "" if each.endswith("path") else FITTING.get(str(one.annotation).partition(" |")[0], "x")
        for each, one in parameters.items()
        if one.default is inspect.Parameter.empty
    }
    if any(each.endswith("path") for each in given):
        with pytest.raises(UsageError, match="is empty"):
            function(**given)


def test_a_path_is_a_path(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    loose: Any = client
    assert loose.upload_files_to_collection(pictures, "image", "Demo")["is_success"]


@pytest.mark.parametrize("given", [
    {"json_data_file": "x.json", "operation_unique_id": "op"}, {"json_data_file_path": "x.json", "operation_id": "op"},
    {"json_data_file_path": "x.json"}, {"operation_unique_id": "op"},
    {"json_data_file_path": None, "is_normalised": True},
    {"json_data_file_path": 7, "operation_unique_id": "op"}, ["x.json"], "x.json",
])  # fmt: skip
def test_keys_of_annotation_data(client: MetaLakeClient, lake: Lake, pictures: Path, given: Any) -> None:
    """Part of defect 23: a key with a typo meant no annotations, and success."""
    with pytest.raises(UsageError, match=r"annotation_data|json_data_file_path"):
        client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=given)
    assert lake.asked("POST") == []


@pytest.mark.parametrize("given", [None, {}, {
    "json_data_file_path": None, "operation_unique_id": None, "is_normalized": False, "is_model_run": False,
}])  # fmt: skip
def test_no_annotation_data(client: MetaLakeClient, lake: Lake, pictures: Path, given: Any) -> None:
    assert client.upload_files_to_collection(str(pictures), "image", "Demo", annotation_data=given)["is_success"]
    assert lake.updates == []


def test_a_text_is_no_list_of_operations(client: MetaLakeClient, lake: Lake, put: Callable[[str, Any], str]) -> None:
    """`list("v1")` asked for the operations `v` and `1`."""
    loose: Any = client
    with pytest.raises(UsageError, match="operation_id_list is a list of texts"):
        loose.download_collection("c1", "all", "v1")
    assert lake.asked("getAnnotations") == []
