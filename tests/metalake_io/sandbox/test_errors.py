"""Who may ask, what a broken request gets, and that every answer is one a client can read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from annolake.metalake_io.sandbox.calls import LARGEST_BODY

from .wire import KEY, SECRET, Server

BEGIN = "/client/uploadMetadataInCollection"


@pytest.mark.parametrize("prefix", ["/datalake/api", "/api", "//datalake/api", "///api"])
def test_both_prefixes_and_doubled_slashes(server: Server, prefix: str) -> None:
    own = Server(server.url, server.data, server.process, prefix)
    assert own.get("/client/sdk/compatibility/2.3.4") == {"isCompatible": True, "message": ""}


@pytest.mark.parametrize("auth", [None, (KEY, "wrong"), ("wrong", SECRET), (KEY + SECRET, ""), ("ü", "ü")])
def test_wrong_credentials(server: Server, auth: tuple[str, str] | None) -> None:
    assert server.refusal("GET", "/client/sdk/compatibility/2.3.4", auth=auth) == (401, "Invalid credentials")
    assert server.refusal("POST", BEGIN, {}, auth=auth) == (401, "Invalid credentials")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"metaDataObject": ' + b'{"a":' * 100_000, 400),
        (b'{"collectionType": NaN}', 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"collectionType": "5", "collectionName": "x", "objectKeyList": []}', 422),
        (b'{"collectionType": 99999999999999999999, "collectionName": "x", "objectKeyList": []}', 406),
        (b'{"collectionType": 6, "collectionName": "x", "objectKeyList": []}', 406),
        (b'{"collectionType": 5, "collectionName": " ", "objectKeyList": []}', 406),
        (b'{"collectionType": 5, "collectionName": null, "objectKeyList": []}', 406),
        (b'{"collectionType": 5, "collectionName": "x", "objectKeyList": ["\\ud800"]}', 400),
    ],
)
def test_broken_bodies(server: Server, content: bytes, status: int) -> None:
    answer = requests.post(server.url + server.prefix + BEGIN, data=content, auth=(KEY, SECRET), timeout=60)
    assert answer.status_code == answer.json()["error"]["statusCode"] == status
    assert answer.json()["error"]["message"]


def test_an_integer_that_no_column_holds(server: Server) -> None:
    body = {"collectionName": "x", "objectType": 10**30}
    assert server.refusal("POST", "/client/metadata/getCollectionIdByName", body)[0] == 422


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large(server: Server, declared: bool) -> None:
    """The service's proxy answers with HTML. The client can read it, though it was still sending."""

    def pieces() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // (1 << 20) + 1):
            yield bytes(1 << 20)

    content = bytes(LARGEST_BODY + 1) if declared else pieces()
    answer = requests.post(server.url + server.prefix + BEGIN, data=content, auth=(KEY, SECRET), timeout=120)
    assert (answer.status_code, answer.text[:6]) == (413, "<html>")


def test_addresses_that_are_none(server: Server) -> None:
    assert server.refusal("GET", "/client/nothing")[0] == 404
    assert server.refusal("DELETE", "/client/file/trash")[0] == 405
    operation = "/metadata/operationdata/{}/update"
    update = {"metaUpdatesArray": "[]", "operationMode": 1}
    assert server.refusal("POST", operation.format("a/b"), update)[0] == 404
    assert server.ask("POST", operation.format("a%2Fb%3F%23"), update).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/client/000000000000000000000000/getObjectTypeById", 404),
        ("GET", "/client/getAnnotations/nope/collection", 404),
        ("GET", "/client/downloadUrl?file_key=nope", 404),
        ("GET", "/client/collectionUploadingStatus/nope/complete", 404),
        ("GET", "/client/collection/getuploadProgress?collectionName=nope", 406),
        ("POST", "/client/explorer/nope/objects/list", 404),
    ],
)
def test_what_is_not_there(server: Server, method: str, path: str, status: int) -> None:
    assert server.refusal(method, path, {})[0] == status


@pytest.mark.parametrize("query", ["pageNo=-1", "pageNo=x", "pageSize=0", "pageSize=1001", "annotationType=x"])
def test_queries_that_make_no_sense(server: Server, query: str) -> None:
    there = server.begin("Queries")["collectionId"]
    assert server.refusal("GET", f"/client/getAnnotations/{there}/collection?{query}")[0] == 422
