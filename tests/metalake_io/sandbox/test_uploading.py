"""Uploading by plain HTTP: what storage takes, what the service keeps, what neither does."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from .wire import Server, running

S3 = {"Content-Type": "image/jpeg"}


def put(url: str, content: bytes, **headers: str) -> requests.Response:
    return requests.put(
        url, data=content, headers={name.replace("_", "-"): text for name, text in headers.items()}, timeout=60
    )


def stored(server: Server, collection: dict[str, Any]) -> dict[str, bytes]:
    """Unique name -> bytes, by way of the URLs that a list gives."""
    listing = server.listing(collection["collectionId"], contentType=0)
    return {item["uniqueName"]: requests.get(item["url"], timeout=60).content for item in listing}


def test_begin_answers_what_the_sdk_needs(server: Server, collection: str) -> None:
    upload = server.begin(collection, "a.png")
    assert upload["storageType"] == "AWS_S3"
    assert all(len(bytes.fromhex(upload[name])) == 12 for name in ("uploadId", "collectionId", "jobId"))


def test_parts_in_any_order_become_one_file(server: Server, collection: str) -> None:
    """S3: each part's ETag is its MD5 in quotes; a part that is sent again replaces the first."""
    upload = server.begin(collection, "v.mp4", media=4)
    file = server.initialize(upload, "v.mp4")
    urls = server.urls(file, 3, "video/mp4")
    pieces = [b"one" * 1000, b"two" * 1000, b""]
    etags = [""] * 3
    for index in (2, 0, 1, 0):
        answer = requests.put(urls[index], data=pieces[index], headers={"Content-Type": "video/mp4"}, timeout=60)
        etags[index] = answer.headers["ETag"].strip('"')
        assert etags[index] == hashlib.md5(pieces[index]).hexdigest()
    assert server.finalize(upload, file, etags).status_code == 200
    assert stored(server, upload) == {f"{collection}_v.mp4": b"".join(pieces)}


def test_nothing_is_there_before_finalize_and_finalize_may_be_asked_again(
    server: Server, collection: str, picture: Callable[..., bytes]
) -> None:
    upload = server.begin(collection, "a.png")
    file = server.initialize(upload, "a.png")
    etag = put(server.urls(file)[0], picture(), **{"Content-Type": "image/jpeg"}).headers["ETag"].strip('"')
    assert server.annotations(upload["collectionId"]) == {}
    for _ in range(2):
        assert server.finalize(upload, file, [etag]).status_code == 200
    assert list(server.annotations(upload["collectionId"])) == [f"{collection}_a.png"]
    assert server.complete(upload) == [f"{collection}_a.png"]


@pytest.mark.parametrize("etags", [["0" * 32], [], ["", ""]])
def test_finalize_refuses_parts_that_are_not_those_received(server: Server, collection: str, etags: list[str]) -> None:
    upload = server.begin(collection, "a.png")
    file = server.initialize(upload, "a.png")
    put(server.urls(file)[0], b"bytes", Content_Type="image/jpeg")
    answer = server.finalize(upload, file, etags)
    assert answer.status_code == 400
    assert "InvalidPart" in answer.json()["error"]["message"]
    assert server.annotations(upload["collectionId"]) == {}


def test_a_name_that_is_there_is_not_sent_again(server: Server, collection: str) -> None:
    server.upload(collection, {"a.png": b"first"}, metaDataObject={"a": "1"})
    again = server.begin(collection, "a.png", metaDataObject={"a": "2"})
    assert server.initialize(again, "a.png")["isExisting"] is True
    assert server.complete(again) == []
    assert stored(server, again) == {f"{collection}_a.png": b"first"}
    assert server.listing(again["collectionId"])[0]["metadata"] == {"a": "1"}
    over = server.begin(collection, "a.png", metaDataObject={"a": "2"}, isOverrideMetaData=True)
    server.initialize(over, "a.png")
    assert server.listing(again["collectionId"])[0]["metadata"] == {"a": "2"}


def test_a_name_that_was_trashed_does_not_come_back(server: Server, collection: str) -> None:
    upload = server.upload(collection, {"a.png": b"first"})
    body = {
        "isAllSelected": True,
        "contentType": 2,
        "objectIdList": [],
        "query": "",
        "collectionId": upload["collectionId"],
    }
    selected = server.post("/client/query/getSelectionId", body)
    server.post("/client/file/trash", {"selectionId": selected["selectionTag"], "userId": "Python SDK"})
    assert server.initialize(server.begin(collection, "a.png"), "a.png")["uploadRemovedFile"] is True


def test_two_who_send_the_same_file_never_mix(server: Server, collection: str) -> None:
    """Both may have begun; what is there in the end is the whole file of the last to finalize."""
    uploads = [server.begin(collection, "v.mp4", media=4) for _ in range(2)]
    files = [server.initialize(upload, "v.mp4") for upload in uploads]
    etags: list[list[str]] = [[], []]
    for part in range(2):
        for who in range(2):
            url = server.urls(files[who], 2, "video/mp4")[part]
            answer = put(url, f"{who}{part}".encode(), Content_Type="video/mp4")
            etags[who].append(answer.headers["ETag"].strip('"'))
    for who in (1, 0):
        assert server.finalize(uploads[who], files[who], etags[who]).status_code == 200
    assert stored(server, uploads[0]) == {f"{collection}_v.mp4": b"0001"}


