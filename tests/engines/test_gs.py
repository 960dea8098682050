"""Google's storage, against a local stand-in: the same as on S3, where its library differs from that of S3."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from annolake.converters import convert, storage
from annolake.schemas.errors import StorageFailure, UsageError

if TYPE_CHECKING:
    from .conftest import Coco, Tree

pytest.importorskip("gcsfs", reason="gcsfs is not installed: pip install 'annolake[gcs]'")
pytest.importorskip("gcp_storage_emulator", reason="it is not installed: pip install gcp-storage-emulator")
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def service() -> Iterator[Any]:
    """Google's own client of the stand-in, whose address stands in the environment as for any tool."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    server = import_module("gcp_storage_emulator.server").create_server("127.0.0.1", port, in_memory=True)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        storage.forget_connections()
        nobody = import_module("google.auth.credentials").AnonymousCredentials()
        yield import_module("google.cloud.storage").Client(project="none", credentials=nobody)
    storage.forget_connections()
    server.stop()


@pytest.fixture
def bucket(service: Any, bucket_name: str) -> Any:
    return service.create_bucket(bucket_name)


def names(bucket: Any) -> set[str]:
    return {blob.name for blob in bucket.list_blobs()}


@pytest.mark.parametrize("to", ["metalake", "yolo"])
def test_shards_on_storage_are_those_of_a_folder(bucket: Any, tmp_path: Path, coco: Coco, tree: Tree, to: str) -> None:
    sources = [coco("a", 7), coco("b", 4)]
    for source in sources:
        bucket.blob(f"in/{source.name}").upload_from_filename(str(source))
    convert(sources, tmp_path / "out", to=to, shards=3, allow_loss=True)
    addresses = [f"gs://{bucket.name}/in/{source.name}" for source in sources]
    told = convert(addresses, f"gs://{bucket.name}/out", to=to, shards=3, jobs=2, allow_loss=True)
    there = {blob.name.removeprefix("out/"): blob.download_as_bytes() for blob in bucket.list_blobs(prefix="out/")}
    assert there == tree(tmp_path / "out")
    assert told.verified


def test_one_file_to_storage_and_back(bucket: Any, tmp_path: Path, coco: Coco) -> None:
    source = coco("a", 5)
    convert(source, f"gs://{bucket.name}/deep/a set.json", to="metalake")
    assert names(bucket) == {"deep/a set.json"}
    convert(f"gs://{bucket.name}/deep/a set.json", tmp_path / "back.json", to="coco")
    convert(source, tmp_path / "here.json", to="coco")
    assert json.loads((tmp_path / "back.json").read_text()) == json.loads((tmp_path / "here.json").read_text())


def test_pictures_tell_their_sizes(bucket: Any, tmp_path: Path) -> None:
    Image.effect_noise((700, 500), 90).save(tmp_path / "a.png")
    bucket.blob("set/images/a.png").upload_from_filename(str(tmp_path / "a.png"))
    bucket.blob("set/labels/a.txt").upload_from_string("0 0.5 0.5 0.5 0.5\n")
    bucket.blob("set/data.yaml").upload_from_string("names: [car]\ntrain: images\nval: images\n")
    convert(f"gs://{bucket.name}/set", tmp_path / "out.json", to="coco")
    image = json.loads((tmp_path / "out.json").read_text())["images"][0]
    assert (image["width"], image["height"]) == (700, 500)


def test_a_failure_on_the_way_leaves_nothing(bucket: Any, coco: Coco, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = storage.Storage.raise_from

    def failing(self: storage.Storage, source: str) -> None:
        whole(self, source)
        raise StorageFailure("storage-failed", "the network went away")

    monkeypatch.setattr(storage.Storage, "raise_from", failing)
    with pytest.raises(StorageFailure, match="the network went away"):
        convert(coco("a", 6), f"gs://{bucket.name}/out", to="yolo", shards=3, jobs=2, allow_loss=True)
    assert names(bucket) == set()


def test_what_is_there_is_not_overwritten_and_what_is_not_there_is_told(
    bucket: Any, tmp_path: Path, coco: Coco
) -> None:
    bucket.blob("out.json").upload_from_string("precious")
    with pytest.raises(UsageError) as caught:
        convert(coco("a", 3), f"gs://{bucket.name}/out.json", to="metalake")
    assert caught.value.code == "target-exists"
    assert bucket.blob("out.json").download_as_bytes() == b"precious"
    with pytest.raises(UsageError) as caught:
        convert(f"gs://{bucket.name}/nothing.json", tmp_path / "out.json", to="coco")
    assert caught.value.code == "no-source"
