"""Nothing is sent while something is wrong: files are read once, checked as `annolake validate` does, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..converters.checking import METADATA, check
from ..converters.files import read_bytes
from ..schemas import jsonscan, jsontext, metadata_file, metalake_decoding, structure
from ..schemas.errors import InvalidInput, Place, UsageError, printable
from ..schemas.metadata_file import TAGS_KEY, Entry
from ..schemas.metalake_decoding import Document
from ..schemas.model import Record
from ..schemas.plain import is_list, ready
from ..schemas.problems import Problem
from ..schemas.validation import Checker, check_operation_id
from ..schemas.wording import metadata_mistakes
from .errors import InvalidUpload

_LONGEST_NAME = 200
"""Characters. The service makes unique names of it, `<collection>_<file>`, and disks take 255 bytes."""


class _Named(msgspec.Struct):
    image: str


_NAMED = msgspec.json.Decoder(ready(_Named))


class Annotations:
    """A checked annotation file. `records` decodes it again each time: only the undecoded text is kept. `is_text`: it
    is the file's own, not made of it.
    """

    def __init__(self, document: Document, problems: list[Problem], *, is_text: bool) -> None:
        self._document = document
        self._is_text = is_text
        self.file = document.file
        self.problems = problems
        self.count = len(document.images)

    def records(self) -> list[Record]:
        return [self.record(index) for index in range(self.count)]

    def names(self) -> list[str]:
        """Of the images, in the order of the file."""
        return [_NAMED.decode(image).image for image in self._document.images]

    def record(self, index: int) -> Record:
        return metalake_decoding.decode_record(self._document.images[index], self._document.file, index, _unheard)

    def place(self, index: int, number: int) -> Place:
        """Of annotation `number` of image `index`, both from 0; with its line where there is one to look at."""
        place = Place(file=self.file, image=self.record(index).image, annotation=number + 1)
        if not self._is_text:
            return place
        pointer = jsontext.pointer_text(("images", index, "annotations", number))
        return jsontext.locate(self._document.data, msgspec.structs.replace(place, pointer=pointer))


def read_annotations(path: Path, *, normalized: bool) -> Annotations:
    """InvalidUpload with all problems; what is no error is in `problems`. `normalized`: fractions, not pixels."""
    checked = check(path, format_name="metalake", normalized=normalized, jobs=1)  # whoever calls may have threads
    return _annotations(read_bytes(path), str(path), checked.problems, normalized=normalized, is_text=True)


def annotations_in(data: bytes, file: str, *, normalized: bool) -> Annotations:
    """The same for what was made of a file."""
    problems = structure.problems(data, file, "annotations")
    if not _errors(problems):
        checker = Checker(coordinates="normalized" if normalized else "pixels")
        for record in Annotations(metalake_decoding.open_document(data, file), [], is_text=False).records():
            problems += checker.check(record)
    return _annotations(data, file, problems, normalized=normalized, is_text=False)


def read_metadata(path: Path) -> list[Entry]:
    """The entries of a metadata file. InvalidUpload with all problems."""
    problems = check(path, format_name=METADATA).problems
    if _errors(problems):
        raise InvalidUpload.of(problems)
    return list(metadata_file.decode(read_bytes(path), str(path)).files)


def read_fields(path: Path) -> dict[str, Any]:
    """Metadata of a whole collection: a file with one JSON object. InvalidInput, also for metadata of single files,
    which would become one field of all of them; InvalidUpload.
    """
    file, data = str(path), jsontext.checked(read_bytes(path), str(path))
    members = jsontext.members(data, file)
    if set(members) == {"files"} and is_list(jsonscan.plain(members["files"], file, ("files",))):
        hint = 'give fields, such as {"Place": "Winnipeg", "Tags": ["night"]}, or say how the file names its files'
        raise InvalidInput("metadata-of-files", "this is metadata of single files", place=Place(file=file), hint=hint)
    return metadata_object({key: jsonscan.plain(raw, file, (key,)) for key, raw in members.items()}, Place(file=file))


def metadata_object(given: object, place: Place | None = None) -> dict[str, Any]:
    """Metadata of a whole collection: fields, and tags under `Tags`; `place` is where they stand. InvalidUpload,
    UsageError.
    """
    if not isinstance(given, Mapping):
        raise UsageError("bad-metadata", "metadata is a dictionary of fields and values", place=place)
    fields: dict[str, Any] = {str(key): value for key, value in given.items()}  # pyright: ignore
    tags = fields.get(TAGS_KEY, [])
    if not is_list(tags) or not all(isinstance(tag, str) for tag in tags):
        hint = 'write them as "Tags": ["night", "retail"]'
        raise UsageError("bad-metadata", "Tags should be an array of strings", place=place, hint=hint)
    others = {key: value for key, value in fields.items() if key != TAGS_KEY}
    problems = [
        Problem(
            code=mistake.code,
            severity=mistake.severity,
            message=mistake.message,
            place=place or Place(),
            fix=mistake.fix,
        )
        for mistake in metadata_mistakes(others)
    ]
    if _errors(problems):
        raise InvalidUpload.of(problems)
    return fields


def operation_id(text: object) -> str:
    """The name of an annotation run, as one that the service can keep. UsageError otherwise."""
    if not isinstance(text, str):
        raise UsageError("operation-id", "the operation id is a text", hint="give the annotation run a name")
    for problem in check_operation_id(text):
        if problem.severity == "error":
            raise UsageError(problem.code, problem.message, hint=problem.fix)
    return text


def collection(name: object) -> str:
    """The name of a collection. UsageError where it is no text, an empty or an endless one, or cannot be read."""
    if not isinstance(name, str) or not name.strip():
        raise UsageError("collection-name", "the name of the collection is empty", hint="name one")
    if not name.isprintable():
        message = f"the name of the collection has control characters: {printable(name)[:_LONGEST_NAME]}"
        raise UsageError("collection-name", message, hint="use visible characters only")
    if len(name) > _LONGEST_NAME:
        message = f"the name of the collection has {len(name):,} characters: {name[:40]}..."
        hint = f"use at most {_LONGEST_NAME}: with a file's name behind it, it is a name on a disk"
        raise UsageError("collection-name", message, hint=hint)
    return name


def flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError("bad-flag", f"{name} is True or False, not {value!r}")
    return value


def _annotations(data: bytes, file: str, problems: list[Problem], *, normalized: bool, is_text: bool) -> Annotations:
    if _errors(problems):
        raise InvalidUpload.of(problems)
    document = metalake_decoding.open_document(data, file)
    told = document.catalog_as(normalized=normalized).coordinates
    if (told == "normalized") != normalized:
        raise InvalidInput(
            "coordinates",
            f"the file says that its coordinates are {told}, the call says otherwise",
            place=Place(file=file),
            hint=f"call it with is_normalized={told == 'normalized'}",
        )
    return Annotations(document, problems, is_text=is_text)


def _errors(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _unheard(_: Problem) -> None:
    """Older forms are among the problems already."""
