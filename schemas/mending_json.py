"""Safe mends of MetaLake annotation JSON whose form is wrong in a way that leaves no doubt of what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .errors import Place
from .jsontext import Pointer, as_list, as_object, pointer_text
from .metalake_decoding import is_old_line
from .metalake_wire import GEOMETRY_KEY
from .problems import Problem
from .shapes import is_finite

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")


def mend_plain(plain: Any) -> list[Problem]:
    """Mend a file's plain JSON in place; a notice for each mend. What is not certain is left as it is.

    Mended are: types in the wrong case, the older form of lines, numbers as labels or attribute values, numbers written
    as texts in coordinates, images without `annotations`, and attributes given as a bare value instead of a list.
    """
    mender = _Mender()
    images = as_list((as_object(plain) or {}).get("images")) or []
    for index, item in enumerate(images):
        image = as_object(item)
        if image is None:
            continue
        mender.image = image.get("image") if isinstance(image.get("image"), str) else None
        at: Pointer = ("images", index)
        if "annotations" not in image:
            image["annotations"] = []
            mender.tell("missing-key", "no `annotations` -> []", at)
        mender.items(image["annotations"], (*at, "annotations"), mender.annotation)
        mender.items(image.get("tags"), (*at, "tags"), mender.facts)
    return mender.mends


class _Mender:
    def __init__(self) -> None:
        self.image: str | None = None
        self.mends: list[Problem] = []

    def tell(self, code: str, message: str, at: Pointer) -> None:
        number = at[3] if len(at) > 3 and at[2] == "annotations" else None
        place = Place(
            pointer=pointer_text(at),
            image=self.image,
            annotation=number + 1 if isinstance(number, int) else None,
        )
        self.mends.append(Problem(code=f"mended-{code}", severity="notice", message=message, place=place))

    def items(self, listed: Any, at: Pointer, mend: Callable[[dict[str, Any], Pointer], None]) -> None:
        for number, item in enumerate(as_list(listed) or ()):
            if (members := as_object(item)) is not None:
                mend(members, (*at, number))

    def annotation(self, item: dict[str, Any], at: Pointer) -> None:
        kind = item.get("type")
        if isinstance(kind, str) and kind not in GEOMETRY_KEY and kind.strip().lower() in GEOMETRY_KEY:
            item["type"] = kind.strip().lower()
            self.tell("unknown-type", f"type {json.dumps(kind)} -> {json.dumps(item['type'])}", (*at, "type"))
        if is_old_line(item):
            item["line"] = item.pop("polygon")
            self.tell("old-line-form", "points of a line under `polygon` -> under `line`", at)
        key = GEOMETRY_KEY.get(item["type"]) if isinstance(item.get("type"), str) else None
        if key is not None and key in item:
            texts: list[str] = []
            numbers = _numbers(item[key], texts)
            if texts and numbers is not None:
                item[key] = numbers
                self.tell("wrong-type", f"{len(texts)} numbers of `{key}` written as texts -> numbers", (*at, key))
        self.facts(item, at)

    def facts(self, item: dict[str, Any], at: Pointer) -> None:
        """Label and attributes of an annotation or a tag."""
        label = item.get("label")
        if _is_bare(label) and not isinstance(label, str | bool):
            item["label"] = _text(label)
            self.tell("wrong-type", f"label {label} -> {json.dumps(item['label'])}", (*at, "label"))
        attributes = as_object(item.get("attributes")) or {}
        for name, values in attributes.items():
            here = (*at, "attributes", name)
            if _is_bare(values):
                attributes[name] = [{"value": _text(values)}]
                self._tell_value(values, attributes[name], here)
                continue
            listed = as_list(values) or []
            for number, value in enumerate(listed):
                members = as_object(value)
                if _is_bare(value):
                    listed[number] = {"value": _text(value)}
                    self._tell_value(value, listed[number], (*here, number))
                elif members is not None and _is_bare(members.get("value")) and not isinstance(members["value"], str):
                    before = members["value"]
                    members["value"] = _text(before)
                    self._tell_value(before, members["value"], (*here, number, "value"))

    def _tell_value(self, before: Any, after: Any, at: Pointer) -> None:
        said = f"attribute value {json.dumps(before, ensure_ascii=False)} -> {json.dumps(after, ensure_ascii=False)}"
        self.tell("wrong-type", said, at)


def _is_bare(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int | float) and is_finite(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _numbers(value: Any, texts: list[str]) -> Any:
    """Coordinates with numbers for texts that are numbers, which are added to `texts`; None where one is not."""
    if (items := as_list(value)) is not None:
        mended = [_numbers(item, texts) for item in items]
        return None if any(item is None for item in mended) else mended
    if not isinstance(value, str):
        return value
    if not _NUMBER.fullmatch(value.strip(" ")):
        return None
    texts.append(value)
    return json.loads(value)
