"""The unmodified official SDK 2.3.4 runs every documented function (2.1 to 2.20), and reads back what it stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import requests

from .official import OfficialSdk, python_with
from .wire import Server, running

pytestmark = pytest.mark.referee

CAR = {
    "type": "rectangle",
    "bbox": [1, 2, 30.5, 10],
    "label": "Car",
    "confidence": 0.53,
    "metadata": {"source": "cam 1"},
    "attributes": {
        "color": [
            {"value": "red", "confidence": 0.35, "metadata": {"shade": "dark"}},
            {"value": "blue", "confidence": 0.2},
        ]
    },
}
ROAD = {"type": "polygon", "polygon": [[1, 2], [30, 4], [15, 15.5]], "label": "Road", "confidence": 0.9}
LANE = {"type": "line", "line": [[0, 0], [5, 5], [9, 1]], "label": "Lane"}
CORNER = {"type": "points", "points": [[7, 7]], "label": "Straße"}


class Bench:
    """A folder with two pictures, a sandbox, the SDK connected to it."""

    def __init__(self, server: Server, sdk: OfficialSdk, folder: Path) -> None:
        self.server = server
        self.sdk = sdk
        self.folder = folder

    def put(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def upload(self, collection: str, **more: Any) -> dict[str, Any]:
        result = self.sdk("upload_files_to_collection", str(self.folder / "images"), "image", collection, **more)
        assert result["is_success"] is True
        return result

    def annotate(self, function: str, *arguments: Any, images: dict[str, list[dict[str, Any]]], **more: Any) -> None:
        """Arguments before the JSON file; then `is_normalized` and `is_model_run` as in `more`."""
        document = {"images": [{"image": name, "annotations": found} for name, found in images.items()]}
        path = self.put("annotations.json", document)
        flags = [more.pop("is_normalized", False), more.pop("is_model_run", True)]
        assert self.sdk(function, *arguments, path, *flags, **more) is None

    def download(self, collection: str, *arguments: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Annotations by image, and the bytes of the pictures."""
        out = self.folder / f"out{len(list(self.folder.glob('out*')))}"
        out.mkdir()
        self.sdk("download_collection", collection, *(arguments or ("all", [])), str(out))
        (top,) = out.iterdir()
        (file,) = top.glob("*.json")
        images = {image["image"]: image["annotations"] for image in json.loads(file.read_text())["images"]}
        return images, {path.name: path.read_bytes() for path in (top / "data").iterdir()}

    def metadata(self, collection: str) -> dict[str, Any]:
        return {item["name"]: item["metadata"] for item in self.server.listing(collection)}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., bytes]) -> Generator[Bench]:
    python = python_with("2.3.4")
    folder = tmp_path_factory.mktemp("bench")
    with running(tmp_path_factory.mktemp("lake"), "--workers", "2") as server:
        sdk = OfficialSdk(python, server.url, folder)
        bench = Bench(server, sdk, folder)
        bench.put("images/a.png", picture(40, 20))
        bench.put("images/b ü.png", picture(100, 80))
        yield bench
        sdk.close()


def test_wrong_credentials(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match="Authentication failed"):
        bench.sdk("connect", "key_dummy", "wrong", bench.server.url)
    bench.sdk("connect", "key_dummy", "secret_dummy", bench.server.url + "/")
    bench.sdk("connect", "key_dummy", "secret_dummy", bench.server.url)


def test_2_1_a_folder_and_once_more(bench: Bench, collection: str) -> None:
    result = bench.upload(collection, meta_data_object={"Camera Id": "CAM_0001", "Tags": ["#retail"]})
    pictures = {path.name: path.read_bytes() for path in (bench.folder / "images").iterdir()}
    _, media = bench.download(result["collection_id"])
    assert media == {f"{collection}_{name}": content for name, content in pictures.items()}
    assert bench.metadata(result["collection_id"]) == {
        name: {"Camera Id": "CAM_0001", "Tags": ["#retail"]} for name in pictures
    }
    again = bench.upload(collection)
    assert again["collection_id"] == result["collection_id"]
    assert bench.download(result["collection_id"])[1] == media
    job = bench.sdk("wait_for_job_complete", again["job_id"])
    assert job == {"is_success": True, "job_status": "COMPLETED"}


