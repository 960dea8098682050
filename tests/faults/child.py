"""Clients in processes of their own, to be killed and interrupted: forks of one process that has loaded everything.

Each line that comes is a job as JSON, and is answered with the new process's id; when it has ended, with how. A job is
either a command line (`argv`, `folder`, `environ`, and the files `stdout` and `stderr`), or a transfer (`run`).
Batches of annotations hold four images, so that a few images make several, and pages as many as `page` says. With
`gate`, a pipe, it waits until somebody has written to that. With `speed` its clock runs so much faster.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from annolake.commands import export, failures, main, push, upload  # noqa: F401  (what commands load when called)
from annolake.metalake_io import batches, checks, collection_pages, listing
from annolake.metalake_io.annotation_wire import Address
from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.connecting import connect
from annolake.metalake_io.journal import keeping
from annolake.metalake_io.kinds import collection_target
from annolake.metalake_io.transfer.policy import Policy

from .clocks import FastClock

KEY, SECRET = "key_dummy", "secret_dummy"
BATCH = 4


def run(client: MetaLakeClient, job: dict[str, Any]) -> Any:
    """The report of an upload of files, of annotations (by unique name, if `named`) or of both, or of a download, as
    `what` says.
    """
    folder = Path(job["folder"])
    if job["what"] == "collection":
        return client.downloads.collection("c1", folder)
    if job["what"] == "list":
        return client.downloads.all_listed(folder, collection_id="c1")
    journal = Path(job["journal"]) if job.get("journal") else None
    if job.get("part_size"):
        client.parts.uploads._part_size = job["part_size"]
    if job["what"] in ("annotations", "named"):
        by_name = job["what"] == "named"
        address = Address(target="object_key") if by_name else client.annotations.to_collection("Demo")
        read = checks.read_annotations(Path(job["annotations"]), normalized=False)
        with keeping(journal, client.parts.service.base_url, collection_target("Demo", "image")) as kept:
            return client.annotations.send(read, address, "op", normalized=False, model_run=False, journal=kept)
    data = {"json_data_file_path": job["annotations"], "operation_unique_id": "op"} if job["what"] == "both" else None
    return client.files.run(folder, "image", "Demo", annotation_data=AnnotationData.of(data), journal=journal)


def work(job: dict[str, Any]) -> None:
    batches.batches.__defaults__ = (BATCH, batches.MOST_BYTES)
    os.dup2(os.open(job["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(os.open(job["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    if "page" in job:
        collection_pages.PAGE_SIZE = listing.LARGEST_PAGE = job["page"]
    if job.get("open_files"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (job["open_files"], job["open_files"]))
    if "argv" in job:
        os.environ.update(job["environ"])
        os.chdir(job["folder"])
        sys.argv = ["annolake", *job["argv"]]
        main.main()
        return
    options = {"timeout": job.get("timeout", 5), "at_once": job.get("at_once", 4)}
    if job.get("speed"):
        options |= {"clock": FastClock(job["speed"]), "policy": Policy()}
    with MetaLakeClient.over(connect(KEY, SECRET, job["url"], **options), timeout=options["timeout"]) as client:
        if job.get("gate"):
            Path(job["gate"]).read_bytes()
        run(client, job)


def serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _last(json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _last(job: dict[str, Any]) -> None:
    """Do it, and end as a process of its own would."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code: Any = 1
    try:
        work(job)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except Exception:  # noqa: BLE001  (whatever it is, the test must see it)
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    used = resource.getrusage(resource.RUSAGE_SELF)
    Path(job["stdout"]).with_name("used").write_text(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
    os._exit(code)


if __name__ == "__main__":
    serve()
