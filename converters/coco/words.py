"""Bare NaN and Infinity, which Python writes and JSON does not know."""

from __future__ import annotations

from ...schemas import jsonscan, jsontext
from ...schemas.problems import Problem
from ..ledger import Ledger


def without_words(data: bytes, file: str, ledger: Ledger) -> bytes:
    """The text with each of them told and made a 0, so that the rest can be looked at too."""
    if b"NaN" not in data and b"Infinity" not in data:
        return data
    clean, words = jsonscan.without_words(data)
    for word, offset in words:
        ledger.problem(Problem.of(jsontext.not_finite(word, jsontext.place_of(data, offset, file))))
    return clean if words else data
