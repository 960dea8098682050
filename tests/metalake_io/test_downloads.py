"""Downloads, over real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.errors import NetworkGaveUp, NotAuthorised, PartlyDone, ProtocolError
from annolake.schemas.errors import LocalFailure, UsageError

from .lake import Lake
from .trees import tree
from .wire import Answer, js, refusal


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "world" / "out"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def full(lake: Lake) -> Lake:
    """A lake with two pictures on one page."""
    lake.files = {"Demo_b.JPG": b"picture b", "Demo_a.png": b"picture a"}
    lake.pages = [lake.page("Demo_b.JPG", "Demo_a.png")]
    return lake


def test_a_collection(client: MetaLakeClient, full: Lake, out: Path) -> None:
    assert client.download_collection("c1", "all", [], str(out)) is None
    found = tree(out)
    assert list(found) == ["Demo/Demo.json", "Demo/data/Demo_a.png", "Demo/data/Demo_b.JPG"]
    assert found["Demo/data/Demo_a.png"] == b"picture a"
    images = {"images": [{"image": "Demo_b.JPG", "annotations": []}, {"image": "Demo_a.png", "annotations": []}]}
    assert found["Demo/Demo.json"].decode() == json.dumps(images, indent=2)
    notes = [one.json for one in full.asked("updateJob")]
    assert [(one["status"], one["jobType"]) for one in notes] == [(2, 10)]
    assert all("authorization" not in one.headers for one in full.asked("GET /bucket"))


def test_into_the_current_folder(
    client: MetaLakeClient, full: Lake, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out)
    client.download_collection("c1")
    assert (out / "Demo" / "Demo.json").is_file()


def test_annotations_only(client: MetaLakeClient, full: Lake, out: Path) -> None:
    client.download_collection("c1", "human", ["op 1", "op2"], str(out), False)
    assert list(tree(out)) == ["Demo/Demo.json"]
    query = full.asked("getAnnotations")[0].query
    assert query["operationIdList"] == '["op 1", "op2"]'
    assert (query["annotationType"], query["projectIdList"], query["pageSize"]) == ("human", "null", "250")


@pytest.mark.parametrize(("model", "sent"), [(None, ("human", "[]")), ("m1", ("all", '["m1"]'))])
def test_the_deprecated_function(
    client: MetaLakeClient, full: Lake, out: Path, model: str | None, sent: tuple[str, str]
) -> None:
    with pytest.warns(DeprecationWarning):
        client.download_annotations("c1", model, custom_download_path=str(out))
    query = full.asked("getAnnotations")[0].query
    assert (query["annotationType"], query["operationIdList"]) == sent


def test_1500_pages_without_recursion(client: MetaLakeClient, lake: Lake, out: Path) -> None:
    """Defect 31."""
    lake.pages = [lake.page(f"{n}.png", more=n < 1499) for n in range(1500)]
    report = client.downloads.collection("c1", out, media=False)
    assert report.images == 1500


def test_no_data(client: MetaLakeClient, lake: Lake, out: Path) -> None:
    """Defect 31."""
    report = client.downloads.collection("c1", out)
    assert (report.complete, report.images) == (True, 0)
    assert report.notes == ["the service has no data for this collection"]
    assert tree(out) == {}


@pytest.mark.parametrize("fault", ["repeats", "missing", "broken", "no-key"])
def test_pages_that_make_no_sense(client: MetaLakeClient, lake: Lake, out: Path, fault: str) -> None:
    """No endless loop, and no annotation JSON that lacks pages."""
    second = {
        "repeats": lake.page("a.png", more=True),
        "missing": {"message": "no data"},
        "broken": {"error": {"message": "out of order"}},
        "no-key": {"data": {"identifier": "x", "groupUniqueName": "Demo"}},
    }[fault]
    lake.files["a.png"] = b"a"
    lake.pages = [lake.page("a.png", more=True), second]
    with pytest.raises(Exception) as caught:
        client.download_collection("c1", "all", [], str(out))
    assert caught.value.exit_code == 7  # type: ignore[attr-defined]
    assert list(tree(out)) == ["Demo/data/a.png"]
    assert full_status(lake) == 4


def full_status(lake: Lake) -> int:
    return lake.asked("updateJob")[-1].json["status"]


def test_faults_on_pages_are_survived(client: MetaLakeClient, full: Lake, out: Path) -> None:
    """Defects 29 and 30: the official SDK ends the process, or ends early as if complete."""
    full.rule("GET .*getAnnotations", refusal(500, "x"), Answer(drop=True), Answer(429))
    full.rule("GET /bucket", Answer(drop=True), Answer(500), Answer(200, b"picture", cut=3))
    client.download_collection("c1", "all", [], str(out))
    assert len(tree(out)) == 3


def test_401(client: MetaLakeClient, full: Lake, out: Path) -> None:
    full.rule("GET .*getAnnotations", refusal(401, "Unauthorized"))
    with pytest.raises(NotAuthorised):
        client.download_collection("c1", "all", [], str(out))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, b"<Error/>"),
        Answer(403, b"<Error/>"),
        Answer(200, b"<html>please log in</html>", {"Content-Type": "text/html"}),
        Answer(200, b"", bare=True),
        Answer(200, b"picture a", {"Content-Length": "20"}, cut=9),
        Answer(200, b"pic", {"ETag": f'"{"0" * 32}"', "x-amz-request-id": "1"}),
        Answer(200, b"pic", {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    ],
)
def test_wrong_bytes_never_stand_under_the_final_name(
    client: MetaLakeClient, full: Lake, out: Path, answer: Answer
) -> None:
    """Defects 33 and 34. The annotation JSON is there all the same (38)."""
    full.rule("GET /bucket/Demo_a", answer, times=99)
    with pytest.raises(PartlyDone) as caught:
        client.download_collection("c1", "all", [], str(out))
    assert caught.value.exit_code == 6
    assert caught.value.report is not None
    assert [item.name for item in caught.value.report.of("failed", "uncertain")] == ["Demo_a.png"]
    assert list(tree(out)) == ["Demo/Demo.json", "Demo/data/Demo_b.JPG"]
    assert full_status(full) == 4


def test_how_well_it_is_known(client: MetaLakeClient, full: Lake, out: Path) -> None:
    full.rule("GET /bucket/Demo_a", Answer(200, b"picture a", bare=True))
    report = client.downloads.collection("c1", out)
    assert {item.name: item.verified_by for item in report.items} == {"Demo_a.png": "none", "Demo_b.JPG": "md5"}


def test_an_etag_of_another_server_is_no_hash(client: MetaLakeClient, full: Lake, out: Path) -> None:
    full.rule("GET /bucket/Demo_a", Answer(200, b"picture a", {"ETag": f'"{"0" * 32}"'}))
    report = client.downloads.collection("c1", out)
    assert {item.name: item.verified_by for item in report.items} == {"Demo_a.png": "size", "Demo_b.JPG": "md5"}


def test_again_fetches_only_what_differs(client: MetaLakeClient, full: Lake, out: Path) -> None:
    """Defect 34: the official SDK takes a broken leftover for the file."""
    client.download_collection("c1", "all", [], str(out))
    (out / "Demo" / "data" / "Demo_a.png").write_bytes(b"pict")
    full.wire.asked.clear()
    report = client.downloads.collection("c1", out)
    assert {item.name: (item.state, item.reason) for item in report.items} == {
        "Demo_a.png": ("downloaded", "it replaced another file of this name"),
        "Demo_b.JPG": ("skipped", "the same file is there"),
    }
    assert tree(out)["Demo/data/Demo_a.png"] == b"picture a"


def changed(page: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    return {"data": page["data"] | {key: value}}


HOSTILE = [
    "../evil.png", "../../evil.png", "/etc/evil.png", "a/../../evil.png", "..", ".", "", "C:\\evil.png",
    "\\\\host\\evil.png", "a\\..\\evil.png", "evil\0.png", "evil\n.png", "\x1b[31mevil.png", "x" * 300 + ".png",
    "..\\evil.png", "a/", "a//b", ".annolake-export.json",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(client: MetaLakeClient, full: Lake, out: Path, name: str) -> None:
    """Defect 32: nothing is written outside, and each refused name is listed."""
    for page in (
        full.page("Demo_a.png", resourceArray=[full.page(name)["data"]["resourceArray"][0]]),
        full.page("Demo_a.png", resourceArray=[
            full.page("Demo_a.png")["data"]["resourceArray"][0] | {"fileDownloadFolderLocation": name or ".."}
        ]),
    ):  # fmt: skip
        full.pages = [page]
        report = client.downloads.collection("c1", out)
        if name == "a/":
            continue  # as a folder it means `a`
        assert [item.state for item in report.items] == ["failed"]
    for key in ("groupUniqueName", "rawFileName"):
        full.pages = [changed(full.page("Demo_a.png"), key, name)]
        with pytest.raises(Exception, match="unsafe-name"):
            client.download_collection("c1", "all", [], str(out))
    assert [path for path in tree(out.parent) if not path.startswith("out/Demo/")] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_unique_names(client: MetaLakeClient, lake: Lake, out: Path, name: str) -> None:
    lake.files["good.png"] = b"good"
    entries = [{"id": "1", "uniqueName": name, "url": lake.media("good.png")}, *lake.listed()]
    lake.rule("POST .*list", js(entries))
    result = client.download_files_from_metalake("image", str(out))
    assert result["is_success"] is False
    assert tree(out.parent) == {"out/good.png": b"good"}


def test_links_on_the_way_are_not_followed(client: MetaLakeClient, full: Lake, out: Path) -> None:
    elsewhere = out.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_bytes(b"kept")
    (out / "Demo").mkdir()
    (out / "Demo" / "data").symlink_to(elsewhere)
    report = client.downloads.collection("c1", out)
    assert [item.state for item in report.items] == ["failed", "failed"]
    (out / "Demo" / "data").unlink()
    (out / "Demo" / "data").mkdir()
    (out / "Demo" / "data" / "Demo_a.png").symlink_to(elsewhere / "kept")
    assert client.downloads.collection("c1", out).complete
    assert tree(elsewhere) == {"kept": b"kept"}
    assert tree(out)["Demo/data/Demo_a.png"] == b"picture a"


def test_a_name_twice(client: MetaLakeClient, full: Lake, out: Path) -> None:
    full.pages = [full.page("Demo_a.png", "Demo_a.png")]
    report = client.downloads.collection("c1", out)
    assert sorted(item.state for item in report.items) == ["downloaded", "failed"]


def test_this_computer_refuses(client: MetaLakeClient, full: Lake, out: Path) -> None:
    (out / "Demo").write_bytes(b"a file where a folder should be")
    with pytest.raises(LocalFailure):
        client.download_collection("c1", "all", [], str(out))


def test_listed_files(client: MetaLakeClient, full: Lake, out: Path) -> None:
    order: dict[str, Any] = {"sort_by_field": "date_created", "sort_order": "ASC"}
    wanted = {"annotation_types": ["machine", "human"], "from_date": "2022-08-02"}
    result = client.download_files_from_metalake("image", str(out), 0, 2, "annotation.label=Bird", wanted, order)
    assert result == {"is_success": True, "message": ""}
    assert tree(out) == full.files
    body = full.asked("objects/list")[0].json
    assert body == {
        "pageIndex": 0, "pageSize": 2, "query": "annotation.label=Bird",
        "filterData": {
            "annotationTypes": [2, 1], "date": {"fromDate": "2022-08-02"}, "tags": [], "labels": [], "metadata": {}
        },
        "contentType": 2, "sortBy": {"sortOrder": "ASC", "sortByField": 1 + 1},
    }  # fmt: skip


def test_documented_defaults(client: MetaLakeClient, full: Lake, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out)
    assert client.download_files_from_metalake() == {"is_success": True, "message": ""}
    assert client.download_files_from_collection("c1")["is_success"]
    assert sorted(tree(out)) == [
        "c1/Demo_a.png", "c1/Demo_b.JPG", "metalake_images/Demo_a.png", "metalake_images/Demo_b.JPG",
    ]  # fmt: skip
    assert full.asked("objects/list")[0].json["sortBy"] == {"sortOrder": "DESC", "sortByField": 1}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refusal(406, "No more pages to download"), "No more pages to download"),
        (js({"isSuccess": False, "message": "No more pages to download"}), "No more pages to download"),
        (js([]), "No files to download"),
        (Answer(204), "No content found"),
    ],
)
def test_the_end_of_the_list(client: MetaLakeClient, lake: Lake, out: Path, answer: Answer, message: str) -> None:
    lake.rule("POST .*list", answer, times=2)
    assert client.download_files_from_metalake("image", str(out)) == {"is_success": False, "message": message}
    assert client.downloads.from_datalake("image", out).last_page


def test_unknown_collection(client: MetaLakeClient, lake: Lake, out: Path) -> None:
    result = client.download_files_from_collection("nope", str(out))
    assert (result["is_success"], result["message"]) == (False, "Object not found")


def test_listed_items_without_file_name_and_a_broken_connection(client: MetaLakeClient, full: Lake, out: Path) -> None:
    """Defect 36."""
    full.rule("GET /bucket", Answer(drop=True))
    assert client.download_files_from_metalake("image", str(out)) == {"is_success": True, "message": ""}


@pytest.mark.parametrize("options", [
    {"item_type": "Image"}, {"page_index": -1}, {"page_size": 0}, {"page_size": 1001}, {"page_size": True},
    {"query": None}, {"filter": {"annotationTypes": ["human"]}}, {"filter": {"annotation_types": ["Human"]}},
    {"sort_order": {"sort_by_field": "colour"}}, {"sort_order": {"sort_order": "asc"}},
    {"filter": {}, "metalake_filter": {}},
])  # fmt: skip
def test_what_cannot_be_meant(client: MetaLakeClient, lake: Lake, out: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        client.download_files_from_metalake(custom_download_path=str(out), **options)
    assert lake.asked("POST") == []


def test_a_list_that_is_none(client: MetaLakeClient, lake: Lake, out: Path) -> None:
    lake.rule("POST .*list", js({"items": []}))
    with pytest.raises(ProtocolError):
        client.downloads.from_datalake("image", out)


def test_a_storage_that_stays_away(connected, full: Lake, out: Path) -> None:
    full.rule("GET /bucket/Demo_a", Answer(503), times=99)
    report = connected().downloads.collection("c1", out)
    bad = report.of("failed", "uncertain")
    assert [(item.attempts >= 8, item.status, item.retry_helps) for item in bad] == [(True, 503, True)]


def test_downloadable_url(client: MetaLakeClient, full: Lake) -> None:
    assert client.get_downloadable_url("Demo_a.png") == {"isSuccess": True, "url": full.media("Demo_a.png")}
    assert client.get_downloadable_url("a b+c&d=é#1") == {"isSuccess": False, "message": "File not found"}
    assert full.asked("downloadUrl")[1].query == {"file_key": "a b+c&d=é#1"}


def test_giving_up_is_told(connected, lake: Lake, out: Path) -> None:
    lake.rule("GET .*getAnnotations", Answer(502, b"<html>"), times=99)
    with pytest.raises(NetworkGaveUp, match="page 0 of the collection: the server answers 502"):
        connected().download_collection("c1", "all", [], str(out))
