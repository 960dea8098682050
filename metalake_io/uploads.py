"""Upload of files into a collection: begin, send each file (`file_upload`), complete.

With a journal, files that an earlier run brought are looked up in the collection's list, many at a time, and not asked
for one by one. Uploads that it left open are completed, so that the service works on what came with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from . import checks
from .doubles import doubled
from .errors import ServiceRefused
from .file_upload import FileUpload, Looked
from .journal import Journal
from .journal_rows import UploadRow
from .kinds import MEDIA, media
from .known_files import KnownFiles
from .results import Item, UploadReport
from .rows import all_told, in_rows, interrupted, not_begun
from .scanning import Entry, Scan, scan
from .service import Service, quoted, word
from .storage import storage_of
from .transfer.bodies import Moved

PART_SIZE = 100 << 20
"""Bytes of a part, as the official SDK cuts them. Parts are streamed, so this is no measure of memory."""

OnItem = Callable[[Item], None]


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
        computer, a service that refuses to begin, and one that cannot be told that all has come are raised.
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
        journal: Journal | None = None,
        one_job: bool = False,
        looked: Looked | None = None,
    ) -> UploadReport:
        """The same for files that were looked at already, under the names that they are to have. `report` is filled if
        given; what is raised bears it, with rows of the files that were not begun, too.

        `one_job`: every file is to be named to the service in this upload, known or not, because something will refer
        to its job. `looked` is called with each file just before it is sent, from many threads.
        """
        kind = media(content_type)
        checks.collection(collection_name)
        journal = Journal() if journal is None else journal
        report = UploadReport() if report is None else report
        report.notes += [] if journal.notice is None else [journal.notice]
        report.items = list(planned.left_out)
        try:
            with all_told(report, planned.entries, _waiting):
                left = planned.entries
                if not (one_job or override_metadata or planned.single):
                    known = KnownFiles(self._service, journal)
                    left, there = known.split(planned.entries, kind)
                    report.items += there
                    report.doubled += known.doubled
                    if on_item is not None:
                        for item in there:
                            on_item(item)
                earlier = journal.uploads()
                if left or metadata:
                    begun = self._begin(left, kind, collection_name, metadata, override_metadata, storage_prefix)
                    upload = UploadRow(begun.uploadId, len(earlier), len(left), begun.collectionId, begun.jobId)
                    journal.put(upload)
                    journal.flush()
                    report.job_id, report.collection_id = begun.jobId, begun.collectionId
                    sending = self._sending(begun, collection_name, kind, moved, journal, looked)
                    self._send_all(left, sending, report, on_item)
                    report.finished = self._complete(upload, report, journal, single=planned.single)
                    brought = sorted(item.name for item in report.of("uploaded")) if journal.keeps else []
                    report.doubled += doubled(self._service, brought, kind, begun.collectionId) if brought else []
                else:
                    report.job_id, report.collection_id, report.finished = earlier[-1].job, earlier[-1].collection, True
                for row in earlier:
                    if not row.closed:
                        report.earlier_jobs.append(row.job)
                        report.finished &= self._complete(row, report, journal)
        finally:
            report.items.sort(key=lambda item: item.name)
        return report

    def _sending(
        self,
        begun: _Begun,
        collection: str,
        kind: str,
        moved: Moved | None,
        journal: Journal,
        looked: Looked | None,
    ) -> FileUpload:
        service = self._service
        https_only = service.base_url.startswith("https:")
        storage = storage_of(begun.storageType, service.layers, service.clock, idle=self._idle, https_only=https_only)
        return FileUpload(service, storage, begun.uploadId, collection, kind, self._part_size, moved, journal, looked)

    def _begin(
        self, entries: Sequence[Entry], kind: str, collection: str, metadata: Any, override: bool, prefix: str | None
    ) -> _Begun:
        body: dict[str, Any] = {
            "collectionType": MEDIA[kind],
            "collectionName": collection,
            "metaDataObject": {} if metadata is None else metadata,
            "isOverrideMetaData": override,
            "storagePrefixPath": prefix,
            "objectKeyList": [entry.name for entry in entries],
        }
        return self._service.post("begin the upload", "/client/uploadMetadataInCollection", body, _Begun)

    def _send_all(
        self, entries: Sequence[Entry], one: FileUpload, report: UploadReport, on_item: OnItem | None
    ) -> None:
        at_once = self._service.at_once
        in_rows(entries, one.upload, at_once, report, waiting=_waiting, under_way=_under_way, on_item=on_item)

    def _complete(self, upload: UploadRow, report: UploadReport, journal: Journal, *, single: bool = False) -> bool:
        """Close the upload, so that the service works on what has come; whether that is done. In single mode it tells
        the unique name. NetworkGaveUp.
        """
        path = f"/client/collectionUploadingStatus/{quoted(upload.id)}/complete"
        query = {"isReturnedUniqueName": word(single)}
        try:
            done = self._service.get("complete the upload", path, _Completed, query=query, empty=_Completed())
        except ServiceRefused as error:
            report.notes.append(error.message)
            return False
        journal.put(msgspec.structs.replace(upload, closed=1))
        if single:
            report.unique_name = done.uploadedFileList[0] if done.uploadedFileList else ""
        return True


def _waiting(entry: Entry) -> Item:
    return not_begun([entry.name], size=entry.size)[0]


def _under_way(entry: Entry) -> Item:
    return msgspec.structs.replace(interrupted(entry.name), size=entry.size)


class _Begun(msgspec.Struct):
    storageType: str
    uploadId: str
    collectionId: str
    jobId: str


class _Completed(msgspec.Struct):
    uploadedFileList: list[str] = []
