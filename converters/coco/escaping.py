"""JSON in ASCII."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def as_json(value: Any) -> bytes:
    """A value as JSON with every other character escaped: pycocotools opens files in the platform's own encoding."""
    return _ascii(_encoder.encode(value))


def as_lines(values: Iterable[Any]) -> bytes:
    """Several values, each on a line, with commas between."""
    # As a list: of anything else msgspec 0.22 keeps the iterator for good, and with it all that it has gone through.
    encoded = _encoder.encode_lines(list(values))
    return _ascii(encoded[:-1].replace(b"\n", b",\n"))  # any other is spelled `\n`


def _ascii(encoded: bytes) -> bytes:
    return encoded if encoded.isascii() else _NOT_ASCII.sub(_escape, encoded.decode()).encode("ascii")


def _escape(found: re.Match[str]) -> str:
    units = found.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
