"""Parts of files into object storage by signed addresses: one plain PUT each, for S3, Google and Azure.

A part may be sent again at will: the same part number replaces what came before. Each is compared with what the storage
says it has, where it says so.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from email.utils import formatdate
from typing import Literal, Protocol
from urllib.parse import quote

import msgspec

from .errors import ProtocolError, ServiceRefused
from .proofs import is_md5_etag
from .results import Verified
from .transfer.bodies import FileSlice
from .transfer.clock import Clock
from .transfer.exchange import Layer, Request, Response, may_be_asked
from .transfer.policy import clock_error

StorageType = Literal["AWS_S3", "GCP", "AZURE"]

_WORDS: dict[str, StorageType] = {
    "AWS_S3": "AWS_S3",
    "GCP": "GCP",
    "AZURE": "AZURE",
    "aws_s3": "AWS_S3",
    "gcs": "GCP",
    "azure_blob": "AZURE",
}
"""Older and newer servers' words."""

_AZURE_VERSION = "2021-08-06"
_MOST_DAMAGED = 3
_SKEW = 300.0
"""Seconds by which a clock must be off before it is to blame; the storages allow 15 minutes."""

_HEX = re.compile(r"^[0-9a-f]{32}$")
_RANGE = re.compile(r"^bytes=0-(\d+)$")


class Part(msgspec.Struct, frozen=True):
    """Part `number`, from 1, of a file of `total` bytes."""

    number: int
    body: FileSlice
    total: int
    content_type: str

    @property
    def is_last(self) -> bool:
        return self.body.start + self.body.length == self.total


class Stored(msgspec.Struct, frozen=True):
    """What the storage said of a part: its ETag without quotes (S3 only), and how far that proves it."""

    etag: str
    verified: Verified
    attempts: int = 1


class Storage(Protocol):
    """`put` may be called many times for a part. `url` gives a signed address, a new one each time it is called
    with True.
    """

    def put(self, part: Part, url: Callable[[bool], str]) -> Stored: ...


def storage_of(word: str, layers: Layer, clock: Clock, *, idle: float, https_only: bool) -> Storage:
    """The storage behind a word of the server's. ServiceRefused (`unknown-storage`) for one that nobody knows."""
    known = _WORDS.get(word)
    if known is None:
        raise ServiceRefused(
            "unknown-storage",
            f"the service keeps its files in {word!r}, to which annolake cannot upload",
            hint=f"known are {', '.join(_WORDS)}",
        )
    return _Puts(known, layers, clock, idle=idle, https_only=https_only)


class _Puts:
    def __init__(self, kind: StorageType, layers: Layer, clock: Clock, *, idle: float, https_only: bool) -> None:
        self._kind: StorageType = kind
        self._layers = layers
        self._clock = clock
        self._idle = idle
        self._https_only = https_only

    def put(self, part: Part, url: Callable[[bool], str]) -> Stored:
        if self._kind == "GCP" and part.total == 0:
            return Stored("", "none")  # there is no range of no bytes; the service makes the empty object itself
        renewed, damaged, attempts = False, 0, 0
        address = url(False)
        while True:
            response = self._send(part, address)
            attempts += response.attempts
            if response.status in (401, 403) and not renewed:
                renewed, address = True, url(True)
                continue
            if response.status not in _SUCCESS[self._kind]:
                raise _refused(part, response, attempts, self._clock.time())
            if self._kind == "GCP" and response.status == 308 and part.is_last and not _has_all(part, response):
                raise _refused(part, response, attempts, self._clock.time())
            match = _matches(self._kind, part, response)
            if match is not False:
                return Stored(_etag(self._kind, response), "md5" if match else "server", attempts)
            damaged += 1
            if damaged == _MOST_DAMAGED:
                error = ServiceRefused("damaged", f"part {part.number} arrives damaged, {damaged} times")
                raise error.after(response, attempts)

    def _send(self, part: Part, url: str) -> Response:
        if not may_be_asked(url, https_only=self._https_only):
            raise ServiceRefused("unsafe-address", "the signed address for the upload is not trustworthy")
        headers = {"Content-Type": part.content_type}
        if self._kind == "GCP":
            first = part.body.start
            headers["Content-Range"] = f"bytes {first}-{first + part.body.length - 1}/{part.total}"
        elif self._kind == "AZURE":
            url = _block_address(url, part.number)
            headers = {
                "Content-Type": "application/octet-stream",
                "Accept": "application/xml",
                "x-ms-version": _AZURE_VERSION,
                "x-ms-date": formatdate(self._clock.time(), usegmt=True),
            }
        try:
            return self._layers.send(
                Request(
                    method="PUT",
                    url=url,
                    operation=f"store part {part.number} of {part.body.path.name!r}",
                    headers=headers,
                    body=part.body,
                    idle=self._idle,
                )
            )
        finally:
            part.body.close()


_SUCCESS = {"AWS_S3": (200,), "GCP": (200, 201, 308), "AZURE": (200, 201)}


def _block_address(url: str, number: int) -> str:
    """A block's name is its index from 0, six digits, in Base64 twice: the service commits such names."""
    name = base64.b64encode(base64.b64encode(f"{number - 1:06d}".encode())).decode("ascii")
    address, _, query = url.partition("?")
    return f"{address}?comp=block&blockid={quote(name, safe='')}" + (f"&{query}" if query else "")


def _etag(kind: StorageType, response: Response) -> str:
    if kind != "AWS_S3":
        return ""
    etag = response.headers.get("etag", "").strip().removeprefix("W/").strip('"')
    if not etag:
        error = ProtocolError("protocol", "the storage takes a part but gives no ETag for it")
        raise error.after(response)
    return etag


def _matches(kind: StorageType, part: Part, response: Response) -> bool | None:
    """Whether the storage has what was sent; None where it does not tell."""
    sent = part.body.md5
    if not sent:
        return None  # it answered before it had read everything: then it says nothing about the bytes
    told = [response.headers.get("content-md5", "")]
    if kind == "GCP":
        hashes = response.headers.get("x-goog-hash", "").split(",")
        told += [one.strip().removeprefix("md5=") for one in hashes if one.strip().startswith("md5=")]
    for value in filter(None, told):
        return value.strip() == base64.b64encode(sent).decode("ascii")
    if kind == "AWS_S3":
        etag = _etag(kind, response).lower()
        if etag == sent.hex():
            return True
        if _HEX.match(etag) and is_md5_etag({"x-amz-": "", **response.headers}):
            return False
    return None


def _has_all(part: Part, response: Response) -> bool:
    found = _RANGE.match(response.headers.get("range", ""))
    return found is not None and int(found[1]) + 1 == part.total


def _refused(part: Part, response: Response, attempts: int, now: float) -> ServiceRefused:
    code = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", response.content[:4096])
    word = code[1].decode("ascii") if code else ""
    said = f" ({word})" if word else ""
    hint = "the service's own access to its storage may be at fault"
    if word == "RequestTimeTooSkewed":
        said, hint = f" ({word}): {_skew(clock_error(response.headers, now))}", "set the clock, and run it again"
    error = ServiceRefused(
        "storage-refused", f"the storage refuses part {part.number} with status {response.status}{said}", hint=hint
    )
    return error.after(response, attempts)


def _skew(seconds: float | None) -> str:
    """Whose clock is wrong, and by how much."""
    if seconds is None or abs(seconds) < _SKEW:
        return "your clock is right, the service's is off"
    minutes = round(abs(seconds) / 60)
    return f"your clock is off by {minutes // 60} h {minutes % 60} min, it is {'ahead' if seconds > 0 else 'behind'}"
