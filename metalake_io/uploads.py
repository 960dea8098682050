"""Upload of files into a collection: begin, each file in parts, finalise, complete.

One file goes: initialise (is it there already?), ask for signed addresses, PUT the parts, finalise. Where the answer to
the finalising is lost, the service is asked whether it has the file before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..schemas.errors import AnnolakeError
from . import checks
from .errors import NetworkGaveUp, NotAuthorised, ProtocolError, ServiceRefused
from .kinds import CONTENT_TYPES, MEDIA, media
from .results import Item, UploadReport, Verified
from .rows import attached, in_rows, interrupted, not_begun
from .scanning import Scan, Source, scan
from .service import Service, quoted, word
from .storage import Part, Storage, storage_of
from .transfer.bodies import FileSlice, Moved, changed

PART_SIZE = 100 << 20
"""Bytes of a part, as the official SDK cuts them. Parts are streamed, so this is no measure of memory."""

OnItem = Callable[[Item], None]
_ASKED = 5
"""How often a file is finalised at most, when answers are lost."""


class Uploads:
    def __init__(self, service: Service, *, idle: float, part_size: int = PART_SIZE) -> None:
        self._service = service
        self._idle = idle
        self._part_size = part_size

    def plan(self, path: Path, content_type: str) -> Scan:
        """What `files` would upload; nothing is sent."""
        return scan(path, media(content_type))

    def files(
        self,
        path: Path,
        content_type: str,
        collection_name: str,
        *,
        metadata: dict[str, Any] | Literal[""] | None = None,
        override_metadata: bool = False,
        storage_prefix: str | None = None,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
    ) -> UploadReport:
        """Upload a file, or the files of a folder. Items of the report are files in the order of their names.

        A file that fails is an item that failed, and the others go on. NotAuthorised, LocalFailure of the whole
        computer, and a service that refuses to begin are raised.
        """
        return self.send(
            self.plan(path, content_type),
            content_type,
            collection_name,
            metadata=metadata,
            override_metadata=override_metadata,
            storage_prefix=storage_prefix,
            on_item=on_item,
            moved=moved,
        )

    def send(
        self,
        planned: Scan,
        content_type: str,
        collection_name: str,
        *,
        metadata: dict[str, Any] | Literal[""] | None = None,
        override_metadata: bool = False,
        storage_prefix: str | None = None,
        on_item: OnItem | None = None,
        moved: Moved | None = None,
        report: UploadReport | None = None,
    ) -> UploadReport:
        """The same for files that were looked at already, under the names that they are to have. `report` is filled if
        given; what is raised bears it, with rows of the files that were not begun, too.
        """
        kind = media(content_type)
        checks.collection(collection_name)
        report = UploadReport() if report is None else report
        report.items = [*planned.left_out, *map(_waiting, planned.sources)]
        with attached(report):
            begun = self._begin(planned, kind, collection_name, metadata, override_metadata, storage_prefix)
            report.job_id, report.collection_id = begun.jobId, begun.collectionId
            https_only = self._service.base_url.startswith("https:")
            storage = storage_of(
                begun.storageType, self._service.layers, self._service.clock, idle=self._idle, https_only=https_only
            )
            one = _OneFile(self._service, storage, begun.uploadId, collection_name, kind, self._part_size, moved)
            self._send_all(planned, one, report, on_item)
            self._complete(begun.uploadId, report, single=planned.single)
        return report

    def _begin(
        self, planned: Scan, kind: str, collection: str, metadata: Any, override: bool, prefix: str | None
    ) -> _Begun:
        body: dict[str, Any] = {
            "collectionType": MEDIA[kind],
            "collectionName": collection,
            "metaDataObject": {} if metadata is None else metadata,
            "isOverrideMetaData": override,
            "storagePrefixPath": prefix,
            "objectKeyList": [source.name for source in planned.sources],
        }
        return self._service.post("begin the upload", "/client/uploadMetadataInCollection", body, _Begun)

    def _send_all(self, planned: Scan, one: _OneFile, report: UploadReport, on_item: OnItem | None) -> None:
        report.items = list(planned.left_out)
        try:
            in_rows(
                planned.sources,
                one.upload,
                self._service.at_once,
                report,
                waiting=_waiting,
                under_way=_under_way,
                on_item=on_item,
            )
        finally:
            report.items.sort(key=lambda item: item.name)

    def _complete(self, upload_id: str, report: UploadReport, *, single: bool) -> None:
        """Close the upload, so that the service works on what has come. In single mode it tells the unique name."""
        path = f"/client/collectionUploadingStatus/{quoted(upload_id)}/complete"
        query = {"isReturnedUniqueName": word(single)}
        try:
            done = self._service.get("complete the upload", path, _Completed, query=query, empty=_Completed())
        except (ServiceRefused, NetworkGaveUp) as error:
            report.notes.append(error.message)
            return
        report.finished = True
        if single:
            report.unique_name = done.uploadedFileList[0] if done.uploadedFileList else ""


class _OneFile:
    def __init__(
        self,
        service: Service,
        storage: Storage,
        upload_id: str,
        collection: str,
        kind: str,
        part_size: int,
        moved: Moved | None,
    ) -> None:
        self._service = service
        self._storage = storage
        self._upload_id = upload_id
        self._collection = collection
        self._kind = kind
        self._part_size = part_size
        self._moved = moved

    def upload(self, source: Source) -> Item:
        """The file's item. Only what stops everything is raised."""
        try:
            return self._upload(source)
        except NotAuthorised:
            raise
        except AnnolakeError as error:
            return Item.failed(source.name, error, source.size)

    def _upload(self, source: Source) -> Item:
        begun = self._initialize(source)
        if begun.uploadRemovedFile:
            reason = "the service holds it in its trash, or elsewhere since it was removed, and does not take it again"
            return Item(name=source.name, state="failed", reason=reason, retry_helps=False, size=source.size)
        if begun.isExisting:
            reason = "the collection has a file of this name; its content was not compared"
            return Item(name=source.name, state="skipped", reason=reason, verified_by="none", size=source.size)
        sending = self._sending(begun, source)
        parts, verified, attempts = self._put_parts(sending)
        if not source.is_unchanged():
            raise changed(source.path)
        attempts = max(attempts, self._finalize(source, sending, parts))
        return Item(
            name=source.name, state="uploaded", attempts=attempts, status=200, verified_by=verified, size=source.size
        )

    def _initialize(self, source: Source) -> _File:
        body = {"fileName": source.name, "collectionName": self._collection, "uploadId": self._upload_id}
        operation = f"begin {source.name!r}"
        begun = self._service.post(operation, "/client/fileUpload/initializeMultipartUpload", body, _File)
        if not begun.is_known() and not (begun.fileId and begun.fileKey):
            raise ProtocolError("protocol", f"{operation}: the answer has no `fileId` or no `fileKey`")
        return begun

    def _sending(self, begun: _File, source: Source) -> _Sending:
        count = max(1, -(-source.size // self._part_size))
        suffix = source.name.rpartition(".")[2].lower()
        content_type = "application/octet-stream" if self._kind == "other" else CONTENT_TYPES[suffix]
        return _Sending(self._service, begun.fileId, begun.fileKey, source, count, content_type)

    def _put_parts(self, sending: _Sending) -> tuple[list[dict[str, Any]], Verified, int]:
        source, attempts = sending.source, 1
        levels: set[Verified] = set()
        parts: list[dict[str, Any]] = []
        for number in range(1, sending.count + 1):
            start = (number - 1) * self._part_size
            length = min(self._part_size, source.size - start)
            body = FileSlice(source.path, start, length, self._moved)
            part = Part(number, body, source.size, sending.content_type)
            stored = self._storage.put(part, lambda renew, number=number: sending.url(number, renew=renew))
            parts.append({"PartNumber": number, "ETag": stored.etag})
            levels.add(stored.verified)
            attempts = max(attempts, stored.attempts)
        weakest: tuple[Verified, ...] = ("none", "server", "size", "md5")
        return parts, next(level for level in weakest if level in levels), attempts

    def _finalize(self, source: Source, sending: _Sending, parts: list[dict[str, Any]]) -> int:
        """Make the parts a file; how often it was asked. Uncertain only where even asking brings no answer."""
        body = {
            "fileId": sending.file_id,
            "fileKey": sending.file_key,
            "parts": parts,
            "uploadId": self._upload_id,
            "finalizeUrl": sending.url(sending.count),
        }
        path, operation = "/client/fileUpload/finalizeMultipartUpload", f"finalise {source.name!r}"
        attempts = 0
        for asked in range(1, _ASKED + 1):
            try:
                return attempts + self._service.order(operation, path, body, repeat="unsent").attempts
            except NetworkGaveUp as error:
                attempts += error.attempts
                if not error.uncertain or asked == _ASKED:
                    raise
            if self._initialize(source).isExisting:
                return attempts
            self._service.clock.sleep(self._service.clock.random() * 2.0**asked)
        return attempts


class _Sending:
    """A file on its way: its signed addresses, asked for when they are needed, again when they have expired."""

    def __init__(
        self, service: Service, file_id: str, file_key: str, source: Source, count: int, content_type: str
    ) -> None:
        self._service = service
        self.file_id = file_id
        self.file_key = file_key
        self.source = source
        self.count = count
        self.content_type = content_type
        self._urls: list[str] = []

    def url(self, number: int, *, renew: bool = False) -> str:
        if not self._urls or renew:
            self._urls = self._ask()
        return self._urls[number - 1]

    def _ask(self) -> list[str]:
        body = {
            "fileId": self.file_id,
            "fileKey": self.file_key,
            "parts": self.count,
            "contentType": self.content_type,
        }
        operation = f"addresses for {self.source.name!r}"
        answer = self._service.post(operation, "/client/fileUpload/getMultipartPreSignedUrls", body, _Addresses)
        by_number = {part.PartNumber: part.signedUrl for part in answer.parts}
        if sorted(by_number) != list(range(1, self.count + 1)):
            raise ProtocolError("protocol", f"{operation}: {self.count} were asked for, others came")
        return [by_number[number] for number in sorted(by_number)]


def _waiting(source: Source) -> Item:
    return not_begun([source.name], size=source.size)[0]


def _under_way(source: Source) -> Item:
    return msgspec.structs.replace(interrupted(source.name), size=source.size)


class _Begun(msgspec.Struct):
    storageType: str
    uploadId: str
    collectionId: str
    jobId: str


class _File(msgspec.Struct):
    fileId: str = ""
    fileKey: str = ""
    isExisting: bool | None = None
    uploadRemovedFile: bool | None = None

    def is_known(self) -> bool:
        return bool(self.isExisting or self.uploadRemovedFile)


class _Address(msgspec.Struct):
    PartNumber: int
    signedUrl: str


class _Addresses(msgspec.Struct):
    parts: list[_Address]


class _Completed(msgspec.Struct):
    uploadedFileList: list[str] = []
