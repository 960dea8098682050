"""Look-ups of collections and objects."""

from __future__ import annotations

from typing import Any

import msgspec

from . import checks
from .errors import ProtocolError, ServiceRefused
from .kinds import MEDIA, media
from .service import Service, quoted


class Collections:
    def __init__(self, service: Service) -> None:
        self._service = service

    def id_of(self, name: str, content_type: str = "image") -> str:
        """The id of a collection by its name. ServiceRefused where there is none."""
        checks.collection(name)
        body = {"collectionName": name, "objectType": MEDIA[media(content_type)]}
        operation = f"look up the collection {name!r}"
        return self._service.post(operation, "/client/metadata/getCollectionIdByName", body, _Found).collectionId

    def details(self, collection_id: str, fields: dict[str, bool] | None = None) -> dict[str, Any]:
        """Facts of a collection: by default its id, name and content type."""
        wanted = {"id": True, "name": True, "contentType": True} if fields is None else fields
        body = {"collectionId": collection_id, "requiredMetaObj": wanted}
        operation = f"look up the collection {collection_id}"
        return self._service.post(operation, "/client/metadata/getCollectionDetails", body, _Details).itemDetails

    def storage_path(self, collection_id: str) -> str:
        """What the unique names of files uploaded to the collection begin with."""
        found = self.details(collection_id, {"storagePath": True}).get("storagePath")
        if not isinstance(found, str) or not found:
            raise ProtocolError("protocol", f"look up the collection {collection_id}: it has no storage path")
        return found

    def object_type(self, object_id: str) -> int:
        """The kind of a collection, or of any object, by its id (`kinds`). ServiceRefused where there is none."""
        operation = f"look up {object_id}"
        path = f"/client/{quoted(object_id)}/getObjectTypeById"
        found = self._service.get(operation, path, _Kind, body={}).objectType
        if found is None:
            raise ServiceRefused(
                "not-found", f"{operation}: object type cannot find for collection id", hint="check the id"
            )
        return found

    def upload_progress(self, name: str) -> dict[str, Any]:
        """How far the service is with what was uploaded to a collection, in its own words."""
        query = {"collectionName": name}
        return self._service.get(
            f"progress of {name!r}", "/client/collection/getuploadProgress", dict[str, Any], query=query
        )


class _Found(msgspec.Struct):
    collectionId: str


class _Details(msgspec.Struct):
    itemDetails: dict[str, Any]


class _Kind(msgspec.Struct):
    objectType: int | None = None
