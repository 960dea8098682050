"""Labels, their attributes and the attributes' values: texts that annotations name by key.

A key is a UUID (version 5) of the text and of what stands above it, so two stand-ins that were told the same hold the
same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

import msgspec

from .calls import Asked
from .lake import Lake

_ROOT = UUID("5b0c3f9e-7f0e-4c53-9d7e-3b1f6b1a2c4d")
_TOP = ""


class References(msgspec.Struct):
    labels: dict[str, dict[str, list[str]]]
    userName: str = ""


def references(lake: Lake, asked: Asked) -> dict[str, Any]:
    """`POST /client/system/label/references`: a key for everything asked about; what is missing is made."""
    told = asked.body(References)
    with lake.database.writing() as db:
        return {text: _label(db, text, attributes) for text, attributes in told.labels.items()}


def texts(db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, str]:
    """Key -> text, of those that are known."""
    found: dict[str, str] = {}
    for key in keys:
        row = db.execute("SELECT text FROM labels WHERE key = ?", (key,)).fetchone()
        if row is not None:
            found[key] = row["text"]
    return found


def _label(db: sqlite3.Connection, text: str, attributes: dict[str, list[str]]) -> dict[str, Any]:
    key = _key(db, _TOP, text)
    return {
        "ref": key,
        "color": f"#{key[:6]}",
        "texts": {name: _attribute(db, key, name, attributes[name]) for name in attributes},
    }


def _attribute(db: sqlite3.Connection, label: str, name: str, values: list[str]) -> dict[str, Any]:
    key = _key(db, label, name)
    return {"ref": key, "texts": {value: _key(db, key, value) for value in values}}


def _key(db: sqlite3.Connection, parent: str, text: str) -> str:
    key = str(uuid5(UUID(parent) if parent else _ROOT, text))
    db.execute("INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", (key, parent, text))
    return key
