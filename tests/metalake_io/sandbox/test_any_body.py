"""Whatever JSON comes, a call answers or refuses: it never fails, and the server goes on."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .wire import KEY, SECRET, Server, box, entry

UPDATE = "/metadata/operationdata/op/update"
BODIES: dict[str, dict[str, Any]] = {
    "/client/uploadMetadataInCollection": {
        "collectionType": 5,
        "collectionName": "Any",
        "metaDataObject": {"a": 1, "Tags": ["t"]},
        "isOverrideMetaData": True,
        "storagePrefixPath": "a/b",
        "objectKeyList": ["a.png"],
    },
    "/client/fileUpload/initializeMultipartUpload": {"fileName": "a.png", "collectionName": "x", "uploadId": "x"},
    "/client/fileUpload/getMultipartPreSignedUrls": {"fileId": "x", "fileKey": "", "parts": 1, "contentType": "x"},
    "/client/fileUpload/finalizeMultipartUpload": {"fileId": "x", "parts": [{"PartNumber": 1, "ETag": "x"}]},
    "/client/system/label/references": {"labels": {"Car": {"color": ["red"]}}, "userName": ""},
    UPDATE: {"metaUpdatesArray": [entry(box("Car", 1, 2, 3, 4), objectKey="Any_a.png")], "operationMode": 1},
    "/client/metadata/getCollectionIdByName": {"collectionName": "Any", "objectType": 5},
    "/client/metadata/getCollectionDetails": {"collectionId": "x", "requiredMetaObj": {"storagePath": True}},
    "/client/metadata/validateTags": {"tags": ["a"]},
    "/client/metadata/validateMetaFields": {"fields": ["a"]},
    "/client/metadata/uploadMetadataByJson": {"metadata": [{"file": "Any_a.png", "metadata": {"a": 1, "Tags": []}}]},
    "/client/metadata/uploadMetadataByMetaObject": {"collectionName": "Any", "objectType": 5, "metadata": {"a": 1}},
    "/client/explorer/objects/list": {
        "pageIndex": 0,
        "pageSize": 20,
        "query": "metadata.a=1",
        "filterData": {"annotationTypes": [1], "date": {"fromDate": "2020-01-01"}, "tags": ["a"], "metadata": {"a": 1}},
        "contentType": 2,
        "sortBy": {"sortOrder": "ASC", "sortByField": 1},
    },
    "/client/query/getSelectionId": {"isAllSelected": False, "contentType": 2, "objectIdList": ["x"], "query": ""},
    "/client/file/trash": {"selectionId": "x", "userId": ""},
    "/job/updateJob/basicAuthRequest": {"sessionId": "x", "jobName": "", "jobType": 10, "progress": 0, "status": 1},
}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0, 1e-320])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["", "\0", "..", "/", "a" * 3000, "'; DROP TABLE files; --", "9999-12-31", "0001-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in pairs for place in places(inner, (*path, key)))]


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, Any]:
    """A good body with something else at one or two places."""
    path = draw(st.sampled_from(sorted(BODIES)))
    holder = {"body": copy.deepcopy(BODIES[path])}
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(places(holder)[1:]))
        inner: Any = holder
        for key in way:
            inner = inner[key]
        inner[last] = draw(anything)
    body: Any = holder["body"]
    if path == UPDATE and isinstance(body, dict) and not isinstance(body.get("metaUpdatesArray"), str):
        body["metaUpdatesArray"] = json.dumps(body.get("metaUpdatesArray"))
    return path, body


@pytest.fixture(scope="module")
def filled(server: Server) -> Server:
    server.upload("Any", {"a.png": b"bytes"})
    return server


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changed())
def test_any_body(filled: Server, call: tuple[str, Any]) -> None:
    path, body = call
    answer = filled.session.post(
        filled.url + filled.prefix + path, data=json.dumps(body).encode(), auth=(KEY, SECRET), timeout=60
    )
    assert answer.status_code < 500, (path, body, answer.text)
    answer.json()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.sampled_from(["/client/downloadUrl", "/client/getAnnotations/x/collection", "/", "/files/x"]),
    st.text(max_size=9),
)
def test_any_query(filled: Server, path: str, text: str) -> None:
    names = ("file_key", "pageNo", "operationIdList", "page", text)
    for prefix in (filled.prefix, ""):
        answer = requests.get(
            filled.url + prefix + path, params=dict.fromkeys(names, text), auth=(KEY, SECRET), timeout=60
        )
        assert answer.status_code < 500, answer.text
