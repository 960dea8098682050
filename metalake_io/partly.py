"""Answers that name what the service did not take. Under which key, nobody documents."""

from __future__ import annotations

from typing import Any

from ..schemas.plain import is_list, is_object

_REASONS = {
    "notFound": "the service does not know this file",
    "notMeasured": "the service does not know the size of this picture, and needs it for fractions",
    "unknown": "the service does not know this file",
    "missing": "the service does not know this file",
    "failed": "the service refuses this file",
    "errors": "the service refuses this file",
}
_NAMES = ("file", "image", "fileName", "objectKey", "storagePath", "name")


def refused_names(answer: Any) -> dict[str, str]:
    """Names that an answer lists as not taken, with a reason; empty where it lists none."""
    found: dict[str, str] = {}
    for key, reason in _REASONS.items():
        listed = answer.get(key) if is_object(answer) else None
        for one in listed if is_list(listed) else []:
            if isinstance(one, str):
                found[one] = reason
            elif is_object(one):
                said = one.get("message") or one.get("reason")
                names = (one.get(name) for name in _NAMES)
                found.update((name, str(said or reason)) for name in names if isinstance(name, str))
    return found
