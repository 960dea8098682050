"""A cluster, object storage and a limit of memory at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from annolake.converters import convert
from annolake.converters.memory import LEAST

from .s3 import Bucket

if TYPE_CHECKING:
    from .conftest import Coco, Tree

pytest.importorskip("ray", reason="Ray is not installed: pip install 'annolake[ray]'")
pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'annolake[s3]'")
pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[s3,server]'")
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("to", ["metalake", "yolo"])
def test_a_cluster_works_on_storage(
    service: Any, cluster: str, bucket: Bucket, tmp_path: Path, coco: Coco, tree: Tree, to: str
) -> None:
    sources = [coco("a", 9), coco("b", 6)]
    for source in sources:
        bucket.put(source, f"in/{source.name}")
    here = convert(sources, tmp_path / "out", to=to, shards=4, allow_loss=True)
    addresses = [f"s3://{bucket.name}/in/{source.name}" for source in sources]
    there = convert(addresses, f"s3://{bucket.name}/out", to=to, shards=4, engine="ray", allow_loss=True)
    assert bucket.tree("out") == tree(tmp_path / "out")
    assert (there.seen, there.written, there.verified) == (here.seen, here.written, True)


@pytest.mark.parametrize("to", ["coco", "metalake"])
def test_a_cluster_keeps_to_a_limit_of_memory(cluster: str, tmp_path: Path, coco: Coco, tree: Tree, to: str) -> None:
    source = coco("a", 50)
    convert(source, tmp_path / "here", to=to, shards=3, allow_loss=True)
    told = convert(source, tmp_path / "there", to=to, shards=3, engine="ray", memory=2 * LEAST, allow_loss=True)
    assert tree(tmp_path / "here") == tree(tmp_path / "there")
    assert told.verified
