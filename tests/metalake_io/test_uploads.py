"""Upload of files, over real sockets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.errors import NetworkGaveUp, NotAuthorised, ServiceRefused
from annolake.metalake_io.results import UploadReport
from annolake.metalake_io.uploads import Uploads
from annolake.schemas.errors import InvalidInput, UsageError

from .lake import Lake
from .wire import Answer, js, refusal


def test_a_folder(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    (pictures / "notes.txt").write_text("no picture")
    (pictures / "more").mkdir()
    result = client.upload_files_to_collection(str(pictures), "image", "Demo", {"Camera": "1", "Tags": ["x"]})
    assert result == {"is_success": True, "job_id": "j1", "collection_id": "c1"}
    assert lake.files == {"Demo_a.png": b"picture a", "Demo_b.JPG": b"picture b, longer"}
    begin = lake.asked("uploadMetadataInCollection")[0].json
    assert begin["objectKeyList"] == ["a.png", "b.JPG"]
    assert begin["metaDataObject"] == {"Camera": "1", "Tags": ["x"]}


def test_the_report_says_what_became_of_each_entry(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    (pictures / "notes.txt").write_text("no picture")
    (pictures / "more.png").mkdir()
    lake.files["Demo_a.png"] = b"was there"
    report = client.files.run(pictures, "image", "Demo")
    rows = {item.name: (item.state, item.verified_by, item.attempts) for item in report.items}
    assert rows == {
        "a.png": ("skipped", "none", 1),
        "b.JPG": ("uploaded", "md5", 1),
        "more.png": ("skipped", None, 1),
        "notes.txt": ("skipped", None, 1),
    }
    assert report.as_json()["summary"] == {"uploaded": 1, "skipped": 3, "failed": 0, "uncertain": 0}
    assert report.is_success


def test_a_single_file_has_a_unique_name(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    result = client.upload_files_to_collection(str(pictures / "a.png"), "IMAGE", "Demo")
    assert result == {"is_success": True, "job_id": "j1", "collection_id": "c1", "unique_name": "Demo_a.png"}


def test_a_bare_file_name(client: MetaLakeClient, lake: Lake, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Defect 7: the official SDK looks for it at the root of the disk."""
    monkeypatch.chdir(pictures)
    assert client.upload_files_to_collection("a.png", "image", "Demo")["is_success"]


