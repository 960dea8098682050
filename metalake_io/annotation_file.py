"""The annotation JSON of a downloaded collection, laid out as the official SDK lays it, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from .partfiles import write_whole


def write_annotations(path: Path, images: Sequence[msgspec.Raw]) -> None:
    """`{"images": [...]}`, indented by two, nothing but ASCII. Numbers are written as they came."""
    write_whole(path, _pieces(images))


def _pieces(images: Sequence[msgspec.Raw]) -> Iterator[bytes]:
    if not images:
        yield b'{\n  "images": []\n}'
        return
    yield b'{\n  "images": [\n'
    for number, image in enumerate(images):
        if number:
            yield b",\n"
        text = json.dumps(json.loads(bytes(image)), indent=2)
        yield "\n".join(f"    {line}" for line in text.split("\n")).encode("ascii")
    yield b"\n  ]\n}"
