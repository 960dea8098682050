"""From an HTTP request to a plain function and back: reads the body within bounds, checks who asks, tells errors in
the service's words. The functions themselves know no HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from ...schemas.plain import ready
from .lake import Lake
from .refusals import Refusal, error_body

LARGEST_BODY = 100 * 1024 * 1024
"""What the service's proxy lets through; beyond it answers 413 with HTML."""

_DRAINED = 10 * LARGEST_BODY
"""Read on this far after a refusal, so that the client comes to read the answer."""

_LOG = logging.getLogger(__name__)
_TOO_LARGE = (
    "<html><head><title>413 Request Entity Too Large</title></head><body>413 Request Entity Too Large</body></html>"
)

T = TypeVar("T")


class Asked(msgspec.Struct, frozen=True):
    """A call: the variable parts of its path, its query, its body, and the address it was sent to."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes
    base: str

    def body(self, kind: type[T]) -> T:
        """The body as `kind`. Refusal: 400 where it is not JSON, 422 where it is not of that form."""
        return decoded(self.content, kind)

    def is_true(self, name: str) -> bool:
        """A Python word in the query: `True`, or `true`."""
        return self.query.get(name, "").lower() == "true"

    def number(self, name: str, default: int, least: int = 0, most: int = 2**31) -> int:
        """A whole number of the query. Refusal 422 where it is none, or out of bounds."""
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):
            raise Refusal(422, f"{name} must be a whole number from {least} to {most}")
        return int(text)


Handler = Callable[[Lake, Asked], Any]
"""Answers with what becomes JSON, or a Response; None is 204."""


def decoded(content: bytes | str, kind: type[T], what: str = "The request body") -> T:
    """JSON as `kind`; NaN and other words that are no JSON are refused, and so is nesting without end."""
    try:
        return msgspec.json.decode(content, type=ready(kind))
    except msgspec.ValidationError as error:
        raise Refusal(422, f"{what} is invalid: {error}") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Refusal(400, f"{what} is not JSON: {error}") from None
    except RecursionError:
        raise Refusal(400, f"{what} is nested too deeply") from None


async def answer(lake: Lake, handle: Handler, request: Request) -> Response:
    """Run a call of the API."""
    try:
        content = await _content(request)
        if not lake.settings.credentials.allow(request.headers.get("authorization")):
            raise Refusal(401, "Invalid credentials")
        if content is None:
            return HTMLResponse(_TOO_LARGE, 413)
        asked = Asked(request.path_params, request.query_params, content, str(request.base_url).rstrip("/"))
        return await run_in_threadpool(_call, handle, lake, asked)
    except Refusal as refusal:
        return refused(refusal)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:  # noqa: BLE001  (one broken call must not end the server)
        _LOG.exception("a call failed")
        return refused(Refusal(500, "The sandbox failed; its log says why"))


def _call(handle: Handler, lake: Lake, asked: Asked) -> Response:
    """Runs in a thread: the function may wait for the disk, and large answers take time to encode."""
    try:
        found = handle(lake, asked)
    except OverflowError:
        raise Refusal(422, "The request holds a number that is out of range") from None
    if isinstance(found, Response):
        return found
    return Response(status_code=204) if found is None else json_response(found)


def json_response(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def refused(refusal: Refusal) -> Response:
    return json_response(error_body(refusal.status, refusal.message), refusal.status)


async def _content(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > _DRAINED:
            return None
        if size <= LARGEST_BODY:
            pieces.append(piece)
    return b"".join(pieces) if size <= LARGEST_BODY else None


def endpoint(lake: Lake, handle: Handler) -> Any:
    """The handler as Starlette calls it."""
    return partial(answer, lake, handle)
