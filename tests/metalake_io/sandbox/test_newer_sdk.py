"""The newer official SDK, 3.28.14, where it differs: prefix, words of storage, answers of validation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .official import OfficialSdk, python_with
from .wire import Server, running

pytestmark = pytest.mark.referee

CAR = {"type": "rectangle", "bbox": [1, 2, 30.5, 10], "label": "Car", "confidence": 0.5}


def test_it_uploads_annotates_and_reads_back(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    """Both prefixes are needed: a download of a collection still goes to `/datalake/api`."""
    folder = tmp_path / "bench"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(picture())

    def put(name: str, content: Any) -> str:
        (folder / name).write_text(json.dumps(content))
        return str(folder / name)

    with running(tmp_path / "lake", "--storage", "aws_s3") as server:
        sdk = OfficialSdk(python_with("3.28.14"), server.url, folder)
        uploaded = sdk("upload_files_to_collection", str(folder / "images"), "image", "Demo", {"Tags": ["t"]})
        there = uploaded["collection_id"]
        annotations = put("a.json", {"images": [{"image": "a.png", "annotations": [CAR]}]})
        sdk("upload_annotations_for_collection", "Demo", "op", annotations, False, True)
        fields = put("m.json", {"files": [{"file": "Demo_a.png", "metadata": {"k": "v", "Tags": ["x"]}}]})
        sdk("upload_metadata_by_unique_name", fields)
        fields = put("m.json", {"files": [{"file": "Demo/a.png", "metadata": {"n": 1}}]})
        sdk("upload_metadata_by_storage_path", fields)
        sdk("download_collection", there, "all", [], str(folder))
        (raw,) = json.loads((folder / "Demo" / "Demo.json").read_text())["images"]
        assert raw == {"image": "Demo_a.png", "annotations": [CAR]}
        assert (folder / "Demo" / "data" / "Demo_a.png").read_bytes() == picture()
        assert server.listing(there)[0]["metadata"] == {"k": "v", "n": 1, "Tags": ["x"]}
        out = folder / "files"
        assert sdk("download_files_from_collection", there, str(out)) == {"is_success": True, "message": ""}
        assert [path.name for path in out.iterdir()] == ["Demo_a.png"]
        trashed = sdk("trash_objects_from_datalake", "annotation.label=Car")
        assert trashed["message"] == "1 objects successfully trashed, 0 objects failed to trash"
        sdk.close()


@pytest.mark.parametrize("storage", ["gcs", "azure_blob"])
def test_its_words_of_storage(tmp_path: Path, storage: str) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "note.txt").write_bytes(b"bytes")
    with running(tmp_path / "lake", "--storage", storage, "--workers", "1") as server:
        sdk = OfficialSdk(python_with("3.28.14"), server.url, tmp_path)
        there = sdk("upload_files_to_collection", str(tmp_path / "files"), "other", "Notes")["collection_id"]
        (item,) = Server(server.url, server.data, server.process, "/api").listing(there, contentType=6)
        assert (item["uniqueName"], item["size"]) == ("Notes_note.txt", 5)
        sdk.close()