def test_2_1_one_file_with_prefix_metadata_and_annotations(bench: Bench, collection: str) -> None:
    metadata = {"files": [{"file": "a.png", "metadata": {"Field 1": "data1", "Tags": ["night"]}}]}
    annotations = {"images": [{"image": "a.png", "annotations": [CAR]}]}
    result = bench.sdk(
        "upload_files_to_collection",
        str(bench.folder / "images" / "a.png"),
        "image",
        collection,
        {},
        False,
        bench.put("metadata.json", metadata),
        "dir_1/sub_dir_1",
        {
            "json_data_file_path": bench.put("some.json", annotations),
            "operation_unique_id": "yolo v5 ü",
            "is_normalized": False,
            "is_model_run": True,
        },
    )
    assert result["unique_name"] == f"{collection}_a.png"
    (item,) = bench.server.listing(result["collection_id"])
    assert item["storagePath"] == f"dir_1/sub_dir_1/{collection}/a.png"
    assert item["metadata"] == {"Field 1": "data1", "Tags": ["night"]}
    images, _ = bench.download(result["collection_id"], "all", ["yolo v5 ü"])
    assert images == {f"{collection}_a.png": [CAR]}


@pytest.mark.parametrize("storage", ["AWS_S3", "GCP", "AZURE"])
def test_2_1_other_files_by_each_storage(bench: Bench, tmp_path: Path, storage: str) -> None:
    """The empty file is one that Google is never sent."""
    files = {"note.txt": b"some bytes\r\n\0", "empty.bin": b"", "page.html": b"<script>alert(1)</script>"}
    for name, content in files.items():
        bench.put(f"{storage}/{name}", content)
    with running(tmp_path, "--storage", storage, "--workers", "1") as server:
        sdk = OfficialSdk(python_with("2.3.4"), server.url, tmp_path)
        result = sdk("upload_files_to_collection", str(bench.folder / storage), "other", "Others")
        _, media = Bench(server, sdk, tmp_path).download(result["collection_id"])
        sdk.close()
    assert media == {f"Others_{name}": content for name, content in files.items()}


def test_2_2_annotations_for_a_collection(bench: Bench, collection: str) -> None:
    """All shapes come back as they were sent; the same operation replaces, another one adds."""
    result = bench.upload(collection)["collection_id"]
    function = "upload_annotations_for_collection"
    bench.annotate(function, collection, "op 1", images={"a.png": [CAR, ROAD, LANE, CORNER], "b ü.png": []})
    names = [f"{collection}_a.png", f"{collection}_b ü.png"]
    assert bench.download(result)[0] == {names[0]: [CAR, ROAD, LANE, CORNER], names[1]: []}
    bench.annotate(function, collection, "op 1", images={"a.png": [LANE]})
    bench.annotate(function, collection, "op 2", images={"a.png": [ROAD], "b ü.png": [CORNER]}, is_model_run=False)
    assert bench.download(result)[0] == {names[0]: [LANE, ROAD], names[1]: [CORNER]}
    assert bench.download(result, "human", [])[0] == {names[0]: [ROAD], names[1]: [CORNER]}
    assert bench.download(result, "machine", [])[0] == {names[0]: [LANE], names[1]: []}
    assert bench.download(result, "all", ["op 2"])[0] == {names[0]: [ROAD], names[1]: [CORNER]}


def test_2_2_normalized_coordinates_become_pixels(bench: Bench, collection: str) -> None:
    result = bench.upload(collection)["collection_id"]
    box = {"type": "rectangle", "bbox": [0.25, 0.1, 0.5, 0.2], "label": "Car"}
    line = {"type": "line", "line": [[0, 0], [0.5, 1]], "label": "Lane"}
    images = {"a.png": [box, line], "b ü.png": [box]}
    function = "upload_annotations_for_collection"
    bench.annotate(function, collection, "op", images=images, is_normalized=True)
    assert bench.download(result)[0] == {
        f"{collection}_a.png": [box | {"bbox": [10, 2, 20, 4]}, line | {"line": [[0, 0], [20, 20]]}],
        f"{collection}_b ü.png": [box | {"bbox": [25, 8, 50, 16]}],
    }


