"""The edges of many boxes at once, letter by letter as `numbers.edges` spells them.

Hundredths are counted as whole numbers. Any other number is added as the decimal that it is written as: eighteen
digits behind the point, in two halves that floats hold exactly. What is longer, below zero, or beyond `USUAL` goes one
by one.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .numbers import USUAL, edges

Bytes = NDArray[np.uint8]

_ZERO = ord("0")
_HALF = 9
_DECIMALS = 2 * _HALF
_PLACES = np.arange(_DECIMALS, dtype=np.uint8)
_WEIGHTS = np.kron(np.eye(2), 10.0 ** np.arange(_HALF)[::-1, None])
"""What each digit counts in the one half and in the other."""
_LIMIT = 10.0**_HALF
_SMALL = 1e-3
"""From it on numbers are written without an exponent."""
_encode = msgspec.json.Encoder().encode


def edge_texts(bbox: NDArray[Any]) -> Bytes:
    """Left, top, right and bottom of each box, spelled: an array (boxes, 4, characters), with NULs that say nothing."""
    hundredths, usual = _hundredths(bbox)
    if usual.all():
        return _usual(hundredths)
    values = bbox.astype(np.float64)
    plain = (((values >= _SMALL) & (values < USUAL)) | ((values == 0) & ~np.signbit(values))).all(axis=1)
    texts, long = _summed(values[plain])
    if len(texts) == len(bbox) and not long.any():
        return texts
    places = np.flatnonzero(plain)
    plain[places[long]] = False
    rest = np.flatnonzero(~plain)
    parts = [(places[~long], texts[~long]), (rest, _one_by_one(bbox[rest]))]
    out = np.zeros((len(bbox), 4, max(part.shape[2] for _, part in parts)), np.uint8)
    for where, part in parts:
        out[where, :, : part.shape[2]] = part
    return out


def _hundredths(bbox: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The edges in hundredths, and which boxes have such edges only, none of them below zero."""
    usual = np.abs(bbox) < USUAL
    with np.errstate(all="ignore"):
        if bbox.dtype == np.int64:
            counted = bbox * 100
        else:
            scaled = np.rint(bbox * 100)
            usual &= scaled / 100 == bbox
            usual[:, :2] &= ~np.signbit(bbox[:, :2])
            counted = np.where(usual, scaled, 0).astype(np.int64)
    counted[:, 2:] += counted[:, :2]
    return counted, np.logical_and.reduce(usual & (counted >= 0), axis=1)


def _usual(hundredths: NDArray[np.int64]) -> Bytes:
    whole, decimals = np.divmod(hundredths.ravel(), 100)
    return _joined(whole, _digits(decimals, 2))


def _summed(bbox: NDArray[np.float64]) -> tuple[Bytes, NDArray[np.bool_]]:
    """The edges by decimal arithmetic; and which boxes have more decimals than are looked at."""
    data = np.frombuffer(_encode(bbox.ravel().tolist()) + bytes(_DECIMALS), np.uint8)
    dots, stops = np.flatnonzero(data == ord(".")), np.flatnonzero((data == ord(",")) | (data == ord("]")))
    length = np.minimum(stops[: bbox.size] - dots - 1, 255).astype(np.uint8)  # of no boxes there is a stop all the same
    digits = (sliding_window_view(data, _DECIMALS)[dots + 1] - _ZERO) * (length[:, None] > _PLACES)
    halves = (digits.astype(np.float64) @ _WEIGHTS).reshape(-1, 4, 2)
    high, low = (halves[:, :2] + halves[:, 2:]).transpose(2, 0, 1)
    whole = np.floor(bbox)
    high += low >= _LIMIT
    whole[:, 2:] += whole[:, :2] + (high >= _LIMIT)
    far = [_digits((half % _LIMIT).ravel().astype(np.int64), _HALF) for half in (high, low)]
    digits = (digits + _ZERO).reshape(-1, 4, _DECIMALS)
    digits[:, 2:] = np.concatenate(far, axis=1).reshape(-1, 2, _DECIMALS)
    backwards = digits[:, :, ::-1] != _ZERO
    backwards[:, :, -2] = True  # two decimals stay, whatever they are
    used = _DECIMALS - backwards.argmax(axis=2)
    digits *= used[:, :, None] > _PLACES
    long = length.reshape(-1, 4).max(axis=1) > _DECIMALS
    return _joined(whole.ravel().astype(np.int64), digits.reshape(-1, _DECIMALS)), long


def _one_by_one(bbox: NDArray[Any]) -> Bytes:
    return np.array(edges(bbox.tolist()), "S")[:, :, None].view(np.uint8)


def _joined(whole: NDArray[np.int64], decimals: Bytes) -> Bytes:
    """Numbers out of what stands before their points and behind them, four a box."""
    width = len(str(whole.max(initial=0)))
    out = np.empty((len(whole), width + 1 + decimals.shape[1]), np.uint8)
    out[:, :width] = _digits(whole, width)
    for place in range(width - 1):
        out[:, place] *= whole >= 10 ** (width - 1 - place)
    out[:, width] = ord(".")
    out[:, width + 1 :] = decimals
    return out.reshape(-1, 4, out.shape[1])


def _digits(values: NDArray[np.int64], width: int) -> Bytes:
    """The last digits of whole numbers below 2**32, with zeros in front."""
    out = np.empty((len(values), width), np.uint8)
    rest = values.astype(np.uint32)
    for place in reversed(range(width)):
        tenth = rest // 10
        out[:, place] = rest - tenth * 10 + _ZERO
        rest = tenth
    return out
