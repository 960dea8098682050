"""The object storage behind the signed URLs: PUT of parts as S3, Google and Azure take them, GET with ranges.

No Authorization here: the URL itself is the permission, and for a while only. PUT and GET URLs are not each other's.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from .database import one
from .lake import BUCKET, Lake
from .refusals import Refusal

LARGEST_PART = 5 * 1024**3
"""As S3."""

_KIND = {"aws_s3": "S3", "gcs": "GCP", "gcp": "GCP", "azure_blob": "AZURE", "azure": "AZURE"}
_UNSIGNED = {"AZURE": frozenset({"comp", "blockid", "timeout"})}
"""Parameters that a client's library adds to the URL."""

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_SHOWN_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "video/mp4"})


def part_urls(lake: Lake, multipart: str, count: int, content_type: str) -> list[str]:
    """Path and query for each part, in order. Azure has one URL for all: the block's id names the part."""
    kind = _kind(lake)
    path = f"/storage/{BUCKET}/{multipart}"
    if kind == "AZURE":
        return [lake.signer.sign("PUT", path)] * count
    return [lake.signer.sign("PUT", path, partNumber=number, type=content_type) for number in range(1, count + 1)]


def ordered_parts(
    lake: Lake, held: Sequence[sqlite3.Row], told: Sequence[tuple[int, str]], whole_size: int | None
) -> list[tuple[int, str]]:
    """Number and ETag of the parts that make the file. Refusal 400 where one is missing, or is another than told.
    `whole_size` is what Content-Range announced, if it did.
    """
    if not told or [number for number, _ in told] != list(range(1, len(told) + 1)):
        raise Refusal(400, "InvalidPartOrder: parts must be 1, 2, 3 ... in this order")
    stored = {row["number"]: row for row in held}
    parts: list[tuple[int, str]] = []
    for number, etag in told:
        row = stored.get(number)
        if row is None and _kind(lake) == "GCP" and number == len(told):
            continue  # Google is not sent an empty part at all
        if row is None:
            raise Refusal(400, f"InvalidPart: part {number} was never received")
        if _kind(lake) == "S3" and etag.strip('"') != row["etag"]:
            raise Refusal(400, f"InvalidPart: part {number} has another ETag")
        parts.append((number, row["etag"]))
    size = sum(stored[number]["size"] for number, _ in parts)
    if whole_size is not None and size != whole_size:
        raise Refusal(400, f"InvalidPart: {whole_size} bytes were announced, and {size} came")
    return parts


async def put(lake: Lake, request: Request) -> Response:
    """`PUT /storage/{bucket}/{file}`."""
    kind = _kind(lake)
    query = dict(request.query_params)
    try:
        if not lake.signer.holds("PUT", request.url.path, query, unsigned=_UNSIGNED.get(kind, frozenset())):
            raise _Denied(403, "SignatureDoesNotMatch", "the signature is not ours, or its time has passed")
        number = _azure_number(request) if kind == "AZURE" else int(query["partNumber"])
        content_type = request.headers.get("content-type", query.get("type"))
        if kind == "S3" and content_type != query.get("type"):
            raise _Denied(403, "SignatureDoesNotMatch", "the Content-Type is not the one that was signed")
        multipart: str = request.path_params["blob"]
        etag, size, temporary = await lake.blobs.receive(multipart, _bounded(request))
        try:
            content_range = _content_range(request, size) if kind == "GCP" else None
            whole = content_range[2] if content_range else None
            await run_in_threadpool(_keep_part, lake, temporary, multipart, (number, etag, size), whole)
        finally:
            temporary.unlink(missing_ok=True)
    except _Denied as denied:
        return denied.response()
    except ClientDisconnect:
        return Response(status_code=400)
    return _received(kind, etag, content_range)


async def get(lake: Lake, request: Request) -> Response:
    """`GET /storage/{bucket}/{file}`: the bytes, or the ranges that are asked for."""
    query = dict(request.query_params)
    if not lake.signer.holds("GET", request.url.path, query, unsigned=frozenset()):
        return _Denied(403, "AccessDenied", "the signature is not ours, or its time has passed").response()
    path = lake.blobs.path(request.path_params["blob"])
    if not path.is_file():
        return _Denied(404, "NoSuchKey", "the file is gone").response()
    guessed = mimetypes.guess_type(query.get("name", ""))[0]
    media_type = guessed if guessed in _SHOWN_TYPES else "application/octet-stream"
    # What was uploaded may be a page with a script: it must not run as one of ours.
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(path, media_type=media_type, headers=headers)


class _Denied(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """In the XML of object storages."""
        text = f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        return Response('<?xml version="1.0" encoding="UTF-8"?>' + text, self.status, media_type="application/xml")


def _kind(lake: Lake) -> str:
    return _KIND[lake.settings.storage.lower()]


async def _bounded(request: Request) -> AsyncGenerator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST_PART:
            raise _Denied(400, "EntityTooLarge", f"a part has at most {LARGEST_PART} bytes")
        yield piece


def _keep_part(lake: Lake, temporary: Path, multipart: str, part: tuple[int, str, int], whole_size: int | None) -> None:
    """The row last: it never names a file that is not there."""
    with lake.database.writing() as db:
        upload = one(db, "SELECT is_finished FROM multiparts WHERE id = ?", multipart)
        if upload is None or upload["is_finished"]:
            raise _Denied(404, "NoSuchUpload", "the upload is finished, or never was")
        number, etag, _ = part
        lake.blobs.keep(temporary, multipart, number, etag)
        db.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)", (multipart, *part))
        db.execute("UPDATE multiparts SET whole_size = coalesce(?, whole_size) WHERE id = ?", (whole_size, multipart))


def _received(kind: str, etag: str, content_range: tuple[int, int, int] | None) -> Response:
    if kind == "AZURE":
        return Response(status_code=201)
    if content_range is not None and content_range[1] + 1 < content_range[2]:
        return Response(status_code=308, headers={"Range": f"bytes=0-{content_range[1]}"})
    return Response(status_code=200, headers={"ETag": f'"{etag}"'})


def _content_range(request: Request, size: int) -> tuple[int, int, int] | None:
    """First and last byte and size of the whole, as Google is told. Denied where they do not fit what came."""
    text = request.headers.get("content-range")
    if text is None:
        return None
    match = _CONTENT_RANGE.fullmatch(text)
    first, last, whole = (int(number) for number in match.groups()) if match else (1, 0, 0)
    if last - first + 1 != size or last >= whole:
        raise _Denied(400, "InvalidArgument", f"Content-Range does not fit the {size} bytes that came")
    return first, last, whole


def _azure_number(request: Request) -> int:
    """The part that a block is: the client encodes its index, six digits, and the library encodes that once more."""
    query = request.query_params
    if "comp" not in query and request.headers.get("x-ms-blob-type") == "BlockBlob":
        return 1
    text = query.get("blockid", "")
    try:
        for _ in range(2):
            text = base64.b64decode(text, validate=True).decode("ascii")
            if re.fullmatch(r"\d{1,6}", text):
                break
    except (binascii.Error, ValueError):
        text = ""
    if query.get("comp") != "block" or not re.fullmatch(r"\d{1,6}", text):
        raise _Denied(400, "InvalidQueryParameterValue", "comp must be block, and blockid the part's index in Base64")
    return int(text) + 1
