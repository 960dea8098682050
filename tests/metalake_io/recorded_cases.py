"""The recorded calls as ours: function, case, the same call of our client, and in what its requests are better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.errors import PartlyDone, ServiceRefused
from annolake.schemas.errors import InvalidInput, UsageError

from .recorded_improvements import (
    Exchanges,
    all_fields,
    all_the_rest,
    asked_and_sent_again,
    asked_whether_it_is_there,
    failure_told,
    fewer_filters,
    kept_address,
    newest_first,
    no_empty_batch,
    no_empty_part,
    no_media,
    not_finalised,
    nothing_sent,
    offered,
    one_note,
    one_prefix,
    one_wait,
    order_kept,
    own_bucket,
    own_bucket_name,
    plain_end,
    real_types,
    refused_twice,
    signed_once,
    sorted_names,
    tried_again,
    whole_arrays,
    whole_operation_id,
)

Call = Callable[[MetaLakeClient, str, str], Any]

COLLECTION = "d5960f4e75a245b7b2226104"


def refused(error: type[Exception], call: Call) -> Call:
    """The same call, which raises."""

    def expect(client: MetaLakeClient, folder: str, out: str) -> None:
        with pytest.raises(error):
            call(client, folder, out)

    return expect


CASES: list[tuple[str, str, Call, list[Callable[[Exchanges], Exchanges]]]] = [
    ("upload_files_to_collection", "folder of images with collection metadata",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/images", "image", "Demo Collection", {
         "Captured Location": "Winnipeg", "Camera Id": "CAM_0001", "Tags": ["#retail"]}), [sorted_names, real_types]),
    ("upload_files_to_collection", "same folder again: every file is reported as existing",
     lambda c, d, o: c.upload_files_to_collection(
         f"{d}/images", "image", "Demo Collection", {"Camera Id": "CAM_0002"}, True), [sorted_names]),
    ("upload_files_to_collection", "single file with a storage prefix",
     lambda c, d, o: c.upload_files_to_collection(
         f"{d}/one/solo.png", "image", "Single", {}, False, None, "dir_1/sub_dir_1"), [real_types]),
    ("upload_files_to_collection", "folder with a per-file metadata JSON and annotation data",
     lambda c, d, o: c.upload_files_to_collection(
         f"{d}/images", "image", "Demo Two", {}, False, f"{d}/metadata.json", None, {
         "json_data_file_path": f"{d}/annotations.json", "operation_unique_id": "car_human_annotations",
         "is_normalized": False, "is_model_run": False}),
     [sorted_names, real_types, all_fields, one_wait]),
    ("upload_files_to_collection", "storage type GCP",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/bin", "other", "On GCP"), []),
    ("upload_files_to_collection", "storage type AZURE",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/bin", "other", "On Azure"), []),
    ("upload_files_to_collection", "file removed earlier and attached elsewhere",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/one", "image", "Removed"), []),
    ("file_upload", "folder, default metadata",
     lambda c, d, o: c.file_upload(f"{d}/images", 5, "Old style"), [sorted_names, real_types]),
    ("file_upload", "metadata and override",
     lambda c, d, o: c.file_upload(f"{d}/images", 5, "Old style", {"Camera Id": "CAM_0001", "Tags": ["#retail"]}, True),
     [sorted_names]),
    ("upload_annotations_for_collection", "machine annotations, pixels",
     lambda c, d, o: c.upload_annotations_for_collection(
         "Demo Collection", "yolov5.0.1", f"{d}/annotations.json", False, True), []),
    ("upload_annotations_by_storage_path", "default bucket",
     lambda c, d, o: c.upload_annotations_by_storage_path(
         "yolov5.0.1", f"{d}/annotations_storage.json", False, True), [own_bucket]),
    ("upload_annotations_by_storage_path", "bucket given",
     lambda c, d, o: c.upload_annotations_by_storage_path(
         "yolov5.0.1", f"{d}/annotations_storage.json", False, True, "img_bucket_2"), [own_bucket]),
    ("upload_annotations_by_unique_name", "machine annotations",
     lambda c, d, o: c.upload_annotations_by_unique_name(
         "yolov5.0.1", f"{d}/annotations_unique.json", False, True), []),
    ("upload_annotations_by_unique_name", "human annotations",
     lambda c, d, o: c.upload_annotations_by_unique_name(
         "project1", f"{d}/annotations_unique.json", False, False), []),
    ("upload_annotations_by_unique_name", "no images",
     lambda c, d, o: c.upload_annotations_by_unique_name("op", f"{d}/empty.json", False, True), [no_empty_batch]),
    ("upload_annotations_by_job_id", "machine annotations",
     lambda c, d, o: c.upload_annotations_by_job_id(
         "09d08b7ef11744b394df880d", "yolov5.0.1", f"{d}/annotations.json", False, True), []),
    ("upload_annoations_for_folder", "machine annotations: metadata is read as attributes",
     lambda c, d, o: c.upload_annoations_for_folder(
         "Demo Collection", "yolov5.0.1", f"{d}/annotations_v1.json", "rectangle", False, True), []),
    ("upload_annoations_for_folder", "human annotations",
     lambda c, d, o: c.upload_annoations_for_folder(
         "Demo Collection", "project1", f"{d}/annotations_v1.json", "rectangle", False, False), []),
    ("upload_annoations_for_folder", "no collection name",
     lambda c, d, o: c.upload_annoations_for_folder(
         "", "yolov5.0.1", f"{d}/annotations_v1.json", "rectangle", False, True), []),
    ("upload_annoations_for_folder", "with a destination project",
     lambda c, d, o: c.upload_annoations_for_folder(
         "Demo Collection", "yolov5.0.1", f"{d}/annotations_v1.json", "rectangle", False, True, "project-id-1"), []),
    ("download_collection", "human annotations of two operations, custom folder",
     lambda c, d, o: c.download_collection(COLLECTION, "human", ["project1", "project2"], o),
     [one_note]),
    ("download_collection", "annotations only",
     lambda c, d, o: c.download_collection(COLLECTION, "all", [], o, False), []),
    ("download_annotations", "no operation id: human annotations",
     lambda c, d, o: c.download_annotations(COLLECTION, None, o), [one_note]),
    ("download_annotations", "one operation id",
     lambda c, d, o: c.download_annotations(COLLECTION, "yolov5.0.1", o), [one_note]),
    ("get_downloadable_url", "known file",
     lambda c, d, o: c.get_downloadable_url("Demo Collection_a.png"), []),
    ("get_downloadable_url", "special characters, unknown file",
     lambda c, d, o: c.get_downloadable_url("folder/a b+c&d=é#1.png"), []),
    ("trash_objects_from_collection", "neither query nor filter: the collection itself",
     lambda c, d, o: c.trash_objects_from_collection(COLLECTION, confirmed=True), []),
    ("trash_objects_from_collection", "query",
     lambda c, d, o: c.trash_objects_from_collection(COLLECTION, "metadata.Tags=night"), []),
    ("trash_objects_from_collection", "filter",
     lambda c, d, o: c.trash_objects_from_collection(COLLECTION, "", {
         "annotation_types": ["human", "raw", "machine"], "from_date": "2022-08-02", "to_date": "2023-01-19"}), []),
    ("trash_objects_from_datalake", "query",
     lambda c, d, o: c.trash_objects_from_datalake("annotation.label=Bird"), []),
    ("trash_objects_from_datalake", "filter, video",
     lambda c, d, o: c.trash_objects_from_datalake("", {
         "annotation_types": ["human", "raw", "machine"], "from_date": "2022-08-02", "to_date": "2023-01-19"}, "video"),
     []),
    ("upload_metadata_for_collection", "all files",
     lambda c, d, o: c.upload_metadata_for_collection("Demo Collection", "image", {
         "Captured Location": "Winnipeg", "Camera Id": "CAM_0001", "Tags": ["#retail"]}), []),
    ("upload_metadata_for_collection", "collection head only",
     lambda c, d, o: c.upload_metadata_for_collection("Demo Collection", "video", {"a": "b"}, False), []),
    ("upload_metadata_by_job_id", "two files",
     lambda c, d, o: c.upload_metadata_by_job_id("09d08b7ef11744b394df880d", f"{d}/metadata.json"), [all_fields]),
    ("upload_metadata_by_storage_path", "default bucket",
     lambda c, d, o: c.upload_metadata_by_storage_path(f"{d}/metadata.json"), [all_fields]),
    ("upload_metadata_by_storage_path", "bucket given",
     lambda c, d, o: c.upload_metadata_by_storage_path(f"{d}/metadata.json", "img_bucket_2"), [all_fields]),
    ("upload_metadata_by_unique_name", "two files",
     lambda c, d, o: c.upload_metadata_by_unique_name(f"{d}/metadata.json"), [all_fields]),
    ("upload_metadata_for_files", "two files",
     lambda c, d, o: c.upload_metadata_for_files("Demo Collection", "image", f"{d}/metadata.json"), [all_fields]),
    ("download_files_from_metalake", "query, filter, sort order, first page",
     lambda c, d, o: c.download_files_from_metalake("image", o, 0, 2, "annotation.label=Bird", {
         "annotation_types": ["human", "machine"], "from_date": "2022-08-02", "to_date": "2023-01-19"},
         {"sort_by_field": "date_created", "sort_order": "ASC"}), []),
    ("download_files_from_collection", "second page of size 1",
     lambda c, d, o: c.download_files_from_collection(COLLECTION, o, 1, 1), [newest_first]),
    ("download_files_from_collection", "page past the end",
     lambda c, d, o: c.download_files_from_collection(COLLECTION, o, 2, 1), [newest_first]),
    ("wait_for_job_complete", "queued, in progress, completed", lambda c, d, o: c.wait_for_job_complete("job1"), []),
    ("wait_for_job_complete", "unknown job", lambda c, d, o: c.wait_for_job_complete("nope"), []),
    ("upload_files_to_collection", "storage PUT answers 403 once",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/one/solo.png", "image", "Retry put"), [real_types]),
    ("upload_files_to_collection", "finalize answers 500 once",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/one/solo.png", "image", "Retry finalize"),
     [real_types, kept_address, signed_once, asked_whether_it_is_there]),
    ("upload_files_to_collection", "storage PUT always answers 403: reported as success",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/one", "image", "Never stored"), [real_types]),
    ("upload_files_to_collection", "upload refused with an error body",
     refused(ServiceRefused, lambda c, d, o: c.upload_files_to_collection(f"{d}/one", "image", "Refused")), []),
    ("upload_files_to_collection", "file of exactly 104857600 bytes: two parts, the second empty",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/bin", "other", "Big"), [no_empty_part]),
    ("upload_files_to_collection", "three parts, the second fails once",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/bin", "other", "Bigger"), [signed_once]),
    ("upload_files_to_collection", "storage type AZURE, the block upload is refused: reported as success",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/bin", "other", "On Azure 2"), [refused_twice, not_finalised]),
    ("upload_annotations_for_collection", "human annotations, normalized",
     refused(InvalidInput, lambda c, d, o: c.upload_annotations_for_collection(
         "Demo Collection", "project one", f"{d}/annotations.json", True, False)), [nothing_sent]),
    ("upload_annotations_for_collection", "odd input: line under 'polygon', bbox of 3 numbers, unknown type",
     refused(InvalidInput, lambda c, d, o: c.upload_annotations_for_collection(
         "Demo Collection", "odd", f"{d}/annotations_odd.json", False, True)), [nothing_sent]),
    ("upload_annotations_for_collection", "unknown collection",
     refused(ServiceRefused, lambda c, d, o: c.upload_annotations_for_collection(
         "nope", "op", f"{d}/annotations.json", False, True)), []),
    ("upload_annotations_for_collection", "the update call answers 500: no error is raised",
     lambda c, d, o: c.upload_annotations_for_collection(
         "Demo Collection", "op", f"{d}/annotations.json", False, True), [asked_and_sent_again]),
    ("upload_annotations_for_collection", "operation id with a slash",
     lambda c, d, o: c.upload_annotations_for_collection(
         "Demo Collection", "model/1", f"{d}/annotations.json", False, True), [whole_operation_id]),
    ("upload_annotations_by_unique_name", "2000 images: batches of 1000, 1000 and 0",
     lambda c, d, o: c.upload_annotations_by_unique_name("op", f"{d}/many.json", False, True),
     [whole_arrays, no_empty_batch]),
    ("upload_annotations_by_job_id", "empty job id",
     refused(UsageError, lambda c, d, o: c.upload_annotations_by_job_id(
         "", "op", f"{d}/annotations.json", False, True)), [nothing_sent]),
    ("download_collection", "into the current directory",
     lambda c, d, o: c.download_collection(COLLECTION), [one_note]),
    ("download_collection", "again: existing media are skipped",
     lambda c, d, o: c.download_collection(COLLECTION, "machine", [], o), [one_note, offered]),
    ("download_collection", "two pages (the server uses a page size of 1 here)",
     lambda c, d, o: c.download_collection(COLLECTION, "all", [], o), [one_note]),
    ("download_collection", "one media connection breaks: silent loss",
     lambda c, d, o: c.download_collection(COLLECTION, "all", [], o), [one_note, tried_again]),
    ("download_collection", "one media answers 404: the error body is stored as the image",
     refused(PartlyDone, lambda c, d, o: c.download_collection(COLLECTION, "all", [], o)), [one_note, failure_told]),
    ("download_collection", "the server has no data",
     lambda c, d, o: c.download_collection(COLLECTION, "all", [], o), [plain_end]),
    ("trash_objects_from_collection", "misspelt filter key: everything in the collection is selected",
     refused(UsageError, lambda c, d, o: c.trash_objects_from_collection(
         COLLECTION, "", {"annotationTypes": ["human"]})), [nothing_sent]),
    ("trash_objects_from_collection", "unknown collection",
     lambda c, d, o: c.trash_objects_from_collection("nope"), []),
    ("trash_objects_from_datalake", "query None: every image is selected",
     refused(UsageError, lambda c, d, o: c.trash_objects_from_datalake(None)), [nothing_sent]),  # pyright: ignore
    ("trash_objects_from_datalake", "selection refused with a warning",
     lambda c, d, o: c.trash_objects_from_datalake("x=y"), []),
    ("trash_objects_from_datalake", "selection answers 406", lambda c, d, o: c.trash_objects_from_datalake("x=y"), []),
    ("trash_objects_from_datalake", "trash answers 406", lambda c, d, o: c.trash_objects_from_datalake("x=y"), []),
    ("upload_metadata_for_collection", "refused: nothing is raised",
     lambda c, d, o: c.upload_metadata_for_collection("nope", "image", {"a": "b"}), []),
    ("upload_metadata_by_unique_name", "tags refused",
     lambda c, d, o: c.upload_metadata_by_unique_name(f"{d}/metadata.json"), []),
    ("upload_metadata_by_unique_name", "the upload answers 406: nothing is raised",
     lambda c, d, o: c.upload_metadata_by_unique_name(f"{d}/metadata.json"), [all_fields]),
    ("upload_metadata_by_unique_name", "empty list: no request at all",
     lambda c, d, o: c.upload_metadata_by_unique_name(f"{d}/nofiles.json"), []),
    ("download_files_from_metalake", "defaults",
     lambda c, d, o: c.download_files_from_metalake("image"), [newest_first]),
    ("download_files_from_metalake", "page past the end",
     lambda c, d, o: c.download_files_from_metalake("image", o, 99, 20), [newest_first]),
    ("download_files_from_metalake", "empty array",
     lambda c, d, o: c.download_files_from_metalake("image", o), [newest_first]),
    ("download_files_from_metalake", "204", lambda c, d, o: c.download_files_from_metalake("image", o), [newest_first]),
    ("download_files_from_metalake", "one media connection breaks once, items without 'fileName'",
     lambda c, d, o: c.download_files_from_metalake("image", o), [newest_first, tried_again, all_the_rest]),
    ("download_files_from_collection", "defaults",
     lambda c, d, o: c.download_files_from_collection(COLLECTION), [newest_first]),
    ("download_files_from_collection", "unknown collection",
     lambda c, d, o: c.download_files_from_collection("nope"), []),
    ("wait_for_job_complete", "failed job: reported as completed", lambda c, d, o: c.wait_for_job_complete("job2"), []),
    ("beta-3.28.14__upload_files_to_collection", "folder of images",
     lambda c, d, o: c.upload_files_to_collection(f"{d}/images", "image", "Demo Collection"),
     [sorted_names, real_types]),
    ("beta-3.28.14__upload_annotations_for_collection", "machine annotations",
     lambda c, d, o: c.upload_annotations_for_collection(
         "Demo Collection", "yolov5.0.1", f"{d}/annotations.json", False, True), []),
    ("beta-3.28.14__download_collection", "annotations only, two pages: the second page's media are downloaded anyway",
     lambda c, d, o: c.download_collection("f7d79734edad42c3b27ca83a", "all", [], o, False),
     [one_prefix, no_media, one_note]),
    ("beta-3.28.14__download_files_from_collection", "defaults",
     lambda c, d, o: c.download_files_from_collection("f7d79734edad42c3b27ca83a", o), [newest_first, fewer_filters]),
    ("beta-3.28.14__trash_objects_from_datalake", "query",
     lambda c, d, o: c.trash_objects_from_datalake("annotation.label=Bird"), []),
    ("beta-3.28.14__upload_metadata_by_storage_path", "the bucket name is lost",
     lambda c, d, o: c.upload_metadata_by_storage_path(f"{d}/metadata.json", "img_bucket_2"),
     [own_bucket_name]),
    ("beta-3.28.14__upload_metadata_by_unique_name", "tags and fields renamed by the server's answer",
     lambda c, d, o: c.upload_metadata_by_unique_name(f"{d}/metadata.json"), [order_kept]),
]  # fmt: skip
"""The older SDK's, in the order of the documentation, then 3.28.14's."""
