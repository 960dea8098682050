"""JSON as annolake reads it: UTF-8, no doubled keys, no NaN, and every complaint with its line and column.

msgspec decodes quickly but keeps the last of two equal keys, gives no line, and checks text only where it looks at
it. These functions supply what is missing, at a cost only where something is odd.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from .errors import InvalidInput, Place

T = TypeVar("T")

_BOM = codecs.BOM_UTF8
_WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHUNK = 1 << 20
_BYTE = re.compile(r"\(byte (\d+)\)")
_PATH = re.compile(r" - at `(?:key )?(.*)`$")
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)|\[\.\.\.\]")
_EXCERPT = 40
_PAIR = len(r"\ud83d\ude00")
_LONE_SURROGATE = re.compile(
    rb"\\(?:\\|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_WORD = re.compile(rb"-?(?:NaN|Infinity)\b")
_KEY = re.compile(rb'[ \t\r\n]*[{,][ \t\r\n]*"[^"\\]*"[ \t\r\n]*:[ \t\r\n]*')
_MEMBERS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
NOT_FINITE_FIX = "find out why it was written; a box without numbers is no box"
SEE_ALL = "run `annolake validate` to see every problem"
_NOT_FINITE = "not a finite number, or too large for one"
USUAL_DEPTH = 64

Pointer = tuple[str | int, ...]


class DuplicateKey(ValueError):
    """An object has the same key twice, so that one of its values would be lost."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def checked(data: bytes, file: str) -> bytes:
    """`data` without a byte-order mark, known to be UTF-8. InvalidInput (`encoding`, `empty`) otherwise."""
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    refuse_wide(data[:2], file)
    if len(data) < _CHUNK and not data.strip(b" \t\r\n\0"):
        raise InvalidInput("empty", "the file is empty", place=Place(file=file), hint="is this the right file?")
    if not data.isascii():
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(0, len(data), _CHUNK):
            try:
                decoder.decode(data[start : start + _CHUNK], start + _CHUNK >= len(data))
            except UnicodeDecodeError as error:
                offset = _first_bad_byte(data, start, error)
                raise not_utf8(offset, data[offset], place_of(data, offset, file)) from None
    return data


def refuse_wide(first: bytes, file: str) -> None:
    """InvalidInput where the first two bytes are those of UTF-16."""
    if first.startswith(_WIDE_BOMS) or first in (b"{\0", b"\0{", b"[\0", b"\0["):
        raise InvalidInput("encoding", "this is UTF-16, not UTF-8", place=Place(file=file), hint="save it as UTF-8")


def not_utf8(offset: int, byte: int, place: Place) -> InvalidInput:
    message = f"byte {offset} (0x{byte:02x}) is not UTF-8"
    return InvalidInput("encoding", message, place=place, hint="save the file as UTF-8")


def decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, file: str, at: Pointer = ()) -> T:
    """Decode a whole document, or its part at the pointer `at`, turning every refusal into InvalidInput.

    The error's pointer leads from the document's root; it has no line, because a part does not know where it stands:
    `locate` finds the line when somebody is going to read it.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise refused(error, file, at) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            raise_syntax(bytes(data), file, error)
        except InvalidInput as syntax:
            if at:
                syntax.place = Place(file=file, pointer=pointer_text(at))
            raise


def refused(error: msgspec.ValidationError, file: str, at: Pointer) -> InvalidInput:
    """A decoder's refusal of what is JSON and not what it should be, as an error with a pointer."""
    message, pointer = explain(error)
    place = Place(file=file, pointer=pointer_text((*at, *pointer)))
    return InvalidInput(code_of(message), message, place=place, hint=SEE_ALL)


def code_of(message: str) -> str:
    """The problem code for one of msgspec's sentences, as `explain` gives them."""
    if message == _NOT_FINITE:
        return "not-finite"
    if "missing required field" in message:
        return "missing-key"
    return "unknown-type" if message.startswith("invalid value") else "wrong-type"


def explain(error: msgspec.ValidationError) -> tuple[str, Pointer]:
    """msgspec's sentence without its path, and the path as pointer steps."""
    text = str(error)
    found = _PATH.search(text)
    if found is None:
        return _plain(text), ()
    steps: list[str | int] = []
    for index, key in _STEP.findall(found.group(1)):
        if not index and not key:
            break  # `[...]`, a key that msgspec does not name: the pointer leads to the object that has it
        steps.append(int(index) if index else key)
    return _plain(text[: found.start()]), tuple(steps)


def _plain(text: str) -> str:
    if text in ("Number out of range", "Integer value out of range"):
        return _NOT_FINITE
    return text[:1].lower() + text[1:]


def raise_syntax(data: bytes, file: str, error: Exception) -> NoReturn:
    """Raise InvalidInput for JSON that is not JSON: the place, an excerpt, and what to do."""
    if isinstance(error, RecursionError):
        raise too_deep(file, ()) from None
    found = _BYTE.search(str(error))
    offset = min(int(found.group(1)), len(data)) if found else len(data)
    if "trailing characters" in str(error):
        offset -= 1  # msgspec has already read the first of them
    lone = _lone_surrogate(data, offset)
    if lone is not None:
        offset = lone
        raise InvalidInput(
            "encoding",
            f"{data[offset : offset + 6].decode()} is half of a surrogate pair, not a character",
            place=place_of(data, offset, file),
            hint="write the character itself, or both halves",
        ) from None
    if data[max(0, offset - 1) : offset] == b"-":
        offset -= 1  # the sign of what is no number
    excerpt = data[offset : offset + _EXCERPT].decode("utf-8", "replace")
    word = _WORD.match(data, offset)
    if word is not None:
        raise not_finite(word.group().decode(), place_of(data, offset, file)) from None
    if not excerpt.strip():
        message, hint = "the file ends in the middle: it was cut short", "get a complete copy"
    else:
        message, hint = f"not JSON here: {json.dumps(excerpt, ensure_ascii=False)}", "is this a JSON file?"
    raise InvalidInput("not-json", message, place=place_of(data, offset, file), hint=hint) from None


