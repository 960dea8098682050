"""What an answer of the storage tells of the file behind it, and how far that proves the bytes that came.

S3's ETag is the MD5 of the bytes, unless the object was sent in parts or is encrypted with a key of KMS or of the
customer. Google tells MD5 and CRC-32C (`x-goog-hash`; of composed objects only the latter), Azure `Content-MD5`, and
with a piece `x-ms-blob-content-md5`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from .results import Verified
from .transfer.exchange import Fault, Head

_MD5 = re.compile(r'^"?([0-9a-fA-F]{32})"?$')
_STRONG = re.compile(r'^"[\x21\x23-\x7e]{1,100}"$')
_RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+|\*)$")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Of the whole file: `size` in bytes, a strong `etag`, `md5` in hexadecimal digits, `crc32c`; `maybe`, what may be
    its MD5 and proves something only if it is. `start` is the place of the first byte that comes, None where the answer
    does not make sense.
    """

    start: int | None = 0
    size: int | None = None
    etag: str = ""
    md5: str = ""
    maybe: str = ""
    crc32c: int | None = None

    def of(self, other: Told) -> bool:
        """Whether both are of one and the same state of the file."""
        return bool(self.etag) and self.etag == other.etag

    def says(self, md5: str, path: Path) -> Verified | None:
        """How the file at `path`, whose MD5 is `md5`, is proved by a hash; None where it cannot be. A Fault where it is
        another.
        """
        if md5 in (self.md5, self.maybe):
            return "md5"
        if self.crc32c is not None and not self.md5:
            from .crc32c import crc32c_of  # numpy comes with it, which nothing else here needs

            with path.open("rb") as file:
                if crc32c_of(file) == self.crc32c:
                    return "crc32c"
        if self.md5 or self.crc32c is not None:
            raise Fault("damaged", "the bytes that came are not those that are stored", sent=True)
        return None


def told_by(head: Head) -> Told:
    """What the headers of an answer with a body tell."""
    headers = head.headers
    etag = headers.get("etag", "")
    plain = headers.get("content-encoding", "identity") == "identity"
    start, size = _piece(head) if head.status == 206 else (0, _number(headers.get("content-length", "")))
    digest = _MD5.match(etag)
    pairs = (part.strip().partition("=") for part in headers.get("x-goog-hash", "").split(","))
    hashes = {name: value for name, _, value in pairs}
    md5 = _hex(headers.get("x-ms-blob-content-md5", "")) or _hex(hashes.get("md5", ""))
    if head.status != 206:
        md5 = md5 or _hex(headers.get("content-md5", ""))
    if not md5 and digest is not None and is_md5_etag(headers):
        md5 = digest[1].lower()
    if not plain:  # packed on the way, or stored so: nobody tells of which the hashes are
        return Told(start=start, maybe=md5)
    crc = _hex(hashes.get("crc32c", ""))
    return Told(
        start=start,
        size=size,
        etag=etag if _STRONG.match(etag) else "",
        md5=md5,
        maybe=digest[1].lower() if digest is not None else "",
        crc32c=int(crc, 16) if crc else None,
    )


def is_md5_etag(headers: Mapping[str, str]) -> bool:
    """Whether an ETag is known to be the MD5 of the bytes: S3's are, but for objects encrypted with keys of KMS or
    of the customer. Other servers make theirs as they like.
    """
    s3 = any(key.startswith("x-amz-") for key in headers)
    kms = "kms" in headers.get("x-amz-server-side-encryption", "")
    return s3 and not kms and "x-amz-server-side-encryption-customer-algorithm" not in headers


def _piece(head: Head) -> tuple[int | None, int | None]:
    found = _RANGE.match(head.headers.get("content-range", ""))
    return (int(found[1]), _number(found[3])) if found else (None, None)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _hex(text: str) -> str:
    """Base64 as hexadecimal digits; empty where it is none."""
    try:
        return base64.b64decode(text.strip(), validate=True).hex()
    except (binascii.Error, ValueError):
        return ""
