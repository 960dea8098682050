"""Sources and targets on object storage, against a local S3: what comes of it is what files make, and nothing half."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands.main import annolake
from annolake.converters import convert, storage
from annolake.schemas.errors import AnnolakeError, LossRefused, StorageFailure

from .s3 import SECRET, Bucket

if TYPE_CHECKING:
    from .conftest import Coco, Tree

pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'annolake[s3]'")
pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[s3,server]'")
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def run() -> Callable[..., Result]:
    """A command, which never says the secret."""

    def run(*words: str | Path) -> Result:
        done = CliRunner().invoke(annolake, [str(word) for word in words])
        assert SECRET not in done.stdout + done.stderr
        return done

    return run


@pytest.mark.parametrize("to", ["coco", "cvat", "metalake", "voc", "yolo"])
def test_shards_on_storage_are_those_of_a_folder(
    bucket: Bucket, tmp_path: Path, coco: Coco, tree: Tree, to: str
) -> None:
    sources = [coco("a", 7), coco("b", 4)]
    for source in sources:
        bucket.put(source, f"in/{source.name}")
    here = convert(sources, tmp_path / "out", to=to, shards=3, allow_loss=True)
    addresses = [f"s3://{bucket.name}/in/{source.name}" for source in sources]
    there = convert(addresses, f"s3://{bucket.name}/out", to=to, shards=3, jobs=2, allow_loss=True)
    assert bucket.tree("out") == tree(tmp_path / "out")
    assert (there.seen, there.written, there.verified) == (here.seen, here.written, True)
    assert (there.source, there.target) == (", ".join(addresses), f"s3://{bucket.name}/out")
    files = {example["file"] for loss in there.losses for example in loss["examples"]}
    assert files <= set(addresses)


def test_the_shards_are_a_source(bucket: Bucket, tmp_path: Path, coco: Coco, run: Callable[..., Result]) -> None:
    source = coco("a", 7)
    done = run("convert", source, f"s3://{bucket.name}/set", "--to", "metalake", "--shards", "3")
    assert done.exit_code == 0, done.stderr
    done = run("convert", f"s3://{bucket.name}/set", tmp_path / "back.json", "--to", "coco", "--json")
    assert json.loads(done.stdout)["source"].startswith(f"s3://{bucket.name}/set/shard-00000-of-00003.json, ")
    assert run("diff", source, tmp_path / "back.json").exit_code == 0


def test_one_file_to_storage_and_back(bucket: Bucket, tmp_path: Path, coco: Coco, run: Callable[..., Result]) -> None:
    source = coco("a", 5)
    assert run("convert", source, f"s3://{bucket.name}/deep/lake.json", "--to", "metalake").exit_code == 0
    assert list(bucket.tree()) == ["deep/lake.json"]
    assert run("convert", f"s3://{bucket.name}/deep/lake.json", tmp_path / "back.json", "--to", "coco").exit_code == 0
    assert run("diff", source, tmp_path / "back.json").exit_code == 0


def test_a_folder_with_pictures_tells_their_sizes(bucket: Bucket, tmp_path: Path) -> None:
    """Of large pictures only the beginning is fetched; one that says its size at its end is fetched whole."""
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    noise = Image.effect_noise((700, 500), 90)
    for name in ("a.png", "b.jpg", "c.tif"):
        noise.save(folder / "images" / name)
        (folder / "labels" / f"{name[0]}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text("names: [car]\ntrain: images\nval: images\n")
    bucket.put(folder, "set")
    convert(folder, tmp_path / "here.json", to="coco")
    convert(f"s3://{bucket.name}/set", tmp_path / "there.json", to="coco")
    assert (tmp_path / "there.json").read_bytes() == (tmp_path / "here.json").read_bytes()
    assert [image["width"] for image in json.loads((tmp_path / "there.json").read_text())["images"]] == [700] * 3


def test_a_refused_loss_sends_nothing(bucket: Bucket, tmp_path: Path) -> None:
    line = {"type": "line", "line": [[1, 2], [3, 4]], "label": "road"}
    lake = {"images": [{"image": f"{n}.png", "width": 9, "height": 9, "annotations": [line]} for n in range(4)]}
    (tmp_path / "lake.json").write_text(json.dumps(lake))
    for shards in (None, 3):
        with pytest.raises(LossRefused):
            convert(tmp_path / "lake.json", f"s3://{bucket.name}/out", to="coco", shards=shards)
        assert bucket.tree() == {}


@pytest.mark.parametrize("fails", ["send", "raise_from", "write"])
def test_a_failure_on_the_way_leaves_nothing(
    bucket: Bucket, coco: Coco, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    whole = getattr(storage.Storage, fails)

    def failing(self: storage.Storage, *words: Any) -> None:
        whole(self, *words)
        raise StorageFailure("storage-failed", "the network went away")

    monkeypatch.setattr(storage.Storage, fails, failing)
    with pytest.raises(StorageFailure, match="the network went away"):
        convert(coco("a", 6), f"s3://{bucket.name}/out", to="yolo", shards=3, jobs=2, allow_loss=True)
    assert bucket.tree() == {}


def test_nothing_is_at_its_name_before_all_is_verified(
    bucket: Bucket, coco: Coco, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of objects at each step: only staged ones, then all shards, then the manifest too."""
    seen: list[set[str]] = []
    names = {f"shard-0000{number}-of-00002.json" for number in range(2)}
    for step in ("raise_from", "write"):
        whole = getattr(storage.Storage, step)

        def watched(self: storage.Storage, *words: Any, whole: Any = whole) -> None:
            seen.append({name for name in bucket.tree("out") if not name.startswith(".annolake-")})
            whole(self, *words)

        monkeypatch.setattr(storage.Storage, step, watched)
    convert(coco("a", 6), f"s3://{bucket.name}/out", to="coco", shards=2)
    assert seen == [set(), names]
    assert set(bucket.tree("out")) == {*names, "manifest.json"}


