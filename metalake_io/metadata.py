"""Metadata: of a collection, and of files by name, path or unique name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ..schemas.metadata_file import TAGS_KEY, Entry
from ..schemas.plain import is_list, is_object
from . import checks
from .errors import ServiceRefused, TransferError
from .kinds import MEDIA, media
from .partly import refused_names
from .results import Item, MetadataReport
from .rows import attached, interrupted, not_begun
from .service import Service, json_text

MOST_ENTRIES = 1000
MOST_BYTES = 8 << 20
DEFAULT_BUCKET = "DEFAULT"

OnItem = Callable[[Item], None]


class MetadataUploads:
    def __init__(self, service: Service) -> None:
        self._service = service

    def of_collection(
        self, collection_name: str, content_type: str, fields: Any, *, to_all_files: bool = True
    ) -> MetadataReport:
        """Fields and tags of a collection, and of all files in it if so wished. ServiceRefused, ..."""
        checks.collection(collection_name)
        body = {
            "collectionName": collection_name,
            "objectType": MEDIA[media(content_type)],
            "metadata": checks.metadata_object(fields),
            "isApplyToAllFiles": to_all_files,
        }
        path = "/client/metadata/uploadMetadataByMetaObject"
        answer = self._service.post(f"metadata of the collection {collection_name!r}", path, body, _Answer)
        return MetadataReport(items=[Item(name=collection_name, state="uploaded")], message=answer.message)

    def check(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries with tags and fields renamed as the service wishes. ServiceRefused for those it does not take."""
        tags = list(dict.fromkeys(tag for entry in entries for tag in entry.tags))
        fields = list(dict.fromkeys(name for entry in entries for name in entry.fields))
        tag_names = self._validated("tags", "validateTags", {"tags": tags}, "Tag") if tags else {}
        field_names = self._validated("fields", "validateMetaFields", {"fields": fields}, "Field") if fields else {}
        return [_renamed(entry, tag_names, field_names) for entry in entries]

    def send(
        self,
        entries: Sequence[Entry],
        *,
        bucket: str | None = None,
        job_id: str | None = None,
        collection_id: str | None = None,
        on_item: OnItem | None = None,
    ) -> MetadataReport:
        """Checked entries, in pages. A page that is refused fails its entries, and the others go on; what stops all is
        raised, with the report so far.
        """
        report = MetadataReport(message="" if entries else "no files are listed; nothing was sent")
        for page in _pages(entries):
            body = {
                "metadata": [_plain(entry) for entry in page],
                "bucketName": bucket,
                "jobId": job_id,
                "collectionId": collection_id,
            }
            items: list[Item]
            try:
                items = self._send_page(page, body, report)
            except ServiceRefused as error:
                items = [Item.failed(entry.file, error) for entry in page]
            except BaseException as error:
                known = error if isinstance(error, TransferError) else None
                report.items += [Item.failed(one.file, known) if known else interrupted(one.file) for one in page]
                report.items += not_begun(entry.file for entry in entries[len(report.items) :])
                with attached(report):
                    raise
            report.items += items
            if on_item is not None:
                for item in items:
                    on_item(item)
        return report

    def _send_page(self, page: list[Entry], body: dict[str, Any], report: MetadataReport) -> list[Item]:
        operation = "metadata of files"
        response = self._service.send("POST", operation, "/client/metadata/uploadMetadataByJson", body=body)
        answer: Any = self._service.whatever(operation, response) if response.content.strip() else None
        refused = refused_names(answer)
        if not refused and answer is not None:
            answer = self._service.plain(operation, response)
        report.message = str(answer.get("message") or "") if is_object(answer) else ""
        return [
            Item(
                name=entry.file,
                state="failed",
                reason=self._service.redactor.clean(refused[entry.file]),
                retry_helps=False,
            )
            if entry.file in refused
            else Item(name=entry.file, state="uploaded", verified_by="server")
            for entry in page
        ]

    def _validated(self, what: str, call: str, body: dict[str, Any], word: str) -> dict[str, str]:
        """Renames that newer servers answer: from a new name to the one that they have already."""
        operation = f"check the {what}"
        response = self._service.send("POST", operation, f"/client/metadata/{call}", body=body)
        plain: Any = self._service.plain(operation, response) if response.content.strip() else None
        renames: dict[str, str] = {}
        for one in plain if is_list(plain) else []:
            new, old = (one.get(f"{age}{word}") for age in ("new", "old")) if is_object(one) else (None, None)
            if isinstance(new, str) and isinstance(old, str):
                renames[new] = old
        return renames


def _pages(entries: Sequence[Entry]) -> list[list[Entry]]:
    """By count and by bytes."""
    pages: list[list[Entry]] = []
    size = 0
    for entry in entries:
        length = len(json_text(_plain(entry)))
        if not pages or len(pages[-1]) == MOST_ENTRIES or size + length > MOST_BYTES:
            pages.append([])
            size = 0
        pages[-1].append(entry)
        size += length
    return pages


def _plain(entry: Entry) -> dict[str, Any]:
    known: dict[str, Any] = {"file": entry.file}
    if entry.metadata is not None:
        known["metadata"] = entry.metadata
    return {**known, **entry.extras}


def _renamed(entry: Entry, tags: dict[str, str], fields: dict[str, str]) -> Entry:
    if entry.metadata is None or not (tags or fields):
        return entry
    renamed = {
        key if key == TAGS_KEY else fields.get(key, key): [tags.get(tag, tag) for tag in value]
        if key == TAGS_KEY
        else value
        for key, value in entry.metadata.items()
    }
    return msgspec.structs.replace(entry, metadata=renamed)


class _Answer(msgspec.Struct):
    message: str = ""
