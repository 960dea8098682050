"""What the rig keeps, and its calls: a MetaLake in memory that lets everything happen that a real one might."""

from __future__ import annotations

import json
import re
from threading import RLock
from typing import Any, Literal

import msgspec

from ..metalake_io.lake import AUTHORIZATION, KEY, SECRET, references
from ..metalake_io.wire import Answer, Asked, js, refusal
from .sending import Sending
from .storage import Bucket

__all__ = ["AUTHORIZATION", "KEY", "SECRET", "Kept", "Lake"]

StorageType = Literal["AWS_S3", "GCP", "AZURE"]


class Kept(msgspec.Struct):
    """A file: its unique name, bytes, collection, and the upload it came with."""

    name: str
    content: bytes
    collection: str = "c1"
    upload: str = ""


class Lake:
    """`objects` is a list: nothing keeps a file from being there twice. `annotations` are the objects by (key,
    operation). `uses`: how often a signed address is good. `word`: what it calls its storage. `again`: the status of a
    second finalising. `authorization` is what is asked for; another one is answered with 401. `refused` images, by key,
    are not taken and named with their reasons, under `refused_as`. `most_bytes` of annotations at once. `forgetful`: it
    keeps no bytes.
    """

    def __init__(self, storage: StorageType = "AWS_S3", annotations: Literal["replace", "append"] = "replace") -> None:
        self.storage: StorageType = storage
        self.word: str = storage
        self.mode = annotations
        self.again = 404
        self.uses = 1 << 30
        self.forgetful = False
        self.url = ""
        self.authorization = AUTHORIZATION
        self.lock = RLock()
        self.objects: list[Kept] = []
        self._newest: dict[str, Kept] = {}
        self._sorted: tuple[object, list[str]] = None, []
        self.removed: set[str] = set()
        self.folders: dict[str, str] = {"c1": "Demo"}
        self.kinds: dict[str, int] = {"c1": 5}
        self.names: dict[str, list[str]] = {"Demo": ["c1"]}
        self.annotations: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.updates = 0
        self.metadata: list[dict[str, Any]] = []
        self.unknown_labels: set[str] = set()
        self.refused: dict[str, str] = {}
        self.refused_as = "failed"
        self.most_bytes = 100 << 20
        self.job_states: list[int] = [2]
        self.trashed: list[dict[str, Any]] = []
        self.selections: dict[str, dict[str, Any]] = {}
        self.bucket = Bucket(self)
        self.sending = Sending(self)

    def add(self, name: str, content: bytes, collection: str = "c1", upload: str = "") -> None:
        self.objects.append(Kept(name, content, collection, upload))
        self._newest[name] = self.objects[-1]

    def lose(self, name: str) -> None:
        """Whatever was there of that name is gone."""
        self.objects = [one for one in self.objects if one.name != name]
        del self._newest[name]

    def expire(self) -> None:
        """No signed address that is out is good any more."""
        self.bucket.valid_from = self.bucket.issued

    def has(self, unique: str) -> bool:
        return unique in self._newest

    def content(self, key: str) -> bytes | None:
        return self._newest[key].content if key in self._newest else None

    def collection_of(self, name: str, kind: int) -> str:
        """The collection of this name and kind; begun where there is none."""
        for known in self.names.get(name, []):
            if self.kinds[known] == kind:
                return known
        made = f"c{len(self.folders) + 1}"
        self.folders[made] = re.sub(r"[^A-Za-z0-9_ -]", "_", name)
        self.kinds[made] = kind
        self.names.setdefault(name, []).append(made)
        return made

    def serve(self, asked: Asked) -> Answer:
        """The true answer."""
        asked.target = "/" + asked.target.lstrip("/")
        if asked.path.startswith("/bucket/"):
            return self.bucket.serve(asked)
        prefix = next((one for one in ("/datalake/api", "/studio/api", "/api") if asked.path.startswith(one)), None)
        if prefix is None:
            return Answer(404, b"<html>not found</html>", {"Content-Type": "text/html"})
        if asked.headers.get("authorization") != self.authorization:
            return refusal(401, "Unauthorized")
        path = asked.path.removeprefix(prefix)
        with self.lock:
            for pattern, call in _ROUTES:
                found = re.fullmatch(pattern, path)
                if found:
                    owner: Any = self.sending if hasattr(self.sending, call) else self
                    return getattr(owner, call)(asked, *found.groups())
        return refusal(404, "Endpoint not found")

    def compatibility(self, asked: Asked, version: str) -> Answer:
        return js({"isCompatible": True, "message": ""})

    def progress(self, asked: Asked) -> Answer:
        return js({"isSuccess": True, "progress": 100})

    def job(self, asked: Asked, job: str) -> Answer:
        state = self.job_states.pop(0) if len(self.job_states) > 1 else self.job_states[0]
        return js({"isSuccess": True, "status": state, "progress": 50})

    def note(self, asked: Asked) -> Answer:
        return js({"success": True, "jobId": "j0"})

    def by_name(self, asked: Asked) -> Answer:
        body = asked.json
        for known in self.names.get(body["collectionName"], []):
            if self.kinds[known] == body["objectType"]:
                return js({"isSuccess": True, "collectionId": known})
        return refusal(406, "Collection not found")

    def details(self, asked: Asked) -> Answer:
        found = self.folders.get(asked.json["collectionId"])
        if found is None:
            return refusal(404, "Collection not found")
        return js({"isSuccess": True, "itemDetails": {"id": asked.json["collectionId"], "storagePath": found}})

    def labels(self, asked: Asked) -> Answer:
        return js(references(asked.json["labels"], self.unknown_labels))

    def update(self, asked: Asked, operation: str) -> Answer:
        self.updates += 1
        if len(asked.body) > self.most_bytes:
            return Answer(413, b"<html>413 Request Entity Too Large</html>", {"Content-Type": "text/html"})
        refused: list[dict[str, str]] = []
        elements = msgspec.json.decode(asked.json["metaUpdatesArray"])
        used = {shape["label"]["labelText"] for one in elements for shape in one["data"]["annotationObjects"]}
        if used & self.unknown_labels:
            return refusal(406, f"unknown labels: {sorted(used & self.unknown_labels)}")
        for one in elements:
            key = one["objectKey"] or one["storagePath"]
            if key is None:
                upload = next((each for each in self.sending.begun.values() if each.job == one["jobId"]), None)
                key = f"{self.folders[upload.collection]}_{one['fileName']}" if upload else one["fileName"]
            if key in self.refused:
                refused.append({"file": key, "message": self.refused[key]})
                continue
            objects = one["data"]["annotationObjects"]
            held = self.annotations.get((key, operation), []) if self.mode == "append" else []
            self.annotations[key, operation] = held + objects
        named = {self.refused_as: refused} if refused else {}
        return js({"isSuccess": not refused, "message": "updated", **named})

    def valid(self, asked: Asked) -> Answer:
        return js([])

    def meta(self, asked: Asked) -> Answer:
        self.metadata.append(asked.json)
        return js({"isSuccess": True, "message": "Metadata updated"})

    def page(self, asked: Asked, collection: str) -> Answer:
        number, size = int(asked.query["pageNo"]), int(asked.query["pageSize"])
        wanted = json.loads(asked.query.get("operationIdList", "[]"))
        names = sorted({one.name for one in self.objects if one.collection == collection})
        names += sorted({key for key, _ in self.annotations} - {one.name for one in self.objects})
        if asked.query.get("isAnnotatedOnly") == "True":
            annotated = {key for key, _ in self.annotations}
            names = [name for name in names if name in annotated]
        begin = number * size
        if not names[begin : begin + size]:
            return js({"message": "no data"})
        entries = [self._entry(name, wanted) for name in names[begin : begin + size]]
        folder = self.folders.get(collection, "Demo")
        data = {"identifier": collection, "groupUniqueName": folder, "format": "RAW", "rawFileName": f"{folder}.json"}
        more = begin + size < len(names)
        return js({"data": data | {"creatableDirectories": ["data"], "resourceArray": entries, "nextPage": more}})

    def listed(self, asked: Asked, collection: str | None) -> Answer:
        body = asked.json
        begin = body["pageIndex"] * body["pageSize"]
        state = (collection, len(self.objects), id(self.objects))
        if self._sorted[0] != state:
            self._sorted = state, sorted(one.name for one in self.objects if collection in (None, one.collection))
        found = [
            {"id": name, "name": name, "uniqueName": name, "fileName": name, "url": self.bucket.sign(name)}
            for name in self._sorted[1][begin : begin + body["pageSize"]]
        ]
        return js(found) if found else refusal(406, "No more pages to download")

    def address(self, asked: Asked) -> Answer:
        name = asked.query["file_key"]
        found = self.has(name)
        return js({"isSuccess": True, "url": self.bucket.sign(name)}) if found else refusal(404, "File not found")

    def kind(self, asked: Asked, collection: str) -> Answer:
        found = self.kinds.get(collection)
        return js({"objectType": found}) if found else refusal(404, "Object not found")

    def select(self, asked: Asked) -> Answer:
        self.selections[f"s{len(self.selections) + 1}"] = asked.json
        return js({"isSuccess": True, "selectionTag": f"s{len(self.selections)}"})

    def trash(self, asked: Asked) -> Answer:
        self.trashed.append(self.selections[asked.json["selectionId"]])
        return js({"isSuccess": True, "message": "2 objects successfully trashed, 0 objects failed to trash"})

    def attach(self, asked: Asked) -> Answer:
        return js({"isSuccess": True, "message": "attached"})

    def _entry(self, name: str, operations: list[str]) -> dict[str, Any]:
        shapes = [
            shape
            for (key, operation), objects in self.annotations.items()
            if key == name and (not operations or operation in operations)
            for shape in objects
        ]
        entry: dict[str, Any] = {"fileName": name, "fileDownloadFolderLocation": "data", "isMediaFile": True}
        if self.has(name):
            entry["fileUrl"] = self.bucket.sign(name)
        return entry | {"rawAnnotations": {"image": name, "annotations": [_as_written(shape) for shape in shapes]}}


