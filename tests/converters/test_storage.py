"""Object storage, with a folder in its place: what goes where, and when. `make acceptance-engines` has an S3."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from annolake.converters import convert, storage
from annolake.converters.storage import Storage
from annolake.schemas.errors import AnnolakeError, InvalidInput, StorageFailure, StorageRefused, UsageError

BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "car"}


class Files:
    """What we use of fsspec's interface, over a folder. `asked`: each call and its paths."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[tuple[str, Any]] = []

    def find(self, path: str, detail: bool = False) -> dict[str, Any]:
        top = self.root / path
        found = [top] if top.is_file() else sorted(one for one in top.rglob("*") if one.is_file())
        return {one.relative_to(self.root).as_posix(): {"size": one.stat().st_size} for one in found}

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def cat_file(self, path: str) -> bytes:
        if not self.exists(path):
            raise FileNotFoundError(path)
        return (self.root / path).read_bytes()

    def cat_ranges(self, paths: list[str], starts: list[int], ends: list[int], on_error: str) -> list[bytes]:
        self.asked.append(("cat_ranges", dict(zip(paths, ends, strict=True))))
        return [(self.root / path).read_bytes()[: ends[number]] for number, path in enumerate(paths)]

    def get(self, paths: Iterable[str], targets: Iterable[str]) -> None:
        self.asked.append(("get", list(paths)))
        for path, target in zip(paths, targets, strict=True):
            shutil.copyfile(self.root / path, target)

    def put(self, sources: Iterable[str], paths: list[str]) -> None:
        self.asked.append(("put", paths))
        for source, path in zip(sources, paths, strict=True):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, self.root / path)

    def copy(self, sources: Iterable[str], paths: list[str]) -> None:
        self.put([str(self.root / source) for source in sources], paths)

    def pipe_file(self, path: str, content: bytes) -> None:
        self.asked.append(("put", [path]))
        (self.root / path).write_bytes(content)

    def rm(self, paths: Iterable[str]) -> None:
        for path in paths:
            (self.root / path).unlink()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    files = Files(tmp_path / "storage")
    monkeypatch.setattr(storage, "_file_system", lambda *_: files)
    return files


def lake(path: Path, count: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"image": f"{n}.png", "width": 9, "height": 9, "annotations": [BOX] * (n % 3)} for n in range(count)]
    path.write_text(json.dumps({"images": images}))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_shards_are_staged_and_the_manifest_comes_last(files: Files, tmp_path: Path, to: str) -> None:
    source = lake(files.root / "bucket/in/a.json", 7)
    here = convert(source, tmp_path / "out", to=to, shards=3)
    files.asked.clear()
    there = convert("s3://bucket/in/a.json", "s3://bucket/out", to=to, shards=3, jobs=1)
    assert tree(files.root / "bucket/out") == tree(tmp_path / "out")
    assert (there.seen, there.written, there.verified) == (here.seen, here.written, True)
    sent = [path.removeprefix("bucket/out/") for call, paths in files.asked if call == "put" for path in paths]
    staged = sum(path.startswith(".annolake-") for path in sent)
    assert [path.startswith(".annolake-") for path in sent[:staged]] == [True] * staged
    assert sorted(sent[staged:-1]) == sorted(tree(tmp_path / "out").keys() - {"manifest.json"})
    assert sent[-1] == "manifest.json"


def test_one_file(files: Files, tmp_path: Path) -> None:
    source = lake(tmp_path / "a.json", 3)
    convert(source, tmp_path / "b.json", to="coco")
    convert(str(source), "gs://bucket/sub/b.json", to="coco")
    assert tree(files.root) == {"bucket/sub/b.json": (tmp_path / "b.json").read_bytes()}


def test_pictures_are_fetched_as_far_as_they_tell_their_size(files: Files, tmp_path: Path, root: Path) -> None:
    shutil.copytree(root / "fixtures" / "demo" / "yolo", files.root / "bucket" / "set")
    pictures = {path for path in files.find("bucket/set") if path.endswith((".jpg", ".png"))}
    (files.root / "bucket" / "set" / "images" / "empty.jpg").touch()
    sizes = {path: info["size"] for path, info in files.find("bucket/set").items()}
    convert("s3://bucket/set", tmp_path / "there.json", to="coco", from_="yolo")
    [(_, ends)] = [one for one in files.asked if one[0] == "cat_ranges"]
    assert ends == {path: min(sizes[path], 65536) for path in pictures}
    assert not pictures & {path for call, paths in files.asked if call == "get" for path in paths}


def test_names_that_lead_out_are_not_fetched(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find", lambda *_, **__: {"bucket/set/../../evil": {"size": 1}})
    with pytest.raises(InvalidInput, match="unsafe-name"):
        convert("s3://bucket/set", tmp_path / "out.json", to="coco", from_="yolo")


@pytest.mark.parametrize("kind", [FileNotFoundError, PermissionError, RuntimeError])
def test_refusals_are_told_without_what_the_library_says(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise kind("https://storage.example/a.json?X-Amz-Signature=secret")

    for call in ("find", "cat_file", "exists"):
        monkeypatch.setattr(files, call, refuse)
    expected = {FileNotFoundError: UsageError, PermissionError: StorageRefused, RuntimeError: StorageFailure}[kind]
    with pytest.raises(expected) as caught:
        convert("s3://bucket/a.json", tmp_path / "out.json", to="coco", from_="metalake")
    told: AnnolakeError = caught.value
    assert told.exit_code == {UsageError: 2, StorageRefused: 5, StorageFailure: 8}[expected]
    assert "secret" not in str(told)
    assert told.__cause__ is None


def test_what_did_not_arrive_whole_is_withdrawn(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(sources: Iterable[str], paths: list[str]) -> None:
        Files.put(files, sources, paths)
        (files.root / paths[0]).write_bytes(b"half")

    monkeypatch.setattr(files, "put", cut_off)
    with pytest.raises(StorageFailure, match="storage-differs"):
        convert(lake(tmp_path / "a.json", 4), "s3://bucket/out", to="coco", shards=2)
    assert tree(files.root) == {}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://bucket/a", "unknown-scheme"),
        ("s3://key:hush@bucket/a", "secret-in-url"),
        ("s3://key:hu/hush@bucket/a", "secret-in-url"),
        ("gs://bucket/a?token=hush", "secret-in-url"),
        ("s3://bucket", "bad-url"),
        ("s3://bucket/", "bad-url"),
        ("s3://bucket/../a", "bad-url"),
        ("s3:///a", "bad-url"),
    ],
)
def test_addresses_that_cannot_be_meant(url: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        Storage(url)
    assert caught.value.code == code
    assert "hush" not in str(caught.value)


@pytest.mark.skipif(find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_library_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pip install 'annolake\[s3\]'") as caught:
        convert("s3://bucket/a.json", tmp_path / "out.json", to="coco")
    assert caught.value.code == "missing-extra"
