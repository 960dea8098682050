"""Data sets for engines and object storage. `make acceptance-engines` installs what these tests need."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from .s3 import Bucket, serving

Coco = Callable[[str, int], Path]
Tree = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def coco(tmp_path: Path) -> Coco:
    """(prefix, count) -> a COCO file with so many images of 100 x 80; the n-th has n % 4 objects, some of two rings."""

    def coco(prefix: str, count: int) -> Path:
        images = [{"id": n, "file_name": f"{prefix}/{n}.png", "width": 100, "height": 80} for n in range(1, count + 1)]
        annotations: list[dict[str, Any]] = []
        for image in images:
            for k in range(image["id"] % 4):
                rings = [[k, 1, k + 9, 1, k + 9, 8], [40, 40, 50, 40, 50, 50]][: 1 + k % 2]
                box = {"bbox": [k, 1, 9, 7] if k % 2 == 0 else [k, 1, 50 - k, 49], "area": 31.5, "iscrowd": 0}
                facts = {"id": len(annotations) + 1, "image_id": image["id"], "category_id": 3 + k}
                annotations.append({**facts, **box, "segmentation": rings})
        labels = [{"id": 3, "name": "car"}, {"id": 4, "name": "cat"}, {"id": 5, "name": "dog"}, {"id": 9, "name": "x"}]
        path = tmp_path / f"{prefix}.json"
        path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": labels}))
        return path

    return coco


@pytest.fixture
def tree() -> Tree:
    """(folder) -> the content of all files below it, by name."""

    def tree(folder: Path) -> dict[str, bytes]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    return tree


@pytest.fixture
def bucket_name(request: pytest.FixtureRequest) -> str:
    """One that no other test has."""
    name: str = request.node.name
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[-60:].strip("-")


@pytest.fixture(scope="module")
def service() -> Iterator[Any]:
    """A client of S3's stand-in."""
    with serving() as client:
        yield client


@pytest.fixture
def bucket(service: Any, bucket_name: str) -> Bucket:
    return Bucket(service, bucket_name)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster: a head that works on nothing, and two workers."""
    utils: Any = import_module("ray.cluster_utils")
    nodes = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", nodes.address)
        yield nodes.address
    import_module("ray").shutdown()
    nodes.shutdown()
