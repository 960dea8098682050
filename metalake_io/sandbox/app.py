"""The stand-in's addresses, and what answers at each.

The API stands under `/datalake/api`, where the official SDK looks for it, and under `/api`, where its newer version
does.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from . import annotations, downloads, jobs, labels, metadata, pages, selection, shelves, storage, uploads
from .calls import Asked, Handler, endpoint, refused
from .lake import Lake, Settings
from .refusals import Refusal

_PREFIXES = ("/datalake/api", "/api")
_SLASHES = re.compile(rb"^/{2,}")
_OPERATION = re.compile(rb"/api/metadata/operationdata/[^/]*/update")

_CALLS: list[tuple[str, str, Handler]] = [
    ("GET", "/client/sdk/compatibility/{version}", lambda lake, asked: _compatible(asked)),
    ("POST", "/client/uploadMetadataInCollection", uploads.begin),
    ("POST", "/client/fileUpload/initializeMultipartUpload", uploads.initialize),
    ("POST", "/client/fileUpload/getMultipartPreSignedUrls", uploads.presign),
    ("POST", "/client/fileUpload/finalizeMultipartUpload", uploads.finalize),
    ("GET", "/client/collectionUploadingStatus/{upload}/complete", uploads.complete),
    ("GET", "/client/collection/getuploadProgress", uploads.progress),
    ("GET", "/client/jobs/{job}/getStatus", jobs.status),
    ("POST", "/job/updateJob/basicAuthRequest", jobs.update),
    ("POST", "/client/metadata/getCollectionIdByName", shelves.id_by_name),
    ("POST", "/client/metadata/getCollectionDetails", shelves.details),
    ("GET", "/client/{id}/getObjectTypeById", shelves.object_type),
    ("POST", "/client/system/label/references", labels.references),
    ("POST", "/metadata/operationdata/{operation:path}/update", annotations.update),
    ("POST", "/client/metadata/validateTags", metadata.validate_tags),
    ("POST", "/client/metadata/validateMetaFields", metadata.validate_fields),
    ("POST", "/client/metadata/uploadMetadataByJson", metadata.upload_json),
    ("POST", "/client/metadata/uploadMetadataByMetaObject", metadata.upload_object),
    ("GET", "/client/getAnnotations/{collection}/collection", downloads.collection),
    ("GET", "/client/downloadUrl", downloads.url),
    ("POST", "/client/explorer/objects/list", downloads.listing),
    ("POST", "/client/explorer/{collection}/objects/list", downloads.listing),
    ("POST", "/client/query/getSelectionId", selection.select),
    ("POST", "/client/file/trash", selection.trash),
]

Scope = MutableMapping[str, Any]
AsgiApp = Callable[[Scope, Any, Any], Awaitable[None]]


def application(settings: Settings) -> AsgiApp:
    """The stand-in over the folder `settings.data`, as an ASGI application."""
    lake = Lake(settings)
    api = [Route(path, endpoint(lake, handle), methods=[method]) for method, path, handle in _CALLS]
    routes: list[BaseRoute] = [Mount(prefix, routes=api) for prefix in _PREFIXES]
    attach = endpoint(lake, annotations.attach)
    routes += [
        Route("/studio/api/client/projects/modelRun/attach", attach, methods=["POST"]),
        Route("/storage/{bucket}/{blob}", partial(storage.put, lake), methods=["PUT"]),
        Route("/storage/{bucket}/{blob}", partial(storage.get, lake), methods=["GET"]),
        *pages.routes(lake),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _not_found})
    return partial(_tidied, app)


def _compatible(asked: Asked) -> dict[str, Any]:
    """`GET /client/sdk/compatibility/{version}`: every version is welcome."""
    return {"isCompatible": True, "message": ""}


async def _tidied(app: AsgiApp, scope: Scope, receive: Any, send: Any) -> None:
    """A base URL that ends with a slash makes paths begin with two. And an operation id is one step of a path: it may
    hold an encoded slash, but a bare one leads elsewhere, as at the service.
    """
    if scope["type"] == "http":
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        if b"/metadata/operationdata/" in raw and not _OPERATION.search(raw):
            scope["path"] = "/no-such-path"
        scope["path"] = "/" + scope["path"].lstrip("/")
        scope["raw_path"] = _SLASHES.sub(b"/", raw)
    await app(scope, receive, send)


async def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refused(Refusal(status, f'Endpoint "{request.method} {request.url.path}" not found.'))
