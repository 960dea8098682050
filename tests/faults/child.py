"""A client in a process of its own, to be killed: `python child.py JOB.json` does what is in it, and prints the report.

Batches of annotations hold four images, so that a few images make several, and pages as many as `page` says. With
`ready` it says so once it is connected, and waits for a line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from annolake.metalake_io import batches, checks, collection_pages, listing
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.journal import keeping
from annolake.metalake_io.kinds import collection_target

KEY, SECRET = "key_dummy", "secret_dummy"
BATCH = 4


def run(client: MetaLakeClient, job: dict[str, Any]) -> Any:
    """The report of an upload of files, of annotations or of both, or of a download, as `what` says."""
    folder = Path(job["folder"])
    if job["what"] == "collection":
        return client.downloads.collection("c1", folder)
    if job["what"] == "list":
        return client.downloads.all_listed(folder, collection_id="c1")
    journal = Path(job["journal"]) if job.get("journal") else None
    if job.get("part_size"):
        client.parts.uploads._part_size = job["part_size"]
    if job["what"] == "annotations":
        address = client.annotations.to_collection("Demo")
        read = checks.read_annotations(Path(job["annotations"]), normalized=False)
        with keeping(journal, client.parts.service.base_url, collection_target("Demo", "image")) as kept:
            return client.annotations.send(read, address, "op", normalized=False, model_run=False, journal=kept)
    data = {"json_data_file_path": job["annotations"], "operation_unique_id": "op"} if job["what"] == "both" else None
    return client.files.run(folder, "image", "Demo", annotation_data=AnnotationData.of(data), journal=journal)


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    batches.batches.__defaults__ = (BATCH, batches.MOST_BYTES)
    collection_pages.PAGE_SIZE = listing.LARGEST_PAGE = job.get("page", 250)
    with MetaLakeClient(KEY, SECRET, job["url"], timeout=5, at_once=job.get("at_once", 4)) as client:
        if job.get("ready"):
            print("ready", flush=True)
            sys.stdin.readline()
        print(json.dumps(run(client, job).as_json()))


if __name__ == "__main__":
    main()
