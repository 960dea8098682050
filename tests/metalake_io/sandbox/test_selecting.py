"""Lists, queries, filters, selections, the trash and metadata, by plain HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .wire import Server, box, entry

FILTER = {"annotationTypes": [], "date": {}, "tags": [], "labels": [], "metadata": {}}


@pytest.fixture(scope="module")
def zoo(server: Server, picture: Callable[..., bytes]) -> str:
    """Four pictures: bird by a person, cat by a machine, both by both, none on the last; a text file elsewhere."""
    names = ["bird.png", "cat.png", "Both.png", "raw.png"]
    files = {name: picture(10 + size, 10) + b" " * size for size, name in enumerate(names)}
    upload = server.upload("Zoo", files, metaDataObject={"Place": "Winnipeg"})
    bird, cat = box("Bird", 1, 1, 1, 1), box("Cat", 2, 2, 2, 2)
    server.annotate("people", entry(bird, objectKey="Zoo_bird.png"), entry(bird, objectKey="Zoo_Both.png"), mode=1)
    server.annotate("model", entry(cat, objectKey="Zoo_cat.png"), entry(cat, objectKey="Zoo_Both.png"), mode=2)
    entries = [
        {"file": "Zoo_raw.png", "metadata": {"size": 30, "Tags": ["water", "night"]}},
        {"file": "Zoo_cat.png", "metadata": {"Tags": ["water"]}},
    ]
    server.post("/client/metadata/uploadMetadataByJson", {"metadata": entries})
    server.upload("Zoo", {"note.txt": b"text"}, media=7)
    return upload["collectionId"]


def found(server: Server, collection: str | None, **more: Any) -> set[str]:
    """Short names of all that a list gives; empty where it says that there are no more pages."""
    body = {"pageIndex": 0, "pageSize": 100, "filterData": FILTER, "contentType": 2, "sortBy": {}} | more
    inside = f"/{collection}" if collection else ""
    answer = server.ask("POST", f"/client/explorer{inside}/objects/list", body)
    if answer.status_code == 406:
        assert answer.json()["error"]["message"] == "No more pages to download"
        return set()
    assert answer.status_code == 200, answer.text
    return {item["name"].partition(".")[0] for item in answer.json()}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"bird", "cat", "Both", "raw"}),
        ("annotation.label=Bird", {"bird", "Both"}),
        (" annotation.label = Bird ", {"bird", "Both"}),
        ("annotation.label=bird", set()),
        ("annotation.label~BIR", {"bird", "Both"}),
        ("annotation.label!=Bird", {"cat", "raw"}),
        ("metadata.Tags=water", {"cat", "raw"}),
        ("metadata.Tags!=water", {"bird", "Both"}),
        ("metadata.Tags=wat", set()),
        ("metadata.name=cat.png", {"cat"}),
        ("metadata.name~BO", {"Both"}),
        ("metadata.name!=cat.png", {"bird", "Both", "raw"}),
        ("metadata.Place=Winnipeg", {"bird", "cat", "Both", "raw"}),
        ("metadata.size=30", {"raw"}),
        ("metadata.size!=30", {"bird", "cat", "Both"}),
        ("metadata.Place=x' OR '1'='1", set()),
        ("metadata.Place~%", set()),
    ],
)
def test_queries(server: Server, zoo: str, query: str, names: set[str]) -> None:
    assert found(server, zoo, query=query) == names
    assert found(server, None, query=query) == names


@pytest.mark.parametrize("query", [" ", "Bird", "annotation.label", "annotation.colour=x", "label=Bird", "=", "a.b=c"])
def test_a_query_that_is_not_understood_selects_nothing(server: Server, zoo: str, query: str) -> None:
    """Taken for everything, it would trash everything."""
    body = {"isAllSelected": True, "contentType": 2, "query": query, "collectionId": zoo}
    assert server.refusal("POST", "/client/query/getSelectionId", body)[0] == 406
    assert server.refusal("POST", f"/client/explorer/{zoo}/objects/list", {"query": query})[0] == 406


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"annotationTypes": [2]}, {"bird", "Both"}),
        ({"annotationTypes": [1]}, {"cat", "Both"}),
        ({"annotationTypes": [0]}, {"raw"}),
        ({"annotationTypes": [2, 0]}, {"bird", "Both", "raw"}),
        ({"tags": ["night", "x"]}, {"raw"}),
        ({"labels": ["Cat"]}, {"cat", "Both"}),
        ({"metadata": {"size": 30}}, {"raw"}),
        ({"date": {"fromDate": "2000-01-01"}}, {"bird", "cat", "Both", "raw"}),
        ({"date": {"fromDate": "2999-01-01"}}, set()),
        ({"date": {"toDate": "2000-01-01"}}, set()),
        ({"date": {"toDate": "2999-01-01T00:00:00+02:00"}, "annotationTypes": [1]}, {"cat", "Both"}),
    ],
)
def test_filters(server: Server, zoo: str, wanted: dict[str, Any], names: set[str]) -> None:
    assert found(server, zoo, filterData=FILTER | wanted) == names


@pytest.mark.parametrize("wanted", [{"annotationTypes": [3]}, {"date": {"fromDate": "yesterday"}}])
def test_filters_that_make_no_sense(server: Server, zoo: str, wanted: dict[str, Any]) -> None:
    assert server.refusal("POST", f"/client/explorer/{zoo}/objects/list", {"filterData": wanted})[0] == 406


def test_the_last_day_counts_in_full(server: Server, zoo: str) -> None:
    from datetime import UTC, datetime, timedelta

    today = datetime.now(UTC).date()  # around midnight the files may be of the day before
    days = {"fromDate": str(today - timedelta(days=1)), "toDate": str(today)}
    assert found(server, zoo, filterData=FILTER | {"date": days}) == {"bird", "cat", "Both", "raw"}


def test_object_types(server: Server, zoo: str) -> None:
    assert found(server, None, contentType=6) == {"note"}
    assert found(server, None, contentType=1) == set()
    assert found(server, None, contentType=0) == {"bird", "cat", "Both", "raw", "note"}
    assert server.get(f"/client/{zoo}/getObjectTypeById") == {"objectType": 5}
    assert server.get(f"/client/{server.listing(zoo)[0]['id']}/getObjectTypeById") == {"objectType": 2}


def test_order_and_pages(server: Server, zoo: str) -> None:
    """By default what was changed last comes first: the pictures with new metadata."""
    by_name = {"sortByField": 3, "sortOrder": "ASC"}
    assert [item["name"] for item in server.listing(zoo, sortBy=by_name)] == [
        "Both.png",
        "bird.png",
        "cat.png",
        "raw.png",
    ]
    by_size = {"sortByField": 4, "sortOrder": "DESC"}
    pages = [server.listing(zoo, sortBy=by_size, pageSize=3, pageIndex=index) for index in range(2)]
    assert [len(page) for page in pages] == [3, 1]
    sizes = [item["size"] for page in pages for item in page]
    assert sizes == sorted(sizes, reverse=True)
    assert [item["name"] for item in server.listing(zoo)][:2] == ["cat.png", "raw.png"]
    assert server.refusal("POST", f"/client/explorer/{zoo}/objects/list", {"sortBy": {"sortByField": 5}})[0] == 422
    assert server.refusal("POST", f"/client/explorer/{zoo}/objects/list", {"pageSize": 1001})[0] == 422


def test_a_selection_is_what_was_there_when_it_was_made(server: Server, collection: str) -> None:
    there = server.upload(collection, {"a.png": b"a", "b.png": b"b"})["collectionId"]
    body = {"isAllSelected": True, "contentType": 0, "objectIdList": [], "collectionId": there}
    tag = server.post("/client/query/getSelectionId", body)["selectionTag"]
    server.upload(collection, {"c.png": b"c"})
    trash = {"selectionId": tag, "userId": "Python SDK"}
    done = server.post("/client/file/trash", trash)
    assert done == {"isSuccess": True, "message": "2 objects successfully trashed, 0 objects failed to trash"}
    assert server.names(there) == [f"{collection}_c.png"]
    again = server.post("/client/file/trash", trash)
    assert again == {"isSuccess": False, "message": "0 objects successfully trashed, 2 objects failed to trash"}
    assert server.refusal("POST", "/client/file/trash", {"selectionId": "nope"})[0] == 406


def test_a_trashed_collection_hides_its_files_and_frees_its_name(server: Server, collection: str) -> None:
    there = server.upload(collection, {"a.png": b"a"})["collectionId"]
    body = {"isAllSelected": False, "contentType": 5, "objectIdList": [there], "collectionId": ""}
    tag = server.post("/client/query/getSelectionId", body)["selectionTag"]
    server.post("/client/file/trash", {"selectionId": tag})
    assert server.refusal("GET", f"/client/downloadUrl?file_key={collection}_a.png")[0] == 404
    assert server.annotate("op", entry(objectKey=f"{collection}_a.png"))["isSuccess"] is False
    name = {"collectionName": collection, "objectType": 5}
    assert server.refusal("POST", "/client/metadata/getCollectionIdByName", name) == (406, "Collection not found")
    assert server.upload(collection, {"a.png": b"a"})["collectionId"] != there
    assert server.post("/client/query/getSelectionId", body) == {
        "isSuccess": False,
        "warningMsg": "No objects are selected",
    }


def test_validation_refuses_what_cannot_be_kept_and_renames_nothing(server: Server) -> None:
    tags, fields = "/client/metadata/validateTags", "/client/metadata/validateMetaFields"
    assert server.post(tags, {"tags": ["retail", "night"]}) == []
    assert server.post(fields, {"fields": ["Camera Id"]}) == []
    assert server.refusal("POST", tags, {"tags": ["a", " "]})[0] == 406
    for field in ("a.b", "$a", "", "a\0"):
        assert server.refusal("POST", fields, {"fields": [field]})[0] == 406
    assert server.refusal("POST", fields, {"fields": [1]})[0] == 422


def test_metadata_is_refused_as_a_whole_or_kept(server: Server, collection: str) -> None:
    there = server.upload(collection, {"a.png": b"a"})["collectionId"]
    path = "/client/metadata/uploadMetadataByJson"
    entries = [{"file": f"{collection}_a.png", "metadata": {"a": 1}}, {"file": "x", "metadata": {"$b": 1}}]
    assert server.refusal("POST", path, {"metadata": entries})[0] == 406
    assert server.listing(there)[0]["metadata"] == {}
    entries[1] = {"file": "x"}
    answer = server.post(path, {"metadata": entries})
    message = "Metadata of 1 files updated, 1 not found: x"
    assert answer == {"isSuccess": False, "message": message, "notFound": ["x"]}
    assert server.listing(there)[0]["metadata"] == {"a": 1}
    for tags in ("retail", [1], [""], None):
        body = {"metadata": [{"file": f"{collection}_a.png", "metadata": {"Tags": tags}}]}
        assert server.refusal("POST", path, body)[0] == 406


def test_details_of_a_collection(server: Server, collection: str) -> None:
    there = server.upload(collection, {"a.png": b"a"}, metaDataObject={"k": "v", "Tags": ["t"]})["collectionId"]

    def ask(*names: str) -> dict[str, Any]:
        body = {"collectionId": there, "requiredMetaObj": dict.fromkeys(names, True)}
        return server.post("/client/metadata/getCollectionDetails", body)["itemDetails"]

    head = {"id": there, "name": collection, "contentType": 5}
    assert ask() == head
    assert ask("storagePath", "fileCount") == head | {"storagePath": collection, "fileCount": 1}
    assert ask("metadata", "unknown") == head | {"metadata": {"k": "v", "Tags": ["t"]}}
