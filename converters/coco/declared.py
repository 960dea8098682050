"""The entries of `categories` to labels of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ...schemas import jsontext
from ...schemas.model import Category
from ...schemas.plain import ready
from ..ledger import Ledger

if TYPE_CHECKING:
    from .document import Document

Id = int | str


class _Category(msgspec.Struct):
    id: Id
    name: str
    supercategory: str | None = None


def read_categories(document: Document, raws: Sequence[msgspec.Raw], ledger: Ledger) -> list[Category]:
    """The categories that have an id and a name; what is wrong with them is told."""
    out: list[Category] = []
    seen: dict[Id, int] = {}
    for index, raw in enumerate(raws):
        at = ("categories", index)
        plain = document.plain(raw, at)
        try:
            known = msgspec.convert(plain, ready(_Category))
        except msgspec.ValidationError as error:
            message, steps = jsontext.explain(error)
            document.problem(
                ledger, "wrong-type", message, document.place(*at, *steps), "a category has an id and a name"
            )
            continue
        if known.id in seen:
            message = f"category id {known.id!r} stands twice, first in categories/{seen[known.id]}"
            document.problem(
                ledger, "duplicate-id", message, document.place(*at, "id"), "give each category its own id"
            )
        if not known.name:
            place = document.place(*at, "name")
            document.problem(ledger, "empty-label", "a category without a name", place, "name it: a label is a text")
        if any(category.name == known.name for category in out):
            message = f"another category is called {known.name!r} too; formats without ids cannot tell them apart"
            fix = "give each category its own name, unless they are one"
            document.problem(ledger, "duplicate-label", message, document.place(*at, "name"), fix, "notice")
        seen.setdefault(known.id, index)
        out.append(_category(plain))
    return out


def _category(plain: dict[str, Any]) -> Category:
    """Key points and skeleton as types where they are as specified, else as they are."""
    rest = {key: value for key, value in plain.items() if key not in ("id", "name", "supercategory")}
    known: dict[str, Any] = {}
    for key, kind in (("keypoints", tuple[str, ...]), ("skeleton", tuple[tuple[int, int], ...])):
        with suppress(msgspec.ValidationError, KeyError):
            known[key] = msgspec.convert(rest[key], ready(kind))
            del rest[key]
    supercategory = plain.get("supercategory")
    if supercategory is None and "supercategory" in plain:
        rest["supercategory"] = None
    return Category(plain["name"], plain["id"], supercategory, extras=rest, **known)
