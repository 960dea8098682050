"""The storage behind signed addresses, as S3, Google and Azure answer: parts in, files out, addresses that expire."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from annolake.metalake_io.crc32c import crc32c_of

from ..metalake_io.wire import Answer, Asked

if TYPE_CHECKING:
    from .lake import Lake

_AMZ = ("5161676e6174757265", "AKIADUMMY%2F20260301%2Feu%2Fs3%2Faws4_request", "FwoGZXIvYXdzEBYaDdummy")
_GOOG = ("676f6f676c65", "lake%40dummy.iam%2F20260301%2Fauto%2Fstorage%2Fgoog4_request")
_SAS = ("617a757265",)

SIGNED = (*_AMZ, *_GOOG, *_SAS)
"""What of signed addresses nobody may read: signatures, credentials, tokens."""

_SIGNATURES = {
    "AWS_S3": "X-Amz-Signature={}&X-Amz-Credential={}&X-Amz-Security-Token={}".format(*_AMZ),
    "GCP": "X-Goog-Signature={}&X-Goog-Credential={}".format(*_GOOG),
    "AZURE": "sv=2021-08-06&sp=rw&sig={}".format(*_SAS),
}


class Bucket:
    """`parts` by key and number (from 1; of Google by their first byte). `uses` of each signed address, by its id.

    `object`: what all files are, `parts` or `kms` of S3, `composed` of Google, else plain. `bare`: nothing is told of
    them.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self.parts: dict[str, dict[int, bytes]] = {}
        self.puts: dict[tuple[str, int], int] = {}
        self.digests: dict[tuple[str, int], str] = {}
        self.uses: dict[int, int] = {}
        self.issued = 0
        self.valid_from = 0
        self.object = ""
        self.bare = False

    def sign(self, key: str, **query: Any) -> str:
        """A new address for `key`."""
        self.issued += 1
        more = "".join(f"&{name}={value}" for name, value in query.items())
        signature = _SIGNATURES[self._lake.storage]
        return f"{self._lake.url}/bucket/{quote(key, safe='/')}?{signature}&issue={self.issued}{more}"

    def serve(self, asked: Asked) -> Answer:
        """PUT or GET. Refused are a missing signature, an expired one, and an Authorization, as S3 refuses it."""
        signature = _SIGNATURES[self._lake.storage]
        if signature not in asked.target or "authorization" in asked.headers:
            return _error(403 if "authorization" not in asked.headers else 400, "AccessDenied", "Access Denied")
        with self._lake.lock:
            issue = int(asked.query.get("issue", "0"))
            used = self.uses[issue] = self.uses.get(issue, 0) + 1
            if issue <= self.valid_from or used > self._lake.uses:
                return self.expired()
        if "chunked" in asked.headers.get("transfer-encoding", ""):
            return _error(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        return self._put(asked) if asked.method == "PUT" else self._get(asked)

    def expired(self) -> Answer:
        """What the three say of an address that has expired."""
        return {
            "AWS_S3": _error(403, "AccessDenied", "Request has expired"),
            "GCP": _error(400, "ExpiredToken", "The provided token has expired."),
            "AZURE": _error(403, "AuthenticationFailed", "Signature not valid in the specified time frame"),
        }[self._lake.storage]

    def _put(self, asked: Asked) -> Answer:
        key, body, digest = _key(asked), asked.body, hashlib.md5(asked.body)
        text = base64.b64encode(digest.digest()).decode()
        number, answer = int(asked.query.get("partNumber", "1")), Answer(200)
        if self._lake.storage == "AWS_S3":
            answer.headers = {"ETag": f'"{digest.hexdigest()}"', "x-amz-request-id": "1"}
        elif self._lake.storage == "GCP":
            found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", asked.headers.get("content-range", ""))
            if found is None or int(found[2]) - int(found[1]) + 1 != len(body):
                return _error(400, "InvalidArgument", "Content-Range does not fit")
            number = int(found[1])
            with self._lake.lock:
                before = [part for first, part in sorted(self.parts.get(key, {}).items()) if first < number]
            answer.headers = self._told(b"".join(before) + body)
            if int(found[2]) + 1 != int(found[3]):
                answer = Answer(308, b"", {"Range": f"bytes=0-{found[2]}"})
        else:
            if asked.query.get("comp") != "block":
                return _error(400, "InvalidQueryParameterValue", "comp")
            number = int(base64.b64decode(base64.b64decode(asked.query["blockid"]))) + 1
            answer = Answer(201, b"", {"Content-MD5": text, "x-ms-request-id": "1"})
        with self._lake.lock:
            self.parts.setdefault(key, {})[number] = b"" if self._lake.forgetful else body
            self.digests[key, number] = digest.hexdigest()
            self.puts[key, number] = self.puts.get((key, number), 0) + 1
        return answer

    def _get(self, asked: Asked) -> Answer:
        with self._lake.lock:
            content = self._lake.content(_key(asked))
        if content is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        etag, headers = self.etag(content), self._told(content)
        if self.bare:
            return Answer(200, content)
        if asked.headers.get("if-none-match") == etag:
            return Answer(304, b"", {"ETag": etag})
        if asked.headers.get("if-match", etag) != etag:
            return _error(412, "PreconditionFailed", "If-Match")
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        if found is None or asked.headers.get("if-range", etag) != etag:
            return Answer(200, content, headers)
        first, last = int(found[1]), int(found[2] or len(content) - 1)
        if first >= len(content):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        piece = content[first : last + 1]
        if "Content-MD5" in headers:  # which would be that of the piece
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
        return Answer(
            206, piece, {**headers, "Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}
        )

    def etag(self, content: bytes) -> str:
        """What the storage calls this state of a file: S3 its MD5, where it came in one part, without another key."""
        plain = self._lake.storage == "AWS_S3" and not self.object
        digest = hashlib.md5(content if plain else b"salt" + content).hexdigest()
        return f'"{digest}-2"' if self.object == "parts" else f'"{digest}"'

    def _told(self, content: bytes) -> dict[str, str]:
        headers = {"ETag": self.etag(content), "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        text = base64.b64encode(hashlib.md5(content).digest()).decode()
        headers |= {
            "AWS_S3": lambda: {"x-amz-request-id": "1"},
            "GCP": lambda: {"x-goog-hash": _crc32c(content) + ("" if self.object == "composed" else f", md5={text}")},
            "AZURE": lambda: {"Content-MD5": text, "x-ms-request-id": "1"},
        }[self._lake.storage]()
        return headers | ({"x-amz-server-side-encryption": "aws:kms"} if self.object == "kms" else {})


def _key(asked: Asked) -> str:
    return asked.path.removeprefix("/bucket/")


def _crc32c(content: bytes) -> str:
    return f"crc32c={base64.b64encode(crc32c_of(io.BytesIO(content)).to_bytes(4, 'big')).decode()}"


def _error(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, body.encode(), {"Content-Type": "application/xml"})
