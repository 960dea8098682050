"""Upload of one file: initialise (is it there already?), ask for signed addresses, PUT the parts, finalise.

Where the answer to the finalising is lost, the service is asked whether it has the file before anything is sent again.
What an earlier run left half done goes on where it was, as far as the journal, the file and the service agree on it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import msgspec

from ..schemas.errors import AnnolakeError
from .errors import NetworkGaveUp, NotAuthorised, ProtocolError, ServiceRefused, TransferError
from .journal import Journal
from .journal_rows import FileRow, PartRow
from .kinds import CONTENT_TYPES
from .results import Item, weakest
from .scanning import Entry, Source
from .sent_files import done, is_as_sent, is_of, outdated, part_count, sent_before
from .service import Service
from .storage import Part, Storage
from .transfer.bodies import FileSlice, Moved, changed

_ASKED = 5
"""How often a file is finalised at most, when answers are lost."""

Looked = Callable[[Source], None]
"""Sees each file just before it is sent."""


class FileUpload:
    """Files of one upload; `upload` may be called from many threads."""

    def __init__(
        self,
        service: Service,
        storage: Storage,
        upload_id: str,
        collection: str,
        kind: str,
        part_size: int,
        moved: Moved | None,
        journal: Journal,
        looked: Looked | None = None,
    ) -> None:
        self._service = service
        self._storage = storage
        self._upload_id = upload_id
        self._collection = collection
        self._kind = kind
        self._part_size = part_size
        self._moved = moved
        self._journal = journal
        self._looked = looked

    def upload(self, entry: Entry) -> Item:
        """The file's item. Only what stops everything is raised."""
        source = entry.look()
        if isinstance(source, Item):
            return source
        try:
            return self._upload(source)
        except NotAuthorised:
            raise
        except AnnolakeError as error:
            item = Item.failed(source.name, error, source.size)
            return msgspec.structs.replace(item, retry_helps=True) if error.code == "file-changed" else item

    def _upload(self, source: Source) -> Item:
        with _no_file_yet():
            begun = self._initialize(source)
        before = self._journal.get(FileRow, source.name)
        if begun.uploadRemovedFile:
            reason = "the service holds it in its trash, or elsewhere since it was removed, and does not take it again"
            return Item(name=source.name, state="failed", reason=reason, retry_helps=False, size=source.size)
        if begun.isExisting:
            return self._existing(source, before)
        if self._looked is not None:
            self._looked(source)
        if before is not None and before.state == "begun":
            item = self._go_on(source, before)
            if item is not None:
                return item
        row = FileRow(
            source.name,
            source.size,
            source.modified,
            "begun",
            self._upload_id,
            begun.fileId,
            begun.fileKey,
            self._part_size,
        )
        self._journal.put(row)
        return self._send(source, row, {})

    def _existing(self, source: Source, before: FileRow | None) -> Item:
        """The collection has a file of this name: one that we brought, or another's, which nobody has compared."""
        parts = [] if before is None else self._journal.rows(PartRow, file_id=before.file_id)
        if before is None or len(parts) < part_count(before.size, before.part_size):
            reason = "the collection has a file of this name; its content was not compared"
            return Item(name=source.name, state="skipped", reason=reason, verified_by="none", size=source.size)
        if not is_as_sent(source, before, parts):
            return outdated(source)
        self._journal.put(done(source, before))
        proof = weakest(part.verified for part in parts)
        return sent_before(source, proof if before.state == "done" else "server")

    def _go_on(self, source: Source, before: FileRow) -> Item | None:
        """The file, its upload taken up where it was left. None where that cannot be."""
        if (before.size, before.part_size) != (source.size, self._part_size):
            return None
        parts = self._journal.rows(PartRow, file_id=before.file_id)
        stored = {part.number: part for part in parts if is_of(part, source, before)}
        if not stored or len(stored) < len(parts):
            return None
        try:
            return self._send(source, before, stored)
        except ServiceRefused as error:
            if error.uncertain:
                raise  # it may be there: sent whole, it would be there twice
            return None  # the service has forgotten the upload, or the storage its parts: the file is sent whole

    def _initialize(self, source: Source) -> _File:
        body = {"fileName": source.name, "collectionName": self._collection, "uploadId": self._upload_id}
        operation = f"begin {source.name!r}"
        begun = self._service.post(operation, "/client/fileUpload/initializeMultipartUpload", body, _File)
        if not begun.is_known() and not (begun.fileId and begun.fileKey):
            raise ProtocolError("protocol", f"{operation}: the answer has no `fileId` or no `fileKey`")
        return begun

    def _send(self, source: Source, row: FileRow, stored: dict[int, PartRow]) -> Item:
        suffix = source.name.rpartition(".")[2].lower()
        content_type = "application/octet-stream" if self._kind == "other" else CONTENT_TYPES[suffix]
        count = part_count(source.size, self._part_size)
        sending = _Sending(self._service, row.file_id, row.file_key, source, count, content_type)
        with _no_file_yet():
            parts, attempts = self._put_parts(sending, stored)
            sending.url(count)
        if not source.is_unchanged():
            raise changed(source.path)
        self._journal.flush()  # what the service has, we know what it was made of
        attempts = max(attempts, self._finalize(sending, row.upload, parts))
        self._journal.put(done(source, row))
        return Item(
            name=source.name,
            state="uploaded",
            attempts=attempts,
            status=200,
            verified_by=weakest(part.verified for part in parts),
            size=source.size,
        )

    def _put_parts(self, sending: _Sending, stored: dict[int, PartRow]) -> tuple[list[PartRow], int]:
        source, attempts = sending.source, 1
        parts: list[PartRow] = []
        for number in range(1, sending.count + 1):
            if number in stored:
                parts.append(stored[number])
                continue
            start = (number - 1) * self._part_size
            length = min(self._part_size, source.size - start)
            body = FileSlice(source.path, start, length, self._moved)
            part = Part(number, body, source.size, sending.content_type)
            kept = self._storage.put(part, lambda renew, number=number: sending.url(number, renew=renew))
            row = PartRow(sending.file_id, number, kept.etag, body.md5.hex(), kept.verified)
            self._journal.put(row)
            parts.append(row)
            if kept.of_all:
                parts = [msgspec.structs.replace(one, verified=kept.verified) for one in parts]
            attempts = max(attempts, kept.attempts)
        return parts, attempts

    def _finalize(self, sending: _Sending, upload_id: str, parts: list[PartRow]) -> int:
        """Make the parts a file; how often it was asked. Uncertain only where even asking brings no answer: where the
        answer is lost, or makes no sense, the service is asked whether it has the file.
        """
        source = sending.source
        body = {
            "fileId": sending.file_id,
            "fileKey": sending.file_key,
            "parts": [{"PartNumber": part.number, "ETag": part.etag} for part in parts],
            "uploadId": upload_id,
            "finalizeUrl": sending.url(sending.count),
        }
        path, operation = "/client/fileUpload/finalizeMultipartUpload", f"finalise {source.name!r}"
        attempts = 0
        for asked in range(1, _ASKED + 1):
            try:
                order = self._service.order(operation, path, body, repeat="unsent", fresh=asked > 1)
                return attempts + order.attempts
            except (NetworkGaveUp, ProtocolError) as error:
                attempts += error.attempts
                makes_no_sense = isinstance(error, ProtocolError)
                if not makes_no_sense and (not error.uncertain or asked == _ASKED):
                    raise
                if self._has(source):
                    return attempts
                if makes_no_sense:
                    raise
            except ServiceRefused as error:
                attempts += error.attempts
                if asked == 1 or not self._has(source):  # what was done late, and once, is refused the second time
                    raise
                return attempts
            self._service.clock.sleep(self._service.clock.random() * 2.0**asked)
        return attempts

    def _has(self, source: Source) -> bool:
        """Whether the service has the file that it may have made."""
        try:
            return bool(self._initialize(source).isExisting)
        except TransferError as error:
            error.uncertain = True
            raise


@contextmanager
def _no_file_yet() -> Generator[None]:
    """Whatever the service has done of what fails in here, it has made no file of it."""
    try:
        yield
    except TransferError as error:
        error.uncertain = False
        raise


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