def test_collections_of_one_name_by_media_type_and_a_safe_path(server: Server) -> None:
    """Whatever may trouble a folder becomes `_`; on a clash a number follows."""
    names = [("Demo%20/ü", 5), ("Demo%20/ü", 4), ("Demo  ü", 5)]
    ids = [server.begin(name, media=media)["collectionId"] for name, media in names]
    wanted = {"storagePath": True}
    answers = [
        server.post("/client/metadata/getCollectionDetails", {"collectionId": each, "requiredMetaObj": wanted})
        for each in ids
    ]
    assert [answer["itemDetails"]["storagePath"] for answer in answers] == ["Demo __", "Demo ___1", "Demo  _"]
    assert server.begin(*names[0][:1], media=5)["collectionId"] == ids[0]


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\0b", "a\nb", "ü" * 128])
def test_hostile_names_are_refused(server: Server, collection: str, name: str) -> None:
    body = {"collectionType": 5, "collectionName": collection, "objectKeyList": [name]}
    status, message = server.refusal("POST", "/client/uploadMetadataInCollection", body)
    assert (status, message[:17]) == (406, "Invalid file name")
    upload = server.begin(collection)
    body = {"fileName": name, "uploadId": upload["uploadId"]}
    assert server.refusal("POST", "/client/fileUpload/initializeMultipartUpload", body)[0] == 406


@pytest.mark.parametrize("name", ["a b.png", "ü+%41&=#?.png", "con.png", "-x.png", "a..b.png", "<b>.png", "a\\b.png"])
def test_odd_names_are_kept_as_they_are(server: Server, collection: str, name: str) -> None:
    upload = server.upload(f"{collection[:20]} odd", {name: b"bytes"})
    assert stored(server, upload)[f"{collection[:20].replace('.', '_')} odd_{name}"] == b"bytes"


def test_nothing_is_ever_named_by_a_client_on_disk(server: Server, collection: str) -> None:
    server.upload(collection, {"a b.png": b"bytes"})
    names = [path.name for path in Path(server.data).rglob("*")]
    assert not any("a b" in name or collection in name for name in names)


@pytest.mark.parametrize("prefix", ["../x", "a/../../b", "a\0b"])
def test_hostile_prefixes_are_refused(server: Server, collection: str, prefix: str) -> None:
    body = {"collectionType": 5, "collectionName": collection, "objectKeyList": [], "storagePrefixPath": prefix}
    assert server.refusal("POST", "/client/uploadMetadataInCollection", body)[0] == 406


def test_a_signed_url_is_for_one_method_one_part_and_one_type(server: Server, collection: str) -> None:
    file = server.initialize(server.begin(collection, "a.png"), "a.png")
    url = server.urls(file, 2)[0]
    assert put(url, b"x", Content_Type="image/png").status_code == 403
    for changed in (url.replace("partNumber=1", "partNumber=2"), url[:-1], url.partition("?")[0]):
        assert put(changed, b"x", Content_Type="image/jpeg").status_code == 403
    assert requests.get(url, timeout=60).status_code == 403
    assert put(url, b"x", Content_Type="image/jpeg").status_code == 200


def test_a_signed_url_holds_for_a_while_only(tmp_path: Path) -> None:
    """The clock need not pass: a URL whose time is over is one that was signed for an earlier time."""
    from annolake.metalake_io.sandbox.auth import Signer

    past, future = Signer("secret", -1), Signer("secret", 60)
    for signer, holds in ((past, False), (future, True)):
        path, _, query = signer.sign("GET", "/storage/x").partition("?")
        pairs = dict(pair.split("=") for pair in query.split("&"))
        assert signer.holds("GET", path, pairs, unsigned=frozenset()) is holds


def test_ranges_of_a_download(server: Server, collection: str) -> None:
    upload = server.upload(collection, {"a.bin": bytes(range(256))}, media=7)
    url = server.listing(upload["collectionId"], contentType=6)[0]["url"]
    for wanted, status, content in (
        ("bytes=0-3", 206, bytes(range(4))),
        ("bytes=250-", 206, bytes(range(250, 256))),
        ("bytes=-2", 206, b"\xfe\xff"),
        ("bytes=256-", 416, None),
    ):
        answer = requests.get(url, headers={"Range": wanted}, timeout=60)
        assert answer.status_code == status
        if content is not None:
            assert answer.content == content
    assert requests.get(url, timeout=60).headers["Content-Length"] == "256"