def test_what_is_there_is_never_overwritten(bucket: Bucket, coco: Coco, run: Callable[..., Result]) -> None:
    source = coco("a", 3)
    words = ("convert", source, f"s3://{bucket.name}/out", "--to", "coco", "--shards", "2")
    assert run(*words).exit_code == 0
    before = bucket.tree()
    assert "[target-exists]" in run(*words).stderr
    assert "[overwrite]" in run(*words, "--overwrite").stderr
    assert (
        "[target-is-source]"
        in run("convert", f"s3://{bucket.name}/out", f"s3://{bucket.name}/out/x", "--to", "coco").stderr
    )
    assert bucket.tree() == before


def test_what_a_killed_run_left_is_told(
    bucket: Bucket, coco: Coco, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed: it could remove nothing any more."""

    def killed(self: storage.Storage, *_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(storage.Storage, "raise_from", killed)
        patch.setattr(storage.Storage, "remove", lambda *_: None)
        convert(coco("a", 6), f"s3://{bucket.name}/out", to="coco", shards=2)
    left = bucket.tree("out")
    done = run("convert", coco("a", 6), f"s3://{bucket.name}/out", "--to", "coco", "--shards", "2")
    assert done.exit_code == 2
    [below] = {name.partition("/")[0] for name in left}
    said = " ".join(done.stderr.split())
    assert f"2 objects of {sum(map(len, left.values())):,} bytes below s3://{bucket.name}/out/{below}" in said
    assert "[target-staged]" in done.stderr
    assert bucket.tree("out") == left


def test_what_cannot_be_meant_is_told(bucket: Bucket, tmp_path: Path, coco: Coco, run: Callable[..., Result]) -> None:
    source, out = coco("a", 3), tmp_path / "out.json"
    for address, code, exit_code in [
        (f"s3://{bucket.name}/nothing.json", "no-source", 2),
        ("s3://no-such-bucket-at-all/a.json", "no-source", 2),
        ("ftp://bucket/a.json", "unknown-scheme", 2),
        (f"s3://AKIA:{SECRET}@{bucket.name}/a.json", "secret-in-url", 2),
        (f"s3://{bucket.name}/a.json?X-Amz-Signature={SECRET}", "secret-in-url", 2),
        (f"s3://{bucket.name}", "bad-url", 2),
        (f"s3://{bucket.name}/../a.json", "bad-url", 2),
    ]:
        done = run("convert", address, out, "--to", "coco")
        assert (done.exit_code, f"[{code}]" in done.stderr) == (exit_code, True), done.stderr
    done = run("convert", source, f"s3://{bucket.name}/set", "--to", "yolo", "--allow-loss")
    assert (done.exit_code, "[shards-needed]" in done.stderr, "--shards 1" in done.stderr) == (2, True, True)


def test_a_broken_source_is_told_by_its_address(bucket: Bucket, tmp_path: Path, run: Callable[..., Result]) -> None:
    (tmp_path / "a.json").write_text(
        '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{}], "categories": []}'
    )
    bucket.put(tmp_path / "a.json", "in/a.json")
    for more in ((), ("--shards", "1")):
        done = run("convert", f"s3://{bucket.name}/in/a.json", tmp_path / "out", "--to", "coco", "--json", *more)
        assert done.exit_code == 4
        assert json.loads(done.stdout)["error"]["where"]["file"] == f"s3://{bucket.name}/in/a.json"


def test_a_service_that_is_not_there_is_an_error_that_can_be_tried_again(
    service: Any, tmp_path: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    storage.forget_connections()
    done = run("convert", "s3://bucket/a.json", tmp_path / "out.json", "--to", "coco")
    storage.forget_connections()
    assert (done.exit_code, "[storage-failed]" in done.stderr) == (8, True), done.stderr


def test_copies_are_removed(bucket: Bucket, tmp_path: Path, coco: Coco, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    for prefix in "abc":
        bucket.put(coco(prefix, 4), f"in/{prefix}.json")
    addresses = [f"s3://{bucket.name}/in/{prefix}.json" for prefix in "abc"]
    convert(addresses, f"s3://{bucket.name}/out", to="yolo", shards=4, jobs=2, allow_loss=True)
    with pytest.raises(AnnolakeError):
        convert([*addresses, addresses[0]], f"s3://{bucket.name}/twice", to="yolo", shards=4, jobs=2, allow_loss=True)
    assert list((tmp_path / "tmp").iterdir()) == []