def test_2_3_to_2_5_images_named_in_other_ways(bench: Bench, collection: str) -> None:
    result = bench.upload(collection)
    name = f"{collection}_a.png"
    ways = {
        "upload_annotations_by_storage_path": (["path"], f"/{collection}/a.png", CAR),
        "upload_annotations_by_unique_name": (["unique"], name, ROAD),
        "upload_annotations_by_job_id": ([result["job_id"], "job"], "a.png", LANE),
    }
    for function, (arguments, image, shape) in ways.items():
        bench.annotate(function, *arguments, images={image: [shape]})
    assert bench.download(result["collection_id"])[0][name] == [CAR, ROAD, LANE]
    elsewhere = {f"{collection}/a.png": [CORNER]}
    bench.annotate("upload_annotations_by_storage_path", "path", images=elsewhere, bucket_name="other bucket")
    assert bench.download(result["collection_id"])[0][name] == [CAR, ROAD, LANE]


def test_2_6_deprecated_upload_and_2_8_deprecated_download(bench: Bench, collection: str) -> None:
    """Attributes stand in `metadata` there, one value each; a human's are certain."""
    result = bench.upload(collection)["collection_id"]
    old = {"bbox": [10, 20, 30, 40], "label": "Car", "metadata": {"color": "red", "doors": "4"}}
    path = bench.put("old.json", {"images": [{"image": "a.png", "annotations": [old]}]})
    function = "upload_annoations_for_folder"
    bench.sdk(function, collection, "people", path, "rectangle", False, False, "project")
    bench.sdk(function, collection, "model", path, "rectangle", False, True, "project")
    assert "nothing was attached" in bench.sdk.last_printed
    new = {
        "type": "rectangle",
        "bbox": [10, 20, 30, 40],
        "label": "Car",
        "attributes": {"color": [{"value": "red", "confidence": 1}], "doors": [{"value": "4", "confidence": 1}]},
    }
    for operation, kind in ((None, "human"), ("people", "people")):
        out = bench.folder / f"{collection} {kind}"
        out.mkdir()
        bench.sdk("download_annotations", result, operation, str(out), False)
        (file,) = out.rglob("*.json")
        images = {image["image"]: image["annotations"] for image in json.loads(file.read_text())["images"]}
        assert images[f"{collection}_a.png"] == [new]
        assert list(out.rglob("*.png")) == []


def test_2_9_downloadable_url(bench: Bench, collection: str) -> None:
    bench.upload(collection)
    for name in ("a.png", "b ü.png"):
        answer = bench.sdk("get_downloadable_url", f"{collection}_{name}")
        assert requests.get(answer["url"], timeout=60).content == (bench.folder / "images" / name).read_bytes()
    assert bench.sdk("get_downloadable_url", "no such name")["isSuccess"] is False


def test_2_10_trash_of_a_collection(bench: Bench, collection: str) -> None:
    result = bench.upload(collection)["collection_id"]
    bench.annotate("upload_annotations_for_collection", collection, "op", images={"a.png": [CAR]})
    done = {"isSuccess": True, "message": "1 objects successfully trashed, 0 objects failed to trash"}
    assert bench.sdk("trash_objects_from_collection", result, "annotation.label=Car") == done
    assert list(bench.download(result)[0]) == [f"{collection}_b ü.png"]
    refused = bench.sdk("trash_objects_from_collection", result, "annotation.label=Car")
    assert refused == {"isSuccess": False, "message": "No objects are selected"}
    assert bench.sdk("trash_objects_from_collection", result) == done
    gone = bench.sdk("trash_objects_from_collection", result)
    assert gone == {"isSuccess": False, "error": "object type cannot find for collection id"}
    with pytest.raises(RuntimeError, match="Collection not found"):
        bench.sdk("get_collection_id_by_name", collection)


