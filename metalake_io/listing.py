"""Lists of objects: pages of the whole lake or of a collection, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..schemas.errors import UsageError
from ..schemas.plain import is_list, is_object, ready
from .collections import Collections
from .errors import ProtocolError, ServiceRefused
from .kinds import OF_COLLECTION
from .selections import list_filter, query_of, sort_of
from .service import Service, quoted

LARGEST_PAGE = 1000
NO_MORE = "No more pages to download"
NO_FILES = "No files to download"
_FIRST = 10


class Listed(msgspec.Struct, frozen=True):
    """One object of a list. Which key its length stands under nobody documents, nor whether metadata come along."""

    uniqueName: str
    url: str
    name: str | None = None
    size: int | None = None
    fileSize: int | None = None
    metadata: Any = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Empty past the end, and then with a `message`."""

    objects: list[Listed] = []
    message: str = ""

    @property
    def last(self) -> bool:
        return not self.objects


class Found(msgspec.Struct, frozen=True):
    """How many objects a selection has, and the unique names of the first ones, newest first."""

    count: int
    first: list[str]


class Listing:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._collections = Collections(service)

    def content_type_of(self, collection_id: str) -> int:
        """What a collection holds. ServiceRefused where the id is not one of a collection."""
        found = OF_COLLECTION.get(self._collections.object_type(collection_id))
        if found is None:
            raise ServiceRefused("not-acceptable", "collection type is not acceptable get item list")
        return found

    def page(
        self,
        content_type: int,
        page_index: int,
        page_size: int,
        query: str,
        filter: Mapping[str, Any] | None,
        sort_order: Mapping[str, Any] | None,
        collection_id: str | None = None,
    ) -> Page:
        """One page. Empty past the end, which the service tells in three ways: an empty array, no content, or a refusal
        with the words `NO_MORE`. Every other refusal, such as of a query that is not understood, is ServiceRefused.
        """
        for word, value, least in (("page_index", page_index, 0), ("page_size", page_size, 1)):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:  # pyright: ignore
                raise UsageError("bad-page", f"{word} is a whole number from {least}, not {value!r}")
        if page_size > LARGEST_PAGE:
            raise UsageError("bad-page", f"page_size is at most {LARGEST_PAGE}", hint="take more pages")
        body = {
            "pageIndex": page_index,
            "pageSize": page_size,
            "query": query_of(query),
            "filterData": list_filter(filter),
            "contentType": content_type,
            "sortBy": sort_of(sort_order),
        }
        where = "" if collection_id is None else f"/{quoted(collection_id)}"
        operation = f"list page {page_index}"
        try:
            response = self._service.send("POST", operation, f"/client/explorer{where}/objects/list", body=body)
            if not response.content.strip():
                return Page(message="No content found")
            plain = self._service.plain(operation, response)
        except ServiceRefused as refusal:
            if refusal.said.strip() != NO_MORE:
                raise
            return Page(message=NO_MORE)
        if not is_list(plain):
            raise ProtocolError("protocol", f"{operation}: the answer is no list")
        if not plain:
            return Page(message=NO_FILES)
        return Page(objects=[self._listed(entry, operation, number) for number, entry in enumerate(plain)])

    def look(
        self, content_type: int, query: str, filter: Mapping[str, Any] | None, collection_id: str | None = None
    ) -> Found:
        """What a query and filter mean, by listing it all: the service has no count."""
        count, first = 0, list[str]()
        for page in self.pages(content_type, query, filter, collection_id):
            count += len(page.objects)
            first += [listed.uniqueName for listed in page.objects[: _FIRST - len(first)]]
        return Found(count, first)

    def pages(
        self,
        content_type: int,
        query: str,
        filter: Mapping[str, Any] | None,
        collection_id: str | None,
        sort_order: Mapping[str, Any] | None = None,
    ) -> Iterator[Page]:
        """All pages of what a query and filter mean. ServiceRefused where the list does not come to its end."""
        seen: set[int] = set()  # hashes: names of a hundred thousand take twice as much
        index = 0
        while True:
            page = self.page(content_type, index, LARGEST_PAGE, query, filter, sort_order, collection_id)
            if not page.objects:
                return
            names = {hash(listed.uniqueName) for listed in page.objects}
            if names <= seen:
                raise ProtocolError("page-repeats", f"list page {index}: the same objects come again and again")
            seen |= names
            yield page
            index += 1

    def _listed(self, entry: Any, operation: str, number: int) -> Listed:
        try:
            return msgspec.convert(entry, ready(Listed))
        except msgspec.ValidationError as error:
            said = self._service.redactor.clean(str(error))
            name = entry.get("name") if is_object(entry) else None
            raise ProtocolError("protocol", f"{operation}: entry {number} ({name}): {said}") from None
