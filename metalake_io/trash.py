"""Into the trash: a selection is made, counted if wished, and trashed only with the caller's word for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..schemas.errors import UsageError
from .collections import Collections
from .errors import ServiceRefused
from .kinds import OBJECTS
from .listing import Found, Listing
from .selections import filter_of, query_of
from .service import Service

_USER = "Python SDK"
_HINT = "if that is meant, call it with confirmed=True"


class Trash:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._collections = Collections(service)
        self._listing = Listing(service)

    def look_in_collection(self, collection_id: str, query: str = "", filter: Mapping[str, Any] | None = None) -> Found:
        """What `from_collection` would trash now; without query and filter, all objects."""
        _ = query_of(query), filter_of(filter)
        kind = self._listing.content_type_of(_id(collection_id))
        return self._listing.look(kind, query, filter, collection_id=collection_id)

    def look_in_datalake(
        self, query: str, filter: Mapping[str, Any] | None = None, content_type: str = "image"
    ) -> Found:
        """What `from_datalake` would trash now."""
        return self._listing.look(OBJECTS[_kind(content_type)], query_of(query), filter)

    def count_in_collection(self, collection_id: str, query: str = "", filter: Mapping[str, Any] | None = None) -> int:
        """How many objects that are."""
        return self.look_in_collection(collection_id, query, filter).count

    def count_in_datalake(
        self, query: str, filter: Mapping[str, Any] | None = None, content_type: str = "image"
    ) -> int:
        """How many objects that are."""
        return self.look_in_datalake(query, filter, content_type).count

    def from_collection(
        self,
        collection_id: str,
        query: str = "",
        filter: Mapping[str, Any] | None = None,
        *,
        everything: bool = False,
        confirmed: bool = False,
    ) -> str:
        """Objects of a collection; with `everything` the collection itself, with all that is in it.

        The service's message. UsageError without `confirmed`, which says how many objects would go; for a query or
        filter that cannot be meant, and for one that selects everything because it is empty: only `everything` means
        everything.
        """
        _id(collection_id)
        query, wire = query_of(query), filter_of(filter)
        if everything != (not query and _is_empty(wire)):
            what = "both everything and a selection" if everything else "the query and the filter are empty"
            hint = "give a query or a filter, or say that the whole collection is meant"
            raise UsageError("no-selection", f"what shall go from the collection? {what}", hint=hint)
        if confirmed is not True:
            what = "the whole collection" if everything else "what is selected in the collection"
            count = self.count_in_collection(collection_id, query, filter)
            raise _unconfirmed(f"trash {what} {collection_id}", count)
        kind = self._collections.object_type(collection_id)
        if everything:
            return self._trash(_selection(kind, query, wire, ids=[collection_id]))
        return self._trash(_selection(0, query, wire, collection_id=collection_id))

    def from_datalake(
        self,
        query: str,
        filter: Mapping[str, Any] | None = None,
        content_type: str = "image",
        *,
        confirmed: bool = False,
    ) -> str:
        """Images or videos of the whole lake, by query, filter or both. UsageError without either."""
        query, wire, kind = query_of(query), filter_of(filter), _kind(content_type)
        if not query and _is_empty(wire):
            raise UsageError("no-selection", "Not enough selection parameters", hint="give a query or a filter")
        if confirmed is not True:
            count = self.count_in_datalake(query, filter, kind)
            raise _unconfirmed(f"trash every {kind} that is selected in the whole lake", count)
        return self._trash(_selection(OBJECTS[kind], query, wire))

    def _trash(self, selection: dict[str, Any]) -> str:
        found = self._service.post("select what to trash", "/client/query/getSelectionId", selection, _Selected)
        tag = found.selectionTag or found.selectionId
        if not tag:
            raise ServiceRefused("refused", f"select what to trash: {found.warningMsg or 'nothing is selected'}")
        body = {"selectionId": tag, "userId": _USER}
        return self._service.post("trash", "/client/file/trash", body, _Trashed, repeat="unsent").message


def _selection(
    content_type: int, query: str, wire: dict[str, Any], *, ids: list[str] | None = None, collection_id: str = ""
) -> dict[str, Any]:
    return {
        "isAllSelected": ids is None,
        "contentType": content_type,
        "objectIdList": ids or [],
        "filterData": wire,
        "query": query,
        "collectionId": collection_id,
    }


def _id(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise UsageError("collection-id", "collection id must be provided", hint="24 letters and digits")
    return given


def _is_empty(wire: dict[str, Any]) -> bool:
    return not wire["annotationTypes"] and not wire["date"]


def _kind(content_type: str) -> str:
    if content_type not in ("image", "video"):
        raise UsageError("content-type", "Should specify either image or video as content type")
    return content_type


def _unconfirmed(what: str, count: int) -> UsageError:
    return UsageError("not-confirmed", f"this would {what}; objects: {count:,}", hint=_HINT)


class _Selected(msgspec.Struct):
    selectionTag: str = ""
    selectionId: str = ""
    warningMsg: str = ""


class _Trashed(msgspec.Struct):
    message: str = ""
