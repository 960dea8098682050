"""Every request that the official SDKs were recorded to send is understood, and answered in the recorded form.

The recordings' own answers are those of a throwaway server: what counts is the status and the keys. Ids, URLs and keys
are replaced by the sandbox's own. Recordings of the error answers of a faulty server are left out, by the status that
they hold; the few others are named below, with the reason.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .wire import Server, box, entry, running

INVENTED = {
    "wait_for_job_complete": "its jobs, job1 and job2, were made up",
    "server refuses this SDK version": "the sandbox welcomes every version",
    "two pages (the server uses a page size of 1 here)": "the sandbox uses the page size it is asked for",
    "annotations only, two pages: the second page's media are downloaded anyway": "as above",
    "the server has no data": "the sandbox has",
    "empty array": "the sandbox has pictures",
    "204": "the sandbox has pictures",
    "selection refused with a warning": "the sandbox has such pictures",
    "query, filter, sort order, first page": "its dates have passed",
    "filter": "as above",
    "trash answers 406": "the sandbox refuses its query, x=y, one call earlier",
    "2000 images: batches of 1000, 1000 and 0": "its bytes were not recorded",
    "upload refused with an error body": "the sandbox finds nothing wrong with it",
    "tags refused": "as above",
    "the upload answers 406: nothing is raised": "as above",
    "filter, video": "the sandbox has no videos here; a refused selection has no tag",
    "file removed earlier and attached elsewhere": "nothing was removed; see test_uploading",
    "tags and fields renamed by the server's answer": "the sandbox renames nothing",
    "collection head only": "there is no video collection of that name",
    "storage PUT always answers 403: reported as success": "nothing was stored",
    "storage type GCP": "another way of storing; see test_uploading and test_official_sdk",
    "storage type AZURE": "as above",
    "storage type AZURE, the block upload is refused: reported as success": "as above",
    "file of exactly 104857600 bytes: two parts, the second empty": "its bytes were not recorded",
    "three parts, the second fails once": "its bytes were not recorded",
}
IDS = {
    "uploadId", "collectionId", "jobId", "fileId", "selectionTag", "identifier", "id", "ref", "signedUrl", "url",
    "fileUrl",
}  # fmt: skip
HEX = re.compile(r"\b[0-9a-f]{24}\b")


def folder() -> Path:
    return Path(
        os.environ.get(
            "ANNOLAKE_RECORDINGS", Path(__file__).resolve().parents[4] / "shared" / "metalake-api-recordings"
        )
    )


def recordings() -> list[str]:
    return sorted(path.stem for path in folder().glob("*.json")) or ["none"]


@pytest.fixture(scope="module")
def fresh(
    tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., bytes]
) -> Generator[Callable[[bool], Player]]:
    """Empties the sandbox; on demand fills it with the collection that most recordings speak of."""
    with running(tmp_path_factory.mktemp("lake"), "--workers", "1") as server:

        def start(seeded: bool) -> Player:
            with closing(sqlite3.connect(server.data / "lake.sqlite", timeout=60)) as db:
                names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                for name in names:
                    if name != "settings":
                        db.execute(f"DELETE FROM {name}")
                db.commit()
            player = Player(server)
            if seeded:
                upload = server.upload("Demo Collection", {"a.png": picture(), "b.JPG": picture()})
                bird = box("Bird", 1, 2, 3, 4, confidence=1)
                server.annotate("yolov5.0.1", entry(bird, objectKey="Demo Collection_a.png"), mode=2)
                server.annotate("project one", entry(bird, objectKey="Demo Collection_b.JPG"), mode=1)
                tagged = {"file": "Demo Collection_a.png", "metadata": {"Tags": ["water", "night"]}}
                server.post("/client/metadata/uploadMetadataByJson", {"metadata": [tagged]})
                player.collection, player.job = upload["collectionId"], upload["jobId"]
            return player

        yield start


class Player:
    """Sends recorded requests with the sandbox's own ids in place of the recorded ones."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.collection = self.job = ""
        self.ours: dict[str, str] = {}

    def play(self, exchange: dict[str, Any]) -> None:
        recorded = exchange["response"]
        target = self._address(exchange["target"])
        if target is None or not isinstance(recorded["status"], int) or recorded["status"] >= 500:
            return
        headers = {
            name: exchange["headers"][name] for name in ("Authorization", "Content-Type") if name in exchange["headers"]
        }
        answer = self.server.session.request(
            exchange["method"], target, data=self._content(exchange), headers=headers, timeout=60, allow_redirects=False
        )
        if recorded["status"] in (403, 404) and not re.match("/+(datalake|studio|api)/", exchange["target"]):
            return  # storage that failed for no reason
        where = f"{exchange['method']} {exchange['target']}: {answer.text[:300]}"
        assert answer.status_code == (200 if recorded["status"] == 204 else recorded["status"]), where
        if "body_json" in recorded:
            ours = answer.json()
            expected = recorded["body_json"]
            if target.endswith("/label/references"):  # the recording's server answers with all it knows
                expected = {text: {"ref": "", "color": ""} for text in exchange["body_json"]["labels"]}
            lacks = set(missing(expected, ours))
            if target.endswith("uploadMetadataByJson") or "/operationdata/" in target:
                lacks.discard("/isSuccess")  # it knew every file
            assert lacks == set(), where
            self._learn(recorded["body_json"], ours)
        elif "ETag" in recorded["headers"]:
            assert answer.headers["ETag"] == recorded["headers"]["ETag"]

    def _address(self, target: str) -> str | None:
        """None for storage that the sandbox did not name."""
        if not re.match("/+(datalake|studio|api)/", target):
            return self.ours.get("http://127.0.0.1:8700" + target)
        return self.server.url + self._translated(target)

    def _content(self, exchange: dict[str, Any]) -> bytes:
        if "body_text" in exchange:
            return self._translated(exchange["body_text"]).encode()
        return base64.b64decode(exchange["body_bytes"].get("base64", ""))

    def _translated(self, text: str) -> str:
        for found in HEX.finditer(text):
            before = text[max(0, found.start() - 16) : found.start()]
            self.ours.setdefault(found[0], self.job if "jobId" in before else self.collection)
        for recorded in sorted(self.ours, key=len, reverse=True):
            text = text.replace(recorded, self.ours[recorded])
        return text

    def _learn(self, recorded: Any, ours: Any, key: str = "") -> None:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for name in recorded.keys() & ours.keys():
                self._learn(recorded[name], ours[name], name)
        elif isinstance(recorded, list) and isinstance(ours, list):
            for one, other in zip(recorded, ours, strict=False):
                self._learn(one, other, key)
        elif isinstance(recorded, str) and recorded and (key in IDS or len(recorded) == 36):
            self.ours[recorded] = ours


def missing(recorded: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Where our answer lacks something of the recorded one. Empty objects may be left out; further keys do no harm."""
    if isinstance(recorded, dict):
        for name, value in recorded.items():
            if name in ours:
                yield from missing(value, ours[name], f"{path}/{name}")
            elif value != {}:
                yield f"{path}/{name}"
    elif isinstance(recorded, list):
        for one, other in zip(recorded, ours, strict=False):
            yield from missing(one, other, path)
    elif isinstance(recorded, bool):
        if recorded is not ours:
            yield path
    elif isinstance(recorded, str) is not isinstance(ours, str):
        yield path


@pytest.mark.parametrize("name", recordings())
def test_recorded_requests(fresh: Callable[[bool], Player], name: str) -> None:
    if name == "none":
        pytest.skip("the recordings are not beside the project")
    document = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
    function = document["function"]
    starts_empty = function in {"upload_files_to_collection", "file_upload"}
    player = fresh(not starts_empty)
    for case in document["cases"]:
        if {case["case"], function} & INVENTED.keys():
            continue
        if function.startswith("trash"):
            player = fresh(True)
        for exchange in case["exchanges"]:
            player.play(exchange)
