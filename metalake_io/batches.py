"""Images gathered to requests: so many images, so many bytes, and never an image split over two."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from .service import json_text

_ENCODER = msgspec.json.Encoder()

MOST_IMAGES = 1000
MOST_BYTES = 8 << 20
"""Of the body as it goes over the wire. The service's proxy refuses 100 MB."""


class Batch(msgspec.Struct, frozen=True):
    """Names of images, and their elements as JSON texts."""

    names: list[str]
    elements: list[str]

    def array(self) -> str:
        """The elements as one JSON text."""
        return "[" + ",".join(self.elements) + "]"

    def without(self, names: Collection[str]) -> Batch:
        """The images of other names."""
        kept = [pair for pair in zip(self.names, self.elements, strict=True) if pair[0] not in names]
        return Batch([name for name, _ in kept], [text for _, text in kept])

    def halves(self) -> list[Batch]:
        """Two smaller ones; of one image none."""
        middle = len(self.names) // 2
        if not middle:
            return []
        return [
            Batch(self.names[:middle], self.elements[:middle]),
            Batch(self.names[middle:], self.elements[middle:]),
        ]


def batches(
    elements: Iterable[tuple[str, object]], most_images: int = MOST_IMAGES, most_bytes: int = MOST_BYTES
) -> Iterator[Batch]:
    """Pairs of a name and an element, gathered. One that is larger than `most_bytes` goes alone."""
    names: list[str] = []
    texts: list[str] = []
    size = 0
    for name, element in elements:
        text = _text(element)
        length = _length(text)
        if names and (len(names) == most_images or size + length > most_bytes):
            yield Batch(names, texts)
            names, texts, size = [], [], 0
        names.append(name)
        texts.append(text)
        size += length
    if names:
        yield Batch(names, texts)


def _text(element: object) -> str:
    """JSON without blanks, which takes a fifth of the time. All numbers are finite: `null` would stand for others."""
    try:
        return _ENCODER.encode(element).decode()
    except UnicodeEncodeError:  # half a surrogate pair, in the name of a file
        return json_text(element)


def _length(text: str) -> int:
    """Bytes that it has in the body, where it is a text itself, in nothing but ASCII."""
    return len(text) + text.count('"') + text.count("\\") if text.isascii() else len(json_text(text))
