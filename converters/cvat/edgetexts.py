"""The edges of many boxes at once, letter by letter as `numbers.edges` spells them.

Hundredths are counted as whole numbers. Any other number is added as the decimal that it is written as: 24 digits
behind the point, eight in each of three words of 64 bits, the first digit in the lowest byte. What is below zero, or
beyond `_USUAL`, goes one by one.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .numbers import edges

Bytes = NDArray[np.uint8]
Words = NDArray[Any]
"""Of uint64."""

_WORD = 8
_WORDS = 3
_DECIMALS = _WORD * _WORDS
_LIMIT = 10**_WORD
_USUAL = _LIMIT / 2
"""Below it edges have eight digits in front of the point."""
_SMALL = 1e-3
"""From it on numbers are written without an exponent, and with 20 decimals at most."""
_LAST_MARK = ord(".")
"""Blanks apart, digits are above it, and what stands between two numbers is not."""
_MASKS = np.tri(_DECIMALS + 1, _DECIMALS, -1, np.uint8) * np.uint8(0x0F)
"""What makes digits out of so many letters, and nothing of those behind."""
_EACH = 0x0101010101010101
_FIRST_TWO, _LAST = 1 << 8, 1 << 56
_encode = msgspec.json.Encoder().encode


def edge_texts(bbox: NDArray[Any]) -> Bytes:
    """Left, top, right and bottom of each box, spelled: an array (boxes, 4, characters), with NULs that say nothing."""
    hundredths = _hundredths(bbox)
    if hundredths is not None:
        whole, decimals = np.divmod(hundredths.astype(np.uint64), 100)
        return _joined(whole, _bytes(_digits(decimals) + _EACH * ord("0"))[..., -2:])
    values = bbox.astype(np.float64)
    usual = ((values >= _SMALL) & (values < _USUAL)) | ((values == 0) & ~np.signbit(values))
    if usual.all():
        return _summed(values)
    plain = usual.all(axis=1)
    parts = [(plain, _summed(values[plain])), (~plain, _one_by_one(bbox[~plain]))]
    out = np.zeros((len(bbox), 4, max(part.shape[2] for _, part in parts)), np.uint8)
    for where, part in parts:
        out[where, :, : part.shape[2]] = part
    return out


def _hundredths(bbox: NDArray[Any]) -> NDArray[np.int64] | None:
    """The edges in hundredths; None where not all of them are such, or one is below zero."""
    usual = np.abs(bbox) < _USUAL
    with np.errstate(all="ignore"):
        if bbox.dtype == np.int64:
            counted = bbox * 100
        else:
            scaled = np.rint(bbox * 100)
            usual &= scaled / 100 == bbox
            usual[:, :2] &= ~np.signbit(bbox[:, :2])
            counted = np.where(usual, scaled, 0).astype(np.int64)
    counted[:, 2:] += counted[:, :2]
    return counted if usual.all() and (counted >= 0).all() else None


def _summed(bbox: NDArray[np.float64]) -> Bytes:
    """The edges by decimal arithmetic."""
    text = _encode(bbox.ravel().tolist())[:-1] + b"," + bytes(_DECIMALS)
    marks = np.flatnonzero(np.frombuffer(text, np.uint8)[:-_DECIMALS] <= _LAST_MARK)[: 2 * bbox.size]
    dots, stops = marks[::2], marks[1::2]
    following = np.ndarray(len(text) - _DECIMALS + 1, f"V{_DECIMALS}", text, strides=(1,))
    digits = [
        (letters & mask).reshape(-1, 4)
        for letters, mask in zip(
            _words(following[dots + 1]), _words(_MASKS.view(following.dtype)[stops - dots - 1, 0]), strict=True
        )
    ]
    whole = np.floor(bbox).astype(np.uint64)
    over = np.zeros((len(bbox), 2), np.uint64)
    for word in reversed(digits):
        counted = _counted(word)
        sums = counted[:, :2] + counted[:, 2:] + over
        over = sums // _LIMIT
        word[:, 2:] = _digits(sums - over * _LIMIT)
    whole[:, 2:] += whole[:, :2] + over
    decimals = np.empty((len(bbox), 4, _WORDS), "<u8")
    behind = np.zeros(1, np.uint64)
    for place in reversed(range(_WORDS)):
        shown = digits[place] | behind
        behind = (shown != 0) * np.uint64(_LAST)
        if place == 0:
            shown |= _FIRST_TWO  # two decimals stay, whatever they are
        for bits in (8, 16, 32):
            shown |= shown >> bits
        decimals[..., place] = _letters(digits[place], shown)
    used = np.bitwise_or.reduce(decimals.reshape(-1, _WORDS), axis=0)
    return _joined(whole, decimals.view(np.uint8)[..., : np.count_nonzero(used.view(np.uint8))])


def _words(runs: NDArray[np.void]) -> list[Words]:
    return list(runs.view("<u8").reshape(-1, _WORDS).T.astype(np.uint64, order="C"))


def _one_by_one(bbox: NDArray[Any]) -> Bytes:
    return np.array(edges(bbox.tolist()), "S")[:, :, None].view(np.uint8)


def _joined(whole: Words, decimals: Bytes) -> Bytes:
    """Numbers out of what stands before their points and behind them, four a box."""
    width = len(str(whole.max(initial=0)))
    digits = _digits(whole)
    shown = digits | _LAST
    for bits in (8, 16, 32):
        shown |= shown << bits
    out = np.empty((*whole.shape, width + 1 + decimals.shape[2]), np.uint8)
    out[..., :width] = _bytes(_letters(digits, shown))[..., -width:]
    out[..., width] = ord(".")
    out[..., width + 1 :] = decimals
    return out


def _letters(digits: Words, shown: Words) -> Words:
    """The digits spelled where something is `shown` in the same byte; NUL elsewhere."""
    return digits + ((shown + _EACH * 0x7F) >> 7 & _EACH) * ord("0")


def _bytes(words: Words) -> Bytes:
    return words.astype("<u8", copy=False)[..., None].view(np.uint8)


def _counted(digits: Words) -> Words:
    """The numbers that have these eight digits: of neighbours, first digits, then pairs, then fours."""
    pairs = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF
    fours = (pairs * 100 + (pairs >> 16)) & 0x0000FFFF0000FFFF
    return (fours * 10_000 + (fours >> 32)) & 0xFFFFFFFF


def _digits(numbers: Words) -> Words:
    """The eight digits of numbers. What is multiplied and shifted is a division that leaves neighbours alone."""
    high = numbers // 10_000
    fours = high | (numbers - high * 10_000) << 32
    high = (fours * 5243 >> 19) & 0x0000007F0000007F
    pairs = high | (fours - high * 100) << 16
    high = (pairs * 103 >> 10) & 0x000F000F000F000F
    return high | (pairs - high * 10) << 8