def test_2_11_trash_of_the_lake(bench: Bench, collection: str) -> None:
    result = bench.upload(collection, meta_data_object={"Tags": [collection]})["collection_id"]
    raw = {"annotation_types": ["human", "machine"]}
    refused = bench.sdk("trash_objects_from_datalake", f"metadata.Tags={collection}", raw)
    assert refused == {"isSuccess": False, "message": "No objects are selected"}
    answer = bench.sdk("trash_objects_from_datalake", f"metadata.Tags={collection}")
    assert answer["message"] == "2 objects successfully trashed, 0 objects failed to trash"
    assert bench.download(result)[0] == {}


def test_2_13_to_2_17_metadata(bench: Bench, collection: str) -> None:
    result = bench.upload(collection)
    there = result["collection_id"]
    bench.sdk("upload_metadata_for_collection", collection, "image", {"Place": "Winnipeg", "Tags": ["one"]})
    assert bench.metadata(there)["a.png"] == {"Place": "Winnipeg", "Tags": ["one"]}
    bench.sdk("upload_metadata_for_collection", collection, "image", {"Place": "elsewhere"}, False)
    assert bench.metadata(there)["a.png"] == {"Place": "Winnipeg", "Tags": ["one"]}

    def document(name: str, **fields: Any) -> str:
        return bench.put("metadata.json", {"files": [{"file": name, "metadata": fields}]})

    bench.sdk("upload_metadata_by_job_id", result["job_id"], document("a.png", size=30, Tags=["two", "three"]))
    assert bench.metadata(there)["a.png"] == {"Place": "Winnipeg", "size": 30, "Tags": ["two", "three"]}
    bench.sdk("upload_metadata_by_storage_path", document(f"{collection}/a.png", size=31))
    bench.sdk("upload_metadata_by_storage_path", document(f"{collection}/a.png", size=32), "other bucket")
    assert "1 not found" in bench.sdk.last_printed
    assert bench.metadata(there)["a.png"]["size"] == 31
    bench.sdk("upload_metadata_by_unique_name", document(f"{collection}_a.png", size=33))
    assert bench.metadata(there)["a.png"]["size"] == 33
    bench.sdk("upload_metadata_for_files", collection, "image", document("a.png", size=34))
    assert bench.metadata(there)["a.png"] == {"Place": "Winnipeg", "size": 34, "Tags": ["two", "three"]}
    assert bench.metadata(there)["b ü.png"] == {"Place": "Winnipeg", "Tags": ["one"]}
    with pytest.raises(RuntimeError, match="a tag cannot be empty"):
        bench.sdk("upload_metadata_by_unique_name", document(f"{collection}_a.png", Tags=["", "x"]))


def test_2_18_deprecated_upload_with_override(bench: Bench, collection: str) -> None:
    folder = str(bench.folder / "images")
    first = bench.sdk("file_upload", folder, 5, collection)
    assert first["is_success"]
    bench.sdk("file_upload", folder, 5, collection, {"a": "1"})
    assert bench.metadata(first["collection_id"])["a.png"] == {}
    bench.sdk("file_upload", folder, 5, collection, {"a": "2"}, True)
    assert bench.metadata(first["collection_id"])["a.png"] == {"a": "2"}


def test_2_19_and_2_20_download_of_files(bench: Bench, collection: str) -> None:
    result = bench.upload(collection, meta_data_object={"Tags": [collection]})["collection_id"]
    done = {"is_success": True, "message": ""}
    more = {"page_size": 1, "sort_order": {"sort_by_field": "name", "sort_order": "DESC"}}
    wanted = {"query": f"metadata.Tags={collection}", "metalake_filter": {"annotation_types": ["raw"]}}
    for function, first in (("download_files_from_metalake", "image"), ("download_files_from_collection", result)):
        out = bench.folder / f"{collection} {function}"
        call = [function, first, str(out)]
        assert bench.sdk(*call, page_index=0, **more, **wanted) == done
        assert [path.name for path in out.iterdir()] == [f"{collection}_b ü.png"]
        assert bench.sdk(*call, page_index=1, **more, **wanted) == done
        end = bench.sdk(*call, page_index=2, **more, **wanted)
        assert end == {"is_success": False, "message": "No more pages to download"}
        stored = {path.name.removeprefix(f"{collection}_"): path.read_bytes() for path in out.iterdir()}
        assert stored == {path.name: path.read_bytes() for path in (bench.folder / "images").iterdir()}
