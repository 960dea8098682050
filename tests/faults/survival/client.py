"""One of the two clients in a process of its own: `python client.py annolake|layernext JOB.json`.

A program for either Python; it ends with 0 if success is told. Annolake is used by its command line, the official SDK
by the documented function. Both wait a share (`faster`) of the time they want to wait between attempts: a fault that
the official SDK tries again for ten minutes is over in twenty seconds.
"""

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path

KEY, SECRET = "key_dummy", "secret_dummy"


def annolake(job):
    from annolake.commands.main import main
    from annolake.metalake_io.transfer.clock import WallClock

    sleep = WallClock.sleep
    WallClock.sleep = lambda self, seconds: sleep(self, seconds / job["faster"])
    words = {
        "files": ["upload", "files", job["folder"], "--collection", "Demo"],
        "annotations": ["upload", "annotations", job["annotations"], "--collection", "Demo", "--operation", "op"],
        "download": ["download", "collection", "c1", job["out"]],
    }
    sys.argv = ["annolake", *words[job["what"]], "--url", job["url"]]
    main()


def layernext(job):
    sdk = import_module("layernext")
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(seconds / job["faster"])
    client = sdk.LayerNextClient(KEY, SECRET, job["url"])
    if job["what"] == "files":
        told = client.upload_files_to_collection(job["folder"], "image", "Demo")
    elif job["what"] == "annotations":
        told = client.upload_annotations_for_collection("Demo", "op", job["annotations"], False, False)
    else:
        told = client.download_collection("c1", "all", [], job["out"])
    print(json.dumps(told))
    sys.exit(0 if told is None or told.get("is_success") else 1)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    if given["file_limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given["file_limit"],) * 2)
    {"annolake": annolake, "layernext": layernext}[sys.argv[1]](given)
