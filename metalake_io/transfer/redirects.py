"""The layer that follows redirects: few, never from https to http, never with a signed PUT, never our key elsewhere."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import msgspec

from .exchange import Fault, Layer, Request, Response, origin

_MOST = 5
_FOLLOWED = (301, 302, 303, 307, 308)
_SAME_METHOD = (307, 308)


class Redirected:
    def __init__(self, below: Layer) -> None:
        self._below = below

    def send(self, request: Request) -> Response:
        for _ in range(_MOST + 1):
            response = self._below.send(request)
            target = response.headers.get("location")
            if response.status not in _FOLLOWED or target is None or not _may_follow(request, response.status):
                return response
            request = _moved(request, urljoin(request.url, target))
        raise Fault("request", f"more than {_MOST} redirects", sent=True)


def _may_follow(request: Request, status: int) -> bool:
    """A GET always; a call of the API where its method and body stay what they are; a signed PUT never."""
    return request.method == "GET" or (request.authorised and status in _SAME_METHOD)


def _moved(request: Request, url: str) -> Request:
    old, new = urlsplit(request.url), urlsplit(url)
    if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme == "http"):
        raise Fault("request", "a redirect away from a trusted connection", sent=True)
    same = origin(url) == origin(request.url)
    if not same and request.method != "GET":
        raise Fault("request", "a redirect of a writing call to another server", sent=True)
    return msgspec.structs.replace(request, url=url, authorised=request.authorised and same)
