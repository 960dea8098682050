"""A small MetaLake for tests, written from its description, with rules that make it fail at will."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import count
from typing import Any

from .wire import Answer, Asked, Wire, js, refusal

KEY, SECRET = "key_dummy", "secret_dummy"
AUTHORIZATION = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
SIGNATURE = "X-Amz-Signature=5161676e6174757265"


@dataclass
class Rule:
    """Answers instead of the lake: the requests whose method and path match, `times` of them after `skip`. `after`:
    the lake does what it was asked, and only its answer is replaced.
    """

    match: str
    reply: Callable[[Asked], Answer]
    times: int
    skip: int
    after: bool


def references(wanted: dict[str, dict[str, list[str]]], unknown: Collection[str] = ()) -> dict[str, Any]:
    """The keys of labels, of their attributes and of these attributes' values; none for labels that are unknown."""
    out: dict[str, Any] = {}
    for label, attributes in wanted.items():
        if label in unknown:
            continue
        texts = {
            name: {"ref": f"A-{name}", "texts": {value: f"V-{value}" for value in values}}
            for name, values in attributes.items()
        }
        out[label] = {"ref": f"L-{label}", "color": "#ff0000", "texts": texts}
    return out


class Lake:
    """`files` by unique name, `annotations` by (key, operation), `metadata` and `trashed` as they were sent."""

    def __init__(self) -> None:
        self.prefixes = ["/datalake/api"]
        self.storage = "AWS_S3"
        self.files: dict[str, bytes] = {}
        self.annotations: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.updates: list[dict[str, Any]] = []
        self.metadata: list[dict[str, Any]] = []
        self.selections: dict[str, dict[str, Any]] = {}
        self.trashed: list[dict[str, Any]] = []
        self.unknown_labels: set[str] = set()
        self.job_states: list[int] = [2]
        self.pages: list[dict[str, Any]] = []
        self.rules: list[Rule] = []
        self.names: dict[str, str] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.ids = count(1)
        self.wire = Wire(self._answer)
        self.url = self.wire.url

    def rule(
        self,
        match: str,
        *replies: Answer | Callable[[Asked], Answer],
        times: int = 1,
        skip: int = 0,
        after: bool = False,
    ) -> None:
        """One rule for each reply, each for `times` requests that match, for example `POST .*finalize`."""
        for reply in replies:
            answer = reply if callable(reply) else (lambda _, reply=reply: reply)
            self.rules.append(Rule(match, answer, times, skip, after))

    def media(self, name: str, **query: str) -> str:
        extra = "".join(f"&{key}={value}" for key, value in query.items())
        return f"{self.url}/bucket/{name}?{SIGNATURE}{extra}"

    def listed(self) -> list[dict[str, Any]]:
        return [{"id": n, "name": n, "uniqueName": n, "url": self.media(n)} for n in self.files]

    def page(self, *names: str, more: bool = False, **other: Any) -> dict[str, Any]:
        """A page of a collection's download."""
        entries = [
            {
                "fileName": name,
                "fileUrl": self.media(name),
                "fileDownloadFolderLocation": "data",
                "isMediaFile": True,
                "rawAnnotations": {"image": name, "annotations": []},
            }
            for name in names
        ]
        data = {"identifier": "c1", "groupUniqueName": "Demo", "format": "RAW", "rawFileName": "Demo.json"}
        data |= {"creatableDirectories": ["data"], "resourceArray": entries, "nextPage": more}
        return {"data": data | other}

    def asked(self, match: str = "") -> list[Asked]:
        return [one for one in self.wire.asked if re.search(match, f"{one.method} {one.target}")]

    def close(self) -> None:
        self.wire.close()

    def _answer(self, asked: Asked) -> Answer:
        with self.wire.lock:
            rule = self._rule(asked)
        if rule is None:
            return self._serve(asked)
        if rule.after:
            self._serve(asked)
        return rule.reply(asked)

    def _rule(self, asked: Asked) -> Rule | None:
        for rule in self.rules:
            if rule.times and re.search(rule.match, f"{asked.method} {asked.target}"):
                if rule.skip:
                    rule.skip -= 1
                    return None
                rule.times -= 1
                return rule
        return None

    def _serve(self, asked: Asked) -> Answer:
        if asked.path.startswith("/bucket/"):
            return self._store(asked) if asked.method == "PUT" else self._fetch(asked)
        prefix = next((one for one in [*self.prefixes, "/studio/api"] if asked.path.startswith(f"{one}/")), None)
        if prefix is None:
            return Answer(404, b"<html>not found</html>", {"Content-Type": "text/html"})
        if asked.headers.get("authorization") != AUTHORIZATION:
            return refusal(401, "Unauthorized")
        with self.wire.lock:
            return self._call(asked, asked.path.removeprefix(prefix))

    def _store(self, asked: Asked) -> Answer:
        if SIGNATURE not in asked.target or "authorization" in asked.headers:
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        key, query = asked.path.removeprefix("/bucket/"), asked.query
        number = int(query["partNumber"])
        if query.get("comp") == "block":
            number = int(base64.b64decode(base64.b64decode(query["blockid"]))) + 1
        with self.wire.lock:
            self.parts.setdefault(key, {})[number] = asked.body
        headers = {"ETag": f'"{hashlib.md5(asked.body).hexdigest()}"'} if self.storage == "AWS_S3" else {}
        return Answer(201 if self.storage == "AZURE" else 200, b"", headers)

    def _fetch(self, asked: Asked) -> Answer:
        if SIGNATURE not in asked.target or "authorization" in asked.headers:
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        content = self.files.get(asked.path.removeprefix("/bucket/"))
        if content is None:
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"})
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        if asked.headers.get("if-none-match") == etag:
            return Answer(304, b"", {"ETag": etag})
        return Answer(200, content, {"ETag": etag, "x-amz-request-id": "1", "Content-Type": "application/octet-stream"})

    def _call(self, asked: Asked, path: str) -> Answer:
        for pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found:
                return getattr(self, f"_{name}")(asked, *found.groups())
        return refusal(404, "Endpoint not found")

    def _compatibility(self, asked: Asked, version: str) -> Answer:
        return js({"isCompatible": True, "message": ""})

    def _begin(self, asked: Asked) -> Answer:
        return js({"storageType": self.storage, "uploadId": "u1", "collectionId": "c1", "jobId": "j1"})

    def _initialize(self, asked: Asked) -> Answer:
        body = asked.json
        unique = f"{body['collectionName']}_{body['fileName']}"
        file_id = f"f{next(self.ids)}"
        self.names[file_id] = unique
        return js({"fileId": file_id, "fileKey": f"key/{file_id}", "isExisting": unique in self.files})

    def _presign(self, asked: Asked) -> Answer:
        body = asked.json
        url = f"{self.url}/bucket/{body['fileKey']}?{SIGNATURE}"
        parts = [{"PartNumber": n, "signedUrl": f"{url}&partNumber={n}"} for n in range(1, body["parts"] + 1)]
        return js({"parts": parts})

    def _finalize(self, asked: Asked) -> Answer:
        body = asked.json
        parts = self.parts.get(body["fileKey"], {})
        self.files[self.names[body["fileId"]]] = b"".join(parts.get(n, b"") for n in sorted(parts))
        return js({"isSuccess": True})

    def _complete(self, asked: Asked, upload: str) -> Answer:
        if asked.query["isReturnedUniqueName"] == "True":
            return js({"uploadedFileList": list(self.files)[-1:]})
        return Answer(204)

    def _job(self, asked: Asked, job: str) -> Answer:
        state = self.job_states.pop(0) if len(self.job_states) > 1 else self.job_states[0]
        return js({"isSuccess": True, "status": state, "progress": 50})

    def _note(self, asked: Asked) -> Answer:
        return js({"success": True})

    def _collection(self, asked: Asked) -> Answer:
        if asked.json["collectionName"] == "nope":
            return refusal(406, "Collection not found")
        return js({"isSuccess": True, "collectionId": "c1"})

    def _details(self, asked: Asked) -> Answer:
        return js({"isSuccess": True, "itemDetails": {"id": "c1", "storagePath": "Demo"}})

    def _labels(self, asked: Asked) -> Answer:
        return js(references(asked.json["labels"], self.unknown_labels))

    def _update(self, asked: Asked, operation: str) -> Answer:
        self.updates.append(asked.json)
        for one in json.loads(asked.json["metaUpdatesArray"]):
            key = one["objectKey"] or one["storagePath"] or one["fileName"]
            self.annotations[key, operation] = one["data"]["annotationObjects"]
        return js({"isSuccess": True, "message": "updated"})

    def _validate(self, asked: Asked, what: str) -> Answer:
        return js([])

    def _metadata(self, asked: Asked) -> Answer:
        self.metadata.append(asked.json)
        return js({"isSuccess": True, "message": "Metadata updated"})

    def _pages(self, asked: Asked, collection: str) -> Answer:
        number = int(asked.query["pageNo"])
        return js(self.pages[number] if number < len(self.pages) else {"message": "no data"})

    def _list(self, asked: Asked, collection: str | None) -> Answer:
        body = asked.json
        begin = body["pageIndex"] * body["pageSize"]
        found = self.listed()[begin : begin + body["pageSize"]]
        return js(found) if found else refusal(406, "No more pages to download")

    def _url(self, asked: Asked) -> Answer:
        name = asked.query["file_key"]
        return (
            js({"isSuccess": True, "url": self.media(name)}) if name in self.files else refusal(404, "File not found")
        )

    def _kind(self, asked: Asked, collection: str) -> Answer:
        return js({"objectType": 5}) if collection == "c1" else refusal(404, "Object not found")

    def _select(self, asked: Asked) -> Answer:
        self.selections["s1"] = asked.json
        return js({"isSuccess": True, "selectionTag": "s1"})

    def _trash(self, asked: Asked) -> Answer:
        self.trashed.append(self.selections[asked.json["selectionId"]])
        return js({"isSuccess": True, "message": "2 objects successfully trashed, 0 objects failed to trash"})

    def _attach(self, asked: Asked) -> Answer:
        return js({"isSuccess": True, "message": "attached"})


