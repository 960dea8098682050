"""The pages of a collection with annotations, one after the other, and what they leave for its annotation JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from .errors import ProtocolError
from .results import Item
from .service import Service, json_text, quoted, word

PAGE_SIZE = 250
_MOST_EMPTY = 3
"""Pages in a row without any file, after which there will be none."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be fetched into `folder`, below the root; without a `url` there is none. `size` in bytes, if known.
    `where` is its whole path below the root, if it is not to bear its own name.
    """

    name: str
    where: str | None = None
    url: str | None = None
    folder: str = ""
    size: int | None = None


class CollectionPage(msgspec.Struct, frozen=True):
    """`folder` and `file` are the server's names for the folder of all and for the annotation JSON in it."""

    folder: str
    file: str
    entries: list[Entry]


class CollectionPages:
    """Iterate once. `annotations` grows with the pages: JSON objects, one for each image, as they came. `given` counts
    the files, and `total` is how many the service says there are, where it does.

    ProtocolError where a page lacks what it needs, comes twice, or is missing in the middle, and where there is no end
    of pages without files.
    """

    def __init__(
        self,
        service: Service,
        collection_id: str,
        annotation_type: str,
        operation_ids: Sequence[str],
        *,
        annotated_only: bool = False,
    ) -> None:
        self._service = service
        self._collection = collection_id
        self._path = f"/client/getAnnotations/{quoted(collection_id)}/collection"
        self._annotation_type = annotation_type
        self._operations = json_text(list(operation_ids))
        self._which = {"isAnnotatedOnly": word(True)} if annotated_only else {}
        self.session_id = str(service.clock.time())
        self.annotations: list[msgspec.Raw] = []
        self.file: str | None = None
        self.given = 0
        self.total: int | None = None

    def __iter__(self) -> Iterator[CollectionPage]:
        number, empty, before = 0, 0, set[str]()
        while True:
            data = self._get(number)
            if data is None:
                if number:
                    raise ProtocolError("page-missing", f"page {number} of the collection is announced but empty")
                return
            names = {resource.fileName for resource in data.resourceArray}
            if names and names <= before:
                raise ProtocolError("page-repeats", f"page {number} of the collection lists the same files again")
            empty = 0 if names else empty + 1
            if data.nextPage and empty == _MOST_EMPTY:
                raise ProtocolError("pages-without-end", f"{empty} pages of the collection, up to {number}, are empty")
            before |= names
            self.given = len(before)
            if isinstance(data.totalCount, int):
                self.total = data.totalCount
            self.file = self.file or data.rawFileName
            self.annotations += [one.rawAnnotations for one in data.resourceArray if _is_object(one.rawAnnotations)]
            yield CollectionPage(data.groupUniqueName, self.file, [_entry(one) for one in data.resourceArray])
            if not data.nextPage:
                return
            number += 1

    def short(self) -> list[Item]:
        """A row for what the service says is there and no page has listed. Nobody documents that it says so."""
        if self.total is None or self.given == self.total:
            return []
        reason = f"the service says that there are {self.total:,} files, and lists {self.given:,}"
        return [Item(name=self._collection, state="failed", reason=reason, retry_helps=True)]

    def _get(self, number: int) -> _Data | None:
        query = {
            "pageNo": number,
            "pageSize": PAGE_SIZE,
            "statusList": "[]",
            **self._which,
            "projectIdList": "null",
            "operationIdList": self._operations,
            "annotationType": self._annotation_type,
            "sessionId": self.session_id,
        }
        operation = f"page {number} of the collection"
        response = self._service.send("GET", operation, self._path, query=query)
        plain = self._service.plain(operation, response)
        try:
            page = msgspec.convert(plain, _Head)
            if page.data is None or page.data.identifier is None:
                return None
            return msgspec.json.decode(response.content, type=_Page).data
        except msgspec.ValidationError as error:
            message = f"{operation}: {self._service.redactor.clean(str(error))}"
            raise ProtocolError("protocol", message) from None


class _Identified(msgspec.Struct):
    identifier: str | None = None


class _Head(msgspec.Struct):
    data: _Identified | None = None


class _Resource(msgspec.Struct):
    fileName: str
    fileDownloadFolderLocation: str = ""
    fileUrl: str | None = None
    rawAnnotations: msgspec.Raw = msgspec.Raw()
    size: int | None = None
    fileSize: int | None = None


class _Data(msgspec.Struct):
    groupUniqueName: str
    rawFileName: str
    resourceArray: list[_Resource]
    nextPage: bool
    totalCount: Any = None


class _Page(msgspec.Struct):
    data: _Data


def _entry(resource: _Resource) -> Entry:
    return Entry(
        name=resource.fileName,
        url=resource.fileUrl,
        folder=resource.fileDownloadFolderLocation.rstrip("/"),
        size=resource.size or resource.fileSize,
    )


def _is_object(raw: msgspec.Raw) -> bool:
    return bytes(raw).startswith(b"{")
