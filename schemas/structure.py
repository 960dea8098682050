"""Structure of MetaLake JSON files: every mistake in one pass, each with its place.

Typed decoding is the fast way; only what it refuses is looked at again, image by image, with `jsonschema` (loaded then)
and a scan for places. What is read with a notice (the older form of a line) is said too.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Any, Literal, Protocol, cast

import msgspec

from . import jsonscan, jsontext, metadata_file, metalake_decoding
from .errors import InvalidInput, Place
from .jsontext import Pointer, as_list, as_object, pointer_text
from .metalake_wire import Ring, WireAnnotation
from .plain import ready
from .problems import Problem

Kind = Literal["annotations", "metadata"]


def problems(data: bytes, file: str, kind: Kind) -> list[Problem]:
    """All structural problems of a file's content, in the order of their places; empty for a file as it must be.

    Lines and columns count from 1, columns in bytes; pointers are RFC 6901; annotations count from 1.
    """
    try:
        data = jsontext.checked(data, file)
    except InvalidInput as error:
        return [Problem.of(error)]
    words: list[tuple[str, int]] = []
    root = _root(data, file)
    if isinstance(root, InvalidInput):
        data, words = jsonscan.without_words(data)
        root = _root(data, file)
    if isinstance(root, InvalidInput):
        found = [Problem.of(jsontext.not_finite(word, jsontext.place_of(data, offset, file))) for word, offset in words]
        return [*found, Problem.of(_in_place(root, data, file))]
    return _Examination(data, file, kind, words).problems(root)


@cache
def schema(kind: Kind) -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a kind of file."""
    text = resources.files("annolake.schemas").joinpath(f"metalake-{kind}.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


class _Examination:
    """One pass over a file whose syntax is in order. `words` are its bare NaNs, made zeros in `data`."""

    def __init__(self, data: bytes, file: str, kind: Kind, words: list[tuple[str, int]]) -> None:
        self.data = data
        self.file = file
        self.kind: Kind = kind
        self.words = words
        self.lines = jsonscan.Lines(data, file)
        self.list_key, self.element = ("images", "image") if kind == "annotations" else ("files", "entry")
        self.found: list[tuple[int, Problem]] = []

    def problems(self, root: dict[str, msgspec.Raw]) -> list[Problem]:
        members = jsonscan.members(self.data, root)
        last = {member.key: member for member in members}
        listed = last.get(self.list_key)
        is_list = listed is not None and self.data.startswith(b"[", listed.start)
        if self.words or len(last) < len(members) or self._root_refusal() is not None:
            self._explain_root(members, is_list)
        if is_list:
            raws = msgspec.json.decode(root[self.list_key], type=list[msgspec.Raw])
            for index, start in enumerate(jsonscan.elements(self.data, last[self.list_key].start, raws)):
                self._examine(raws[index], start, index)
        return [problem for _, problem in sorted(self.found, key=lambda pair: pair[0])]

    def _root_refusal(self) -> InvalidInput | None:
        try:
            if self.kind == "annotations":
                metalake_decoding.open_document(self.data, self.file)
            else:
                metadata_file.open_file(self.data, self.file)
        except InvalidInput as error:
            return error
        return None

    def _explain_root(self, members: list[jsonscan.Member], is_list: bool) -> None:
        begin = len(self.data) - len(self.data.lstrip())
        offsets: dict[Pointer, int] = {(): begin}
        plain: dict[str, Any] = {}
        for member in members:
            if member.key in plain:
                self._add(member.key_offset, (member.key,), *_doubled((member.key,)))
            if member.key == self.list_key and is_list:
                plain[member.key] = []
                offsets[member.key,] = member.start
                continue
            piece = self.data[member.start : member.end]
            offsets |= self._scan(piece, member.start, (member.key,))
            try:
                plain[member.key] = _loads(piece)
            except RecursionError:
                plain[member.key] = None
                self._add(member.start, (member.key,), "too-deep", "nested too deeply", None)
        self._validate(plain, None, offsets, ())
        if not self.found and not self.words and (refusal := self._root_refusal()) is not None:
            self.found.append((begin, Problem.of(_in_place(refusal, self.data, self.file))))

    def _examine(self, raw: msgspec.Raw, start: int, index: int) -> None:
        """One image, or one entry of a metadata file."""
        end = start + memoryview(raw).nbytes
        notices: list[Problem] = []
        refusal = None
        try:
            if self.kind == "annotations":
                metalake_decoding.decode_record(raw, self.file, index, notices.append)
            else:
                metadata_file.decode_entry(raw, self.file, index)
        except InvalidInput as error:
            refusal = error
        if refusal is None and not self._words(start, end) and not notices:
            return
        before = len(self.found)
        piece, at = bytes(raw), (self.list_key, index)
        try:
            plain = _loads(piece)
        except RecursionError:
            self._add(start, at, "too-deep", "nested too deeply", None)
            return
        image = (as_object(plain) or {}).get("image")
        offsets = self._scan(piece, start, at, image)
        if self.kind == "annotations":
            self._notice_old_lines(plain, offsets, at)
        if refusal is not None:
            self._validate(_slim(plain), self.element, offsets, at, image)
            if not any(problem.severity == "error" for _, problem in self.found[before:]):
                self.found.append((start, Problem.of(_in_place(refusal, self.data, self.file))))

    def _scan(self, piece: bytes, start: int, at: Pointer, image: Any = None) -> dict[Pointer, int]:
        """Offsets of all values in a piece that begins at `start`; reports what only the text shows."""
        from .schemawords import not_finite

        scan = jsonscan.scan(piece)
        offsets = {(*at, *steps): start + offset for steps, offset in scan.offsets.items()}
        for steps, offset in scan.doubled:
            self._add(start + offset, (*at, *steps), *_doubled(steps), image)
        for steps in scan.too_large:
            found = not_finite((*at, *steps), "too large a number")
            self._add(offsets[found.at], found.at, found.code, found.message, found.fix, image)
        for word, offset in self._words(start, start + len(piece)):
            place = self._place(offset, (*at, *scan.pointers.get(offset - start, ())), image)
            self.found.append((offset, Problem.of(jsontext.not_finite(word, place))))
        return offsets

    def _words(self, start: int, end: int) -> list[tuple[str, int]]:
        """The bare NaNs between two offsets."""
        first, last = (bisect_left(self.words, offset, key=itemgetter(1)) for offset in (start, end))
        return self.words[first:last]

    def _notice_old_lines(self, plain: Any, offsets: dict[Pointer, int], at: Pointer) -> None:
        """Reads older forms as the decoder does: `plain` and `offsets` then have the points under `line`."""
        image = as_object(plain) or {}
        for number, item in enumerate(as_list(image.get("annotations")) or ()):
            if metalake_decoding.is_old_line(item):
                item["line"] = item.pop("polygon")
                here = (*at, "annotations", number)
                notice = metalake_decoding.old_line(self.file, here, image.get("image"), number)
                place = self._place(offsets[here], here, image.get("image"))
                self.found.append((offsets[here], msgspec.structs.replace(notice, place=place)))
                old = (*here, "polygon")
                moved = [steps for steps in offsets if steps[: len(old)] == old]
                offsets.update({(*here, "line", *steps[len(old) :]): offsets[steps] for steps in moved})

    def _validate(
        self, plain: Any, element: str | None, offsets: dict[Pointer, int], at: Pointer, image: Any = None
    ) -> None:
        from .schemawords import findings

        for found in findings(_validator(self.kind, element).iter_errors(plain)):
            steps = (*at, *found.at)
            if not (found.code == "not-finite" and self._is_reported(steps)):
                self._add(offsets[steps], steps, found.code, found.message, found.fix, image)

    def _is_reported(self, steps: Pointer) -> bool:
        pointer = pointer_text(steps)
        return any(problem.code == "not-finite" and problem.place.pointer == pointer for _, problem in self.found)

    def _add(self, offset: int, at: Pointer, code: str, message: str, fix: str | None, image: Any = None) -> None:
        place = self._place(offset, at, image)
        self.found.append((offset, Problem(code=code, severity="error", message=message, place=place, fix=fix)))

    def _place(self, offset: int, at: Pointer, image: Any) -> Place:
        number = at[3] if len(at) > 3 and at[0] == "images" and at[2] == "annotations" else None
        return msgspec.structs.replace(
            self.lines.place(offset),
            pointer=pointer_text(at),
            image=image if isinstance(image, str) else None,
            annotation=number + 1 if isinstance(number, int) else None,
        )


class _Validator(Protocol):
    def iter_errors(self, instance: Any) -> Iterator[Any]: ...


@cache
def _validator(kind: Kind, element: str | None) -> _Validator:
    """For a whole file, or for one element of its list."""
    from jsonschema import Draft202012Validator

    grammar = schema(kind)
    if element is not None:
        grammar = {"$defs": grammar["$defs"], "$ref": f"#/$defs/{element}"}
    return cast(_Validator, Draft202012Validator(grammar))


def _slim(plain: Any) -> Any:
    """An image with small stand-ins for annotations and rings that are as they must be: `jsonschema` takes a while."""
    image = as_object(plain) or {}
    listed = as_list(image.get("annotations"))
    return plain if listed is None else {**image, "annotations": [_slim_annotation(item) for item in listed]}


def _slim_annotation(item: Any) -> Any:
    if _converts(item, WireAnnotation):
        return {"type": "points", "points": [[0, 0]], "label": "-"}
    shape = as_object(item)
    if shape is None:
        return item
    rings = {key: [[0, 0]] for key in ("polygon", "line", "points") if _converts(shape.get(key), Ring)}
    return {**shape, **rings}


def _converts(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, ready(kind))
    except msgspec.ValidationError:
        return False
    return True


_ROOT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _root(data: bytes, file: str) -> dict[str, msgspec.Raw] | InvalidInput:
    try:
        return jsontext.decode(_ROOT, data, file)
    except InvalidInput as error:
        return error


def _in_place(error: InvalidInput, data: bytes, file: str) -> InvalidInput:
    if error.code == "wrong-type" and error.place.pointer == "":
        error.message = "the file must be one JSON object"
    error.place = jsontext.locate(data, error.place)
    return error


def _doubled(steps: Pointer) -> tuple[str, str, str]:
    error = jsontext.duplicate_key(str(steps[-1]), "", ())
    return error.code, error.message, error.hint or ""


def _loads(piece: bytes) -> Any:
    """Plain objects; of a doubled key the last, and an integer that no float holds as infinity."""
    return json.loads(piece, parse_int=lambda text: int(text) if len(text) <= 300 else float(text))
