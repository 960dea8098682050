"""Connecting, metadata, trash and jobs, over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annolake.metalake_io import MetaLakeClient as Exported
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.errors import NetworkGaveUp, NotAuthorised, ServiceRefused
from annolake.schemas.errors import InvalidInput, UsageError

from .lake import KEY, SECRET, Lake
from .wire import Answer, closed_port, js, refusal

Put = Callable[[str, Any], str]

ENTRIES = {"files": [
    {"file": "a.png", "metadata": {"f1": "1", "Tags": ["retail", "night"]}},
    {"file": "b.png", "metadata": {"f2": 2, "Tags": ["night"]}},
]}  # fmt: skip


def test_the_public_name(lake: Lake) -> None:
    assert Exported is MetaLakeClient
    with Exported(KEY, SECRET, lake.url + "///") as client:
        assert repr(client) == f"<MetaLakeClient {lake.url}>"
    assert [one.target for one in lake.wire.asked] == ["/datalake/api/client/sdk/compatibility/2.3.4"]


@pytest.mark.parametrize("prefix", ["/datalake/api", "/api"])
def test_the_prefix_is_found_out(connected, lake: Lake, prefix: str) -> None:
    lake.prefixes = [prefix]
    assert connected().wait_for_job_complete("j1")["is_success"]
    assert lake.asked("jobs")[0].path.startswith(f"{prefix}/client")


def test_a_newer_server_without_a_check(connected, lake: Lake) -> None:
    lake.prefixes = ["/api"]
    lake.rule("GET .*compatibility", Answer(404), times=2)
    assert connected().wait_for_job_complete("j1")["is_success"]


@pytest.mark.parametrize("prefix", ["/datalake/api", "/api"])
def test_a_prefix_that_is_given_is_taken_and_tried(connected, lake: Lake, prefix: str) -> None:
    """Nothing is asked elsewhere; who is not known, or asks at the wrong place, hears so at once."""
    lake.prefixes = [prefix]
    assert connected(prefix=prefix).wait_for_job_complete("j1")["is_success"]
    assert [one.path for one in lake.asked("compatibility")] == [f"{prefix}/client/sdk/compatibility/2.3.4"]
    lake.rule("GET .*compatibility", refusal(401, "Unauthorized"))
    with pytest.raises(NotAuthorised):
        connected(prefix=prefix)


def test_a_prefix_that_the_service_does_not_have(connected, lake: Lake) -> None:
    lake.prefixes = ["/api"]
    with pytest.raises(ServiceRefused, match="wrong-prefix") as caught:
        connected(prefix="/datalake/api")
    assert caught.value.hint == "leave the prefix out, so that it is found out"
    lake.rule("GET .*compatibility", Answer(404))
    assert connected(prefix="/api").wait_for_job_complete("j1")["is_success"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(401, "Unauthorized"), NotAuthorised),
        (js({"isCompatible": False, "message": "SDK version 2.3.4 is not supported"}), ServiceRefused),
        (refusal(400, "no"), ServiceRefused),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), ServiceRefused),
    ],
)
def test_no_connection(connected, lake: Lake, answer: Answer, error: type[Exception]) -> None:
    lake.rule("GET .*compatibility", answer, times=9)
    with pytest.raises(error):
        connected()


@pytest.mark.parametrize("url", [
    "", "example.com", "ftp://example.com", "http://example.com", "https://user:pw@example.com", "https://x:port",
    "https://", "https://example.com?x=1", "https://example.com#x", "file:///etc/passwd",
])  # fmt: skip
def test_addresses_that_cannot_be_meant(connected, url: str) -> None:
    with pytest.raises(UsageError):
        connected(url or " ")


@pytest.mark.parametrize("key", ["", "a\r\nb", "é", "a\0b"])
def test_keys_that_cannot_be_meant(lake: Lake, key: str) -> None:
    for pair in ((key, SECRET), (KEY, key)):
        with pytest.raises(UsageError, match="bad-credentials"):
            MetaLakeClient(*pair, lake.url)
    assert lake.wire.asked == []


def test_nobody_listens(connected, clock) -> None:
    with pytest.raises(NetworkGaveUp, match="no connection to the server; given up, nothing answers there") as caught:
        connected(f"http://127.0.0.1:{closed_port()}")
    assert (caught.value.exit_code, caught.value.uncertain, len(clock.sleeps)) == (8, False, 0)


def test_metadata_of_files(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    path = put("m.json", ENTRIES)
    done = {"message": "Metadata updated", "isSuccess": True}
    assert client.upload_metadata_by_job_id("j1", path) == done
    assert client.upload_metadata_by_storage_path(path) == done
    assert client.upload_metadata_by_storage_path(path, "B2") == done
    assert client.upload_metadata_by_unique_name(path) == done
    assert client.upload_metadata_for_files("Demo", "image", path) == done
    where = ("bucketName", "jobId", "collectionId")
    assert [tuple(one[key] for key in where) for one in lake.metadata] == [
        (None, "j1", None), ("DEFAULT", None, None), ("B2", None, None), (None, None, None), (None, None, "c1"),
    ]  # fmt: skip
    assert all(one["metadata"] == ENTRIES["files"] for one in lake.metadata)


def test_all_tags_and_fields_are_checked(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    """Defect 25: the official SDK asks about the last entry's fields only."""
    client.upload_metadata_by_unique_name(put("m.json", ENTRIES))
    assert lake.asked("validateTags")[0].json == {"tags": ["retail", "night"]}
    assert lake.asked("validateMetaFields")[0].json == {"fields": ["f1", "f2"]}


