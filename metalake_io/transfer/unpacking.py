"""Bodies packed with gzip, unpacked piece by piece. That one breaks off, the HTTP library does not notice."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from .exchange import Fault

_LARGEST = 1 << 20
"""Bytes of an unpacked piece: a few may stand for very many."""


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body as it was before it was packed in the way that `Content-Encoding` names. A Fault where it breaks off."""
    word = encoding.strip().lower()
    if word in ("", "identity"):
        yield from pieces
        return
    if word not in ("gzip", "x-gzip"):
        raise Fault("request", "the answer is packed in a way that nobody asked for", sent=True)
    member, whole = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    try:
        for piece in pieces:
            while piece:
                if whole:
                    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield member.decompress(piece, _LARGEST)
                whole = member.eof
                piece = member.unused_data if whole else member.unconsumed_tail
    except zlib.error:
        raise Fault("damaged", "the answer cannot be unpacked", sent=True) from None
    if not whole:
        raise Fault("truncated", "the answer broke off", sent=True)