def _as_written(shape: dict[str, Any]) -> dict[str, Any]:
    """An annotation as people write it, out of one as it is sent."""
    label = shape["label"]
    values: dict[str, Any] = {
        key.removeprefix("A-"): [{**value, "value": value["value"].removeprefix("V-")} for value in given]
        for key, given in label.get("attributeValues", {}).items()
    }
    kind, box = shape["type"], shape.get("boxBoundariesAndDimensions")
    out: dict[str, Any] = {"type": kind, "label": label["labelText"]}
    if box is not None:
        out["bbox"] = [box["x"], box["y"], box["w"], box["h"]]
    else:
        out[kind] = shape["points"]
    if "confidence" in shape:
        out["confidence"] = shape["confidence"]
    return out | {"attributes": values, "metadata": shape.get("metadata", {})}


_ROUTES = [
    (r"/client/sdk/compatibility/([^/]+)", "compatibility"),
    (r"/client/uploadMetadataInCollection", "begin"),
    (r"/client/fileUpload/initializeMultipartUpload", "initialise"),
    (r"/client/fileUpload/getMultipartPreSignedUrls", "presign"),
    (r"/client/fileUpload/finalizeMultipartUpload", "finalise"),
    (r"/client/collectionUploadingStatus/([^/]+)/complete", "complete"),
    (r"/client/collection/getuploadProgress", "progress"),
    (r"/client/jobs/([^/]+)/getStatus", "job"),
    (r"/job/updateJob/basicAuthRequest", "note"),
    (r"/client/metadata/getCollectionIdByName", "by_name"),
    (r"/client/metadata/getCollectionDetails", "details"),
    (r"/client/system/label/references", "labels"),
    (r"/metadata/operationdata/(.+)/update", "update"),
    (r"/client/metadata/validate(?:Tags|MetaFields)", "valid"),
    (r"/client/metadata/uploadMetadataBy(?:Json|MetaObject)", "meta"),
    (r"/client/getAnnotations/([^/]+)/collection", "page"),
    (r"/client/explorer/(?:([^/]+)/)?objects/list", "listed"),
    (r"/client/downloadUrl", "address"),
    (r"/client/([^/]+)/getObjectTypeById", "kind"),
    (r"/client/query/getSelectionId", "select"),
    (r"/client/file/trash", "trash"),
    (r"/client/projects/modelRun/attach", "attach"),
]