def test_what_newer_servers_rename(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    lake.rule("POST .*validateTags", js([{"newTag": "night", "oldTag": "Night"}]))
    lake.rule("POST .*validateMetaFields", js([{"newField": "f2", "oldField": "F2"}]))
    client.upload_metadata_by_unique_name(put("m.json", ENTRIES))
    assert lake.metadata[0]["metadata"] == [
        {"file": "a.png", "metadata": {"f1": "1", "Tags": ["retail", "Night"]}},
        {"file": "b.png", "metadata": {"F2": 2, "Tags": ["Night"]}},
    ]


def test_refused_tags(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    lake.rule("POST .*validateTags", refusal(406, "Tag 'night' clashes with 'Night'"))
    result = client.upload_metadata_by_unique_name(put("m.json", ENTRIES))
    assert result == {"message": "Tag 'night' clashes with 'Night'", "isSuccess": False}
    assert lake.metadata == []


def test_a_page_that_fails_is_no_success(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    """Defects 25 and 26."""
    entries = {"files": [{"file": f"{n}.png", "metadata": {"a": 1}} for n in range(2500)]}
    lake.rule("POST .*uploadMetadataByJson", refusal(406, "no"), skip=1)
    result = client.upload_metadata_by_unique_name(put("m.json", entries))
    assert result["isSuccess"] is False
    assert "no" in result["message"]
    assert [len(one["metadata"]) for one in lake.metadata] == [1000, 500]


def test_an_empty_list_says_so(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    result = client.upload_metadata_by_unique_name(put("m.json", {"files": []}))
    assert result == {"message": "no files are listed; nothing was sent", "isSuccess": True}
    assert lake.asked("POST") == []


def test_broken_metadata_sends_nothing(client: MetaLakeClient, lake: Lake, put: Put) -> None:
    path = put("m.json", {"files": [{"file": "a.png", "metadata": {"Tags": "night"}}]})
    with pytest.raises(InvalidInput):
        client.upload_metadata_by_unique_name(path)
    with pytest.raises(UsageError, match="Tags should be an array"):
        client.upload_metadata_for_collection("Demo", "image", {"Tags": "x"})
    assert lake.asked("POST") == []


def test_metadata_of_a_collection(client: MetaLakeClient, lake: Lake) -> None:
    result = client.upload_metadata_for_collection("Demo", "Video", {"a": "b"}, False)
    assert result == {"message": "Metadata updated", "isSuccess": True}
    assert lake.metadata == [
        {"collectionName": "Demo", "objectType": 4, "metadata": {"a": "b"}, "isApplyToAllFiles": False}
    ]
    lake.rule("POST .*MetaObject", js({"isSuccess": False, "message": "Collection not found"}))
    result = client.upload_metadata_for_collection("nope", "image", {"a": "b"})
    assert result == {"message": "Collection not found", "isSuccess": False}
    with pytest.raises(UsageError):
        client.upload_metadata_for_collection("Demo", "picture", {"a": "b"})


def test_trash(client: MetaLakeClient, lake: Lake) -> None:
    done = {"message": "2 objects successfully trashed, 0 objects failed to trash", "isSuccess": True}
    assert client.trash_objects_from_collection("c1", confirmed=True) == done
    assert client.trash_objects_from_collection("c1", "metadata.Tags=x", {"annotation_types": ["raw"]}) == done
    assert client.trash_objects_from_datalake("annotation.label=Bird", content_type="video") == done
    assert client.trash_objects_from_datalake(datalake_filter={"annotation_types": ["raw"]}) == done
    keys = ("isAllSelected", "contentType", "objectIdList", "collectionId", "query")
    assert [tuple(one[key] for key in keys) for one in lake.trashed] == [
        (False, 5, ["c1"], "", ""), (True, 0, [], "c1", "metadata.Tags=x"), (True, 1, [], "", "annotation.label=Bird"),
        (True, 2, [], "", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("call", [
    ("trash_objects_from_datalake", None), ("trash_objects_from_datalake", ""), ("trash_objects_from_datalake",),
    ("trash_objects_from_datalake", "", {"annotationTypes": ["human"]}),
    ("trash_objects_from_datalake", "", {"annotation_types": ["Human"]}),
    ("trash_objects_from_datalake", "x", {}, "Image"), ("trash_objects_from_datalake", "  "),
    ("trash_objects_from_datalake", "", {"annotation_types": []}), ("trash_objects_from_datalake", "", ["human"]),
    ("trash_objects_from_collection", "c1", None), ("trash_objects_from_collection", ""),
    ("trash_objects_from_collection", "c1", "", {"annotationTypes": ["human"]}),
    ("trash_objects_from_collection", "c1", "", {"to_date": None}), ("trash_objects_from_collection", "c1", " "),
    ("trash_objects_from_collection", "c1", "", {"annotation_types": []}), ("trash_objects_from_collection", "c1", ""),
    ("trash_objects_from_collection", "c1", "", {}), ("trash_objects_from_datalake", "x", {"annotation_types": []}),
    ("trash_objects_from_collection", "c1", "x", {"to_date": "2022-13-02"}), ("trash_objects_from_collection", " "),
    ("trash_objects_from_collection", "c1", "x", {"from_date": "2 August"}),
    ("trash_objects_from_datalake", "x", {}, None),
    ("trash_objects_from_collection", "c1", "x", {"from_date": "2022-08-02", "to_date": "2022-08-01"}),
])  # fmt: skip
def test_nothing_is_trashed_by_mistake(client: MetaLakeClient, lake: Lake, call: tuple[Any, ...]) -> None:
    """Defect 27: each of these selects everything in the official SDK, or says nothing clear."""
    name, *given = call
    with pytest.raises(UsageError):
        getattr(client, name)(*given)
    assert lake.asked("POST|getObjectType") == []


def test_a_collection_is_trashed_with_the_callers_word_only(client: MetaLakeClient, lake: Lake) -> None:
    """Defect 28: who calls it with the id alone is told how many objects would go, and nothing goes."""
    lake.files = {"a": b"", "b": b""}
    with pytest.raises(UsageError, match=r"not-confirmed.*the whole collection c1; objects: 2 .*confirmed=True"):
        client.trash_objects_from_collection("c1")
    assert lake.trashed == []


def test_below_the_documented_functions_the_callers_word_is_needed(client: MetaLakeClient, lake: Lake) -> None:
    """Defects 27 and 28."""
    lake.files = {"a": b"", "b": b""}
    for call, what in (
        (lambda: client.trash.from_collection("c1", everything=True), "the whole collection c1; objects: 2"),
        (lambda: client.trash.from_collection("c1", "x=y"), "what is selected in the collection c1; objects: 2"),
        (lambda: client.trash.from_datalake("x=y"), "every image that is selected in the whole lake; objects: 2"),
    ):
        with pytest.raises(UsageError, match=f"not-confirmed.*{what}"):
            call()
    for given in ({}, {"query": "x=y", "everything": True}):
        with pytest.raises(UsageError, match="no-selection"):
            client.trash.from_collection("c1", confirmed=True, **given)
    assert client.trash.count_in_collection("c1") == 2
    assert client.trash.count_in_datalake("x=y") == 2
    assert lake.trashed == []


@pytest.mark.parametrize(
    ("match", "answer", "message"),
    [
        ("getSelectionId", js({"isSuccess": False, "warningMsg": "No objects selected"}), "No objects selected"),
        ("getSelectionId", refusal(406, "bad query"), "bad query"),
        ("file/trash", refusal(406, "cannot trash"), "cannot trash"),
        ("getObjectTypeById", js({}), "object type cannot find"),
    ],
)
def test_refused_trash(client: MetaLakeClient, lake: Lake, match: str, answer: Answer, message: str) -> None:
    """Defect 22: one shape for all refusals."""
    lake.rule(match, answer)
    result = client.trash_objects_from_collection("c1", "x=y")
    assert result["isSuccess"] is False
    assert message in result["message"]


def test_trash_is_not_repeated_blindly(client: MetaLakeClient, lake: Lake) -> None:
    lake.rule("POST .*file/trash", Answer(drop=True), after=True)
    with pytest.raises(NetworkGaveUp) as caught:
        client.trash_objects_from_collection("c1", "x=y")
    assert caught.value.uncertain
    assert len(lake.trashed) == 1


def test_a_job_that_ends(client: MetaLakeClient, lake: Lake, clock) -> None:
    """Defect 24."""
    lake.job_states = [3, 1, 1, 2]
    assert client.wait_for_job_complete("j1") == {"is_success": True, "job_status": "COMPLETED"}
    assert clock.sleeps == [1, 2, 4]
    lake.job_states = [4]
    assert client.wait_for_job_complete("j1") == {"is_success": False, "job_status": "FAILED"}
    lake.rule("GET .*getStatus", js({"isSuccess": False}))
    assert client.wait_for_job_complete("j1") == {"is_success": False, "job_status": "FAILED"}
    lake.job_states = [2]
    lake.rule("GET .*getStatus", Answer(drop=True), Answer(502))
    assert client.wait_for_job_complete("j1") == {"is_success": True, "job_status": "COMPLETED"}


def test_a_job_that_never_ends(client: MetaLakeClient, lake: Lake, clock) -> None:
    lake.job_states = [1]
    with pytest.raises(NetworkGaveUp, match="job-unfinished"):
        client.wait_for_job_complete("j1")
    assert 3500 < clock.passed <= 3600


def test_helpers(client: MetaLakeClient, lake: Lake) -> None:
    """Defect 44."""
    assert client.get_collection_id_by_name("Demo") == "c1"
    assert client.get_collection_details("c1")["id"] == "c1"
    lake.rule("GET .*getuploadProgress", js({"progress": 50}))
    assert client.get_upload_status("a&b=c") == {"progress": 50}
    assert lake.asked("getuploadProgress")[0].query == {"collectionName": "a&b=c"}
