"""The lake's calls for uploads: begin, initialise, addresses, finalise, complete. No more forgiving than need be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..metalake_io.wire import Answer, Asked, js, refusal

if TYPE_CHECKING:
    from .lake import Lake


class Sent(msgspec.Struct):
    """A file on its way: `file` is its name in the collection, `unique` the lake's."""

    file: str
    unique: str
    collection: str
    upload: str
    key: str
    finalised: int = 0


class Upload(msgspec.Struct):
    collection: str
    job: str
    names: list[str]
    done: list[str] = []
    completed: int = 0


class Sending:
    """`begun` uploads by id, `files` on their way by file id. `finalised` counts calls by unique name, also refused."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self.begun: dict[str, Upload] = {}
        self.files: dict[str, Sent] = {}
        self.finalised: dict[str, int] = {}

    def begin(self, asked: Asked) -> Answer:
        body, lake = asked.json, self._lake
        collection = lake.collection_of(body["collectionName"], body["collectionType"])
        number = len(self.begun) + 1
        self.begun[f"u{number}"] = Upload(collection, f"j{number}", body["objectKeyList"])
        said = {"storageType": lake.word, "uploadId": f"u{number}", "collectionId": collection, "jobId": f"j{number}"}
        return js(said)

    def initialise(self, asked: Asked) -> Answer:
        body, lake = asked.json, self._lake
        upload = self.begun.get(body["uploadId"])
        if upload is None:
            return refusal(404, "Upload not found")
        unique = f"{lake.folders[upload.collection]}_{body['fileName']}"
        if unique in lake.removed:
            return js({"fileId": "", "fileKey": "", "isExisting": False, "uploadRemovedFile": True})
        file_id = f"f{len(self.files) + 1}"
        key = f"up/{file_id}/{body['fileName']}"
        self.files[file_id] = Sent(body["fileName"], unique, upload.collection, body["uploadId"], key)
        return js({"fileId": file_id, "fileKey": key, "isExisting": lake.has(unique)})

    def presign(self, asked: Asked) -> Answer:
        body = asked.json
        sent = self.files.get(body["fileId"])
        if sent is None or sent.key != body["fileKey"]:
            return refusal(404, "File not found")
        numbers = range(1, body["parts"] + 1)
        if self._lake.storage != "AWS_S3":  # one address for all parts
            url = self._lake.bucket.sign(sent.key)
            return js({"parts": [{"PartNumber": number, "signedUrl": url} for number in numbers]})
        urls = [self._lake.bucket.sign(sent.key, partNumber=number) for number in numbers]
        return js(
            {"parts": [{"PartNumber": number, "signedUrl": url} for number, url in zip(numbers, urls, strict=True)]}
        )

    def finalise(self, asked: Asked) -> Answer:
        body, lake = asked.json, self._lake
        sent = self.files.get(body["fileId"])
        if sent is None or sent.key != body["fileKey"]:
            return refusal(404, "File not found")
        self.finalised[sent.unique] = self.finalised.get(sent.unique, 0) + 1
        if sent.finalised:
            return refusal(lake.again, "NoSuchUpload: The specified upload does not exist")
        content = self._assembled(sent.key, body["parts"])
        if content is None:
            return refusal(400, "InvalidPart: One or more of the specified parts could not be found")
        sent.finalised = 1
        lake.add(sent.unique, content, sent.collection, upload=sent.upload)
        self.begun[sent.upload].done.append(sent.unique)
        return js({"isSuccess": True})

    def complete(self, asked: Asked, upload_id: str) -> Answer:
        upload = self.begun.get(upload_id)
        if upload is None:
            return refusal(404, "Upload not found")
        upload.completed += 1
        if asked.query.get("isReturnedUniqueName") == "True":
            return js({"uploadedFileList": upload.done})
        return Answer(204)

    def _assembled(self, key: str, told: list[dict[str, Any]]) -> bytes | None:
        """The parts as one, as the storage does it; None where one is missing or is another."""
        parts = self._lake.bucket.parts.get(key, {})
        if self._lake.storage == "GCP":
            content = b""
            for first in sorted(parts):
                if first != len(content):
                    return None
                content += parts[first]
            return content
        numbers = [part["PartNumber"] for part in told]
        if numbers != sorted(set(numbers)) or not set(numbers) <= set(parts):
            return None
        if self._lake.storage == "AWS_S3":
            for part in told:
                if part["ETag"].strip('"') != self._lake.bucket.digests[key, part["PartNumber"]]:
                    return None
        return b"".join(parts[number] for number in numbers)
