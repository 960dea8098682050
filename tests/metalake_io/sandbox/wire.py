"""Plain HTTP to a sandbox in a process of its own, as the service's protocol has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

KEY, SECRET = "key_dummy", "secret_dummy"


@dataclass
class Server:
    """A running sandbox. `prefix` is where the official SDK looks for the API."""

    url: str
    data: Path
    process: subprocess.Popen[str]
    prefix: str = "/datalake/api"
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """A call as the official SDK sends it: always with credentials, JSON where there is a body."""
        auth = more.pop("auth", (KEY, SECRET))
        return self.session.request(method, self.url + self.prefix + path, json=body, auth=auth, timeout=60, **more)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, **params: Any) -> Any:
        answer = self.ask("POST", path, body, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refusal(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Status and message of an error."""
        answer = self.ask(method, path, body, **more)
        error = answer.json()["error"]
        assert error["statusCode"] == answer.status_code
        assert error["name"].endswith("Error")
        return answer.status_code, error["message"]

    def begin(self, collection: str, *names: str, media: int = 5, **more: Any) -> dict[str, Any]:
        body = {"collectionType": media, "collectionName": collection, "metaDataObject": {}}
        body |= {"isOverrideMetaData": False, "storagePrefixPath": None, "objectKeyList": list(names)}
        return self.post("/client/uploadMetadataInCollection", body | more)

    def initialize(self, upload: dict[str, Any], name: str) -> dict[str, Any]:
        body = {"fileName": name, "collectionName": "", "uploadId": upload["uploadId"]}
        return self.post("/client/fileUpload/initializeMultipartUpload", body)

    def urls(self, file: dict[str, Any], parts: int = 1, content_type: str = "image/jpeg") -> list[str]:
        body = {"fileId": file["fileId"], "fileKey": file["fileKey"], "parts": parts, "contentType": content_type}
        answer = self.post("/client/fileUpload/getMultipartPreSignedUrls", body)["parts"]
        assert [part["PartNumber"] for part in answer] == list(range(1, parts + 1))
        return [part["signedUrl"] for part in answer]

    def finalize(self, upload: dict[str, Any], file: dict[str, Any], etags: list[str]) -> requests.Response:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
        body = {"fileId": file["fileId"], "fileKey": file["fileKey"], "parts": parts}
        body |= {"uploadId": upload["uploadId"], "finalizeUrl": ""}
        return self.ask("POST", "/client/fileUpload/finalizeMultipartUpload", body)

    def complete(self, upload: dict[str, Any]) -> list[str]:
        path = f"/client/collectionUploadingStatus/{upload['uploadId']}/complete"
        return self.get(path, isReturnedUniqueName="True")["uploadedFileList"]

    def upload(self, collection: str, files: dict[str, bytes], **more: Any) -> dict[str, Any]:
        """The whole way of a folder of small files, as S3 takes them."""
        upload = self.begin(collection, *files, **more)
        for name, content in files.items():
            file = self.initialize(upload, name)
            if not file["isExisting"]:
                put = self.session.put(
                    self.urls(file)[0], data=content, headers={"Content-Type": "image/jpeg"}, timeout=60
                )
                assert put.status_code == 200, put.text
                assert self.finalize(upload, file, [put.headers["ETag"].strip('"')]).status_code == 200
        self.complete(upload)
        return upload

    def annotate(self, operation: str, *entries: dict[str, Any], mode: int = 1, normalized: bool = False) -> Any:
        body = {"metaUpdatesArray": json.dumps(entries), "sessionId": "1795426068.8", "totalImageCount": len(entries)}
        body |= {"uploadedImageCount": len(entries), "operationMode": mode, "operationType": 1}
        return self.post(f"/metadata/operationdata/{operation}/update", body, isNormalized=str(normalized))

    def annotations(self, collection: str, **params: Any) -> dict[str, Any]:
        """What a download gives: unique name -> annotations. All pages must fit one."""
        answer = self.get(f"/client/getAnnotations/{collection}/collection", pageNo=0, pageSize=250, **params)["data"]
        assert not answer["nextPage"]
        raw = [resource["rawAnnotations"] for resource in answer["resourceArray"]]
        return {image["image"]: image["annotations"] for image in raw}

    def listing(self, collection: str | None = None, **more: Any) -> list[dict[str, Any]]:
        filters = {"annotationTypes": [], "date": {}, "tags": [], "labels": [], "metadata": {}}
        body: dict[str, Any] = {"pageIndex": 0, "pageSize": 20, "query": "", "filterData": filters, "contentType": 2}
        inside = f"/{collection}" if collection else ""
        return self.post(f"/client/explorer{inside}/objects/list", body | {"sortBy": {}} | more)

    def names(self, collection: str | None = None, **more: Any) -> list[str]:
        return [item["uniqueName"] for item in self.listing(collection, **more)]


@contextmanager
def running(data: Path, *words: str, **environment: str) -> Iterator[Server]:
    """A sandbox, from the line that says it answers until it has ended."""
    credentials = {"METALAKE_API_KEY": KEY, "METALAKE_SECRET": SECRET}
    process = subprocess.Popen(
        [sys.executable, "-m", "annolake.commands", "sandbox", "--port", "0", "--data", str(data), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **credentials, **environment},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise AssertionError(process.communicate()[1])
        yield Server(url, data, process)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def box(text: str, x: float, y: float, w: float, h: float, **more: Any) -> dict[str, Any]:
    """A rectangle as it goes over the wire."""
    corners = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
    return {
        "boxBoundariesAndDimensions": {"x": x, "y": y, "w": w, "h": h},
        "points": corners,
        "id": "shape_1370960a-4b66-4d74-ba4f-7a5c221646ae",
        "shapeId": 1,
        "createdAt": {"$date": "2026-11-23 09:27:48.804540"},
        "type": "rectangle",
        "label": {"label": "key", "labelText": text, "metadata": {}, "key": "key", "color": "#000000"},
        "metadata": {},
    } | more


def entry(*objects: dict[str, Any], **name: str) -> dict[str, Any]:
    """One image of an update, named by `objectKey`, by `storagePath`, or by `jobId` and `fileName`."""
    nowhere: dict[str, Any] = dict.fromkeys(("objectKey", "storagePath", "bucketName", "jobId", "fileName"))
    return nowhere | name | {"data": {"annotationObjects": list(objects), "isUserAnnotated": False}}
