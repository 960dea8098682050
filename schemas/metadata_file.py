"""The MetaLake's per-file metadata JSON: custom fields and tags of files.

    {"files": [{"file": "a.png", "metadata": {"Camera Id": "CAM_0001", "Tags": ["night"]}}]}

The published grammar is `metalake-metadata.schema.json` beside this file. Read whole: such files are small.
Unknown keys are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from . import jsonscan, jsontext
from .errors import InvalidInput, Place
from .jsontext import Pointer
from .plain import ready

LIST_KEY = "files"
TAGS_KEY = "Tags"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `metadata` holds the custom fields, and the tags under `Tags`; None where the entry has none."""

    file: str
    metadata: dict[str, Any] | None = None
    extras: dict[str, Any] = {}

    @property
    def fields(self) -> dict[str, Any]:
        """The custom fields without the tags."""
        return {key: value for key, value in (self.metadata or {}).items() if key != TAGS_KEY}

    @property
    def tags(self) -> Sequence[str]:
        return (self.metadata or {}).get(TAGS_KEY, ())


class MetadataFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file. `extras` are top-level keys that nobody knows."""

    files: Sequence[Entry] = ()
    extras: dict[str, Any] = {}


def decode(data: bytes, file: str) -> MetadataFile:
    """The content of a metadata file. InvalidInput, with line, column and pointer, where it is not as it must be."""
    data = jsontext.checked(data, file)
    try:
        entries, extras = open_file(data, file)
        return MetadataFile(files=[decode_entry(raw, file, n) for n, raw in enumerate(entries)], extras=extras)
    except InvalidInput as error:
        error.place = jsontext.locate(data, error.place)
        raise


def open_file(data: bytes, file: str) -> tuple[list[msgspec.Raw], dict[str, Any]]:
    """The undecoded entries of a checked text, and its unknown top-level keys."""
    members = jsontext.members(data, file)
    if LIST_KEY not in members:
        raise InvalidInput(
            "missing-key",
            f"there is no key `{LIST_KEY}`",
            place=Place(file=file, pointer=""),
            hint='a MetaLake metadata file is {"files": [...]}',
        )
    entries = jsontext.decode(_RAW_LIST, members.pop(LIST_KEY), file, (LIST_KEY,))
    return entries, {key: jsonscan.plain(raw, file, (key,)) for key, raw in members.items()}


def decode_entry(raw: msgspec.Raw, file: str, index: int) -> Entry:
    """Entry number `index` (from 0). InvalidInput with a JSON pointer."""
    at: Pointer = (LIST_KEY, index)
    plain = jsonscan.plain(raw, file, at)
    try:
        wire = msgspec.convert(plain, ready(_WireEntry))
    except msgspec.ValidationError as error:
        message, pointer = jsontext.explain(error)
        place = Place(file=file, pointer=jsontext.pointer_text((*at, *pointer)))
        raise InvalidInput(jsontext.code_of(message), message, place=place) from None
    extras = {key: value for key, value in plain.items() if key not in _ENTRY_KEYS}
    return Entry(file=wire.file, metadata=plain.get("metadata"), extras=extras)


def encode(document: MetadataFile) -> bytes:
    """The file, one entry a line, the same bytes every time."""
    entries = [_encode_entry(entry) for entry in document.files]
    listed = b"[\n" + b",\n".join(entries) + b"\n]" if entries else b"[]"
    others = [b",\n" + _encode(key) + b":" + _encode(value) for key, value in document.extras.items()]
    return b'{"files":' + listed + b"".join(others) + b"}\n"


class _WireFields(msgspec.Struct):
    tags: list[str] | UnsetType = msgspec.field(default=UNSET, name=TAGS_KEY)


class _WireEntry(msgspec.Struct):
    file: Annotated[str, Meta(min_length=1)]
    metadata: _WireFields | UnsetType = UNSET


_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ENTRY_KEYS = frozenset(_WireEntry.__struct_fields__)
_encode = msgspec.json.Encoder().encode


def _encode_entry(entry: Entry) -> bytes:
    known: dict[str, Any] = {"file": entry.file}
    if entry.metadata is not None:
        known["metadata"] = entry.metadata
    return _encode({**known, **entry.extras})