def test_a_single_file_whose_completion_says_nothing(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    """Defect 5."""
    lake.rule("GET .*complete", Answer(204))
    result = client.upload_files_to_collection(str(pictures / "a.png"), "image", "Demo")
    assert result["is_success"]
    assert result["unique_name"] == ""


def test_a_completion_that_fails_is_no_success(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    lake.rule("GET .*complete", refusal(406, "broken"))
    result = client.upload_files_to_collection(str(pictures), "image", "Demo")
    assert result == {"is_success": False, "job_id": "j1", "collection_id": "c1"}
    lake.rule("GET .*complete", refusal(500, "broken"), times=99)
    with pytest.raises(NetworkGaveUp) as caught:
        client.upload_files_to_collection(str(pictures), "image", "Demo")
    assert isinstance(caught.value.report, UploadReport)
    assert caught.value.report.as_dict() == {"is_success": False, "job_id": "j1", "collection_id": "c1"}


@pytest.mark.parametrize("storage", ["AWS_S3", "GCP", "AZURE", "aws_s3", "gcs", "azure_blob"])
def test_parts(client: MetaLakeClient, lake: Lake, tmp_path: Path, storage: str) -> None:
    """Exact multiples of the part size have no empty part more (defect 8)."""
    lake.storage = storage if storage.isupper() else {"aws_s3": "AWS_S3", "gcs": "GCP"}.get(storage, "AZURE")
    lake.rule("POST .*uploadMetadataInCollection", js(
        {"storageType": storage, "uploadId": "u1", "collectionId": "c1", "jobId": "j1"}
    ))  # fmt: skip
    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "exact.bin").write_bytes(bytes(range(200)))
    (folder / "more.bin").write_bytes(bytes(range(201)))
    (folder / "empty.bin").write_bytes(b"")
    uploads = Uploads(client._connection.service, idle=5.0, part_size=100)
    report = uploads.files(folder, "other", "Demo")
    assert [item.state for item in report.items] == ["uploaded"] * 3
    assert lake.files == {
        "Demo_exact.bin": bytes(range(200)),
        "Demo_more.bin": bytes(range(201)),
        "Demo_empty.bin": b"",
    }
    wanted = {one.json["parts"] for one in lake.asked("getMultipartPreSignedUrls")}
    assert wanted == {1, 2, 3}
    puts = lake.asked("PUT")
    assert len(puts) == (5 if lake.storage == "GCP" else 6)
    assert all("authorization" not in put.headers for put in puts)
    if lake.storage == "GCP":
        ranges = {put.headers["content-range"] for put in puts}
        assert {"bytes 0-99/200", "bytes 100-199/200", "bytes 200-200/201"} <= ranges


def test_an_unknown_storage_stops_before_any_file(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    lake.storage = "FLOPPY"
    with pytest.raises(ServiceRefused, match="unknown-storage"):
        client.upload_files_to_collection(str(pictures), "image", "Demo")
    assert lake.asked("initialize") == []


def test_a_permanent_refusal_fails_one_file_and_is_no_success(
    client: MetaLakeClient, lake: Lake, pictures: Path, clock
) -> None:
    """Defects 1 and 6: the official SDK takes 620 s for it, and says success."""
    lake.rule("PUT /bucket/key/f1", Answer(403, b"<Error><Code>AccessDenied</Code></Error>"), times=2)
    report = client.files.run(pictures, "image", "Demo")
    bad = report.of("failed")
    assert len(bad) == 1
    assert (bad[0].status, bad[0].attempts, bad[0].retry_helps) == (403, 2, False)
    assert "AccessDenied" in str(bad[0].reason)
    assert not report.is_success
    assert len(lake.files) == 1
    assert clock.sleeps == []


def test_an_expired_address_is_asked_again_and_stored_parts_are_not_sent_again(
    client: MetaLakeClient, lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(bytes(250))
    lake.rule("PUT .*partNumber=2", Answer(403, b"<Error><Code>ExpiredToken</Code></Error>"))
    report = Uploads(client._connection.service, idle=5.0, part_size=100).files(path, "other", "Demo")
    assert report.is_success
    assert [one.query["partNumber"] for one in lake.asked("PUT")] == ["1", "2", "2", "3"]
    assert len(lake.asked("getMultipartPreSignedUrls")) == 2


def test_azure_errors_are_errors(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    """Defect 3: swallowed by the official SDK, and the file reported as stored."""
    lake.storage = "AZURE"
    lake.rule("PUT", Answer(400), times=99)
    assert not client.upload_files_to_collection(str(pictures), "image", "Demo")["is_success"]
    assert lake.asked("finalize") == []


@pytest.mark.parametrize("storage", ["AWS_S3", "AZURE", "GCP"])
def test_a_lost_finalisation_is_asked_about(client: MetaLakeClient, lake: Lake, pictures: Path, storage: str) -> None:
    """Defect 4, and more: done or not done, one file is stored, once, with the address it had."""
    lake.storage = storage
    lake.rule("POST .*finalize", Answer(drop=True), after=True)
    lake.rule("POST .*finalize", refusal(500, "broken"))
    report = client.files.run(pictures, "image", "Demo")
    assert report.is_success
    assert len(lake.files) == 2
    assert len(lake.asked("PUT")) == 2
    assert all(one.json["finalizeUrl"] for one in lake.asked("finalize"))


def test_a_refused_finalisation_in_a_200_is_a_failure(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    lake.rule("POST .*finalize", js({"isSuccess": False, "message": "part is missing"}))
    report = client.files.run(pictures, "image", "Demo")
    assert [(item.state, item.reason) for item in report.of("failed")] == [("failed", "part is missing")]


def test_removed_files_are_reported(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    """Defect 2."""
    lake.rule("POST .*initialize", js({"fileId": "", "fileKey": "", "uploadRemovedFile": True}))
    report = client.files.run(pictures / "a.png", "image", "Demo")
    assert [(item.state, "removed" in str(item.reason)) for item in report.items] == [("failed", True)]
    assert not report.is_success


def test_the_real_type_of_a_picture(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    """Defect 10."""
    client.upload_files_to_collection(str(pictures), "image", "Demo")
    assert {one.headers["content-type"] for one in lake.asked("PUT")} == {"image/png", "image/jpeg"}


def test_the_real_type_of_a_video(client: MetaLakeClient, lake: Lake, tmp_path: Path) -> None:
    """Defect 10: the official SDK takes Matroska for MP4. What is signed is what is sent."""
    for name in ("a.mkv", "b.MP4", "C.MKV"):
        (tmp_path / name).write_bytes(b"video")
    assert client.upload_files_to_collection(str(tmp_path), "video", "Demo")["is_success"]
    types = {"a.mkv": "video/x-matroska", "b.MP4": "video/mp4", "C.MKV": "video/x-matroska"}
    signed = {lake.names[one.json["fileId"]]: one.json["contentType"] for one in lake.asked("PreSigned")}
    assert signed == {f"Demo_{name}": kind for name, kind in types.items()}
    sent = {one.path.rpartition("/")[2]: one.headers["content-type"] for one in lake.asked("PUT")}
    assert {lake.names[file_id]: kind for file_id, kind in sent.items()} == signed


def test_a_damaged_part_is_sent_again(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    """Defect 11: the official SDK never compares."""
    lake.rule("PUT", Answer(200, b"", {"ETag": f'"{"0" * 32}"'}))
    report = client.files.run(pictures / "a.png", "image", "Demo")
    assert [(item.state, item.verified_by, item.attempts) for item in report.items] == [("uploaded", "md5", 2)]


def test_an_etag_of_kms_is_no_hash(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    headers = {"ETag": f'"{"0" * 32}"', "x-amz-server-side-encryption": "aws:kms"}
    lake.rule("PUT", Answer(200, b"", headers))
    report = client.files.run(pictures / "a.png", "image", "Demo")
    assert [(item.state, item.verified_by) for item in report.items] == [("uploaded", "server")]


def test_401_stops_everything(client: MetaLakeClient, lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number:03}.png").write_bytes(b"x")
    lake.rule("POST .*initialize", refusal(401, "Unauthorized"), times=999, skip=0)
    with pytest.raises(NotAuthorised) as caught:
        client.upload_files_to_collection(str(folder), "image", "Demo")
    assert caught.value.exit_code == 5
    assert len(lake.asked("initialize")) <= 64


def test_odd_entries_are_listed_and_the_good_ones_go(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    (pictures / "dangling.png").symlink_to("nowhere.png")
    (pictures / "out.png").symlink_to(pictures.parent)
    (pictures / "circle.png").symlink_to("circle.png")
    (pictures / "inside.png").symlink_to("a.png")
    os.mkfifo(pictures / "pipe.png")
    (pictures / os.fsdecode(b"\xff.png")).write_bytes(b"x")
    report = client.files.run(pictures, "image", "Demo")
    assert sorted(lake.files) == ["Demo_a.png", "Demo_b.JPG", "Demo_inside.png"]
    assert sorted(item.name for item in report.of("failed")) == [
        "\\udcff.png", "circle.png", "dangling.png", "out.png", "pipe.png",
    ]  # fmt: skip
    assert not report.is_success


def test_a_file_that_changes_is_not_finalised(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    def grow(asked) -> Answer:
        with (pictures / "a.png").open("ab") as file:
            file.write(b"more")
        return lake._store(asked)

    lake.rule("PUT", grow)
    report = client.files.run(pictures / "a.png", "image", "Demo")
    assert [item.state for item in report.items] == ["failed"]
    assert lake.asked("finalize") == []


@pytest.mark.parametrize(
    ("path", "kind", "collection", "error"),
    [
        ("nowhere", "image", "Demo", UsageError),
        (".", "picture", "Demo", UsageError),
        (".", "image", "", UsageError),
        (".", "video", "Demo", InvalidInput),
    ],
)
def test_what_cannot_be_meant_sends_nothing(
    client: MetaLakeClient, lake: Lake, pictures: Path, path: str, kind: str, collection: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.upload_files_to_collection(str(pictures / path), kind, collection)
    assert lake.asked("POST") == []


def test_refused_to_begin(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    lake.rule("POST .*uploadMetadataInCollection", refusal(406, "Invalid tag"))
    with pytest.raises(ServiceRefused, match="Invalid tag") as caught:
        client.upload_files_to_collection(str(pictures), "image", "Demo")
    assert (caught.value.exit_code, caught.value.status) == (7, 406)


def test_the_deprecated_function(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    with pytest.warns(DeprecationWarning, match="upload_files_to_collection"):
        result = client.file_upload(str(pictures), 5, "Demo", {"a": "b"}, True)
    assert result == {"is_success": True, "job_id": "j1", "collection_id": "c1"}
    begin = lake.asked("uploadMetadataInCollection")[0].json
    assert (begin["collectionType"], begin["isOverrideMetaData"]) == (5, True)


def test_many_at_once_over_few_connections(connected, lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03}.png").write_bytes(str(number).encode())
    report = connected(at_once=8).files.run(folder, "image", "Demo")
    assert report.is_success
    assert [item.name for item in report.items] == sorted(item.name for item in report.items)
    assert lake.files == {f"Demo_{number:03}.png": str(number).encode() for number in range(150)}
    assert lake.wire.connections <= 8 + 4
