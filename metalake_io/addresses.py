"""Signed addresses of single files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..schemas.errors import UsageError
from ..schemas.plain import is_object
from .errors import ProtocolError, ServiceRefused
from .service import Service
from .transfer.exchange import may_be_asked

_URL_KEYS = ("url", "signedUrl", "downloadUrl")
"""Under which of them the address stands nobody documents."""


class Urls:
    """They are secrets with a short life: not for logs, not for keeping."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def answer(self, file_key: str) -> dict[str, Any]:
        """The service's answer as it is."""
        if not file_key:
            raise UsageError("file-key", "the file's unique name is empty")
        operation = f"address of {file_key!r}"
        path = f"/client/downloadUrl?file_key={quote(file_key, safe='/')}"
        response = self._service.send("GET", operation, path, body={})
        plain = self._service.plain(operation, response)
        if isinstance(plain, str):
            return {"isSuccess": True, "url": plain}
        if not is_object(plain):
            raise ProtocolError("protocol", f"{operation}: the answer is no object")
        return plain

    def url(self, file_key: str) -> str:
        """The address alone."""
        answer = self.answer(file_key)
        found = next((answer[key] for key in _URL_KEYS if isinstance(answer.get(key), str)), None)
        if found is None:
            raise ProtocolError("protocol", f"address of {file_key!r}: the answer has no `url`")
        if not may_be_asked(found, https_only=self._service.base_url.startswith("https:")):
            raise ServiceRefused("unsafe-address", f"address of {file_key!r}: it is not trustworthy")
        return found
