"""A client in a process of its own, to be killed: `python child.py JOB.json` does what is in it, and prints the report.

Batches of annotations hold four images, so that a few images make several.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from annolake.metalake_io import batches, checks
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.journal import keeping
from annolake.metalake_io.kinds import collection_target

KEY, SECRET = "key_dummy", "secret_dummy"
BATCH = 4


def run(client: MetaLakeClient, job: dict[str, Any]) -> Any:
    """The report of an upload of files, of annotations, or of both, as `what` says."""
    journal = Path(job["journal"]) if job.get("journal") else None
    if job.get("part_size"):
        client.parts.uploads._part_size = job["part_size"]
    if job["what"] == "annotations":
        address = client.annotations.to_collection("Demo")
        read = checks.read_annotations(Path(job["annotations"]), normalized=False)
        with keeping(journal, client.parts.service.base_url, collection_target("Demo", "image")) as kept:
            return client.annotations.send(read, address, "op", normalized=False, model_run=False, journal=kept)
    data = {"json_data_file_path": job["annotations"], "operation_unique_id": "op"} if job["what"] == "both" else None
    return client.files.run(
        Path(job["folder"]), "image", "Demo", annotation_data=AnnotationData.of(data), journal=journal
    )


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    batches.batches.__defaults__ = (BATCH, batches.MOST_BYTES)
    with MetaLakeClient(KEY, SECRET, job["url"], timeout=5, at_once=job.get("at_once", 4)) as client:
        print(json.dumps(run(client, job).as_json()))


if __name__ == "__main__":
    main()