_ROUTES = [
    (r"/client/sdk/compatibility/([^/]+)", "compatibility"),
    (r"/client/uploadMetadataInCollection", "begin"),
    (r"/client/fileUpload/initializeMultipartUpload", "initialize"),
    (r"/client/fileUpload/getMultipartPreSignedUrls", "presign"),
    (r"/client/fileUpload/finalizeMultipartUpload", "finalize"),
    (r"/client/collectionUploadingStatus/([^/]+)/complete", "complete"),
    (r"/client/jobs/([^/]+)/getStatus", "job"),
    (r"/job/updateJob/basicAuthRequest", "note"),
    (r"/client/metadata/getCollectionIdByName", "collection"),
    (r"/client/metadata/getCollectionDetails", "details"),
    (r"/client/system/label/references", "labels"),
    (r"/metadata/operationdata/(.+)/update", "update"),
    (r"/client/metadata/validate(Tags|MetaFields)", "validate"),
    (r"/client/metadata/uploadMetadataBy(?:Json|MetaObject)", "metadata"),
    (r"/client/getAnnotations/([^/]+)/collection", "pages"),
    (r"/client/explorer/(?:([^/]+)/)?objects/list", "list"),
    (r"/client/downloadUrl", "url"),
    (r"/client/([^/]+)/getObjectTypeById", "kind"),
    (r"/client/query/getSelectionId", "select"),
    (r"/client/file/trash", "trash"),
    (r"/client/projects/modelRun/attach", "attach"),
]
