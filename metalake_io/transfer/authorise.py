"""The layer that adds our credentials: to requests that ask for them, to one origin only."""

from __future__ import annotations

import msgspec

from ...schemas.errors import UsageError
from .exchange import Layer, Request, Response, origin
from .redaction import basic


class Authorised:
    def __init__(self, below: Layer, base_url: str, api_key: str, secret: str) -> None:
        self._below = below
        self._origin = origin(base_url)
        for name, value in (("API key", api_key), ("secret", secret)):
            if not value or not value.isascii() or not value.isprintable():
                raise UsageError(
                    "bad-credentials", f"the {name} is empty or has characters that no {name} has", hint="copy it again"
                )
        self._header = basic(api_key, secret)

    def send(self, request: Request) -> Response:
        if request.authorised and origin(request.url) == self._origin:
            headers = {**request.headers, "Authorization": self._header}
            request = msgspec.structs.replace(request, headers=headers)
        return self._below.send(request)
