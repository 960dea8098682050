"""The one small interface of the transfer layers, and what travels through it.

A layer is anything with `send`. It may be called from many threads. What it does not answer with a Response it raises
as a Fault (no proper answer came) or as one of our errors (nothing can come).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from ...schemas.errors import printable
from .redaction import without_query

_REQUEST_IDS = ("x-request-id", "x-amz-request-id", "x-ms-request-id", "x-guploader-uploadid", "x-correlation-id")
_HARMLESS = re.compile(r"[A-Za-z0-9+/=._:-]{1,200}")

Repeat = Literal["always", "unsent"]
"""Whether a request may be sent again at will, or only while the server cannot have acted on it."""


class Body(Protocol):
    """Bytes that can be sent any number of times: each attempt opens them anew."""

    @property
    def length(self) -> int: ...

    def open(self) -> bytes | BinaryIO: ...


class Head(msgspec.Struct, frozen=True):
    """Status and headers of an answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]


Receive = Callable[[Head, Iterable[bytes]], None]
"""Takes the body of an answer with status 2xx. Called once for each attempt, so it begins anew each time."""


class Request(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """`operation` says in words what is asked, for messages. `idle`: seconds without a byte after which the
    answer is given up. `authorised`: our credentials go with it. Without `receive` the body comes in memory. `first`:
    it finds the server, and is not repeated where there is none. `fresh`: over a connection opened for it alone: one
    that was kept may just be closed by the server. `anew` makes headers for each attempt.
    """

    method: str
    url: str
    operation: str
    headers: Mapping[str, str] = {}
    anew: Callable[[], Mapping[str, str]] | None = None
    body: Body | None = None
    repeat: Repeat = "always"
    authorised: bool = False
    first: bool = False
    fresh: bool = False
    idle: float = 60.0
    receive: Receive | None = None

    def __repr__(self) -> str:
        return printable(f"<{self.operation}: {self.method} {without_query(self.url)}>")


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """`attempts`: how often it had to be asked. `lost`: an attempt before may have been acted upon."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""
    attempts: int = 1
    lost: bool = False

    @property
    def request_id(self) -> str | None:
        """The server's own number for this request, by which those who run it find it in their logs."""
        told = (self.headers.get(name, "") for name in _REQUEST_IDS)
        return next((one for one in told if _HARMLESS.fullmatch(one)), None)

    def __repr__(self) -> str:
        return f"<{self.status}, {len(self.content)} bytes>"


Cause = Literal["refused", "name", "timeout", "reset", "truncated", "damaged", "tls", "proxy", "request", "away"]
"""`away`: not sent, because nothing is asked of this server for now (`pacing`)."""


class Fault(Exception):
    """No proper answer. `sent`: the server may have received, and acted on, the whole request."""

    def __init__(self, cause: Cause, message: str, *, sent: bool) -> None:
        super().__init__(cause, message)
        self.cause = cause
        self.message = message
        self.sent = sent

    @property
    def lasting(self) -> bool:
        """Whether trying again cannot help."""
        return self.cause in ("tls", "proxy", "request", "away")

    def __reduce__(self) -> tuple[Any, ...]:
        return _fault, (self.cause, self.message, self.sent)


def outcome_text(outcome: Response | Fault) -> str:
    """What became of an attempt, in words."""
    return outcome.message if isinstance(outcome, Fault) else f"the server answers {outcome.status}"


class Layer(Protocol):
    def send(self, request: Request) -> Response: ...


def may_be_asked(url: str, *, https_only: bool) -> bool:
    """Whether an address that the service gives leads to a server, encrypted where the service itself is, and holds
    nothing but letters.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    schemes = ("https",) if https_only else ("http", "https")
    return parts.scheme in schemes and bool(host) and url.isprintable() and " " not in url


def origin(url: str) -> str:
    """Scheme, host and port: `https://api.example.com:443`."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def _fault(cause: Cause, message: str, sent: bool) -> Fault:
    return Fault(cause, message, sent=sent)
