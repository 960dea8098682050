"""Whether the rings that are one object name each other as they should (`instance`, `part`, `parts`, `hole_of`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .model import Annotation, as_key
from .shapes import Mistake


def part_mistakes(annotations: Sequence[Annotation]) -> dict[int, list[Mistake]]:
    """Mistakes by the number (from 0) of the annotation that has them.

    A part stands once within its instance, from 1 to `parts`; `hole_of` names another ring of the instance.
    Rings that are missing are no mistake: they may have been dropped on the way.
    """
    rings: dict[Any, list[int]] = {}
    out: dict[int, list[Mistake]] = {}
    for number, annotation in enumerate(annotations):
        metadata = annotation.metadata
        if "hole_of" in metadata or "part" in metadata:
            rings.setdefault(as_key(metadata.get("instance")), []).append(number)
    for instance, numbers in rings.items():
        known: set[Any] = set()
        present = {as_key(annotations[number].metadata.get("part")) for number in numbers}
        for number in numbers:
            said = _said(annotations[number].metadata, instance, known, present)
            if said:
                out.setdefault(number, []).append(_mistake(said))
            known.add(as_key(annotations[number].metadata.get("part")))
    return out


def _said(metadata: dict[str, Any], instance: Any, known: set[Any], present: set[Any]) -> str | None:
    part, parts, hole_of = (metadata.get(key) for key in ("part", "parts", "hole_of"))
    if instance is None:
        return "it is a part or a hole, but has no `instance` that says of what"
    if part is not None:
        if not _is_number(part) or part < 1:
            return f"`part` is {part!r}, where a number from 1 must stand"
        if part in known:
            return f"another ring of the object is part {part} too"
        if _is_number(parts) and part > parts:
            return f"it is part {part} of {parts}"
    if hole_of is not None and (not _is_number(hole_of) or hole_of not in present or hole_of == part):
        return f"it is a hole of part {hole_of!r}, which is not there"
    return None


def _mistake(message: str) -> Mistake:
    return Mistake("broken-parts", "error", message, "correct `part` and `hole_of`, or make it an object of its own")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
