"""Texts without secrets: signed addresses lose their query, known secrets their letters, control characters escape."""

from __future__ import annotations

import base64
import re

from ...schemas.errors import printable

_QUERY = re.compile(r"""(https?://[^\s?"'<>]+|/[^\s?"'<>]*)\?[^\s"'<>)]+""")
_SIGNED = re.compile(r"(?i)\b(X-(?:Amz|Goog)-[A-Za-z-]+|sig|Signature|AWSAccessKeyId|se|sp|sv)=[^&\s\"'<>]+")
_AUTHORIZATION = re.compile(r"(?i)\b(Basic|Bearer)\s+[A-Za-z0-9+/=._-]{8,}")
_LONGEST = 500


def without_query(url: str) -> str:
    """An address up to its query, which may be a signature."""
    head, mark, _ = url.partition("?")
    return f"{head}?..." if mark else head


class Redactor:
    """Cleans texts that come from outside. It knows the secrets of one client; its own `repr` does not tell them."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """`text` fit to be shown: no secret, no signature, no control characters, at most 500 characters."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = _AUTHORIZATION.sub(r"\1 ***", text)
        text = _SIGNED.sub(r"\1=***", _QUERY.sub(r"\1?...", text))
        text = printable(text)
        return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def basic(api_key: str, secret: str) -> str:
    """The value of the header `Authorization`. Both must be ASCII."""
    return "Basic " + base64.b64encode(f"{api_key}:{secret}".encode("ascii")).decode("ascii")
