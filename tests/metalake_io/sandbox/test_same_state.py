"""Our client and the unmodified official SDK, the same calls on two sandboxes: the same is stored.

What may differ is named here: ids that each side makes up, moments, and the order in which files arrive; and attributes
in the older form of `upload_annoations_for_folder` whose annotation states no confidence: the SDK loses their values.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient

from .official import OfficialSdk, python_with
from .wire import KEY, SECRET, Server, running

pytestmark = pytest.mark.referee

BOX = {
    "type": "rectangle",
    "bbox": [1, 2, 30.5, 10],
    "label": "Car",
    "confidence": 0.53,
    "metadata": {"source": "cam 1"},
    "attributes": {"color": [{"value": "red", "confidence": 0.35}, {"value": "blue"}]},
}
SHAPES = [
    BOX,
    {"type": "polygon", "polygon": [[1, 2], [30, 4], [15, 15.5]], "label": "Road"},
    {"type": "line", "line": [[0, 0], [5, 5], [9, 1]], "label": "Lane", "confidence": 1},
    {"type": "points", "points": [[7, 7]], "label": "Straße"},
]
FRACTIONS = [{"type": "rectangle", "bbox": [0.25, 0.1, 0.5, 0.2], "label": "Car"}]

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[tuple[Call, Server], tuple[Call, Server]]]:
    """The official SDK with a sandbox, and ours with another."""
    python = python_with("2.3.4")
    lakes = [tmp_path_factory.mktemp(name) for name in ("official", "ours")]
    with running(lakes[0], "--workers", "1") as first, running(lakes[1], "--workers", "1") as second:
        sdk = OfficialSdk(python, first.url, tmp_path_factory.mktemp("cwd"))
        with MetaLakeClient(KEY, SECRET, second.url, timeout=30) as client:

            def ours(name: str, *arguments: Any, **keywords: Any) -> Any:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    return getattr(client, name)(*arguments, **keywords)

            yield (sdk, first), (ours, second)
        sdk.close()


def stored(server: Server) -> dict[str, Any]:
    """All that the sandbox keeps of files, collections, annotations and labels, in an order of names."""
    with closing(sqlite3.connect(server.data / "lake.sqlite")) as db:
        collections = "SELECT name, media_type, storage_path, prefix, metadata, tags, status FROM collections"
        files = (
            "SELECT unique_name, name, media_type, bucket, storage_path, size, width, height, metadata, tags, status "
            "FROM files"
        )
        annotations = (
            "SELECT unique_name, operation_id, mode, objects FROM annotations JOIN files ON id = file_id ORDER BY 1, 2"
        )
        shapes = [[*row[:3], [_shape(shape) for shape in json.loads(row[3])]] for row in db.execute(annotations)]
        labels = db.execute("SELECT key, parent, text FROM labels ORDER BY 1").fetchall()
        rest = [[_parsed(row) for row in sorted(db.execute(query))] for query in (collections, files)]
        return {"collections": rest[0], "files": rest[1], "annotations": shapes, "labels": labels}


def _shape(shape: dict[str, Any]) -> dict[str, Any]:
    """Without its id, and without the moment at which it was sent."""
    return {key: value for key, value in shape.items() if key not in ("id", "createdAt")}


def _parsed(row: tuple[Any, ...]) -> list[Any]:
    return [json.loads(cell) if isinstance(cell, str) and cell.startswith(("{", "[")) else cell for cell in row]


def test_the_same_calls_store_the_same(
    pair: tuple[tuple[Call, Server], tuple[Call, Server]], tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name, size in (("a.png", (40, 20)), ("b ü.png", (100, 80)), ("c.png", (8, 8))):
        (images / name).write_bytes(picture(*size))

    def put(name: str, document: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return str(path)

    def annotated(name: str, **images: list[dict[str, Any]]) -> str:
        listed = [{"image": image, "annotations": found} for image, found in images.items()]
        return put(name, {"images": listed})

    def described(name: str, file: str, **fields: Any) -> str:
        return put(name, {"files": [{"file": file, "metadata": fields}]})

    shapes = annotated("shapes.json", **{"a.png": SHAPES, "b ü.png": []})
    for call, server in pair:
        made = call("upload_files_to_collection", str(images), "image", "Demo", {"Place": "x", "Tags": ["one"]})
        assert made["is_success"]
        collection, job = made["collection_id"], made["job_id"]
        assert call("wait_for_job_complete", job) == {"is_success": True, "job_status": "COMPLETED"}
        call("upload_annotations_for_collection", "Demo", "people ü", shapes, False, False)
        call("upload_annotations_for_collection", "Demo", "model", shapes, False, True)
        path = annotated("fractions.json", **{"b ü.png": FRACTIONS})
        call("upload_annotations_for_collection", "Demo", "fractions", path, True, True)
        path = annotated("path.json", **{"Demo/c.png": [BOX]})
        call("upload_annotations_by_storage_path", "path", path, False, True)
        path = annotated("unique.json", **{"Demo_c.png": [BOX]})
        call("upload_annotations_by_unique_name", "unique", path, False, False)
        call("upload_annotations_by_job_id", job, "job", annotated("job.json", **{"c.png": [BOX]}), False, True)
        call("upload_metadata_for_collection", "Demo", "image", {"Camera": "1"}, False)
        call("upload_metadata_by_job_id", job, described("m1.json", "a.png", size=30, Tags=["two"]))
        call("upload_metadata_by_storage_path", described("m2.json", "Demo/a.png", path="yes"))
        call("upload_metadata_by_unique_name", described("m3.json", "Demo_a.png", unique="yes"))
        call("upload_metadata_for_files", "Demo", "image", described("m4.json", "b ü.png", named="yes"))
        call("upload_files_to_collection", str(images / "a.png"), "other", "Others", storage_prefix_path="dir_1/sub")
        call("file_upload", str(images), 5, "Old")
        old = {"bbox": [1, 2, 3, 4], "label": "Car", "confidence": 0.5, "metadata": {"color": "red"}}
        path = put("old.json", {"images": [{"image": "a.png", "annotations": [old]}]})
        call("upload_annoations_for_folder", "Old", "v1", path, "rectangle", False, True)
        assert call("trash_objects_from_collection", collection, "metadata.name=c.png")["isSuccess"]
        assert call("trash_objects_from_datalake", "metadata.name=c.png")["isSuccess"]
        out = tmp_path / f"out {server.url[-5:]}"
        out.mkdir()
        call("download_collection", collection, "all", [], str(out))
        call("download_files_from_collection", collection, str(out / "files"))
    official, ours = (stored(server) for _, server in pair)
    assert len(official["annotations"]) == 9
    for kind in official:
        assert ours[kind] == official[kind]
    fetched = [_fetched(out) for out in sorted(tmp_path.glob("out *"))]
    assert fetched[0] == fetched[1]


def test_attributes_of_the_older_form_without_confidence(
    pair: tuple[tuple[Call, Server], tuple[Call, Server]], tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    """Of a model run: the SDK looks for a confidence that is not there, and sends the attribute without its value. We
    send the value with 0, which is what a machine gets that does not say how sure it is. People are sure in both.
    """
    image = tmp_path / "v1.png"
    image.write_bytes(picture(8, 8))
    path = tmp_path / "unsure.json"
    old = {"bbox": [1, 2, 3, 4], "label": "Car", "metadata": {"color": "red"}}
    path.write_text(json.dumps({"images": [{"image": "v1.png", "annotations": [old]}]}))
    found: list[dict[str, list[Any]]] = []
    for call, server in pair:
        assert call("upload_files_to_collection", str(image), "image", "Older")["is_success"]
        for operation, model_run in (("unsure", True), ("sure", False)):
            call("upload_annoations_for_folder", "Older", operation, str(path), "rectangle", False, model_run)
        annotations = {row[1]: row[3] for row in stored(server)["annotations"] if row[0] == "Older_v1.png"}
        found.append(
            {
                operation: [one.get("confidence") for one in values]
                for operation, (shape,) in annotations.items()
                for values in shape["label"]["attributeValues"].values()
            }
        )
    assert found == [{"unsure": [], "sure": [1]}, {"unsure": [0], "sure": [1]}]


def _fetched(folder: Path) -> dict[str, Any]:
    """All files; images in the annotation JSON by name, for the service lists them in the order of their arrival."""
    found: dict[str, Any] = {}
    for path in folder.rglob("*"):
        if path.suffix == ".json":
            images = json.loads(path.read_text(encoding="utf-8"))["images"]
            found[path.name] = sorted(images, key=lambda image: image["image"])
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
