"""What `jsonschema` found, in our own words: a code, a sentence, what to do, and never a whole subtree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
from jsonschema.exceptions import ValidationError

from .jsontext import NOT_FINITE_FIX, Pointer, as_list

TYPES = ("rectangle", "polygon", "line", "points")

_WORDS = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}
_MISSING_FIX = {
    "annotations": 'write "annotations": [] for an image without any',
    "bbox": 'write "bbox": [x, y, width, height]',
    "images": 'a MetaLake annotation file is {"images": [...]}',
    "files": 'a MetaLake metadata file is {"files": [...]}',
    "type": f"write one of {', '.join(TYPES)}",
}
_EXCERPT = 40


class Finding(msgspec.Struct, frozen=True):
    """One mistake; `at` leads from the validated value to it."""

    code: str
    message: str
    fix: str | None
    at: Pointer


def finding(error: ValidationError) -> Finding:
    """The words for one error of one of our schemas."""
    at: Pointer = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            key = next(name for name in wanted if error.message.startswith(repr(name)))
            return Finding("missing-key", f"there is no key `{key}`", _MISSING_FIX.get(key), at)
        case "type":
            wanted = [wanted] if isinstance(wanted, str) else wanted
            words = " or ".join(_WORDS[name] for name in wanted)
            return Finding("wrong-type", f"{subject(at)} is {_said(value)}, where {words} must stand", None, at)
        case "enum":
            return _not_listed(at, value, wanted)
        case "minLength":
            code = {"label": "empty-label", "image": "empty-name", "file": "empty-name"}.get(str(at[-1]), "empty-text")
            return Finding(code, f"{subject(at)} is an empty text", "give it a name, or leave it out", at)
        case "minItems" | "maxItems":
            return _wrong_length(at, value, error.schema)
        case "minimum" | "maximum" if at and at[-1] == "confidence":
            return Finding("confidence-range", f"`confidence` is {_said(value)}, which is not within 0 and 1", None, at)
        case "minimum" | "maximum":
            return not_finite(at, _said(value))
        case _:
            return Finding("wrong-type", f"{subject(at)} is not as it must be: {_said(value)}", None, at)


def findings(errors: Iterator[ValidationError]) -> list[Finding]:
    """Each mistake once, however many branches of the schema trip over it."""
    unique = {(found.at, found.code, found.message): found for found in map(finding, errors)}
    return list(unique.values())


def not_finite(at: Pointer, said: str) -> Finding:
    return Finding("not-finite", f"{subject(at)} is {said}, which is not a finite number", NOT_FINITE_FIX, at)


def unknown_choice(value: str, choices: Sequence[str]) -> str | None:
    """The choice that somebody meant who wrote `value`, if one is near."""
    by_plain = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(value.strip().casefold(), list(by_plain), n=1, cutoff=0.7)
    return by_plain[near[0]] if near else None


def subject(at: Pointer) -> str:
    """What a pointer leads to, as a person would say it: `item 2 of item 3 of `polygon``."""
    said = ""
    for step in reversed(at):
        if isinstance(step, str):
            return f"{said}`{step}`"
        said += f"item {step + 1} of "
    return f"{said}the list" if said else "this"


def _not_listed(at: Pointer, value: Any, wanted: Sequence[str]) -> Finding:
    code = "unknown-type" if at[-1] == "type" else "unknown-value"
    message = f"{subject(at)} is {_said(value)}; it must be one of {', '.join(wanted)}"
    near = unknown_choice(value, wanted) if isinstance(value, str) else None
    return Finding(code, message, f"did you mean {near}?" if near else None, at)


def _wrong_length(at: Pointer, value: list[Any], schema: Any) -> Finding:
    title = schema.get("title")
    if title == "Box":
        message = f"{subject(at)} has {_counted(value)}; it must have 4: x, y, width, height"
        return Finding("bbox-length", message, None, at)
    if title == "List of points":
        return Finding("too-few-points", f"{subject(at)} has no points", None, at)
    code = "point-length" if title == "Point" else "pair-length"
    return Finding(code, f"{subject(at)} has {_counted(value)}; it must have 2", None, at)


def _counted(value: list[Any]) -> str:
    return "1 number" if len(value) == 1 else f"{len(value)} numbers"


def _said(value: Any) -> str:
    if (items := as_list(value)) is not None:
        return f"an array of {len(items)}"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 3] + "..."
