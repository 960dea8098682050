"""The documented functions: names, parameters in their order, defaults, and every spelling that somebody documents."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.schemas.errors import UsageError

from .lake import Lake

DOCUMENTED = {
    "upload_files_to_collection":
        "path, content_type, collection_name, meta_data_object, meta_data_override=False, "
        "file_meta_data_json_path=None, storage_prefix_path=None, annotation_data",
    "upload_annotations_for_collection":
        "collection_name, operation_unique_id, json_data_file_path, is_normalized, is_model_run",
    "upload_annotations_by_storage_path":
        "operation_unique_id, json_data_file_path, is_normalized, is_model_run, bucket_name=None",
    "upload_annotations_by_unique_name": "operation_unique_id, json_data_file_path, is_normalized, is_model_run",
    "upload_annotations_by_job_id": "job_id, operation_unique_id, json_data_file_path, is_normalized, is_model_run",
    "upload_annoations_for_folder":
        "collection_name, operation_unique_id, json_data_file_path, shape_type, is_normalized, is_model_run, "
        "destination_project_id=None",
    "download_collection":
        "collection_id, annotation_type='all', operation_id_list, custom_download_path, is_media_include=True",
    "download_annotations": "collection_id, model_id, custom_download_path, is_media_include=True",
    "get_downloadable_url": "file_key",
    "trash_objects_from_collection": "collection_id, query, filter, confirmed=False",
    "trash_objects_from_datalake": "datalake_query='', datalake_filter, content_type='image'",
    "upload_metadata_for_collection": "collection_name, content_type, metadata_obj, is_apply_to_all_files=True",
    "upload_metadata_by_job_id": "job_id, json_data_file_path",
    "upload_metadata_by_storage_path": "json_data_file_path, bucket_name=None",
    "upload_metadata_by_unique_name": "json_data_file_path",
    "upload_metadata_for_files": "collection_name, content_type, file_meta_data_json_path",
    "file_upload": "path, collection_type, collection_name, meta_data_object, override=False",
    "download_files_from_metalake":
        "item_type='image', custom_download_path, page_index=0, page_size=20, query, filter, sort_order",
    "download_files_from_collection":
        "collection_id, custom_download_path, page_index=0, page_size=20, query, filter, sort_order",
    "wait_for_job_complete": "job_id",
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTED)
def test_parameters(name: str) -> None:
    parameters = list(inspect.signature(getattr(MetaLakeClient, name)).parameters.values())[1:]
    words = [word.strip() for word in DOCUMENTED[name].split(",")]
    assert [parameter.name for parameter in parameters] == [word.partition("=")[0] for word in words]
    for parameter, word in zip(parameters, words, strict=True):
        if "=" in word:
            assert repr(parameter.default) == word.partition("=")[2]


def test_every_function_has_its_number() -> None:
    for name in DOCUMENTED:
        text = getattr(MetaLakeClient, name).__doc__
        assert text, name
        assert name == "wait_for_job_complete" or text.startswith("2."), name


@pytest.mark.parametrize("spelling", ["json_data_file_path", "file_meta_data_json_path"])
def test_both_spellings_of_metadata_files(
    client: MetaLakeClient, lake: Lake, put: Callable[[str, Any], str], spelling: str
) -> None:
    path = {spelling: put("m.json", {"files": [{"file": "a.png", "metadata": {"a": 1}}]})}
    calls: list[Callable[..., Any]] = [
        client.upload_metadata_by_storage_path, client.upload_metadata_by_unique_name,
        lambda **given: client.upload_metadata_by_job_id("j1", **given),
        lambda **given: client.upload_metadata_for_files("Demo", "image", **given),
    ]  # fmt: skip
    assert [call(**path)["isSuccess"] for call in calls] == [True] * 4


def test_other_spellings(
    client: MetaLakeClient, lake: Lake, pictures: Path, put: Callable[[str, Any], str], tmp_path: Path
) -> None:
    loose: Any = client
    metadata = put("m.json", {"files": [{"file": "a.png", "metadata": {"a": 1}}]})
    assert loose.upload_files_to_collection(str(pictures), "image", "Demo", metadata_file_path=metadata)["is_success"]
    lake.pages = [lake.page()]
    form = put("x.json", {"images": [{"image": "a.png", "annotations": []}]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert loose.file_upload(str(pictures), collection_name="Demo", content_type=5)["is_success"]
        loose.download_annotations("c1", operation_id="m1", custom_download_path=str(tmp_path))
        loose.upload_annoations_for_folder(
            collection_base_path="Demo", operation_unique_id="op", json_data_file_path=form,
            shape_type=None, is_normalized=False, is_model_run=False,
        )  # fmt: skip
    assert lake.asked("getAnnotations")[0].query["operationIdList"] == '["m1"]'
    loose.download_files_from_metalake("image", str(tmp_path), metalake_filter={"annotation_types": ["raw"]})
    loose.download_files_from_collection("c1", str(tmp_path), filter={"annotation_types": ["raw"]})
    assert [one.json["filterData"]["annotationTypes"] for one in lake.asked("objects/list")] == [[0], [0]]


def test_the_tables_write_a_capital(client: MetaLakeClient, lake: Lake, put: Callable[[str, Any], str]) -> None:
    """`Is_normalized`, where the signatures and the examples say `is_normalized`."""
    loose: Any = client
    path = put("x.json", {"images": [{"image": "a.png", "annotations": []}]})
    given = {"operation_unique_id": "op", "json_data_file_path": path, "Is_normalized": True, "is_model_run": False}
    loose.upload_annotations_for_collection("Demo", **given)
    loose.upload_annotations_by_storage_path(**given)
    loose.upload_annotations_by_unique_name(**given)
    loose.upload_annotations_by_job_id("j1", **given)
    with pytest.warns(DeprecationWarning):
        loose.upload_annoations_for_folder("Demo", shape_type=None, **given)
    assert [one.query["isNormalized"] for one in lake.asked("operationdata")] == ["True"] * 5


def test_one_parameter_is_not_given_twice(client: MetaLakeClient) -> None:
    loose: Any = client
    with pytest.raises(UsageError, match="given-twice"):
        loose.upload_metadata_by_unique_name(json_data_file_path="a", file_meta_data_json_path="b")