def not_finite(word: str, place: Place) -> InvalidInput:
    """The refusal of a bare NaN or Infinity."""
    message = f"{word} is not a number that JSON knows"
    return InvalidInput("not-finite", message, place=place, hint=NOT_FINITE_FIX)


def too_deep(file: str, at: Pointer) -> InvalidInput:
    hint = f"annotation files are hardly ever deeper than {USUAL_DEPTH} levels"
    place = Place(file=file, pointer=pointer_text(at) if at else None)
    return InvalidInput("too-deep", "nested too deeply", place=place, hint=hint)


def _lone_surrogate(data: bytes, stop: int) -> int | None:
    """Where half of a surrogate pair stands before `stop`. msgspec stops behind it, or says the text was cut short."""
    halves = (found.start() for found in _LONE_SURROGATE.finditer(data, 0, stop) if found.group(1))
    return next((start for start in halves if stop == len(data) or stop - start <= _PAIR), None)


def loads_strict(data: bytes | msgspec.Raw) -> Any:
    """Plain Python objects; DuplicateKey where an object has a key twice. For syntax that msgspec has accepted."""
    return json.loads(bytes(data), object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKey(key)
            seen.add(key)
    return out


def as_object(value: Any) -> dict[str, Any] | None:
    """The value where it is a JSON object, else None."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any] | None:
    """The value where it is a JSON array, else None."""
    return cast(list[Any], value) if isinstance(value, list) else None


def duplicate_key(key: str, file: str, at: Pointer) -> InvalidInput:
    return InvalidInput(
        "duplicate-key",
        f"the key {json.dumps(key)} stands twice in one object",
        place=Place(file=file, pointer=pointer_text((*at, key))),
        hint="keep one; every reader would silently lose the other",
    )


def members(data: bytes, file: str) -> dict[str, msgspec.Raw]:
    """The members of a document's root object, undecoded and uncopied. InvalidInput where the root is none, or where
    it has a key twice.
    """
    out = decode(_MEMBERS, data, file)
    position = 0
    for raw in out.values():
        key = _KEY.match(data, position)
        if key is None:
            break
        position = key.end() + memoryview(raw).nbytes
    if data[position:].strip(b" \t\r\n") not in (b"}", b"{}"):
        try:
            loads_strict(data)
        except DuplicateKey as error:
            refused = duplicate_key(error.key, file, ())
            refused.place = locate(data, refused.place)
            raise refused from None
    return out


def quotes(data: bytes | msgspec.Raw) -> int:
    """How many quotation marks stand around the keys and texts in `data`, not counting those within.

    Every key and every string has two, so that equal counts prove that a typed decoder saw every key: no unknown
    one, none twice.
    """
    raw = bytes(data)
    if b"\\" not in raw:
        return raw.count(b'"')
    raw = raw.replace(rb"\\", b"")
    return raw.count(b'"') - raw.count(rb"\"")


def pointer_text(steps: Pointer) -> str:
    """Steps as a JSON pointer (RFC 6901); the root is the empty text."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def pointer_steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def place_of(data: bytes, offset: int, file: str) -> Place:
    """Line and column (from 1, in bytes) of a byte offset."""
    line = data.count(b"\n", 0, offset) + 1
    column = offset - (data.rfind(b"\n", 0, offset) + 1) + 1
    return Place(file=file, line=line, column=column)


def locate(data: bytes, place: Place) -> Place:
    """`place` with line and column of what its pointer names, or of the nearest thing above it that exists."""
    if place.pointer is None or place.line is not None:
        return place
    offset = offset_of(data, pointer_steps(place.pointer))
    found = place_of(data, offset, place.file or "")
    return msgspec.structs.replace(place, line=found.line, column=found.column)


def offset_of(data: bytes, steps: list[str]) -> int:
    """Where in a document, or an undecoded part of one, begins what a pointer's steps name, or the nearest thing above.

    Walks down by decoding one level at a time into raw pieces, which stand in the text in order."""
    base = len(data) - len(data.lstrip(b" \t\r\n"))
    here = data
    for step in steps:
        position = 0
        try:
            if here[:1] == b"{":
                for key, raw in msgspec.json.decode(here, type=dict[str, msgspec.Raw]).items():
                    name = here.find(json.dumps(key, ensure_ascii=False).encode(), position)
                    position = here.find(bytes(raw), max(name, position) + len(key) + 2)
                    if key == step:
                        break
                    position += len(bytes(raw))
                else:
                    return base
            elif here[:1] == b"[":
                for index, raw in enumerate(msgspec.json.decode(here, type=list[msgspec.Raw])):
                    position = here.find(bytes(raw), position)
                    if str(index) == step:
                        break
                    position += len(bytes(raw))
                else:
                    return base
            else:
                return base
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return base
        base += position
        here = bytes(raw)
    return base


def _first_bad_byte(data: bytes, start: int, error: UnicodeDecodeError) -> int:
    """The decoder counts from its own buffer, which may begin up to three bytes before the chunk."""
    for back in range(4):
        offset = start - back + error.start
        if 0 <= offset < len(data) and data[offset] == error.object[error.start]:
            return offset
    return min(start, len(data) - 1)