def test_what_was_uploaded_never_runs_as_a_page_of_ours(server: Server, collection: str) -> None:
    upload = server.upload(collection, {"x.html": b"<script>alert(1)</script>"}, media=7)
    answer = requests.get(server.listing(upload["collectionId"], contentType=6)[0]["url"], timeout=60)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_google_is_told_ranges(tmp_path: Path) -> None:
    """308 while more is to come. An empty last part is not sent; a part that is missing is noticed."""
    with running(tmp_path, "--storage", "GCP", "--workers", "1") as server:
        upload = server.begin("Videos", "v.mp4", media=4)
        file = server.initialize(upload, "v.mp4")
        urls = server.urls(file, 3, "video/mp4")
        first = put(urls[0], b"12345", Content_Range="bytes 0-4/8")
        assert (first.status_code, first.headers["Range"]) == (308, "bytes=0-4")
        assert put(urls[1], b"678", Content_Range="bytes 5-8/8").status_code == 400
        assert server.finalize(upload, file, ["", ""]).status_code == 400
        assert put(urls[1], b"678", Content_Range="bytes 5-7/8").status_code == 200
        assert server.finalize(upload, file, ["", "", ""]).status_code == 200
        assert stored(server, upload) == {"Videos_v.mp4": b"12345678"}


def test_azure_names_blocks(tmp_path: Path) -> None:
    """One URL for all parts; the block's id is the part's index, in Base64 twice. Or the blob as a whole."""
    with running(tmp_path, "--storage", "AZURE", "--workers", "1") as server:
        upload = server.begin("Videos", "v.mp4", "w.mp4", media=4)
        file = server.initialize(upload, "v.mp4")
        urls = server.urls(file, 2, "video/mp4")
        assert len(set(urls)) == 1
        for index, content in enumerate((b"123", b"45")):
            block = base64.b64encode(base64.b64encode(f"{index:06}".encode())).decode()
            path, _, query = urls[0].partition("?")
            answer = requests.put(f"{path}?comp=block&blockid={block}&{query}", data=content, timeout=60)
            assert answer.status_code == 201
        assert put(urls[0] + "&comp=block&blockid=%21", b"x").status_code == 400
        assert put(urls[0], b"x").status_code == 400
        assert server.finalize(upload, file, ["", ""]).status_code == 200
        whole = server.initialize(upload, "w.mp4")
        assert put(server.urls(whole)[0], b"6", x_ms_blob_type="BlockBlob").status_code == 201
        assert server.finalize(upload, whole, [""]).status_code == 200
        assert stored(server, upload) == {"Videos_v.mp4": b"12345", "Videos_w.mp4": b"6"}


@pytest.mark.parametrize("workers", ["1", "3"])
def test_many_at_once(tmp_path: Path, workers: str) -> None:
    """Ten clients, among them pairs with the same files: all are there, each whole, each once."""
    with running(tmp_path, "--workers", workers) as server:

        def send(who: int) -> None:
            own = Server(server.url, server.data, server.process)
            own.upload("Shared", {f"{who // 2}-{number}.png": f"{who // 2}{number}".encode() for number in range(5)})

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(send, range(10)))
        found = server.get(f"/client/getAnnotations/{server.begin('Shared')['collectionId']}/collection", pageSize=250)
        media = {
            item["fileName"]: requests.get(item["fileUrl"], timeout=60).text for item in found["data"]["resourceArray"]
        }
        assert media == {f"Shared_{who}-{number}.png": f"{who}{number}" for who in range(5) for number in range(5)}
        assert list((server.data / "parts").iterdir()) == []
        assert len([path for path in (server.data / "objects").rglob("*") if path.is_file()]) == 25


def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        upload = server.upload("Demo", {"a.png": b"bytes"})
        server.process.kill()
    with running(tmp_path) as server:
        assert stored(server, upload) == {"Demo_a.png": b"bytes"}


def test_jobs(server: Server, collection: str) -> None:
    upload = server.begin(collection, "a.png", "b.png")
    path = f"/client/jobs/{upload['jobId']}/getStatus"
    assert server.get(path) == {"isSuccess": True, "status": 1, "progress": 0}
    file = server.initialize(upload, "a.png")
    etag = put(server.urls(file)[0], b"x", Content_Type="image/jpeg").headers["ETag"].strip('"')
    server.finalize(upload, file, [etag])
    assert server.get(path) == {"isSuccess": True, "status": 1, "progress": 50}
    assert server.get("/client/collection/getuploadProgress", collectionName=collection)["progress"] == 50
    server.complete(upload)
    assert server.get(path) == {"isSuccess": True, "status": 2, "progress": 100}
    assert server.refusal("GET", "/client/jobs/nope/getStatus")[0] == 404


def test_a_download_reports_one_job_a_session(server: Server) -> None:
    body = {"jobName": "Collection Download", "sessionId": "1795426068.800949", "jobType": 10, "progress": 0}
    first = server.post("/job/updateJob/basicAuthRequest", body | {"status": 1, "jobSpecificDetails": {}})
    errors = {"errorList": "x"}
    second = server.post("/job/updateJob/basicAuthRequest", body | {"status": 4, "jobSpecificDetails": errors})
    assert first["jobId"] == second["jobId"]
    assert server.get(f"/client/jobs/{first['jobId']}/getStatus")["status"] == 4
