"""Whole transfers that pass through all eleven operations, and whether everything is where it belongs in the end."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from annolake.metalake_io import checks
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.journal import Journal
from annolake.metalake_io.results import Report

from .faultd import Faultd
from .oracle import Inputs, Seen, Verdict, check

What = Literal["files", "annotations", "both", "download"]

PASSED_BY: dict[str, What] = {
    "version-check": "files",
    "create-collection": "files",
    "init": "files",
    "presign": "files",
    "put-part": "files",
    "finalise": "files",
    "complete": "files",
    "label-references": "annotations",
    "annotation-batch": "annotations",
    "item-page": "download",
    "get-file": "download",
}
"""The operations, and the shortest journey that passes them."""

BOX = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Car"}


class Journey:
    """`count` files of `size` bytes, more or less, and a box on each. `connect` makes the client, and so passes the
    check of versions.
    """

    def __init__(
        self,
        rig: Faultd,
        folder: Path,
        connect: Callable[[], MetaLakeClient],
        what: What,
        *,
        count: int = 1,
        size: int = 200_000,
        part_size: int | None = None,
        journal: bool = False,
    ) -> None:
        self.rig, self.what = rig, what
        self._folder, self._connect, self._part_size = folder, connect, part_size
        self._journal = folder / "state.sqlite" if journal else None
        pictures = folder / "pictures"
        pictures.mkdir()
        self.files = {f"{n:04}.png": random.Random(n).randbytes(size + n) for n in range(count)}
        for name, content in self.files.items():
            (pictures / name).write_bytes(content)
            if what in ("annotations", "download"):
                rig.lake.add(f"Demo_{name}", content)
        images = [{"image": name, "annotations": [BOX]} for name in self.files]
        (folder / "annotations.json").write_text(json.dumps({"images": images}))

    def run(self) -> Any:
        """Its report. It may be run again."""
        client = self._connect()
        if self._part_size:
            client.parts.uploads._part_size = self._part_size
        if self.what == "download":
            return client.parts.downloads.collection("c1", self._folder / "out")
        if self.what == "annotations":
            address = client.annotations.to_collection("Demo")
            read = checks.read_annotations(self._folder / "annotations.json", normalized=False)
            return client.annotations.send(read, address, "op", normalized=False, model_run=False, journal=Journal())
        given = {"json_data_file_path": str(self._folder / "annotations.json"), "operation_unique_id": "op"}
        data = AnnotationData.of(given) if self.what == "both" else None
        return client.files.run(self._folder / "pictures", "image", "Demo", annotation_data=data, journal=self._journal)

    def verdict(self, report: Report | None = None) -> Verdict:
        """Of what there is now, and of what was told about it."""
        there = {f"Demo_{name}": content for name, content in self.files.items()}
        if self.what == "download":
            files = {
                path.name: [hashlib.md5(path.read_bytes()).hexdigest()]
                for path in (self._folder / "out").rglob("*")
                if path.is_file() and path.suffix != ".json"
            }
            return check(Seen(files, {}), Inputs(there, names={name: name for name in there}), report)
        boxes = {} if self.what == "files" else {(name, "op"): 1 for name in there}
        files = report if self.what != "annotations" else None
        verdict = check(self.rig.lake, Inputs(there, boxes), files)
        annotated = getattr(report, "annotations", None) if self.what == "both" else report
        if self.what != "files" and isinstance(annotated, Report):
            verdict.misreported += check(self.rig.lake, Inputs({}, boxes), annotated).misreported
        return verdict
