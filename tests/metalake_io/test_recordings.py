"""Our client against the recordings: the same requests as the official SDK for the same call.

Compared are method, target, body, and the headers Authorization, Content-Type and Content-Range. What we do otherwise,
on purpose, stands here as a function that rewrites the recording, with its reason; every other difference fails.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.connecting import connect

from .clock import FakeClock
from .replay import Player, body_of, recording, same, sent, settled, unpack
from .wire import Asked

pytestmark = pytest.mark.realdata

Call = Callable[[MetaLakeClient, str, str], Any]

HEADERS = ("authorization", "content-type", "content-range")

Exchanges = list[dict[str, Any]]


def rewritten(exchanges: Exchanges, part: str, change: Callable[[Any, str], None]) -> Exchanges:
    """The exchanges, the JSON bodies of those to a path that holds `part` changed."""
    for one in exchanges:
        if part in one["target"] and one.get("body_text"):
            body = json.loads(one["body_text"])
            change(body, one["target"])
            one["body_text"] = json.dumps(body)
    return exchanges


def without(exchanges: Exchanges, part: str, drop: Callable[[Any], bool]) -> Exchanges:
    return [one for one in exchanges if part not in one["target"] or not drop(json.loads(one["body_text"] or "null"))]


def sorted_names(exchanges: Exchanges) -> Exchanges:
    """Files go in the order of their names, not of the directory."""
    return rewritten(exchanges, "uploadMetadataInCollection", lambda body, _: body["objectKeyList"].sort())


def real_types(exchanges: Exchanges) -> Exchanges:
    """PNG is said to be PNG (defect 10)."""

    def change(body: Any, _: str) -> None:
        if body["fileKey"].endswith(".png"):
            body["contentType"] = "image/png"

    for one in exchanges:
        if one["method"] == "PUT" and ".png?" in one["target"]:
            one["headers"]["Content-Type"] = "image/png"
    return rewritten(exchanges, "getMultipartPreSignedUrls", change)


def all_fields(exchanges: Exchanges) -> Exchanges:
    """All entries' fields are asked about, not the last one's only (defect 25)."""
    return rewritten(exchanges, "validateMetaFields", lambda body, _: body.update(fields=["field1", "field2"]))


def one_wait(exchanges: Exchanges) -> Exchanges:
    """The job is waited for once, not once for metadata and once for annotations."""
    waits = [one for one in exchanges if "getStatus" in one["target"]]
    done = next(n for n, one in enumerate(waits) if one["response"]["body_json"]["status"] == 2)
    return [one for one in exchanges if one not in waits[done + 1 :]]


def no_empty_batch(exchanges: Exchanges) -> Exchanges:
    """No empty batch after full ones (defect 18)."""
    return without(exchanges, "operationdata", lambda body: body["metaUpdatesArray"] == "[]")


def one_note(exchanges: Exchanges) -> Exchanges:
    """One note to the list of jobs at the end, not one for each file (defect 37)."""
    return without(exchanges, "updateJob", lambda body: body["status"] == 1)


def newest_first(exchanges: Exchanges) -> Exchanges:
    """The documented default of the sort order is sent."""
    order = {"sortOrder": "DESC", "sortByField": 1}
    return rewritten(exchanges, "objects/list", lambda body, _: body.update(sortBy=order))


def own_bucket(exchanges: Exchanges) -> Exchanges:
    """The bucket of an image does not leak to the next (defect 14): the third one has none of its own."""
    given = next(one for one in exchanges if "operationdata" in one["target"])
    first = json.loads(json.loads(given["body_text"])["metaUpdatesArray"])[0]["bucketName"]

    def change(body: Any, _: str) -> None:
        elements = json.loads(body["metaUpdatesArray"])
        elements[2]["bucketName"] = first
        body["metaUpdatesArray"] = json.dumps(elements)

    return rewritten(exchanges, "operationdata", change)


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    folder = Path(os.environ.get("ANNOLAKE_RECORDINGS", root.parent / "shared" / "metalake-api-recordings"))
    if not folder.is_dir():
        pytest.skip("the recordings are not beside the project")
    return folder


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
     lambda c, d, o: c.download_collection("d5960f4e75a245b7b2226104", "human", ["project1", "project2"], o),
     [one_note]),
    ("download_collection", "annotations only",
     lambda c, d, o: c.download_collection("d5960f4e75a245b7b2226104", "all", [], o, False), []),
    ("download_annotations", "no operation id: human annotations",
     lambda c, d, o: c.download_annotations("d5960f4e75a245b7b2226104", None, o), [one_note]),
    ("download_annotations", "one operation id",
     lambda c, d, o: c.download_annotations("d5960f4e75a245b7b2226104", "yolov5.0.1", o), [one_note]),
    ("get_downloadable_url", "known file",
     lambda c, d, o: c.get_downloadable_url("Demo Collection_a.png"), []),
    ("get_downloadable_url", "special characters, unknown file",
     lambda c, d, o: c.get_downloadable_url("folder/a b+c&d=é#1.png"), []),
    ("trash_objects_from_collection", "neither query nor filter: the collection itself",
     lambda c, d, o: c.trash_objects_from_collection("d5960f4e75a245b7b2226104"), []),
    ("trash_objects_from_collection", "query",
     lambda c, d, o: c.trash_objects_from_collection("d5960f4e75a245b7b2226104", "metadata.Tags=night"), []),
    ("trash_objects_from_collection", "filter",
     lambda c, d, o: c.trash_objects_from_collection("d5960f4e75a245b7b2226104", "", {
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
     lambda c, d, o: c.download_files_from_collection("d5960f4e75a245b7b2226104", o, 1, 1), [newest_first]),
    ("download_files_from_collection", "page past the end",
     lambda c, d, o: c.download_files_from_collection("d5960f4e75a245b7b2226104", o, 2, 1), [newest_first]),
    ("wait_for_job_complete", "queued, in progress, completed", lambda c, d, o: c.wait_for_job_complete("job1"), []),
    ("wait_for_job_complete", "unknown job", lambda c, d, o: c.wait_for_job_complete("nope"), []),
]  # fmt: skip


@pytest.mark.parametrize(("function", "case", "call", "improved"), CASES, ids=[f"{f}-{c}" for f, c, _, _ in CASES])
def test_the_same_requests(
    folder: Path,
    tmp_path: Path,
    function: str,
    case: str,
    call: Call,
    improved: list[Callable[[Exchanges], Exchanges]],
) -> None:
    recorded = recording(folder, function, case)
    unpack(recorded, tmp_path)
    expected = recorded["exchanges"]
    for improve in improved:
        before = json.dumps(expected)
        expected = improve(expected)
        assert json.dumps(expected) != before, f"{improve.__name__} changes nothing here"
    player = Player(expected)
    try:
        connection = connect("key_dummy", "secret_dummy", player.wire.url, prefix="/datalake/api", clock=FakeClock())
        with MetaLakeClient.over(connection) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            call(client, str(tmp_path), str(tmp_path / "out"))
    finally:
        player.wire.close()
    found = [difference for asked, exchange in player.pairs for difference in differences(asked, exchange)]
    found += [f"not recorded: {one.method} {one.target}" for one in player.surplus]
    found += [f"not sent: {settled(one['target'])} {body_of(one)}" for one in player.left]
    assert found == []


def differences(asked: Asked, exchange: dict[str, Any]) -> list[str]:
    found: list[str] = []
    if not same(asked, exchange):
        ours, theirs = f"{settled(asked.target)} {sent(asked)}", f"{settled(exchange['target'])} {body_of(exchange)}"
        found.append(f"{asked.method} {ours}, recorded {theirs}")
    recorded = {name.lower(): value for name, value in exchange["headers"].items()}
    return found + [
        f"{asked.target}, {name}: {asked.headers.get(name)}, recorded {recorded.get(name)}"
        for name in HEADERS
        if asked.headers.get(name) != recorded.get(name)
    ]
